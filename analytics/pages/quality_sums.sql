-- Of each table of a source: its rows there when it was last read, those staged, in the star, and rejected. What is
-- listed as rejected and enters the star all the same is not counted as rejected.
select
    c.source_table, c.star_table, c.source, c.source_rows, c.staged, c.loaded,
    coalesce(r.rejected, 0) as rejected
from (:counted) as c
left join (
    select
        r.source_table,
        count(*) filter (where r.source_table <> all(:entering) or r.reason <> 'orphan') as rejected
    from rejected_row as r
    group by r.source_table
) as r on r.source_table = c.source_table
order by c.place
