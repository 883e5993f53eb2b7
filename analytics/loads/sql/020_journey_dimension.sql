-- Journeys. The joint is what the joint's slug begins with: knee of knee-left.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_journey as s
)

select
    n.id as journey_id, n.abbreviation, n.joint_slug,
    lower(btrim(substring(n.joint_slug from '^[^-_]*'))) as joint,
    n.occurrence,
    case when n.id is null then 'missing_key' when n.occurrence > 1 then 'duplicate' end as reason,
    null as orphan,
    jsonb_build_object(
        'id', n.id, 'abbreviation', excerpt(n.abbreviation), 'joint_slug', excerpt(n.joint_slug)
    ) as rejected
from numbered as n
