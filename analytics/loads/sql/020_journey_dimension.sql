-- Journeys. The joint is what the joint's slug begins with: knee of knee-left.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_journey as s
),

checked as (
    select
        n.*,
        case
            when n.id is null then 'missing_key'
            when n.occurrence > 1 then 'duplicate'
        end as reason
    from numbered as n
)

select
    c.id as journey_id,
    c.abbreviation,
    c.joint_slug,
    lower(btrim(substring(c.joint_slug from '^[^-_]*'))) as joint,
    c.reason,
    case when c.reason is not null then coalesce(c.id::text, 'null') end as source_key,
    c.occurrence,
    case
        when c.reason is not null
            then jsonb_build_object(
                'row', jsonb_build_object(
                    'id', c.id,
                    'abbreviation', excerpt(c.abbreviation),
                    'joint_slug', excerpt(c.joint_slug)
                )
            )
    end as detail
from checked as c
