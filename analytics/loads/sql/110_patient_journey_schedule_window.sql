-- When each activity is due: a row for each patient journey and activity of its journey, dated or not.
with due as (
    select
        f.patient_id, f.patient_journey_id, a.activity_id, a.content_slug,
        s.schedule_id, s.slug, s.offset_start_days, s.offset_end_days, s.milestone_slug,
        case s.milestone_slug
            when 'operation' then f.operation_date
            when 'registration' then f.registration_date
            when 'discharge' then f.discharge_date
            when 'consent' then f.consent_date
            when 'invitation' then f.invitation_date
        end as milestone_date
    from patient_journey_fact as f
    inner join journey_activity_bridge as b on b.journey_id = f.journey_id
    inner join activity_dimension as a on a.activity_id = b.activity_id
    left join schedule_dimension as s on s.schedule_id = a.schedule_id
    where
        :everything or (f.patient_id, f.patient_journey_id, b.activity_id) in (
            select c.patient_id, c.patient_journey_id, c.activity_id from changed_window as c
        )
)

select
    row_id(d.patient_journey_id, d.activity_id) as id,
    d.patient_id, d.patient_journey_id, d.activity_id,
    d.content_slug as activity_content_slug,
    d.schedule_id,
    d.slug as schedule_slug,
    d.offset_start_days as schedule_start_offset_days,
    d.offset_end_days as schedule_end_offset_days,
    d.milestone_slug as schedule_milestone_slug,
    d.milestone_date,
    -- Kept within the calendar, so that a milestone of 9999-12-31, which stands for never, has a window too.
    case
        when d.milestone_date + d.offset_start_days is not null
            then greatest(least(d.milestone_date + d.offset_start_days, date '9999-12-31'), date '0001-01-01')
    end as window_start_date,
    case
        when d.milestone_date + d.offset_end_days is not null
            then greatest(least(d.milestone_date + d.offset_end_days, date '9999-12-31'), date '0001-01-01')
    end as window_end_date
from due as d
