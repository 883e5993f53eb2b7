-- Activities. One whose schedule does not exist is listed as an orphan, and enters all the same, without a schedule.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_activity as s
),

checked as (
    select
        n.*,
        d.schedule_id as known_schedule_id,
        case
            when n.id is null then 'missing_key'
            when n.occurrence > 1 then 'duplicate'
            when n.schedule_id is not null and d.schedule_id is null then 'orphan'
        end as reason
    from numbered as n
    left join schedule_dimension as d on d.schedule_id = n.schedule_id
)

select
    c.id as activity_id,
    c.content_slug,
    c.known_schedule_id as schedule_id,
    c.reason,
    case when c.reason is not null then coalesce(c.id::text, 'null') end as source_key,
    c.occurrence,
    case
        when c.reason is not null
            then jsonb_build_object(
                'row', jsonb_build_object(
                    'id', c.id,
                    'content_slug', excerpt(c.content_slug),
                    'schedule_id', c.schedule_id
                )
            )
            || case
                when c.reason = 'orphan' then jsonb_build_object('column', 'schedule_id', 'key', c.schedule_id)
                else jsonb_build_object()
            end
    end as detail
from checked as c
