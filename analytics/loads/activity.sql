-- Activities; one whose schedule does not exist is listed, but keeps its place without it.
with judged as (
    select
        s.id as activity_id,
        s.content_slug,
        d.schedule_id,
        s.id::text as source_key,
        s.place,
        case
            when s.id is null then 'missing_key'
            when s.place > 1 then 'duplicate'
            when s.schedule_id is not null and d.schedule_id is null then 'orphan'
        end as reason,
        jsonb_build_object('column', 'schedule_id', 'key', s.schedule_id) as orphan,
        {source_row} as source_row
    from {numbered} as s
    left join schedule_dimension as d on d.schedule_id = s.schedule_id
)

select {verdict}
from judged
