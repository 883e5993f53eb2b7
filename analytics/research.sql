-- The schema research: the star with pseudonyms and shifted dates, for roles that are to know nobody. Each column is
-- named here, so that one that is new in the star is not shown before somebody has thought about it (research.py).
-- A migration that changes what a view shows drops it first, if it is there: grant_analyst makes it anew.
create schema if not exists research;

-- Days outside stand for never or unknown, or are slips: shifted they would give the shift away. null stands for them.
-- Both bodies are bound as they are made: a text would be looked up by the names that its reader has made.
create or replace function research.shifted(day date, shift_days integer) returns date
language sql immutable parallel safe
return case when day between date '1971-01-01' and date '2098-12-31' then day + shift_days end;

-- By hours: whoever has set a time zone with summer time would see other intervals.
create or replace function research.shifted(moment timestamptz, shift_days integer) returns timestamptz
language sql stable parallel safe
return case
    when moment >= timestamptz '1971-01-01 00:00:00+00' and moment < timestamptz '2099-01-01 00:00:00+00'
        then moment + shift_days * interval '24 hours'
end;

grant execute on function research.shifted(date, integer), research.shifted(timestamptz, integer) to public;

-- Rows come in the order of the pseudonyms: in that of the tables they would tell who has which key at the source.
create or replace view research.patient_dimension with (security_barrier) as
select p.pseudonym as patient_id, d.age_bracket, d.sex
from public.patient_dimension as d
inner join public.patient_pseudonym as p on p.patient_id = d.patient_id
order by p.pseudonym;

create or replace view research.patient_journey_fact with (security_barrier) as
select
    j.pseudonym as patient_journey_id, p.pseudonym as patient_id, f.journey_id, c.pseudonym as clinician_id,
    research.shifted(f.invitation_date, p.shift_days) as invitation_date,
    research.shifted(f.registration_date, p.shift_days) as registration_date,
    research.shifted(f.consent_date, p.shift_days) as consent_date,
    research.shifted(f.operation_date, p.shift_days) as operation_date,
    research.shifted(f.discharge_date, p.shift_days) as discharge_date,
    -- As the star has them, but to or from a day that is not shown.
    research.shifted(f.registration_date, p.shift_days) - research.shifted(f.invitation_date, p.shift_days)
        as days_invitation_to_registration,
    research.shifted(f.operation_date, p.shift_days) - research.shifted(f.registration_date, p.shift_days)
        as days_registration_to_operation,
    research.shifted(f.discharge_date, p.shift_days) - research.shifted(f.operation_date, p.shift_days)
        as days_operation_to_discharge
from public.patient_journey_fact as f
inner join public.patient_pseudonym as p on p.patient_id = f.patient_id
inner join public.patient_journey_pseudonym as j on j.patient_journey_id = f.patient_journey_id
left join public.clinician_pseudonym as c on c.clinician_id = f.clinician_id
order by j.pseudonym;

create or replace view research.step_result_fact with (security_barrier) as
select p.pseudonym as patient_id, research.shifted(f.date, p.shift_days) as date, f.steps
from public.step_result_fact as f
inner join public.patient_pseudonym as p on p.patient_id = f.patient_id
order by p.pseudonym;

create or replace view research.survey_result_fact with (security_barrier) as
select
    j.pseudonym as patient_journey_id, p.pseudonym as patient_id, f.survey_id, f.activity_id, f.score_value,
    research.shifted(f.start_time, p.shift_days) as start_time,
    research.shifted(f.end_time, p.shift_days) as end_time,
    case
        when
            research.shifted(f.start_time, p.shift_days) is not null
            and research.shifted(f.end_time, p.shift_days) is not null
            then f.duration_seconds
    end as duration_seconds,
    -- Here as well, as there is no key by which to join activity_completion_fact.
    a.status as completion_status,
    case when research.shifted(a.completed_date - a.days_from_window, 0) is not null then a.days_from_window end
        as days_from_window
