-- What of a key's rows the source has more or less counts as inserted or deleted, the others as updated.
with total as (
    select
        coalesce(sum(t.surplus) filter (where t.surplus > 0), 0) as wanted,
        coalesce(-sum(t.surplus) filter (where t.surplus < 0), 0) as unwanted
    from :"differing" as t
),

-- The keys are only looked at, which takes long, where some may be on both sides.
replaced as materialized (
    select
        t.wanted, t.unwanted,
        case
            when t.wanted > 0 and t.unwanted > 0
                then (
                    select sum(least(k.wanted, k.unwanted))::bigint
                    from (
                        select
                            coalesce(sum(t.surplus) filter (where t.surplus > 0), 0) as wanted,
                            coalesce(-sum(t.surplus) filter (where t.surplus < 0), 0) as unwanted
                        from :"differing" as t
                        group by :key
                    ) as k
                )
            else 0
        end as updated
    from total as t
)

select r.wanted - r.updated as inserted, r.updated, r.unwanted - r.updated as deleted
from replaced as r
