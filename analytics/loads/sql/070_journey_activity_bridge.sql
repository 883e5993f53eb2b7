-- Which activities a journey asks for: the first row of each pair, the others are duplicates.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.journey_id, s.activity_id) as occurrence
    from staging_journey_activity as s
)

select
    row_id(n.journey_id, n.activity_id) as id, n.journey_id, n.activity_id,
    n.occurrence,
    case
        when n.journey_id is null or n.activity_id is null then 'missing_key'
        when j.journey_id is null or a.activity_id is null then 'orphan'
        when n.occurrence > 1 then 'duplicate'
    end as reason,
    case when j.journey_id is null then 'journey_id' else 'activity_id' end as orphan,
    jsonb_build_object('journey_id', n.journey_id, 'activity_id', n.activity_id) as rejected
from numbered as n
left join journey_dimension as j on j.journey_id = n.journey_id
left join activity_dimension as a on a.activity_id = n.activity_id
