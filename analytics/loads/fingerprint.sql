-- A hash of all that goes into the windows of a patient journey.
with journey as (
    select
        b.journey_id,
        string_agg(
            row(
                a.activity_id, a.content_slug, s.schedule_id, s.slug,
                s.milestone_slug, s.offset_start_days, s.offset_end_days
            )::text,
            ',' order by a.activity_id
        ) as activities
    from journey_activity_bridge as b
    inner join activity_dimension as a on a.activity_id = b.activity_id
    left join schedule_dimension as s on s.schedule_id = a.schedule_id
    group by b.journey_id
),

hashed as (
    select
        j.journey_id,
        hashtextextended(j.activities, 0) as activities
    from journey as j
)

select
    f.patient_journey_id,
    hashtextextended(
        row(
            f.patient_id, f.journey_id, f.invitation_date, f.registration_date,
            f.consent_date, f.operation_date, f.discharge_date, h.activities
        )::text,
        0
    ) as fingerprint
from patient_journey_fact as f
left join hashed as h on h.journey_id = f.journey_id
