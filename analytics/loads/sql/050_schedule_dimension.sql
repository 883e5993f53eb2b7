-- Schedules with what their slugs say, unless a person said otherwise.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_schedule as s
)

select
    n.id as schedule_id, n.slug,
    case when o.schedule_id is null then p.parse_status else 'override' end as parse_status,
    case when o.schedule_id is null then p.milestone_slug else o.milestone_slug end as milestone_slug,
    case when o.schedule_id is null then p.offset_start_days else o.offset_start_days end as offset_start_days,
    case when o.schedule_id is null then p.offset_end_days else o.offset_end_days end as offset_end_days,
    p.qualifier,
    case when o.schedule_id is null then p.parse_note else nullif(o.note, '') end as parse_note,
    n.occurrence,
    case when n.id is null then 'missing_key' when n.occurrence > 1 then 'duplicate' end as reason,
    null as orphan,
    jsonb_build_object('id', n.id, 'slug', excerpt(n.slug)) as rejected
from numbered as n
left join staging_slug as p on p.slug = coalesce(n.slug, '')
left join schedule_override as o on o.schedule_id = n.id
