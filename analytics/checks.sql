-- What the warehouse promises. Each query gives the rows that break the promise in its first line.

-- check: every step result's id is made of its patient and day
select s.id
from step_result_fact as s
where s.id <> row_id(s.patient_id, s.date - date '0001-01-01');

-- check: every bridge row's id is made of its journey and activity, so that no pair is there twice
select b.id
from journey_activity_bridge as b
where b.id <> row_id(b.journey_id, b.activity_id);

-- check: there is one window for each patient journey and activity of its journey, and no other
select f.patient_journey_id
from patient_journey_fact as f
inner join journey_activity_bridge as b on b.journey_id = f.journey_id
full join patient_journey_schedule_window as w
    on
        w.patient_journey_id = f.patient_journey_id
        and w.activity_id = b.activity_id
        and w.patient_id = f.patient_id
where
    f.patient_journey_id is null
    or w.id is distinct from row_id(f.patient_journey_id, b.activity_id);

-- check: every window repeats its patient, activity and schedule as their tables have them
select w.id
from patient_journey_schedule_window as w
left join patient_journey_fact as f on f.patient_journey_id = w.patient_journey_id and f.patient_id = w.patient_id
left join activity_dimension as a on a.activity_id = w.activity_id
left join schedule_dimension as s on s.schedule_id = a.schedule_id
where
    (
        w.patient_id, w.activity_content_slug, w.schedule_id, w.schedule_slug,
        w.schedule_milestone_slug, w.schedule_start_offset_days, w.schedule_end_offset_days
    ) is distinct from (
        f.patient_id, a.content_slug, s.schedule_id, s.slug,
        s.milestone_slug, s.offset_start_days, s.offset_end_days
    );

-- check: every window counts from its milestone's day in its patient journey
select w.id
from patient_journey_schedule_window as w
left join patient_journey_fact as f on f.patient_journey_id = w.patient_journey_id and f.patient_id = w.patient_id
where w.milestone_date is distinct from case w.schedule_milestone_slug
    when 'operation' then f.operation_date
    when 'registration' then f.registration_date
    when 'discharge' then f.discharge_date
    when 'consent' then f.consent_date
    when 'invitation' then f.invitation_date
end;

-- check: every window begins and ends as many days from its milestone as its offsets say
select w.id
from patient_journey_schedule_window as w
where
    w.window_start_date - w.milestone_date <> w.schedule_start_offset_days
    and w.window_start_date not in (date '0001-01-01', date '9999-12-31')
    or w.window_end_date - w.milestone_date <> w.schedule_end_offset_days
    and w.window_end_date not in (date '0001-01-01', date '9999-12-31')
    or (w.window_start_date is null) <> (w.milestone_date is null or w.schedule_start_offset_days is null)
    or (w.window_end_date is null) <> (w.milestone_date is null or w.schedule_end_offset_days is null)
    or w.window_start_date > w.window_end_date;

-- check: every survey result is judged as a completion, once
select coalesce(r.survey_result_id, c.survey_result_id) as survey_result_id
from survey_result_fact as r
full join activity_completion_fact as c on c.survey_result_id = r.survey_result_id and c.patient_id = r.patient_id
where
    (r.patient_id, r.patient_journey_id, r.activity_id, (r.end_time at time zone 'UTC')::date)
    is distinct from (c.patient_id, c.patient_journey_id, c.activity_id, c.completed_date);

-- check: every completion's status and days agree with its window
select c.survey_result_id
from activity_completion_fact as c
left join patient_journey_schedule_window as w
    on w.patient_journey_id = c.patient_journey_id and w.activity_id = c.activity_id and w.patient_id = c.patient_id
where (c.status, c.days_from_window) is distinct from (
    case
        when w.id is null then 'not_scheduled'
        when coalesce(w.window_start_date, w.window_end_date) is null then 'undated'
        when c.completed_date < w.window_start_date then 'early'
        when c.completed_date > w.window_end_date then 'late'
        else 'in_window'
    end,
    case
        when coalesce(w.window_start_date, w.window_end_date) is not null
            then
                least(c.completed_date - w.window_start_date, 0)
                + greatest(c.completed_date - w.window_end_date, 0)
    end
);

-- check: the adherence view has one row a window
select 1 as wrong
where (select count(*) from activity_adherence) <> (select count(*) from patient_journey_schedule_window);

-- check: every window stands in the adherence view as its dates say
select w.id
from window_detail as w
left join activity_adherence as a
    on
        a.patient_journey_id = w.patient_journey_id
        and a.activity_id = w.activity_id
        and a.patient_id = w.patient_id
where a.status is distinct from window_status(w, (now() at time zone 'UTC')::date);

-- check: every survey result carries its patient journey's patient
select r.survey_result_id
from survey_result_fact as r
left join patient_journey_fact as f on f.patient_journey_id = r.patient_journey_id and f.patient_id = r.patient_id
where f.patient_id is null;

-- check: no survey result ends before its start, and its duration is what lies between
select r.survey_result_id
from survey_result_fact as r
where r.duration_seconds < 0 or r.duration_seconds <> floor(extract(epoch from r.end_time - r.start_time));

-- check: no step result is negative
select s.id
from step_result_fact as s
where s.steps < 0;

-- check: every schedule says what its override or else its slug says, but one that waits for the next run
select s.schedule_id
from schedule_dimension as s
left join schedule_override as o on o.schedule_id = s.schedule_id
left join staging_slug as p on p.slug = coalesce(s.slug, '')
where
    (o.schedule_id is not null) <> (s.parse_status = 'override')
    or (s.milestone_slug, s.offset_start_days, s.offset_end_days) is distinct from case
        when o.schedule_id is null then (p.milestone_slug, p.offset_start_days, p.offset_end_days)
        else (o.milestone_slug, o.offset_start_days, o.offset_end_days)
    end;

-- check: every rejected row has a known reason, and an orphan names the column and the key
select r.id
from rejected_row as r
where
    r.reason not in (
        'orphan', 'not_a_number', 'negative', 'out_of_range', 'duplicate', 'missing_key', 'end_before_start'
    )
    or (r.reason = 'orphan') <> (r.detail ->> 'column' is not null and r.detail ->> 'key' is not null);

-- check: every rejected row is of a table that a source has
select r.id
from rejected_row as r
where r.source_table <> 'covid_day' and r.source_table not in (select s.source_table from staged_table as s);

-- check: the warehouse says since when it holds what it holds
select 'msk' as source
except
select source from load_state;
