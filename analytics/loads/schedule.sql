-- Schedules with what their slugs say, unless a person said otherwise.
with judged as (
    select
        s.id as schedule_id,
        s.slug,
        p.qualifier,
        case when o.schedule_id is null then p.parse_status else 'override' end as parse_status,
        case when o.schedule_id is null then p.milestone_slug else o.milestone_slug end as milestone_slug,
        case when o.schedule_id is null then p.offset_start_days else o.offset_start_days end as offset_start_days,
        case when o.schedule_id is null then p.offset_end_days else o.offset_end_days end as offset_end_days,
        case when o.schedule_id is null then p.parse_note else nullif(o.note, '') end as parse_note,
        s.id::text as source_key,
        s.place,
        case
            when s.id is null then 'missing_key'
            when s.place > 1 then 'duplicate'
        end as reason,
        null::jsonb as orphan,
        {source_row} as source_row
    from {numbered} as s
    left join staging_slug as p on p.slug = coalesce(s.slug, '')
    left join schedule_override as o on o.schedule_id = s.id
)

select {verdict}
from judged