from public.survey_result_fact as f
inner join public.patient_pseudonym as p on p.patient_id = f.patient_id
inner join public.patient_journey_pseudonym as j on j.patient_journey_id = f.patient_journey_id
left join public.activity_completion_fact as a
    on a.survey_result_id = f.survey_result_id and a.patient_id = f.patient_id
order by p.pseudonym;

create or replace view research.patient_journey_schedule_window with (security_barrier) as
select
    p.pseudonym as patient_id, j.pseudonym as patient_journey_id, w.activity_id, w.activity_content_slug,
    w.schedule_id, w.schedule_slug, w.schedule_start_offset_days, w.schedule_end_offset_days,
    w.schedule_milestone_slug,
    research.shifted(w.milestone_date, p.shift_days) as milestone_date,
    research.shifted(w.window_start_date, p.shift_days) as window_start_date,
    research.shifted(w.window_end_date, p.shift_days) as window_end_date
from public.patient_journey_schedule_window as w
inner join public.patient_pseudonym as p on p.patient_id = w.patient_id
inner join public.patient_journey_pseudonym as j on j.patient_journey_id = w.patient_journey_id
order by p.pseudonym;

create or replace view research.activity_completion_fact with (security_barrier) as
select
    j.pseudonym as patient_journey_id, p.pseudonym as patient_id, a.activity_id,
    research.shifted(a.completed_date, p.shift_days) as completed_date, a.status,
    case when research.shifted(a.completed_date - a.days_from_window, 0) is not null then a.days_from_window end
        as days_from_window
from public.activity_completion_fact as a
inner join public.patient_pseudonym as p on p.patient_id = a.patient_id
inner join public.patient_journey_pseudonym as j on j.patient_journey_id = a.patient_journey_id
order by p.pseudonym;

create or replace view research.adherence_fact with (security_barrier) as
select
    p.pseudonym as patient_id, j.pseudonym as patient_journey_id, a.activity_id,
    research.shifted(a.window_start_date, p.shift_days) as window_start_date,
    research.shifted(a.window_end_date, p.shift_days) as window_end_date,
    research.shifted(a.first_in_window_date, p.shift_days) as first_in_window_date,
    research.shifted(a.first_late_date, p.shift_days) as first_late_date,
    research.shifted(a.first_early_date, p.shift_days) as first_early_date
from public.adherence_fact as a
inner join public.patient_pseudonym as p on p.patient_id = a.patient_id
inner join public.patient_journey_pseudonym as j on j.patient_journey_id = a.patient_journey_id
order by p.pseudonym;

-- What is about no person.
create or replace view research.journey_dimension as
select d.journey_id, d.abbreviation, d.joint_slug, d.joint
from public.journey_dimension as d;

create or replace view research.survey_dimension as
select d.survey_id, d.slug, d.version, d.tags
from public.survey_dimension as d;

create or replace view research.schedule_dimension as
select
    d.schedule_id, d.slug, d.parse_status, d.milestone_slug, d.offset_start_days, d.offset_end_days, d.qualifier
from public.schedule_dimension as d;

create or replace view research.activity_dimension as
select d.activity_id, d.content_slug, d.schedule_id
from public.activity_dimension as d;

create or replace view research.journey_activity_bridge as
select b.id, b.journey_id, b.activity_id
from public.journey_activity_bridge as b;

-- Every day that a shifted one can be: those of the star are others.
create or replace view research.date_dimension as
select
    d.date, extract(year from d.date)::integer as year, extract(quarter from d.date)::integer as quarter,
    extract(month from d.date)::integer as month, to_char(d.date, 'FMMonth') as month_name,
    extract(isoyear from d.date)::integer as iso_year, extract(week from d.date)::integer as iso_week,
    extract(day from d.date)::integer as day_of_month, extract(isodow from d.date)::integer as day_of_week,
    extract(isodow from d.date) > 5 as is_weekend
from (
    select date '1970-01-01' + s.number as date
    from generate_series(0, date '2099-12-31' - date '1970-01-01') as s (number)
) as d;
