-- The first rejected rows of each table and reason: the numbers of their entries, which name no patient by themselves.
select r.source_table, r.reason, r.entry
from (
    select
        e.source_table, e.reason, e.id as entry,
        row_number() over (partition by e.source_table, e.reason order by e.id) as place
    from rejected_row as e
) as r
where r.place <= :examples
order by r.entry
