-- When each activity is due: a row for each patient journey and activity of its journey, dated or not.
select
    w.id,
    f.patient_id,
    f.patient_journey_id,
    a.activity_id,
    a.content_slug as activity_content_slug,
    s.schedule_id,
    s.slug as schedule_slug,
    s.offset_start_days as schedule_start_offset_days,
    s.offset_end_days as schedule_end_offset_days,
    s.milestone_slug as schedule_milestone_slug,
    m.milestone_date,
    -- Kept within the calendar, so that a milestone of 9999-12-31, which stands for never, has a window too.
    case
        when m.milestone_date + s.offset_start_days is not null
            then greatest(least(m.milestone_date + s.offset_start_days, {last_day}), {first_day})
    end as window_start_date,
    case
        when m.milestone_date + s.offset_end_days is not null
            then greatest(least(m.milestone_date + s.offset_end_days, {last_day}), {first_day})
    end as window_end_date
from patient_journey_fact as f
inner join journey_activity_bridge as b on b.journey_id = f.journey_id
inner join activity_dimension as a on a.activity_id = b.activity_id
left join schedule_dimension as s on s.schedule_id = a.schedule_id
cross join
    lateral (
        select (f.patient_journey_id::bigint << 32) | (a.activity_id::bigint & 4294967295) as id
    ) as w
cross join
    lateral (
        select case s.milestone_slug
            when 'operation' then f.operation_date
            when 'registration' then f.registration_date
            when 'discharge' then f.discharge_date
            when 'consent' then f.consent_date
            when 'invitation' then f.invitation_date
        end as milestone_date
    ) as m
where {in_scope}
