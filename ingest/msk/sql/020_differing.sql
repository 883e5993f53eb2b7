-- The rows that the source has more often than they are staged, or less often: by how much.
select
    :columns, sum(both_sides.surplus)::integer as surplus
from (
    select t.*, 1 as surplus
    from :"incoming" as t
    union all
    select t.*, -1 as surplus
    from :"staging" as t
    where :is_compared
) as both_sides
group by :columns
having sum(both_sides.surplus) <> 0
