-- How many rows the source has in the place of others of their key; what it has more, or less, is apart from these.
select coalesce(sum(least(k.wanted, k.unwanted)), 0)::bigint as updated
from (
    select sum(greatest(t.surplus, 0)) as wanted, sum(greatest(-t.surplus, 0)) as unwanted
    from :"differing" as t
    group by :key
) as k
