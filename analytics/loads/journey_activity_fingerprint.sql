-- A hash of what an activity brings to the windows of a journey.
select
    b.journey_id,
    b.activity_id,
    hashtextextended(
        row(
            a.content_slug, s.schedule_id, s.slug, s.milestone_slug, s.offset_start_days, s.offset_end_days
        )::text,
        0
    ) as fingerprint
from journey_activity_bridge as b
inner join activity_dimension as a on a.activity_id = b.activity_id
left join schedule_dimension as s on s.schedule_id = a.schedule_id
