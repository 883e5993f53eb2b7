-- What of a key's rows the source has more or less counts as inserted or deleted, the others as updated.
select
    coalesce(sum(greatest(k.wanted - k.unwanted, 0)), 0)::bigint as inserted,
    coalesce(sum(least(k.wanted, k.unwanted)), 0)::bigint as updated,
    coalesce(sum(greatest(k.unwanted - k.wanted, 0)), 0)::bigint as deleted
from (
    select
        sum(greatest(t.surplus, 0)) as wanted,
        sum(greatest(-t.surplus, 0)) as unwanted
    from :"differing" as t
    group by :key
) as k
