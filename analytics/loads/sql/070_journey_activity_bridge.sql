-- Which activities a journey asks for: the first row of each pair, the others are duplicates.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.journey_id, s.activity_id) as occurrence
    from staging_journey_activity as s
),

checked as (
    select
        n.*,
        case when j.journey_id is null then 'journey_id' else 'activity_id' end as orphan_column,
        case when j.journey_id is null then n.journey_id else n.activity_id end as orphan_key,
        case
            when n.journey_id is null or n.activity_id is null then 'missing_key'
            when j.journey_id is null or a.activity_id is null then 'orphan'
            when n.occurrence > 1 then 'duplicate'
        end as reason
    from numbered as n
    left join journey_dimension as j on j.journey_id = n.journey_id
    left join activity_dimension as a on a.activity_id = n.activity_id
)

select
    row_id(c.journey_id, c.activity_id) as id,
    c.journey_id,
    c.activity_id,
    c.reason,
    case
        when c.reason is not null
            then concat_ws('/', coalesce(c.journey_id::text, 'null'), coalesce(c.activity_id::text, 'null'))
    end as source_key,
    c.occurrence,
    case
        when c.reason is not null
            then jsonb_build_object(
                'row', jsonb_build_object('journey_id', c.journey_id, 'activity_id', c.activity_id)
            )
            || case
                when c.reason = 'orphan' then jsonb_build_object('column', c.orphan_column, 'key', c.orphan_key)
                else jsonb_build_object()
            end
    end as detail
from checked as c
