-- Activities. One whose schedule does not exist is listed as an orphan, and enters all the same, without a schedule.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_activity as s
)

select
    n.id as activity_id, n.content_slug, d.schedule_id,
    n.occurrence,
    case
        when n.id is null then 'missing_key'
        when n.occurrence > 1 then 'duplicate'
        when n.schedule_id is not null and d.schedule_id is null then 'orphan'
    end as reason,
    'schedule_id' as orphan,
    jsonb_build_object(
        'id', n.id, 'content_slug', excerpt(n.content_slug), 'schedule_id', n.schedule_id
    ) as rejected
from numbered as n
left join schedule_dimension as d on d.schedule_id = n.schedule_id
