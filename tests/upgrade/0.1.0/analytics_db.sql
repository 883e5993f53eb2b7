-- analytics_db as the code of commit 857751d leaves it, by tests/upgrade/make.py.


SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE FUNCTION public.analyze_table(name regclass) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not public.is_of_the_warehouse(name) then
        raise exception '% is no table of the warehouse', name using errcode = 'insufficient_privilege';
    end if;
    execute format('analyze %s', name);
end $$;

COMMENT ON FUNCTION public.analyze_table(name regclass) IS 'Let the server know what a table holds';

CREATE FUNCTION public.excerpt(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (length(value) > 1000) THEN ((("left"(value, 1000) || '… ('::text) || length(value)) || ' characters)'::text) ELSE value END;

COMMENT ON FUNCTION public.excerpt(value text) IS 'A text as rejected_row quotes it: a long one in part, as jsonb takes none of more than 256 MB and nobody reads it';

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.committed_run (
    source text NOT NULL,
    run_uuid uuid
);

COMMENT ON TABLE public.committed_run IS 'The last run of each source that committed; a run locks its row while it works';

COMMENT ON COLUMN public.committed_run.run_uuid IS 'pipeline_run.uuid in the default database; null before the first run';

CREATE FUNCTION public.is_of_the_warehouse(name regclass) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (EXISTS (SELECT FROM pg_class c WHERE ((c.oid = (is_of_the_warehouse.name)::oid) AND (c.relkind = ANY (ARRAY['r'::"char", 'p'::"char"])) AND (((c.relnamespace)::regnamespace)::text !~ '^pg_'::text) AND (c.relowner = (SELECT w.relowner FROM pg_class w WHERE (w.oid = ('public.committed_run'::regclass)::oid))))));

COMMENT ON FUNCTION public.is_of_the_warehouse(name regclass) IS 'Whether it is a table of the owner of the warehouse, not a temporary one';

CREATE FUNCTION public.put_keys_back(name regclass) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    made text;
begin
    for made in select k.statement from public.key_set_aside as k where k.table_name = name::text order by k.place loop
        execute made;
    end loop;
    delete from public.key_set_aside as k where k.table_name = name::text;
end $$;

COMMENT ON FUNCTION public.put_keys_back(name regclass) IS 'Make again what set_keys_aside has dropped';

CREATE FUNCTION public.row_id(left_key integer, right_key integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((left_key)::bigint << 32) | ((right_key + (left_key * '2654435761'::bigint)) & '4294967295'::bigint));

COMMENT ON FUNCTION public.row_id(left_key integer, right_key integer) IS 'The id of a row whose grain are two keys: the left one, then the right one so mixed with it that ids hash well';

CREATE FUNCTION public.set_keys_aside(name regclass) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    each record;
begin
    if not public.is_of_the_warehouse(name) or not has_table_privilege(session_user, name, 'insert') then
        raise exception '% is no table of the warehouse that % fills', name, session_user
            using errcode = 'insufficient_privilege';
    end if;
    for each in
        select row_number() over () as place, k.*
          from (select format('alter table %s drop constraint %I', name, c.conname) as drop_it,
                       format('alter table %s add constraint %I %s', name, c.conname, pg_get_constraintdef(c.oid))
                           as make_it
                  from pg_constraint as c
                 where c.conrelid = name and c.contype in ('p', 'u') and pg_relation_size(name) = 0
                   and not exists (select from pg_depend as d
                                    where d.refobjid in (c.oid, c.conindid) and d.objid <> c.conindid)
                 union all
                select format('drop index %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
                  from pg_index as i
                 where i.indrelid = name and pg_relation_size(name) = 0
                   and not exists (select from pg_constraint as c where c.conindid = i.indexrelid)
                offset 0) as k
    loop
        insert into public.key_set_aside values (name::text, each.place, each.make_it);
        execute each.drop_it;
    end loop;
end $$;

COMMENT ON FUNCTION public.set_keys_aside(name regclass) IS 'Drop the keys and indexes of a table whose file is empty, but what something else depends on';

CREATE TABLE public.activity_dimension (
    activity_id integer NOT NULL,
    content_slug text,
    schedule_id integer
);

COMMENT ON TABLE public.activity_dimension IS 'Activities';

COMMENT ON COLUMN public.activity_dimension.activity_id IS 'activity.id of the source';

COMMENT ON COLUMN public.activity_dimension.content_slug IS 'What the patient is to do';

COMMENT ON COLUMN public.activity_dimension.schedule_id IS 'When it is due, in schedule_dimension; null: no schedule, or one that does not exist';

CREATE TABLE public.adherence_fact (
    id bigint NOT NULL,
    patient_id integer NOT NULL,
    patient_journey_id integer NOT NULL,
    activity_id integer NOT NULL,
    window_start_date date,
    window_end_date date,
    first_in_window_date date,
    first_late_date date,
    first_early_date date
)
WITH (fillfactor='50');

COMMENT ON TABLE public.adherence_fact IS 'What was done about each window, and when first; one row a patient journey and activity';

COMMENT ON COLUMN public.adherence_fact.id IS 'Made of patient_journey_id and activity_id';

COMMENT ON COLUMN public.adherence_fact.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.adherence_fact.patient_journey_id IS 'The patient journey, in patient_journey_fact';

COMMENT ON COLUMN public.adherence_fact.activity_id IS 'The activity, in activity_dimension';

COMMENT ON COLUMN public.adherence_fact.window_start_date IS 'First day on which the activity is due; null: no start, or undated';

COMMENT ON COLUMN public.adherence_fact.window_end_date IS 'Last day on which the activity is due; null: no end, or undated';

COMMENT ON COLUMN public.adherence_fact.first_in_window_date IS 'The earliest day on which it was done within its window; null: never';

COMMENT ON COLUMN public.adherence_fact.first_late_date IS 'The earliest day on which it was done after its window; null: never';

COMMENT ON COLUMN public.adherence_fact.first_early_date IS 'The earliest day on which it was done before its window; null: never';

CREATE TABLE public.journey_dimension (
    journey_id integer NOT NULL,
    abbreviation text,
    joint_slug text,
    joint text
);

COMMENT ON TABLE public.journey_dimension IS 'Journeys: the care pathways that a patient can follow';

COMMENT ON COLUMN public.journey_dimension.journey_id IS 'journey.id of the source';

COMMENT ON COLUMN public.journey_dimension.abbreviation IS 'Short name, such as THR';

COMMENT ON COLUMN public.journey_dimension.joint_slug IS 'The joint that is treated';

COMMENT ON COLUMN public.journey_dimension.joint IS 'The joint: what joint_slug begins with, up to the first - or _, in small letters';

CREATE TABLE public.patient_dimension (
    patient_id integer NOT NULL,
    age_bracket text,
    sex text,
    hospital text
);

COMMENT ON TABLE public.patient_dimension IS 'Patients';

COMMENT ON COLUMN public.patient_dimension.patient_id IS 'patient.id of the source';

COMMENT ON COLUMN public.patient_dimension.age_bracket IS 'Age group, as the source writes it';

COMMENT ON COLUMN public.patient_dimension.sex IS 'Sex, as the source writes it';

COMMENT ON COLUMN public.patient_dimension.hospital IS 'Hospital that treats the patient';

CREATE TABLE public.patient_journey_fact (
    patient_journey_id integer NOT NULL,
    patient_id integer NOT NULL,
    journey_id integer NOT NULL,
    clinician_id integer,
    invitation_date date,
    registration_date date,
    consent_date date,
    operation_date date,
    discharge_date date,
    days_invitation_to_registration integer,
    days_registration_to_operation integer,
    days_operation_to_discharge integer
);

COMMENT ON TABLE public.patient_journey_fact IS 'Journeys that patients follow, with their milestones; one row a patient journey';

COMMENT ON COLUMN public.patient_journey_fact.patient_journey_id IS 'patient_journey.id of the source';

COMMENT ON COLUMN public.patient_journey_fact.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.patient_journey_fact.journey_id IS 'The journey followed, in journey_dimension';

COMMENT ON COLUMN public.patient_journey_fact.clinician_id IS 'The clinician, a key of the source without a table';

COMMENT ON COLUMN public.patient_journey_fact.invitation_date IS 'Milestone: invited';

COMMENT ON COLUMN public.patient_journey_fact.registration_date IS 'Milestone: registered';

COMMENT ON COLUMN public.patient_journey_fact.consent_date IS 'Milestone: consented';

COMMENT ON COLUMN public.patient_journey_fact.operation_date IS 'Milestone: operated';

COMMENT ON COLUMN public.patient_journey_fact.discharge_date IS 'Milestone: discharged';

COMMENT ON COLUMN public.patient_journey_fact.days_invitation_to_registration IS 'Days from invitation to registration';

COMMENT ON COLUMN public.patient_journey_fact.days_registration_to_operation IS 'Days from registration to operation';

COMMENT ON COLUMN public.patient_journey_fact.days_operation_to_discharge IS 'Days from operation to discharge';

CREATE TABLE public.schedule_dimension (
    schedule_id integer NOT NULL,
    slug text,
    parse_status text NOT NULL,
    milestone_slug text,
    offset_start_days integer,
    offset_end_days integer,
    qualifier text,
    parse_note text
);

COMMENT ON TABLE public.schedule_dimension IS 'Schedules: when an activity is due, read from the slug';

COMMENT ON COLUMN public.schedule_dimension.schedule_id IS 'schedule.id of the source';

COMMENT ON COLUMN public.schedule_dimension.slug IS 'The rule as written, such as 7d-10d-post-op';

COMMENT ON COLUMN public.schedule_dimension.parse_status IS 'parsed: offset and milestone; partial: milestone unknown; unparsed; override: set in admin';

COMMENT ON COLUMN public.schedule_dimension.milestone_slug IS 'The event that the offsets count from; unknown where the slug names none';

COMMENT ON COLUMN public.schedule_dimension.offset_start_days IS 'First day of the window, from the milestone; null: no start';

COMMENT ON COLUMN public.schedule_dimension.offset_end_days IS 'Last day of the window, from the milestone; null: no end';

COMMENT ON COLUMN public.schedule_dimension.qualifier IS 'Words of the slug that are no part of the rule';

COMMENT ON COLUMN public.schedule_dimension.parse_note IS 'Why the slug was not understood, or what the override says';

CREATE VIEW public.window_detail AS
 SELECT a.id,
    a.patient_id,
    a.patient_journey_id,
    a.activity_id,
    a.window_start_date,
    a.window_end_date,
    a.first_in_window_date,
    a.first_late_date,
    a.first_early_date,
    p.hospital,
    p.age_bracket,
    p.sex,
    j.joint,
    j.abbreviation AS journey,
    f.clinician_id,
    f.operation_date,
    d.content_slug AS activity,
    s.milestone_slug AS milestone,
    s.slug AS schedule
   FROM (((((public.adherence_fact a
     LEFT JOIN public.patient_journey_fact f ON (((f.patient_journey_id = a.patient_journey_id) AND (f.patient_id = a.patient_id))))
     LEFT JOIN public.patient_dimension p ON ((p.patient_id = a.patient_id)))
     LEFT JOIN public.journey_dimension j ON ((j.journey_id = f.journey_id)))
     LEFT JOIN public.activity_dimension d ON ((d.activity_id = a.activity_id)))
     LEFT JOIN public.schedule_dimension s ON ((s.schedule_id = d.schedule_id)));

COMMENT ON VIEW public.window_detail IS 'Each window with what it can be told apart by; window_status(a row of it, a day) says how it stands as of that day';

COMMENT ON COLUMN public.window_detail.id IS 'Made of patient_journey_id and activity_id';

COMMENT ON COLUMN public.window_detail.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.window_detail.patient_journey_id IS 'The patient journey, in patient_journey_fact';

COMMENT ON COLUMN public.window_detail.activity_id IS 'The activity, in activity_dimension';

COMMENT ON COLUMN public.window_detail.window_start_date IS 'First day on which the activity is due; null: no start, or undated';

COMMENT ON COLUMN public.window_detail.window_end_date IS 'Last day on which the activity is due; null: no end, or undated';

COMMENT ON COLUMN public.window_detail.first_in_window_date IS 'The earliest day on which it was done within its window; null: never';

COMMENT ON COLUMN public.window_detail.first_late_date IS 'The earliest day on which it was done after its window; null: never';

COMMENT ON COLUMN public.window_detail.first_early_date IS 'The earliest day on which it was done before its window; null: never';

COMMENT ON COLUMN public.window_detail.hospital IS 'Hospital that treats the patient';

COMMENT ON COLUMN public.window_detail.age_bracket IS 'Age group, as the source writes it';

COMMENT ON COLUMN public.window_detail.sex IS 'Sex, as the source writes it';

COMMENT ON COLUMN public.window_detail.joint IS 'The joint: what joint_slug begins with, up to the first - or _, in small letters';

COMMENT ON COLUMN public.window_detail.journey IS 'Short name, such as THR';

COMMENT ON COLUMN public.window_detail.clinician_id IS 'The clinician, a key of the source without a table';

COMMENT ON COLUMN public.window_detail.operation_date IS 'Milestone: operated';

COMMENT ON COLUMN public.window_detail.activity IS 'What the patient is to do';

COMMENT ON COLUMN public.window_detail.milestone IS 'The event that the offsets count from; unknown where the slug names none';

COMMENT ON COLUMN public.window_detail.schedule IS 'The rule as written, such as 7d-10d-post-op';

CREATE FUNCTION public.window_status(w public.window_detail, day date) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (((w).window_start_date IS NULL) AND ((w).window_end_date IS NULL)) THEN 'undated'::text WHEN ((w).first_in_window_date <= day) THEN 'completed'::text WHEN ((w).first_late_date <= day) THEN 'completed_late'::text WHEN ((w).first_early_date <= day) THEN 'completed_early'::text WHEN ((w).window_end_date < day) THEN 'missed'::text WHEN ((w).window_start_date > day) THEN 'upcoming'::text ELSE 'open'::text END;

COMMENT ON FUNCTION public.window_status(w public.window_detail, day date) IS 'How a window stands as of a day: what was done later does not count';

CREATE TABLE public.activity_completion_fact (
    survey_result_id integer NOT NULL,
    patient_journey_id integer NOT NULL,
    patient_id integer NOT NULL,
    activity_id integer NOT NULL,
    completed_date date NOT NULL,
    status text NOT NULL,
    days_from_window integer
);

COMMENT ON TABLE public.activity_completion_fact IS 'Activities done, against the window in which they were due; one row a survey result';

COMMENT ON COLUMN public.activity_completion_fact.survey_result_id IS 'The survey result, in survey_result_fact';

COMMENT ON COLUMN public.activity_completion_fact.patient_journey_id IS 'The patient journey, in patient_journey_fact';

COMMENT ON COLUMN public.activity_completion_fact.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.activity_completion_fact.activity_id IS 'The activity done, in activity_dimension';

COMMENT ON COLUMN public.activity_completion_fact.completed_date IS 'The UTC day on which it was done, in date_dimension';

COMMENT ON COLUMN public.activity_completion_fact.status IS 'in_window, early or late; undated: the window has no date; not_scheduled: there is no window';

COMMENT ON COLUMN public.activity_completion_fact.days_from_window IS '0 inside, negative before, positive after; null: no window to count from';

CREATE TABLE public.patient_journey_schedule_window (
    id bigint NOT NULL,
    patient_id integer NOT NULL,
    patient_journey_id integer NOT NULL,
    activity_id integer NOT NULL,
    activity_content_slug text,
    schedule_id integer,
    schedule_slug text,
    schedule_start_offset_days integer,
    schedule_end_offset_days integer,
    schedule_milestone_slug text,
    milestone_date date,
    window_start_date date,
    window_end_date date
)
WITH (fillfactor='50');

COMMENT ON TABLE public.patient_journey_schedule_window IS 'When each activity is due for each patient; one row a patient journey and activity';

COMMENT ON COLUMN public.patient_journey_schedule_window.id IS 'Made of patient_journey_id and activity_id';

COMMENT ON COLUMN public.patient_journey_schedule_window.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.patient_journey_schedule_window.patient_journey_id IS 'The patient journey, in patient_journey_fact';

COMMENT ON COLUMN public.patient_journey_schedule_window.activity_id IS 'The activity, in activity_dimension';

COMMENT ON COLUMN public.patient_journey_schedule_window.activity_content_slug IS 'What the patient is to do';

COMMENT ON COLUMN public.patient_journey_schedule_window.schedule_id IS 'The schedule, in schedule_dimension; null: the activity has none';

COMMENT ON COLUMN public.patient_journey_schedule_window.schedule_slug IS 'The rule as written';

COMMENT ON COLUMN public.patient_journey_schedule_window.schedule_start_offset_days IS 'First day of the window, from the milestone';

COMMENT ON COLUMN public.patient_journey_schedule_window.schedule_end_offset_days IS 'Last day of the window, from the milestone';

COMMENT ON COLUMN public.patient_journey_schedule_window.schedule_milestone_slug IS 'The event that the offsets count from';

COMMENT ON COLUMN public.patient_journey_schedule_window.milestone_date IS 'That event''s day in this patient journey; null: not known';

COMMENT ON COLUMN public.patient_journey_schedule_window.window_start_date IS 'First day on which the activity is due; null: no start, or undated';

COMMENT ON COLUMN public.patient_journey_schedule_window.window_end_date IS 'Last day on which the activity is due; null: no end, or undated';

CREATE VIEW public.activity_adherence AS
 SELECT w.id,
    w.patient_id,
    w.patient_journey_id,
    w.activity_id,
    w.activity_content_slug,
    w.schedule_id,
    w.schedule_slug,
    w.schedule_start_offset_days,
    w.schedule_end_offset_days,
    w.schedule_milestone_slug,
    w.milestone_date,
    w.window_start_date,
    w.window_end_date,
    count(c.survey_result_id) AS completions,
    min(c.completed_date) AS first_completed_date,
        CASE
            WHEN ((w.window_start_date IS NULL) AND (w.window_end_date IS NULL)) THEN 'undated'::text
            WHEN bool_or((c.status = 'in_window'::text)) THEN 'completed'::text
            WHEN bool_or((c.status = 'late'::text)) THEN 'completed_late'::text
            WHEN bool_or((c.status = 'early'::text)) THEN 'completed_early'::text
            WHEN (w.window_end_date < ((now() AT TIME ZONE 'UTC'::text))::date) THEN 'missed'::text
            WHEN (w.window_start_date > ((now() AT TIME ZONE 'UTC'::text))::date) THEN 'upcoming'::text
            ELSE 'open'::text
        END AS status
   FROM (public.patient_journey_schedule_window w
     LEFT JOIN public.activity_completion_fact c ON (((c.patient_journey_id = w.patient_journey_id) AND (c.activity_id = w.activity_id) AND (c.patient_id = w.patient_id) AND (c.completed_date <= ((now() AT TIME ZONE 'UTC'::text))::date))))
  GROUP BY w.id, w.patient_id, w.patient_journey_id, w.activity_id, w.activity_content_slug, w.schedule_id, w.schedule_slug, w.schedule_start_offset_days, w.schedule_end_offset_days, w.schedule_milestone_slug, w.milestone_date, w.window_start_date, w.window_end_date;

COMMENT ON VIEW public.activity_adherence IS 'How each window stands today, UTC: one row a window, with what was done about it';

COMMENT ON COLUMN public.activity_adherence.id IS 'Made of patient_journey_id and activity_id';

COMMENT ON COLUMN public.activity_adherence.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.activity_adherence.patient_journey_id IS 'The patient journey, in patient_journey_fact';

COMMENT ON COLUMN public.activity_adherence.activity_id IS 'The activity, in activity_dimension';

COMMENT ON COLUMN public.activity_adherence.activity_content_slug IS 'What the patient is to do';

COMMENT ON COLUMN public.activity_adherence.schedule_id IS 'The schedule, in schedule_dimension; null: the activity has none';

COMMENT ON COLUMN public.activity_adherence.schedule_slug IS 'The rule as written';

COMMENT ON COLUMN public.activity_adherence.schedule_start_offset_days IS 'First day of the window, from the milestone';

COMMENT ON COLUMN public.activity_adherence.schedule_end_offset_days IS 'Last day of the window, from the milestone';

COMMENT ON COLUMN public.activity_adherence.schedule_milestone_slug IS 'The event that the offsets count from';

COMMENT ON COLUMN public.activity_adherence.milestone_date IS 'That event''s day in this patient journey; null: not known';

COMMENT ON COLUMN public.activity_adherence.window_start_date IS 'First day on which the activity is due; null: no start, or undated';

COMMENT ON COLUMN public.activity_adherence.window_end_date IS 'Last day on which the activity is due; null: no end, or undated';

COMMENT ON COLUMN public.activity_adherence.completions IS 'Survey results for this patient journey and activity';

COMMENT ON COLUMN public.activity_adherence.first_completed_date IS 'The earliest day on which it was done; null: never';

COMMENT ON COLUMN public.activity_adherence.status IS 'completed, completed_late, completed_early: the best of its completions; missed: ended, nothing done; open; upcoming; undated';

CREATE TABLE public.cases_dimension (
    cases_id uuid NOT NULL,
    last_update_at timestamp with time zone NOT NULL,
    state_number integer
);

COMMENT ON TABLE public.cases_dimension IS 'Days of the national COVID figures';

COMMENT ON COLUMN public.cases_dimension.cases_id IS 'UUIDv5 of scope and date: the same at every load';

COMMENT ON COLUMN public.cases_dimension.last_update_at IS 'The day, at midnight UTC';

COMMENT ON COLUMN public.cases_dimension.state_number IS 'States and territories that reported';

CREATE TABLE public.cases_fact (
    cases_id uuid NOT NULL,
    total_cases bigint,
    population_percent numeric,
    new_cases bigint,
    seven_day_change_percent numeric
);

COMMENT ON TABLE public.cases_fact IS 'Cases; one row a day';

COMMENT ON COLUMN public.cases_fact.cases_id IS 'The day, in cases_dimension';

COMMENT ON COLUMN public.cases_fact.total_cases IS 'Cases so far';

COMMENT ON COLUMN public.cases_fact.population_percent IS 'Of the population, in percent';

COMMENT ON COLUMN public.cases_fact.new_cases IS 'Change from the day before';

COMMENT ON COLUMN public.cases_fact.seven_day_change_percent IS 'Change over seven days, in percent';

CREATE UNLOGGED TABLE public.changed_adherence (
    patient_id integer NOT NULL,
    patient_journey_id integer NOT NULL,
    activity_id integer NOT NULL
);

COMMENT ON TABLE public.changed_adherence IS 'Windows whose adherence a load has to look at; empty when it has ended';

CREATE UNLOGGED TABLE public.changed_completion (
    patient_id integer NOT NULL,
    survey_result_id integer NOT NULL
);

COMMENT ON TABLE public.changed_completion IS 'Completions that a load has to look at; empty when it has ended';

CREATE UNLOGGED TABLE public.changed_patient (
    patient_id integer NOT NULL
);

COMMENT ON TABLE public.changed_patient IS 'Patients whose staged rows changed since the star was loaded; -1 stands for a null key, here and in its sisters';

CREATE UNLOGGED TABLE public.changed_patient_journey (
    patient_id integer NOT NULL,
    patient_journey_id integer NOT NULL
);

COMMENT ON TABLE public.changed_patient_journey IS 'Patient journeys whose staged rows changed since the star was loaded';

CREATE UNLOGGED TABLE public.changed_step_result (
    patient_id integer NOT NULL,
    date date NOT NULL
);

COMMENT ON TABLE public.changed_step_result IS 'Days whose staged rows changed since the star was loaded; -infinity: a null';

CREATE UNLOGGED TABLE public.changed_survey_result (
    patient_id integer NOT NULL,
    survey_result_id integer NOT NULL
);

COMMENT ON TABLE public.changed_survey_result IS 'Survey results whose staged rows changed since the star was loaded';

CREATE UNLOGGED TABLE public.changed_window (
    patient_id integer NOT NULL,
    patient_journey_id integer NOT NULL,
    activity_id integer NOT NULL
);

COMMENT ON TABLE public.changed_window IS 'Windows that a load has to look at; empty when it has ended';

CREATE TABLE public.clinician_pseudonym (
    clinician_id integer NOT NULL,
    pseudonym uuid NOT NULL
);

COMMENT ON TABLE public.clinician_pseudonym IS 'What clinicians are called in the schema research; empty without PSEUDONYM_KEY';

COMMENT ON COLUMN public.clinician_pseudonym.clinician_id IS 'The clinician, a key of the source without a table';

COMMENT ON COLUMN public.clinician_pseudonym.pseudonym IS 'Of HMAC-SHA256 with PSEUDONYM_KEY';

CREATE TABLE public.date_dimension (
    date date NOT NULL,
    year integer NOT NULL,
    quarter integer NOT NULL,
    month integer NOT NULL,
    month_name text NOT NULL,
    iso_year integer NOT NULL,
    iso_week integer NOT NULL,
    day_of_month integer NOT NULL,
    day_of_week integer NOT NULL,
    is_weekend boolean NOT NULL
);

COMMENT ON TABLE public.date_dimension IS 'Days: every day of each year in which a fact or a window has a date';

COMMENT ON COLUMN public.date_dimension.date IS 'The day';

COMMENT ON COLUMN public.date_dimension.year IS 'Year';

COMMENT ON COLUMN public.date_dimension.quarter IS 'Quarter, 1 to 4';

COMMENT ON COLUMN public.date_dimension.month IS 'Month, 1 to 12';

COMMENT ON COLUMN public.date_dimension.month_name IS 'Month''s name in English';

COMMENT ON COLUMN public.date_dimension.iso_year IS 'Year that the ISO 8601 week belongs to';

COMMENT ON COLUMN public.date_dimension.iso_week IS 'ISO 8601 week, 1 to 53';

COMMENT ON COLUMN public.date_dimension.day_of_month IS 'Day of the month, 1 to 31';

COMMENT ON COLUMN public.date_dimension.day_of_week IS 'ISO 8601 day of the week, 1 Monday to 7 Sunday';

COMMENT ON COLUMN public.date_dimension.is_weekend IS 'Saturday or Sunday';

CREATE TABLE public.death_fact (
    cases_id uuid NOT NULL,
    total_deaths bigint,
    population_percent numeric,
    new_deaths bigint,
    seven_day_change_percent numeric,
    seven_day_change_avg numeric
);

COMMENT ON TABLE public.death_fact IS 'Deaths; one row a day';

COMMENT ON COLUMN public.death_fact.cases_id IS 'The day, in cases_dimension';

COMMENT ON COLUMN public.death_fact.total_deaths IS 'Deaths so far';

COMMENT ON COLUMN public.death_fact.population_percent IS 'Of the population, in percent';

COMMENT ON COLUMN public.death_fact.new_deaths IS 'Change from the day before';

COMMENT ON COLUMN public.death_fact.seven_day_change_percent IS 'Change over seven days, in percent';

COMMENT ON COLUMN public.death_fact.seven_day_change_avg IS 'Average of seven days';

CREATE TABLE public.device_dimension (
    device_id integer NOT NULL,
    platform text,
    os_version text
);

COMMENT ON TABLE public.device_dimension IS 'Devices on which surveys were answered';

COMMENT ON COLUMN public.device_dimension.device_id IS 'device.id of the source';

COMMENT ON COLUMN public.device_dimension.platform IS 'Operating system';

COMMENT ON COLUMN public.device_dimension.os_version IS 'Its version';

CREATE TABLE public.digest_secret (
    only_row boolean DEFAULT true NOT NULL,
    secret uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT digest_secret_only_row_check CHECK (only_row)
);

COMMENT ON TABLE public.digest_secret IS 'What the seeds of the digests are made of, so that nobody can craft two rows with one digest; not for analysts';

COMMENT ON COLUMN public.digest_secret.only_row IS 'True: there is one secret';

COMMENT ON COLUMN public.digest_secret.secret IS 'Made by the server at random; another one lets a run compare everything';

CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);

ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.erased_patient (
    patient_id integer NOT NULL,
    run_id bigint NOT NULL,
    run_uuid uuid NOT NULL,
    erased_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.erased_patient IS 'Patients whom the source no longer has: which run took each out of the star, no more';

COMMENT ON COLUMN public.erased_patient.patient_id IS 'patient.id that the source had';

COMMENT ON COLUMN public.erased_patient.run_id IS 'pipeline_run.id of the run that last took the patient out of the star';

COMMENT ON COLUMN public.erased_patient.run_uuid IS 'pipeline_run.uuid of the same run';

COMMENT ON COLUMN public.erased_patient.erased_at IS 'When that was';

CREATE TABLE public.field_definitions_dimension (
    field_definitions_dimension_id uuid CONSTRAINT field_definitions_dimension_field_definitions_dimensio_not_null NOT NULL,
    field_name text NOT NULL,
    field_path text,
    deprecated boolean,
    prior_names text[],
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.field_definitions_dimension IS 'What the publisher says that the fields of its documents mean';

COMMENT ON COLUMN public.field_definitions_dimension.field_definitions_dimension_id IS 'UUIDv5 of the field''s name';

COMMENT ON COLUMN public.field_definitions_dimension.field_name IS 'The field''s name';

COMMENT ON COLUMN public.field_definitions_dimension.field_path IS 'Where it stands in a document; null: the publisher says nothing';

COMMENT ON COLUMN public.field_definitions_dimension.deprecated IS 'Whether it is no longer to be used';

COMMENT ON COLUMN public.field_definitions_dimension.prior_names IS 'What it was called before';

COMMENT ON COLUMN public.field_definitions_dimension.first_seen_at IS 'When the first document that defines it was fetched';

COMMENT ON COLUMN public.field_definitions_dimension.last_seen_at IS 'When the last document that defines it was fetched';

CREATE TABLE public.hospitalization_fact (
    cases_id uuid NOT NULL,
    currently_hospitalized bigint,
    population_percent_hospitalized numeric,
    change_in_hospitalized bigint,
    seven_day_change_percent_hospitalized numeric,
    seven_day_change_avg_hospitalized numeric,
    currently_in_icu bigint,
    population_percent_icu numeric,
    change_in_icu bigint,
    seven_day_change_percent_icu numeric,
    seven_day_change_avg_icu numeric,
    currently_on_ventilator bigint,
    population_percent_ventilator numeric,
    change_in_ventilator bigint,
    seven_day_change_percent_ventilator numeric,
    seven_day_change_avg_ventilator numeric
);

COMMENT ON TABLE public.hospitalization_fact IS 'Patients in hospital, intensive care and on ventilators; one row a day';

COMMENT ON COLUMN public.hospitalization_fact.cases_id IS 'The day, in cases_dimension';

COMMENT ON COLUMN public.hospitalization_fact.currently_hospitalized IS 'In hospital that day';

COMMENT ON COLUMN public.hospitalization_fact.population_percent_hospitalized IS 'Of the population, in percent';

COMMENT ON COLUMN public.hospitalization_fact.change_in_hospitalized IS 'Change from the day before';

COMMENT ON COLUMN public.hospitalization_fact.seven_day_change_percent_hospitalized IS 'Change over seven days, in percent';

COMMENT ON COLUMN public.hospitalization_fact.seven_day_change_avg_hospitalized IS 'Average of seven days';

COMMENT ON COLUMN public.hospitalization_fact.currently_in_icu IS 'In intensive care that day';

COMMENT ON COLUMN public.hospitalization_fact.population_percent_icu IS 'Of the population, in percent';

COMMENT ON COLUMN public.hospitalization_fact.change_in_icu IS 'Change from the day before';

COMMENT ON COLUMN public.hospitalization_fact.seven_day_change_percent_icu IS 'Change over seven days, in percent';

COMMENT ON COLUMN public.hospitalization_fact.seven_day_change_avg_icu IS 'Average of seven days';

COMMENT ON COLUMN public.hospitalization_fact.currently_on_ventilator IS 'On a ventilator that day';

COMMENT ON COLUMN public.hospitalization_fact.population_percent_ventilator IS 'Of the population, in percent';

COMMENT ON COLUMN public.hospitalization_fact.change_in_ventilator IS 'Change from the day before';

COMMENT ON COLUMN public.hospitalization_fact.seven_day_change_percent_ventilator IS 'Change over seven days, in percent';

COMMENT ON COLUMN public.hospitalization_fact.seven_day_change_avg_ventilator IS 'Average of seven days';

CREATE TABLE public.journey_activity_bridge (
    id bigint NOT NULL,
    journey_id integer NOT NULL,
    activity_id integer NOT NULL
);

COMMENT ON TABLE public.journey_activity_bridge IS 'Which activities a journey asks for; one row a journey and activity';

COMMENT ON COLUMN public.journey_activity_bridge.id IS 'Made of journey_id and activity_id';

COMMENT ON COLUMN public.journey_activity_bridge.journey_id IS 'The journey, in journey_dimension';

COMMENT ON COLUMN public.journey_activity_bridge.activity_id IS 'The activity, in activity_dimension';

CREATE TABLE public.key_set_aside (
    table_name text NOT NULL,
    place integer NOT NULL,
    statement text NOT NULL
);

COMMENT ON TABLE public.key_set_aside IS 'How the keys are made again that a run has dropped of an empty table; when it ends they are back';

CREATE TABLE public.load_state (
    source text NOT NULL,
    run_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL,
    run_uuid uuid
);

COMMENT ON TABLE public.load_state IS 'What the star schema holds, since when: one row a source';

COMMENT ON COLUMN public.load_state.source IS 'msk or covid';

COMMENT ON COLUMN public.load_state.run_id IS 'pipeline_run.id in the default database';

COMMENT ON COLUMN public.load_state.loaded_at IS 'When that run loaded the star';

COMMENT ON COLUMN public.load_state.run_uuid IS 'pipeline_run.uuid of the same run';

CREATE UNLOGGED TABLE public.load_version (
    version text NOT NULL
);

COMMENT ON TABLE public.load_version IS 'Digest of the statements by which the star was loaded; none when the next load has to look at every row';

CREATE TABLE public.patient_journey_pseudonym (
    patient_journey_id integer NOT NULL,
    pseudonym uuid NOT NULL
);

COMMENT ON TABLE public.patient_journey_pseudonym IS 'What patient journeys are called in the schema research; empty without PSEUDONYM_KEY';

COMMENT ON COLUMN public.patient_journey_pseudonym.patient_journey_id IS 'The patient journey, in patient_journey_fact';

COMMENT ON COLUMN public.patient_journey_pseudonym.pseudonym IS 'Of HMAC-SHA256 with PSEUDONYM_KEY';

CREATE TABLE public.patient_pseudonym (
    patient_id integer NOT NULL,
    pseudonym uuid NOT NULL,
    shift_days integer NOT NULL,
    CONSTRAINT patient_pseudonym_shift_days_check CHECK ((shift_days <> 0))
);

COMMENT ON TABLE public.patient_pseudonym IS 'What patients are called in the schema research; empty without PSEUDONYM_KEY';

COMMENT ON COLUMN public.patient_pseudonym.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.patient_pseudonym.pseudonym IS 'Of HMAC-SHA256 with PSEUDONYM_KEY';

COMMENT ON COLUMN public.patient_pseudonym.shift_days IS 'So many days later the patient''s dates are there; by HMAC as well';

CREATE TABLE public.rejected_row (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    source_table text NOT NULL,
    source_key text NOT NULL,
    reason text NOT NULL,
    detail jsonb NOT NULL
);

COMMENT ON TABLE public.rejected_row IS 'The source''s rows that do not fit the star, as of the last load';

COMMENT ON COLUMN public.rejected_row.id IS 'Number of the entry';

COMMENT ON COLUMN public.rejected_row.run_id IS 'pipeline_run.id of the run that first listed the row as it is';

COMMENT ON COLUMN public.rejected_row.source_table IS 'Table of the source';

COMMENT ON COLUMN public.rejected_row.source_key IS 'The row''s key in the source; #2, #3 … where several rows share it; null where it is missing';

COMMENT ON COLUMN public.rejected_row.reason IS 'Why the row is listed, one stable word';

COMMENT ON COLUMN public.rejected_row.detail IS 'The row as it came and, for an orphan, the column and the missing key';

ALTER TABLE public.rejected_row ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.rejected_row_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.schedule_override (
    schedule_id integer NOT NULL,
    milestone_slug text NOT NULL,
    offset_start_days integer,
    offset_end_days integer,
    note text DEFAULT ''::text NOT NULL,
    changed_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT schedule_override_has_an_offset CHECK (((offset_start_days IS NOT NULL) OR (offset_end_days IS NOT NULL))),
    CONSTRAINT schedule_override_in_order CHECK ((offset_start_days <= offset_end_days)),
    CONSTRAINT schedule_override_in_range CHECK ((((offset_start_days >= '-36500'::integer) AND (offset_start_days <= 36500)) AND ((offset_end_days >= '-36500'::integer) AND (offset_end_days <= 36500)))),
    CONSTRAINT schedule_override_milestone CHECK ((milestone_slug = ANY (ARRAY['operation'::text, 'registration'::text, 'discharge'::text, 'appointment'::text, 'consent'::text, 'invitation'::text])))
);

COMMENT ON TABLE public.schedule_override IS 'What a person says a schedule means: it wins over the slug';

COMMENT ON COLUMN public.schedule_override.schedule_id IS 'schedule.id of the source';

COMMENT ON COLUMN public.schedule_override.milestone_slug IS 'The event that the offsets count from';

COMMENT ON COLUMN public.schedule_override.offset_start_days IS 'First day of the window, from the milestone; null: no start';

COMMENT ON COLUMN public.schedule_override.offset_end_days IS 'Last day of the window, from the milestone; null: no end';

COMMENT ON COLUMN public.schedule_override.note IS 'Why, and who says so';

COMMENT ON COLUMN public.schedule_override.changed_at IS 'When it was last saved in admin';

CREATE TABLE public.schema_change (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    detected_at timestamp with time zone NOT NULL,
    field_name text NOT NULL,
    kind text NOT NULL,
    detail jsonb NOT NULL
);

COMMENT ON TABLE public.schema_change IS 'Changes of what the COVID API says that its fields mean';

COMMENT ON COLUMN public.schema_change.id IS 'Number of the change';

COMMENT ON COLUMN public.schema_change.run_id IS 'pipeline_run.id of the run that saw it';

COMMENT ON COLUMN public.schema_change.detected_at IS 'When the document that shows it was fetched';

COMMENT ON COLUMN public.schema_change.field_name IS 'The field, by its name of today';

COMMENT ON COLUMN public.schema_change.kind IS 'appeared, disappeared, renamed, deprecated or path_changed';

COMMENT ON COLUMN public.schema_change.detail IS 'The definition before and after';

ALTER TABLE public.schema_change ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.schema_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.staged_bucket (
    source_table text NOT NULL,
    bucket bigint NOT NULL,
    row_count bigint NOT NULL,
    digest numeric(40,0) NOT NULL
);

COMMENT ON TABLE public.staged_bucket IS 'What the source''s rows were when they were last copied: a count and a digest a bucket';

COMMENT ON COLUMN public.staged_bucket.source_table IS 'Table of msk_db';

COMMENT ON COLUMN public.staged_bucket.bucket IS 'Group of keys, see ingest/msk/tables.py; -1 for rows without a key';

COMMENT ON COLUMN public.staged_bucket.row_count IS 'Rows in the bucket';

COMMENT ON COLUMN public.staged_bucket.digest IS 'Sum of the rows'' 64-bit hashes, so that duplicates count';

CREATE UNLOGGED TABLE public.staging_activity (
    id integer,
    content_slug text,
    schedule_id integer
);

COMMENT ON TABLE public.staging_activity IS 'msk_db.activity as last extracted';

CREATE UNLOGGED TABLE public.staging_device (
    id integer,
    platform text,
    os_version text
);

COMMENT ON TABLE public.staging_device IS 'msk_db.device as last extracted';

CREATE UNLOGGED TABLE public.staging_journey (
    id integer,
    abbreviation text,
    joint_slug text
);

COMMENT ON TABLE public.staging_journey IS 'msk_db.journey as last extracted';

CREATE UNLOGGED TABLE public.staging_journey_activity (
    journey_id integer,
    activity_id integer
);

COMMENT ON TABLE public.staging_journey_activity IS 'msk_db.journey_activity as last extracted; equal rows can occur';

CREATE UNLOGGED TABLE public.staging_patient (
    id integer,
    age_bracket text,
    sex text,
    hospital text
);

COMMENT ON TABLE public.staging_patient IS 'msk_db.patient as last extracted';

CREATE UNLOGGED TABLE public.staging_patient_journey (
    id integer,
    patient_id integer,
    journey_id integer,
    invitation_date date,
    registration_date date,
    operation_date date,
    discharge_date date,
    consent_date date,
    clinician_id integer,
    owner_id integer NOT NULL,
    occurrence integer NOT NULL
);

COMMENT ON TABLE public.staging_patient_journey IS 'msk_db.patient_journey as last extracted; owner_id: its patient, or -1';

CREATE UNLOGGED TABLE public.staging_schedule (
    id integer,
    slug text
);

COMMENT ON TABLE public.staging_schedule IS 'msk_db.schedule as last extracted';

CREATE UNLOGGED TABLE public.staging_step_result (
    patient_id integer,
    date date,
    value text,
    owner_id integer NOT NULL
);

COMMENT ON TABLE public.staging_step_result IS 'msk_db.step_result as last extracted; equal rows can occur; owner_id: its patient, or -1';

CREATE UNLOGGED TABLE public.staging_survey (
    id integer,
    slug text,
    version text,
    tags text[]
);

COMMENT ON TABLE public.staging_survey IS 'msk_db.survey as last extracted';

CREATE UNLOGGED TABLE public.staging_survey_result (
    id integer,
    patient_journey_id integer,
    survey_id integer,
    activity_id integer,
    device_id integer,
    score_value integer,
    start_time timestamp without time zone,
    end_time timestamp without time zone,
    owner_id integer NOT NULL,
    occurrence integer NOT NULL
);

COMMENT ON TABLE public.staging_survey_result IS 'msk_db.survey_result as last extracted; owner_id: its patient journey''s patient, or -1';

CREATE VIEW public.staged_rows AS
 SELECT 'schedule'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'schedule'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_schedule) AS staged
UNION ALL
 SELECT 'activity'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'activity'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_activity) AS staged
UNION ALL
 SELECT 'journey'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'journey'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_journey) AS staged
UNION ALL
 SELECT 'journey_activity'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'journey_activity'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_journey_activity) AS staged
UNION ALL
 SELECT 'patient'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'patient'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_patient) AS staged
UNION ALL
 SELECT 'patient_journey'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'patient_journey'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_patient_journey) AS staged
UNION ALL
 SELECT 'device'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'device'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_device) AS staged
UNION ALL
 SELECT 'survey'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'survey'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_survey) AS staged
UNION ALL
 SELECT 'step_result'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'step_result'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_step_result) AS staged
UNION ALL
 SELECT 'survey_result'::text AS source_table,
    ( SELECT (COALESCE(sum(b.row_count), (0)::numeric))::bigint AS "coalesce"
           FROM public.staged_bucket b
          WHERE (b.source_table = 'survey_result'::text)) AS source_rows,
    ( SELECT count(*) AS count
           FROM public.staging_survey_result) AS staged;

COMMENT ON VIEW public.staged_rows IS 'How many rows each source table had when it was last read, and how many are staged';

CREATE TABLE public.staged_table (
    source_table text NOT NULL,
    seed bigint NOT NULL,
    row_count bigint NOT NULL
);

COMMENT ON TABLE public.staged_table IS 'What a source table was when it was last read: its rows, and the seed by which digests can be compared';

CREATE TABLE public.staging_covid_day (
    id bigint NOT NULL,
    url text NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    sha256 text NOT NULL,
    "position" integer NOT NULL,
    document jsonb NOT NULL
);

COMMENT ON TABLE public.staging_covid_day IS 'Every version of every day that the COVID API gave';

COMMENT ON COLUMN public.staging_covid_day.id IS 'Number of the version';

COMMENT ON COLUMN public.staging_covid_day.url IS 'Address of the document that it came in';

COMMENT ON COLUMN public.staging_covid_day.fetched_at IS 'When that document was fetched';

COMMENT ON COLUMN public.staging_covid_day.sha256 IS 'SHA-256 of the day''s object as jsonb writes it, in hexadecimal';

COMMENT ON COLUMN public.staging_covid_day."position" IS 'Its place in the document, from 0; -1: no longer there';

COMMENT ON COLUMN public.staging_covid_day.document IS 'The day''s object';

ALTER TABLE public.staging_covid_day ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.staging_covid_day_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.staging_covid_definition (
    id uuid NOT NULL,
    name text NOT NULL,
    field text,
    deprecated boolean,
    prior_names text[],
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    is_current boolean NOT NULL
);

COMMENT ON TABLE public.staging_covid_definition IS 'What the COVID API says that its fields mean';

COMMENT ON COLUMN public.staging_covid_definition.id IS 'UUIDv5 of the field''s name';

COMMENT ON COLUMN public.staging_covid_definition.name IS 'The field''s name';

COMMENT ON COLUMN public.staging_covid_definition.field IS 'Where it stands in a document';

COMMENT ON COLUMN public.staging_covid_definition.deprecated IS 'Whether it is no longer to be used';

COMMENT ON COLUMN public.staging_covid_definition.prior_names IS 'What it was called before';

COMMENT ON COLUMN public.staging_covid_definition.first_seen_at IS 'When the first document that defines it was fetched';

COMMENT ON COLUMN public.staging_covid_definition.last_seen_at IS 'When the last document that defines it was fetched';

COMMENT ON COLUMN public.staging_covid_definition.is_current IS 'Whether the newest document defines it';

CREATE TABLE public.staging_covid_document (
    url text NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    sha256 text NOT NULL,
    etag text,
    last_modified text
);

COMMENT ON TABLE public.staging_covid_document IS 'The documents of the COVID API that were read, one row an address';

COMMENT ON COLUMN public.staging_covid_document.url IS 'The document''s address';

COMMENT ON COLUMN public.staging_covid_document.fetched_at IS 'When its content was first fetched as it is';

COMMENT ON COLUMN public.staging_covid_document.sha256 IS 'SHA-256 of its bytes, in hexadecimal';

COMMENT ON COLUMN public.staging_covid_document.etag IS 'Its version, as the server calls it';

COMMENT ON COLUMN public.staging_covid_document.last_modified IS 'When the server says that it changed';

CREATE TABLE public.staging_slug (
    slug text,
    parse_status text,
    milestone_slug text,
    offset_start_days integer,
    offset_end_days integer,
    qualifier text,
    parse_note text
);

COMMENT ON TABLE public.staging_slug IS 'What each distinct slug of staging_schedule says, as parse_slugs read it';

CREATE TABLE public.step_result_fact (
    id bigint NOT NULL,
    patient_id integer NOT NULL,
    date date NOT NULL,
    steps integer NOT NULL
);

COMMENT ON TABLE public.step_result_fact IS 'Steps walked; one row a patient and day';

COMMENT ON COLUMN public.step_result_fact.id IS 'Made of patient_id and date';

COMMENT ON COLUMN public.step_result_fact.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.step_result_fact.date IS 'The day, in date_dimension';

COMMENT ON COLUMN public.step_result_fact.steps IS 'Steps walked that day; the highest where the source has several';

CREATE TABLE public.survey_dimension (
    survey_id integer NOT NULL,
    slug text,
    version text,
    tags text[]
);

COMMENT ON TABLE public.survey_dimension IS 'Surveys';

COMMENT ON COLUMN public.survey_dimension.survey_id IS 'survey.id of the source';

COMMENT ON COLUMN public.survey_dimension.slug IS 'The survey''s name';

COMMENT ON COLUMN public.survey_dimension.version IS 'Its version';

COMMENT ON COLUMN public.survey_dimension.tags IS 'Its tags, in the source''s order';

CREATE TABLE public.survey_result_fact (
    survey_result_id integer NOT NULL,
    patient_journey_id integer NOT NULL,
    patient_id integer NOT NULL,
    survey_id integer NOT NULL,
    activity_id integer NOT NULL,
    device_id integer,
    score_value integer,
    start_time timestamp with time zone NOT NULL,
    end_time timestamp with time zone NOT NULL,
    duration_seconds bigint NOT NULL
);

COMMENT ON TABLE public.survey_result_fact IS 'Surveys answered; one row a survey result';

COMMENT ON COLUMN public.survey_result_fact.survey_result_id IS 'survey_result.id of the source';

COMMENT ON COLUMN public.survey_result_fact.patient_journey_id IS 'The patient journey, in patient_journey_fact';

COMMENT ON COLUMN public.survey_result_fact.patient_id IS 'The patient, in patient_dimension';

COMMENT ON COLUMN public.survey_result_fact.survey_id IS 'The survey, in survey_dimension';

COMMENT ON COLUMN public.survey_result_fact.activity_id IS 'The activity that asked for it, in activity_dimension';

COMMENT ON COLUMN public.survey_result_fact.device_id IS 'The device, in device_dimension; null: not known';

COMMENT ON COLUMN public.survey_result_fact.score_value IS 'Score; null: none was given';

COMMENT ON COLUMN public.survey_result_fact.start_time IS 'When the answer began, UTC';

COMMENT ON COLUMN public.survey_result_fact.end_time IS 'When the answer ended, UTC';

COMMENT ON COLUMN public.survey_result_fact.duration_seconds IS 'Whole seconds from start to end';

CREATE TABLE public.testing_fact (
    cases_id uuid NOT NULL,
    total_tests bigint,
    population_percent numeric,
    new_tests bigint,
    seven_day_change_percent numeric
);

COMMENT ON TABLE public.testing_fact IS 'Tests; one row a day';

COMMENT ON COLUMN public.testing_fact.cases_id IS 'The day, in cases_dimension';

COMMENT ON COLUMN public.testing_fact.total_tests IS 'Tests so far';

COMMENT ON COLUMN public.testing_fact.population_percent IS 'Of the population, in percent';

COMMENT ON COLUMN public.testing_fact.new_tests IS 'Change from the day before';

COMMENT ON COLUMN public.testing_fact.seven_day_change_percent IS 'Change over seven days, in percent';

COPY public.activity_completion_fact (survey_result_id, patient_journey_id, patient_id, activity_id, completed_date, status, days_from_window) FROM stdin;
1	1	1	1	2024-03-08	in_window	0
2	2	2	1	2024-04-01	late	11
3	3	3	4	2024-02-20	in_window	0
6	1	1	3	2024-03-20	late	10
\.

COPY public.activity_dimension (activity_id, content_slug, schedule_id) FROM stdin;
1	pain-diary	1
2	first-exercise	2
3	reading	3
4	walk	4
5	lost	\N
\.

COPY public.adherence_fact (id, patient_id, patient_journey_id, activity_id, window_start_date, window_end_date, first_in_window_date, first_late_date, first_early_date) FROM stdin;
6949403058	1	1	1	2024-03-08	2024-03-11	2024-03-08	\N	\N
6949403059	1	1	2	\N	2024-03-01	\N	\N	\N
9603838819	2	2	1	2024-03-18	2024-03-21	\N	2024-04-01	\N
9603838820	2	2	2	\N	2024-03-11	\N	\N	\N
16553241876	3	3	1	2024-04-09	2024-04-12	\N	\N	\N
16553241879	3	3	4	2024-02-16	\N	2024-02-20	\N	\N
19207677637	4	4	1	\N	\N	\N	\N	\N
19207677640	4	4	4	2024-02-20	\N	\N	\N	\N
6949403060	1	1	3	2024-03-02	2024-03-10	\N	2024-03-20	\N
9603838821	2	2	3	2024-03-12	2024-03-20	\N	\N	\N
\.

COPY public.cases_dimension (cases_id, last_update_at, state_number) FROM stdin;
86be1ef8-fe13-56cd-8a14-25fc40b115e5	2020-03-01 00:00:00+00	10
7bce6bb1-1a41-5094-867a-752938971ff5	2020-03-02 00:00:00+00	13
901014b9-2065-564e-8d91-04f25cc42b49	2020-03-03 00:00:00+00	16
\.

COPY public.cases_fact (cases_id, total_cases, population_percent, new_cases, seven_day_change_percent) FROM stdin;
86be1ef8-fe13-56cd-8a14-25fc40b115e5	\N	\N	\N	\N
7bce6bb1-1a41-5094-867a-752938971ff5	353	0.0001	\N	\N
901014b9-2065-564e-8d91-04f25cc42b49	573	0.0002	220	\N
\.

COPY public.changed_adherence (patient_id, patient_journey_id, activity_id) FROM stdin;
\.

COPY public.changed_completion (patient_id, survey_result_id) FROM stdin;
\.

COPY public.changed_patient (patient_id) FROM stdin;
\.

COPY public.changed_patient_journey (patient_id, patient_journey_id) FROM stdin;
\.

COPY public.changed_step_result (patient_id, date) FROM stdin;
\.

COPY public.changed_survey_result (patient_id, survey_result_id) FROM stdin;
\.

COPY public.changed_window (patient_id, patient_journey_id, activity_id) FROM stdin;
\.

COPY public.clinician_pseudonym (clinician_id, pseudonym) FROM stdin;
7	d98ae994-e5ac-419d-1a4c-733d0cf411fa
8	e7a0fc01-305d-9686-214d-0d9c6e0f9131
\.

COPY public.committed_run (source, run_uuid) FROM stdin;
msk	55fada05-6b10-4446-899d-953a528ae488
covid	a8f7fde4-2a63-4c3a-8ca6-326fef3b3e81
\.

COPY public.date_dimension (date, year, quarter, month, month_name, iso_year, iso_week, day_of_month, day_of_week, is_weekend) FROM stdin;
2024-01-01	2024	1	1	January	2024	1	1	1	f
2024-01-02	2024	1	1	January	2024	1	2	2	f
2024-01-03	2024	1	1	January	2024	1	3	3	f
2024-01-04	2024	1	1	January	2024	1	4	4	f
2024-01-05	2024	1	1	January	2024	1	5	5	f
2024-01-06	2024	1	1	January	2024	1	6	6	t
2024-01-07	2024	1	1	January	2024	1	7	7	t
2024-01-08	2024	1	1	January	2024	2	8	1	f
2024-01-09	2024	1	1	January	2024	2	9	2	f
2024-01-10	2024	1	1	January	2024	2	10	3	f
2024-01-11	2024	1	1	January	2024	2	11	4	f
2024-01-12	2024	1	1	January	2024	2	12	5	f
2024-01-13	2024	1	1	January	2024	2	13	6	t
2024-01-14	2024	1	1	January	2024	2	14	7	t
2024-01-15	2024	1	1	January	2024	3	15	1	f
2024-01-16	2024	1	1	January	2024	3	16	2	f
2024-01-17	2024	1	1	January	2024	3	17	3	f
2024-01-18	2024	1	1	January	2024	3	18	4	f
2024-01-19	2024	1	1	January	2024	3	19	5	f
2024-01-20	2024	1	1	January	2024	3	20	6	t
2024-01-21	2024	1	1	January	2024	3	21	7	t
2024-01-22	2024	1	1	January	2024	4	22	1	f
2024-01-23	2024	1	1	January	2024	4	23	2	f
2024-01-24	2024	1	1	January	2024	4	24	3	f
2024-01-25	2024	1	1	January	2024	4	25	4	f
2024-01-26	2024	1	1	January	2024	4	26	5	f
2024-01-27	2024	1	1	January	2024	4	27	6	t
2024-01-28	2024	1	1	January	2024	4	28	7	t
2024-01-29	2024	1	1	January	2024	5	29	1	f
2024-01-30	2024	1	1	January	2024	5	30	2	f
2024-01-31	2024	1	1	January	2024	5	31	3	f
2024-02-01	2024	1	2	February	2024	5	1	4	f
2024-02-02	2024	1	2	February	2024	5	2	5	f
2024-02-03	2024	1	2	February	2024	5	3	6	t
2024-02-04	2024	1	2	February	2024	5	4	7	t
2024-02-05	2024	1	2	February	2024	6	5	1	f
2024-02-06	2024	1	2	February	2024	6	6	2	f
2024-02-07	2024	1	2	February	2024	6	7	3	f
2024-02-08	2024	1	2	February	2024	6	8	4	f
2024-02-09	2024	1	2	February	2024	6	9	5	f
2024-02-10	2024	1	2	February	2024	6	10	6	t
2024-02-11	2024	1	2	February	2024	6	11	7	t
2024-02-12	2024	1	2	February	2024	7	12	1	f
2024-02-13	2024	1	2	February	2024	7	13	2	f
2024-02-14	2024	1	2	February	2024	7	14	3	f
2024-02-15	2024	1	2	February	2024	7	15	4	f
2024-02-16	2024	1	2	February	2024	7	16	5	f
2024-02-17	2024	1	2	February	2024	7	17	6	t
2024-02-18	2024	1	2	February	2024	7	18	7	t
2024-02-19	2024	1	2	February	2024	8	19	1	f
2024-02-20	2024	1	2	February	2024	8	20	2	f
2024-02-21	2024	1	2	February	2024	8	21	3	f
2024-02-22	2024	1	2	February	2024	8	22	4	f
2024-02-23	2024	1	2	February	2024	8	23	5	f
2024-02-24	2024	1	2	February	2024	8	24	6	t
2024-02-25	2024	1	2	February	2024	8	25	7	t
2024-02-26	2024	1	2	February	2024	9	26	1	f
2024-02-27	2024	1	2	February	2024	9	27	2	f
2024-02-28	2024	1	2	February	2024	9	28	3	f
2024-02-29	2024	1	2	February	2024	9	29	4	f
2024-03-01	2024	1	3	March	2024	9	1	5	f
2024-03-02	2024	1	3	March	2024	9	2	6	t
2024-03-03	2024	1	3	March	2024	9	3	7	t
2024-03-04	2024	1	3	March	2024	10	4	1	f
2024-03-05	2024	1	3	March	2024	10	5	2	f
2024-03-06	2024	1	3	March	2024	10	6	3	f
2024-03-07	2024	1	3	March	2024	10	7	4	f
2024-03-08	2024	1	3	March	2024	10	8	5	f
2024-03-09	2024	1	3	March	2024	10	9	6	t
2024-03-10	2024	1	3	March	2024	10	10	7	t
2024-03-11	2024	1	3	March	2024	11	11	1	f
2024-03-12	2024	1	3	March	2024	11	12	2	f
2024-03-13	2024	1	3	March	2024	11	13	3	f
2024-03-14	2024	1	3	March	2024	11	14	4	f
2024-03-15	2024	1	3	March	2024	11	15	5	f
2024-03-16	2024	1	3	March	2024	11	16	6	t
2024-03-17	2024	1	3	March	2024	11	17	7	t
2024-03-18	2024	1	3	March	2024	12	18	1	f
2024-03-19	2024	1	3	March	2024	12	19	2	f
2024-03-20	2024	1	3	March	2024	12	20	3	f
2024-03-21	2024	1	3	March	2024	12	21	4	f
2024-03-22	2024	1	3	March	2024	12	22	5	f
2024-03-23	2024	1	3	March	2024	12	23	6	t
2024-03-24	2024	1	3	March	2024	12	24	7	t
2024-03-25	2024	1	3	March	2024	13	25	1	f
2024-03-26	2024	1	3	March	2024	13	26	2	f
2024-03-27	2024	1	3	March	2024	13	27	3	f
2024-03-28	2024	1	3	March	2024	13	28	4	f
2024-03-29	2024	1	3	March	2024	13	29	5	f
2024-03-30	2024	1	3	March	2024	13	30	6	t
2024-03-31	2024	1	3	March	2024	13	31	7	t
2024-04-01	2024	2	4	April	2024	14	1	1	f
2024-04-02	2024	2	4	April	2024	14	2	2	f
2024-04-03	2024	2	4	April	2024	14	3	3	f
2024-04-04	2024	2	4	April	2024	14	4	4	f
2024-04-05	2024	2	4	April	2024	14	5	5	f
2024-04-06	2024	2	4	April	2024	14	6	6	t
2024-04-07	2024	2	4	April	2024	14	7	7	t
2024-04-08	2024	2	4	April	2024	15	8	1	f
2024-04-09	2024	2	4	April	2024	15	9	2	f
2024-04-10	2024	2	4	April	2024	15	10	3	f
2024-04-11	2024	2	4	April	2024	15	11	4	f
2024-04-12	2024	2	4	April	2024	15	12	5	f
2024-04-13	2024	2	4	April	2024	15	13	6	t
2024-04-14	2024	2	4	April	2024	15	14	7	t
2024-04-15	2024	2	4	April	2024	16	15	1	f
2024-04-16	2024	2	4	April	2024	16	16	2	f
2024-04-17	2024	2	4	April	2024	16	17	3	f
2024-04-18	2024	2	4	April	2024	16	18	4	f
2024-04-19	2024	2	4	April	2024	16	19	5	f
2024-04-20	2024	2	4	April	2024	16	20	6	t
2024-04-21	2024	2	4	April	2024	16	21	7	t
2024-04-22	2024	2	4	April	2024	17	22	1	f
2024-04-23	2024	2	4	April	2024	17	23	2	f
2024-04-24	2024	2	4	April	2024	17	24	3	f
2024-04-25	2024	2	4	April	2024	17	25	4	f
2024-04-26	2024	2	4	April	2024	17	26	5	f
2024-04-27	2024	2	4	April	2024	17	27	6	t
2024-04-28	2024	2	4	April	2024	17	28	7	t
2024-04-29	2024	2	4	April	2024	18	29	1	f
2024-04-30	2024	2	4	April	2024	18	30	2	f
2024-05-01	2024	2	5	May	2024	18	1	3	f
2024-05-02	2024	2	5	May	2024	18	2	4	f
2024-05-03	2024	2	5	May	2024	18	3	5	f
2024-05-04	2024	2	5	May	2024	18	4	6	t
2024-05-05	2024	2	5	May	2024	18	5	7	t
2024-05-06	2024	2	5	May	2024	19	6	1	f
2024-05-07	2024	2	5	May	2024	19	7	2	f
2024-05-08	2024	2	5	May	2024	19	8	3	f
2024-05-09	2024	2	5	May	2024	19	9	4	f
2024-05-10	2024	2	5	May	2024	19	10	5	f
2024-05-11	2024	2	5	May	2024	19	11	6	t
2024-05-12	2024	2	5	May	2024	19	12	7	t
2024-05-13	2024	2	5	May	2024	20	13	1	f
2024-05-14	2024	2	5	May	2024	20	14	2	f
2024-05-15	2024	2	5	May	2024	20	15	3	f
2024-05-16	2024	2	5	May	2024	20	16	4	f
2024-05-17	2024	2	5	May	2024	20	17	5	f
2024-05-18	2024	2	5	May	2024	20	18	6	t
2024-05-19	2024	2	5	May	2024	20	19	7	t
2024-05-20	2024	2	5	May	2024	21	20	1	f
2024-05-21	2024	2	5	May	2024	21	21	2	f
2024-05-22	2024	2	5	May	2024	21	22	3	f
2024-05-23	2024	2	5	May	2024	21	23	4	f
2024-05-24	2024	2	5	May	2024	21	24	5	f
2024-05-25	2024	2	5	May	2024	21	25	6	t
2024-05-26	2024	2	5	May	2024	21	26	7	t
2024-05-27	2024	2	5	May	2024	22	27	1	f
2024-05-28	2024	2	5	May	2024	22	28	2	f
2024-05-29	2024	2	5	May	2024	22	29	3	f
2024-05-30	2024	2	5	May	2024	22	30	4	f
2024-05-31	2024	2	5	May	2024	22	31	5	f
2024-06-01	2024	2	6	June	2024	22	1	6	t
2024-06-02	2024	2	6	June	2024	22	2	7	t
2024-06-03	2024	2	6	June	2024	23	3	1	f
2024-06-04	2024	2	6	June	2024	23	4	2	f
2024-06-05	2024	2	6	June	2024	23	5	3	f
2024-06-06	2024	2	6	June	2024	23	6	4	f
2024-06-07	2024	2	6	June	2024	23	7	5	f
2024-06-08	2024	2	6	June	2024	23	8	6	t
2024-06-09	2024	2	6	June	2024	23	9	7	t
2024-06-10	2024	2	6	June	2024	24	10	1	f
2024-06-11	2024	2	6	June	2024	24	11	2	f
2024-06-12	2024	2	6	June	2024	24	12	3	f
2024-06-13	2024	2	6	June	2024	24	13	4	f
2024-06-14	2024	2	6	June	2024	24	14	5	f
2024-06-15	2024	2	6	June	2024	24	15	6	t
2024-06-16	2024	2	6	June	2024	24	16	7	t
2024-06-17	2024	2	6	June	2024	25	17	1	f
2024-06-18	2024	2	6	June	2024	25	18	2	f
2024-06-19	2024	2	6	June	2024	25	19	3	f
2024-06-20	2024	2	6	June	2024	25	20	4	f
2024-06-21	2024	2	6	June	2024	25	21	5	f
2024-06-22	2024	2	6	June	2024	25	22	6	t
2024-06-23	2024	2	6	June	2024	25	23	7	t
2024-06-24	2024	2	6	June	2024	26	24	1	f
2024-06-25	2024	2	6	June	2024	26	25	2	f
2024-06-26	2024	2	6	June	2024	26	26	3	f
2024-06-27	2024	2	6	June	2024	26	27	4	f
2024-06-28	2024	2	6	June	2024	26	28	5	f
2024-06-29	2024	2	6	June	2024	26	29	6	t
2024-06-30	2024	2	6	June	2024	26	30	7	t
2024-07-01	2024	3	7	July	2024	27	1	1	f
2024-07-02	2024	3	7	July	2024	27	2	2	f
2024-07-03	2024	3	7	July	2024	27	3	3	f
2024-07-04	2024	3	7	July	2024	27	4	4	f
2024-07-05	2024	3	7	July	2024	27	5	5	f
2024-07-06	2024	3	7	July	2024	27	6	6	t
2024-07-07	2024	3	7	July	2024	27	7	7	t
2024-07-08	2024	3	7	July	2024	28	8	1	f
2024-07-09	2024	3	7	July	2024	28	9	2	f
2024-07-10	2024	3	7	July	2024	28	10	3	f
2024-07-11	2024	3	7	July	2024	28	11	4	f
2024-07-12	2024	3	7	July	2024	28	12	5	f
2024-07-13	2024	3	7	July	2024	28	13	6	t
2024-07-14	2024	3	7	July	2024	28	14	7	t
2024-07-15	2024	3	7	July	2024	29	15	1	f
2024-07-16	2024	3	7	July	2024	29	16	2	f
2024-07-17	2024	3	7	July	2024	29	17	3	f
2024-07-18	2024	3	7	July	2024	29	18	4	f
2024-07-19	2024	3	7	July	2024	29	19	5	f
2024-07-20	2024	3	7	July	2024	29	20	6	t
2024-07-21	2024	3	7	July	2024	29	21	7	t
2024-07-22	2024	3	7	July	2024	30	22	1	f
2024-07-23	2024	3	7	July	2024	30	23	2	f
2024-07-24	2024	3	7	July	2024	30	24	3	f
2024-07-25	2024	3	7	July	2024	30	25	4	f
2024-07-26	2024	3	7	July	2024	30	26	5	f
2024-07-27	2024	3	7	July	2024	30	27	6	t
2024-07-28	2024	3	7	July	2024	30	28	7	t
2024-07-29	2024	3	7	July	2024	31	29	1	f
2024-07-30	2024	3	7	July	2024	31	30	2	f
2024-07-31	2024	3	7	July	2024	31	31	3	f
2024-08-01	2024	3	8	August	2024	31	1	4	f
2024-08-02	2024	3	8	August	2024	31	2	5	f
2024-08-03	2024	3	8	August	2024	31	3	6	t
2024-08-04	2024	3	8	August	2024	31	4	7	t
2024-08-05	2024	3	8	August	2024	32	5	1	f
2024-08-06	2024	3	8	August	2024	32	6	2	f
2024-08-07	2024	3	8	August	2024	32	7	3	f
2024-08-08	2024	3	8	August	2024	32	8	4	f
2024-08-09	2024	3	8	August	2024	32	9	5	f
2024-08-10	2024	3	8	August	2024	32	10	6	t
2024-08-11	2024	3	8	August	2024	32	11	7	t
2024-08-12	2024	3	8	August	2024	33	12	1	f
2024-08-13	2024	3	8	August	2024	33	13	2	f
2024-08-14	2024	3	8	August	2024	33	14	3	f
2024-08-15	2024	3	8	August	2024	33	15	4	f
2024-08-16	2024	3	8	August	2024	33	16	5	f
2024-08-17	2024	3	8	August	2024	33	17	6	t
2024-08-18	2024	3	8	August	2024	33	18	7	t
2024-08-19	2024	3	8	August	2024	34	19	1	f
2024-08-20	2024	3	8	August	2024	34	20	2	f
2024-08-21	2024	3	8	August	2024	34	21	3	f
2024-08-22	2024	3	8	August	2024	34	22	4	f
2024-08-23	2024	3	8	August	2024	34	23	5	f
2024-08-24	2024	3	8	August	2024	34	24	6	t
2024-08-25	2024	3	8	August	2024	34	25	7	t
2024-08-26	2024	3	8	August	2024	35	26	1	f
2024-08-27	2024	3	8	August	2024	35	27	2	f
2024-08-28	2024	3	8	August	2024	35	28	3	f
2024-08-29	2024	3	8	August	2024	35	29	4	f
2024-08-30	2024	3	8	August	2024	35	30	5	f
2024-08-31	2024	3	8	August	2024	35	31	6	t
2024-09-01	2024	3	9	September	2024	35	1	7	t
2024-09-02	2024	3	9	September	2024	36	2	1	f
2024-09-03	2024	3	9	September	2024	36	3	2	f
2024-09-04	2024	3	9	September	2024	36	4	3	f
2024-09-05	2024	3	9	September	2024	36	5	4	f
2024-09-06	2024	3	9	September	2024	36	6	5	f
2024-09-07	2024	3	9	September	2024	36	7	6	t
2024-09-08	2024	3	9	September	2024	36	8	7	t
2024-09-09	2024	3	9	September	2024	37	9	1	f
2024-09-10	2024	3	9	September	2024	37	10	2	f
2024-09-11	2024	3	9	September	2024	37	11	3	f
2024-09-12	2024	3	9	September	2024	37	12	4	f
2024-09-13	2024	3	9	September	2024	37	13	5	f
2024-09-14	2024	3	9	September	2024	37	14	6	t
2024-09-15	2024	3	9	September	2024	37	15	7	t
2024-09-16	2024	3	9	September	2024	38	16	1	f
2024-09-17	2024	3	9	September	2024	38	17	2	f
2024-09-18	2024	3	9	September	2024	38	18	3	f
2024-09-19	2024	3	9	September	2024	38	19	4	f
2024-09-20	2024	3	9	September	2024	38	20	5	f
2024-09-21	2024	3	9	September	2024	38	21	6	t
2024-09-22	2024	3	9	September	2024	38	22	7	t
2024-09-23	2024	3	9	September	2024	39	23	1	f
2024-09-24	2024	3	9	September	2024	39	24	2	f
2024-09-25	2024	3	9	September	2024	39	25	3	f
2024-09-26	2024	3	9	September	2024	39	26	4	f
2024-09-27	2024	3	9	September	2024	39	27	5	f
2024-09-28	2024	3	9	September	2024	39	28	6	t
2024-09-29	2024	3	9	September	2024	39	29	7	t
2024-09-30	2024	3	9	September	2024	40	30	1	f
2024-10-01	2024	4	10	October	2024	40	1	2	f
2024-10-02	2024	4	10	October	2024	40	2	3	f
2024-10-03	2024	4	10	October	2024	40	3	4	f
2024-10-04	2024	4	10	October	2024	40	4	5	f
2024-10-05	2024	4	10	October	2024	40	5	6	t
2024-10-06	2024	4	10	October	2024	40	6	7	t
2024-10-07	2024	4	10	October	2024	41	7	1	f
2024-10-08	2024	4	10	October	2024	41	8	2	f
2024-10-09	2024	4	10	October	2024	41	9	3	f
2024-10-10	2024	4	10	October	2024	41	10	4	f
2024-10-11	2024	4	10	October	2024	41	11	5	f
2024-10-12	2024	4	10	October	2024	41	12	6	t
2024-10-13	2024	4	10	October	2024	41	13	7	t
2024-10-14	2024	4	10	October	2024	42	14	1	f
2024-10-15	2024	4	10	October	2024	42	15	2	f
2024-10-16	2024	4	10	October	2024	42	16	3	f
2024-10-17	2024	4	10	October	2024	42	17	4	f
2024-10-18	2024	4	10	October	2024	42	18	5	f
2024-10-19	2024	4	10	October	2024	42	19	6	t
2024-10-20	2024	4	10	October	2024	42	20	7	t
2024-10-21	2024	4	10	October	2024	43	21	1	f
2024-10-22	2024	4	10	October	2024	43	22	2	f
2024-10-23	2024	4	10	October	2024	43	23	3	f
2024-10-24	2024	4	10	October	2024	43	24	4	f
2024-10-25	2024	4	10	October	2024	43	25	5	f
2024-10-26	2024	4	10	October	2024	43	26	6	t
2024-10-27	2024	4	10	October	2024	43	27	7	t
2024-10-28	2024	4	10	October	2024	44	28	1	f
2024-10-29	2024	4	10	October	2024	44	29	2	f
2024-10-30	2024	4	10	October	2024	44	30	3	f
2024-10-31	2024	4	10	October	2024	44	31	4	f
2024-11-01	2024	4	11	November	2024	44	1	5	f
2024-11-02	2024	4	11	November	2024	44	2	6	t
2024-11-03	2024	4	11	November	2024	44	3	7	t
2024-11-04	2024	4	11	November	2024	45	4	1	f
2024-11-05	2024	4	11	November	2024	45	5	2	f
2024-11-06	2024	4	11	November	2024	45	6	3	f
2024-11-07	2024	4	11	November	2024	45	7	4	f
2024-11-08	2024	4	11	November	2024	45	8	5	f
2024-11-09	2024	4	11	November	2024	45	9	6	t
2024-11-10	2024	4	11	November	2024	45	10	7	t
2024-11-11	2024	4	11	November	2024	46	11	1	f
2024-11-12	2024	4	11	November	2024	46	12	2	f
2024-11-13	2024	4	11	November	2024	46	13	3	f
2024-11-14	2024	4	11	November	2024	46	14	4	f
2024-11-15	2024	4	11	November	2024	46	15	5	f
2024-11-16	2024	4	11	November	2024	46	16	6	t
2024-11-17	2024	4	11	November	2024	46	17	7	t
2024-11-18	2024	4	11	November	2024	47	18	1	f
2024-11-19	2024	4	11	November	2024	47	19	2	f
2024-11-20	2024	4	11	November	2024	47	20	3	f
2024-11-21	2024	4	11	November	2024	47	21	4	f
2024-11-22	2024	4	11	November	2024	47	22	5	f
2024-11-23	2024	4	11	November	2024	47	23	6	t
2024-11-24	2024	4	11	November	2024	47	24	7	t
2024-11-25	2024	4	11	November	2024	48	25	1	f
2024-11-26	2024	4	11	November	2024	48	26	2	f
2024-11-27	2024	4	11	November	2024	48	27	3	f
2024-11-28	2024	4	11	November	2024	48	28	4	f
2024-11-29	2024	4	11	November	2024	48	29	5	f
2024-11-30	2024	4	11	November	2024	48	30	6	t
2024-12-01	2024	4	12	December	2024	48	1	7	t
2024-12-02	2024	4	12	December	2024	49	2	1	f
2024-12-03	2024	4	12	December	2024	49	3	2	f
2024-12-04	2024	4	12	December	2024	49	4	3	f
2024-12-05	2024	4	12	December	2024	49	5	4	f
2024-12-06	2024	4	12	December	2024	49	6	5	f
2024-12-07	2024	4	12	December	2024	49	7	6	t
2024-12-08	2024	4	12	December	2024	49	8	7	t
2024-12-09	2024	4	12	December	2024	50	9	1	f
2024-12-10	2024	4	12	December	2024	50	10	2	f
2024-12-11	2024	4	12	December	2024	50	11	3	f
2024-12-12	2024	4	12	December	2024	50	12	4	f
2024-12-13	2024	4	12	December	2024	50	13	5	f
2024-12-14	2024	4	12	December	2024	50	14	6	t
2024-12-15	2024	4	12	December	2024	50	15	7	t
2024-12-16	2024	4	12	December	2024	51	16	1	f
2024-12-17	2024	4	12	December	2024	51	17	2	f
2024-12-18	2024	4	12	December	2024	51	18	3	f
2024-12-19	2024	4	12	December	2024	51	19	4	f
2024-12-20	2024	4	12	December	2024	51	20	5	f
2024-12-21	2024	4	12	December	2024	51	21	6	t
2024-12-22	2024	4	12	December	2024	51	22	7	t
2024-12-23	2024	4	12	December	2024	52	23	1	f
2024-12-24	2024	4	12	December	2024	52	24	2	f
2024-12-25	2024	4	12	December	2024	52	25	3	f
2024-12-26	2024	4	12	December	2024	52	26	4	f
2024-12-27	2024	4	12	December	2024	52	27	5	f
2024-12-28	2024	4	12	December	2024	52	28	6	t
2024-12-29	2024	4	12	December	2024	52	29	7	t
2024-12-30	2024	4	12	December	2025	1	30	1	f
2024-12-31	2024	4	12	December	2025	1	31	2	f
\.

COPY public.death_fact (cases_id, total_deaths, population_percent, new_deaths, seven_day_change_percent, seven_day_change_avg) FROM stdin;
86be1ef8-fe13-56cd-8a14-25fc40b115e5	\N	\N	\N	\N	\N
7bce6bb1-1a41-5094-867a-752938971ff5	\N	\N	\N	\N	\N
901014b9-2065-564e-8d91-04f25cc42b49	\N	\N	\N	\N	\N
\.

COPY public.device_dimension (device_id, platform, os_version) FROM stdin;
1	iOS	17.1
2	Android	14
\.

COPY public.digest_secret (only_row, secret) FROM stdin;
t	2fda9351-e4fe-4dd1-bfe0-1f6376b02cfe
\.

COPY public.django_migrations (id, app, name, applied) FROM stdin;
1	ingest	0001_initial	2026-11-27 11:50:11.674683+00
2	ingest	0002_staging	2026-11-27 11:50:11.694636+00
3	ingest	0003_covid	2026-11-27 11:50:11.706922+00
4	ingest	0004_pending	2026-11-27 11:50:11.725639+00
5	ingest	0005_triggers	2026-11-27 11:50:11.736867+00
6	ingest	0006_step_run	2026-11-27 11:50:11.739993+00
7	ingest	0007_staged_table	2026-11-27 11:50:11.745354+00
8	ingest	0008_alert	2026-11-27 11:50:11.751226+00
9	ingest	0009_committed_run	2026-11-27 11:50:11.753578+00
10	ingest	0010_pending_key	2026-11-27 11:50:11.756168+00
11	ingest	0011_digest_secret	2026-11-27 11:50:11.81556+00
12	ingest	0012_run_uuid	2026-11-27 11:50:11.884809+00
13	ingest	0013_changes	2026-11-27 11:50:12.194671+00
14	ingest	0014_reasons	2026-11-27 11:50:12.217098+00
15	ingest	0015_warehouse_check	2026-11-27 11:50:12.233404+00
16	ingest	0016_run_request	2026-11-27 11:50:12.260845+00
17	contenttypes	0001_initial	2026-11-27 11:50:12.275586+00
18	contenttypes	0002_remove_content_type_name	2026-11-27 11:50:12.306636+00
19	auth	0001_initial	2026-11-27 11:50:12.391455+00
20	auth	0002_alter_permission_name_max_length	2026-11-27 11:50:12.409466+00
21	auth	0003_alter_user_email_max_length	2026-11-27 11:50:12.432747+00
22	auth	0004_alter_user_username_opts	2026-11-27 11:50:12.454725+00
23	auth	0005_alter_user_last_login_null	2026-11-27 11:50:12.500621+00
24	auth	0006_require_contenttypes_0002	2026-11-27 11:50:12.511795+00
25	auth	0007_alter_validators_add_error_messages	2026-11-27 11:50:12.532548+00
26	auth	0008_alter_user_username_max_length	2026-11-27 11:50:12.559278+00
27	auth	0009_alter_user_last_name_max_length	2026-11-27 11:50:12.570839+00
28	auth	0010_alter_group_name_max_length	2026-11-27 11:50:12.585785+00
29	auth	0011_update_proxy_permissions	2026-11-27 11:50:12.588967+00
30	auth	0012_alter_user_first_name_max_length	2026-11-27 11:50:12.601771+00
31	analytics	0001_initial	2026-11-27 11:50:13.190781+00
32	analytics	0002_activity_adherence	2026-11-27 11:50:13.193564+00
33	analytics	0003_covid	2026-11-27 11:50:13.196998+00
34	analytics	0004_fingerprints	2026-11-27 11:50:13.199203+00
35	analytics	0005_grain	2026-11-27 11:50:13.419029+00
36	analytics	0006_links	2026-11-27 11:50:14.626341+00
37	analytics	0007_adherence	2026-11-27 11:50:14.771209+00
38	access	0001_groups	2026-11-27 11:50:14.813638+00
39	access	0002_run_requests	2026-11-27 11:50:14.842123+00
40	access	0003_access_log	2026-11-27 11:50:14.872036+00
41	access	0004_access_log_days	2026-11-27 11:50:14.895612+00
42	account	0001_initial	2026-11-27 11:50:14.993674+00
43	account	0002_email_max_length	2026-11-27 11:50:15.081516+00
44	account	0003_alter_emailaddress_create_unique_verified_email	2026-11-27 11:50:15.292872+00
45	account	0004_alter_emailaddress_drop_unique_email	2026-11-27 11:50:15.360702+00
46	account	0005_emailaddress_idx_upper_email	2026-11-27 11:50:15.50394+00
47	account	0006_emailaddress_lower	2026-11-27 11:50:15.522177+00
48	account	0007_emailaddress_idx_email	2026-11-27 11:50:16.118565+00
49	account	0008_emailaddress_unique_primary_email_fixup	2026-11-27 11:50:16.12374+00
50	account	0009_emailaddress_unique_primary_email	2026-11-27 11:50:16.165009+00
51	admin	0001_initial	2026-11-27 11:50:16.24299+00
52	admin	0002_logentry_remove_auto_add	2026-11-27 11:50:16.26967+00
53	admin	0003_logentry_add_action_flag_choices	2026-11-27 11:50:16.300678+00
54	analytics	0008_names	2026-11-27 11:50:17.156112+00
55	analytics	0009_room	2026-11-27 11:50:17.211133+00
56	analytics	0010_as_of_today	2026-11-27 11:50:17.23105+00
57	analytics	0011_pseudonyms	2026-11-27 11:50:17.310225+00
58	axes	0001_initial	2026-11-27 11:50:17.329325+00
59	axes	0002_auto_20151217_2044	2026-11-27 11:50:17.479015+00
60	axes	0003_auto_20160322_0929	2026-11-27 11:50:17.674252+00
61	axes	0004_auto_20181024_1538	2026-11-27 11:50:17.832363+00
62	axes	0005_remove_accessattempt_trusted	2026-11-27 11:50:17.852998+00
63	axes	0006_remove_accesslog_trusted	2026-11-27 11:50:17.889789+00
64	axes	0007_alter_accessattempt_unique_together	2026-11-27 11:50:17.911556+00
65	axes	0008_accessfailurelog	2026-11-27 11:50:17.937502+00
66	axes	0009_add_session_hash	2026-11-27 11:50:17.982051+00
67	axes	0010_accessattemptexpiration	2026-11-27 11:50:18.033778+00
68	ingest	0017_occurrence	2026-11-27 11:50:18.05288+00
69	ingest	0018_erasure	2026-11-27 11:50:18.113892+00
70	ingest	0019_least_privilege	2026-11-27 11:50:18.200003+00
71	ingest	0020_source_held_seconds	2026-11-27 11:50:18.237807+00
72	mfa	0001_initial	2026-11-27 11:50:18.33659+00
73	mfa	0002_authenticator_timestamps	2026-11-27 11:50:18.504033+00
74	mfa	0003_authenticator_type_uniq	2026-11-27 11:50:18.653409+00
75	sessions	0001_initial	2026-11-27 11:50:18.674913+00
76	socialaccount	0001_initial	2026-11-27 11:50:18.885849+00
77	socialaccount	0002_token_max_lengths	2026-11-27 11:50:19.036643+00
78	socialaccount	0003_extra_data_default_dict	2026-11-27 11:50:19.089879+00
79	socialaccount	0004_app_provider_id_settings	2026-11-27 11:50:19.163111+00
80	socialaccount	0005_socialtoken_nullable_app	2026-11-27 11:50:19.199574+00
81	socialaccount	0006_alter_socialaccount_extra_data	2026-11-27 11:50:19.236483+00
82	analytics	0001_squashed_0004_fingerprints	2026-11-27 11:50:19.247823+00
83	ingest	0001_squashed_0010_pending_key	2026-11-27 11:50:19.249415+00
\.

COPY public.erased_patient (patient_id, run_id, run_uuid, erased_at) FROM stdin;
5	3	55fada05-6b10-4446-899d-953a528ae488	2026-11-27 11:50:38.546415+00
\.

COPY public.field_definitions_dimension (field_definitions_dimension_id, field_name, field_path, deprecated, prior_names, first_seen_at, last_seen_at) FROM stdin;
fd1fc015-6ddd-5528-9ad3-bd5efa093aeb	Day	date	f	{reportDay,day}	2026-11-27 11:50:29.347541+00	2026-11-27 11:50:29.347541+00
0c6845ae-2ed8-5e9a-ab1e-bd0120a655df	All cases	cases.total.value	f	{caseCount}	2026-11-27 11:50:29.347541+00	2026-11-27 11:50:29.347541+00
e0ac7fd6-346b-5234-8111-6d0bc9286ee7	All tests	testing.total.value	f	{}	2026-11-27 11:50:29.347541+00	2026-11-27 11:50:29.347541+00
2ade849f-ab61-53ea-bc41-ee9e2f52be35	Sent home from hospital	\N	f	{}	2026-11-27 11:50:29.347541+00	2026-11-27 11:50:29.347541+00
\.

COPY public.hospitalization_fact (cases_id, currently_hospitalized, population_percent_hospitalized, change_in_hospitalized, seven_day_change_percent_hospitalized, seven_day_change_avg_hospitalized, currently_in_icu, population_percent_icu, change_in_icu, seven_day_change_percent_icu, seven_day_change_avg_icu, currently_on_ventilator, population_percent_ventilator, change_in_ventilator, seven_day_change_percent_ventilator, seven_day_change_avg_ventilator) FROM stdin;
86be1ef8-fe13-56cd-8a14-25fc40b115e5	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N
7bce6bb1-1a41-5094-867a-752938971ff5	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N
901014b9-2065-564e-8d91-04f25cc42b49	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N
\.

COPY public.journey_activity_bridge (id, journey_id, activity_id) FROM stdin;
6949403058	1	1
6949403059	1	2
6949403060	1	3
9603838819	2	1
9603838822	2	4
\.

COPY public.journey_dimension (journey_id, abbreviation, joint_slug, joint) FROM stdin;
1	THR	hip	hip
2	TKR	knee	knee
\.

COPY public.key_set_aside (table_name, place, statement) FROM stdin;
\.

COPY public.load_state (source, run_id, loaded_at, run_uuid) FROM stdin;
msk	3	2026-11-27 11:50:39.71384+00	55fada05-6b10-4446-899d-953a528ae488
covid	4	2026-11-27 11:50:40.538295+00	a8f7fde4-2a63-4c3a-8ca6-326fef3b3e81
\.

COPY public.load_version (version) FROM stdin;
0737ae8d9ef04b57ea0d48e58d80da4ca213bf875224eeb10945335f8ccead5c
\.

COPY public.patient_dimension (patient_id, age_bracket, sex, hospital) FROM stdin;
1	60-69	f	North
2	70-79	m	North
3	50-59	f	South
4	60-69	m	\N
\.

COPY public.patient_journey_fact (patient_journey_id, patient_id, journey_id, clinician_id, invitation_date, registration_date, consent_date, operation_date, discharge_date, days_invitation_to_registration, days_registration_to_operation, days_operation_to_discharge) FROM stdin;
1	1	1	7	2024-01-02	2024-01-05	2024-01-06	2024-03-01	2024-03-04	3	56	3
2	2	1	7	2024-01-03	2024-01-09	2024-01-09	2024-03-11	\N	6	62	\N
3	3	2	8	2024-02-01	2024-02-02	\N	2024-04-02	2024-04-05	1	60	3
4	4	2	\N	2024-02-05	2024-02-06	\N	\N	\N	1	\N	\N
\.

COPY public.patient_journey_pseudonym (patient_journey_id, pseudonym) FROM stdin;
4	3d7531d2-49cd-06e0-7425-b0e01616c107
1	73dfa644-e212-a73d-2034-e56f5f4b6943
2	b4acb464-6636-643c-620f-dbbeea26bf02
3	e41d0dc0-40a0-0281-be25-b1933fc597b0
\.

COPY public.patient_journey_schedule_window (id, patient_id, patient_journey_id, activity_id, activity_content_slug, schedule_id, schedule_slug, schedule_start_offset_days, schedule_end_offset_days, schedule_milestone_slug, milestone_date, window_start_date, window_end_date) FROM stdin;
9603838819	2	2	1	pain-diary	1	7d-10d-post-op	7	10	operation	2024-03-11	2024-03-18	2024-03-21
6949403058	1	1	1	pain-diary	1	7d-10d-post-op	7	10	operation	2024-03-01	2024-03-08	2024-03-11
9603838820	2	2	2	first-exercise	2	pre-op	\N	0	operation	2024-03-11	\N	2024-03-11
6949403059	1	1	2	first-exercise	2	pre-op	\N	0	operation	2024-03-01	\N	2024-03-01
19207677637	4	4	1	pain-diary	1	7d-10d-post-op	7	10	operation	\N	\N	\N
16553241876	3	3	1	pain-diary	1	7d-10d-post-op	7	10	operation	2024-04-02	2024-04-09	2024-04-12
19207677640	4	4	4	walk	4	2w-post-reg	14	\N	registration	2024-02-06	2024-02-20	\N
16553241879	3	3	4	walk	4	2w-post-reg	14	\N	registration	2024-02-02	2024-02-16	\N
9603838821	2	2	3	reading	3	on-demand	1	9	operation	2024-03-11	2024-03-12	2024-03-20
6949403060	1	1	3	reading	3	on-demand	1	9	operation	2024-03-01	2024-03-02	2024-03-10
\.

COPY public.patient_pseudonym (patient_id, pseudonym, shift_days) FROM stdin;
3	05e0b6c5-1896-f3a6-0916-c8abc50cb93e	131
4	44f23314-2c6d-95ea-080f-21422040c855	-360
1	d52430da-8b42-83c6-d052-b2e6f1d9894e	197
2	fefdfeef-5a5e-5f5f-fe4e-e01f21371a4c	-131
\.

COPY public.rejected_row (id, run_id, source_table, source_key, reason, detail) FROM stdin;
1	1	activity	5	orphan	{"key": 9, "row": {"id": 5, "schedule_id": 9, "content_slug": "lost"}, "column": "schedule_id"}
2	1	journey_activity	2/4#2	duplicate	{"row": {"journey_id": 2, "activity_id": 4}}
3	1	journey_activity	2/8	orphan	{"key": 8, "row": {"journey_id": 2, "activity_id": 8}, "column": "activity_id"}
4	1	patient_journey	6	orphan	{"key": 6, "row": {"id": 6, "journey_id": 1, "patient_id": 6, "clinician_id": 8, "consent_date": null, "discharge_date": null, "operation_date": null, "invitation_date": "2024-02-08", "registration_date": null}, "column": "patient_id"}
5	1	step_result	1/2024-03-09#2	duplicate	{"row": {"date": "2024-03-09", "value": "2400", "patient_id": 1}}
6	1	step_result	2/2024-03-18	not_a_number	{"row": {"date": "2024-03-18", "value": "n/a", "patient_id": 2}}
7	1	step_result	3/2024-04-09	negative	{"row": {"date": "2024-04-09", "value": "-5", "patient_id": 3}}
8	1	step_result	4/null	missing_key	{"row": {"date": null, "value": "100", "patient_id": 4}}
9	1	step_result	5/2024-02-20	out_of_range	{"row": {"date": "2024-02-20", "value": "99999999999", "patient_id": 5}}
10	1	survey_result	4	end_before_start	{"row": {"id": 4, "end_time": "2024-04-09T09:00:00", "device_id": 2, "survey_id": 1, "start_time": "2024-04-09T10:00:00", "activity_id": 1, "score_value": 6, "patient_journey_id": 3}}
11	3	patient_journey	5	orphan	{"key": 5, "row": {"id": 5, "journey_id": 2, "patient_id": 5, "clinician_id": 8, "consent_date": null, "discharge_date": null, "operation_date": null, "invitation_date": "2024-02-07", "registration_date": null}, "column": "patient_id"}
12	3	step_result	5/2024-02-21	orphan	{"key": 5, "row": {"date": "2024-02-21", "value": "4200", "patient_id": 5}, "column": "patient_id"}
13	3	survey_result	5	orphan	{"key": 5, "row": {"id": 5, "end_time": "2024-02-28T20:10:00", "device_id": 1, "survey_id": 2, "start_time": "2024-02-28T20:00:00", "activity_id": 4, "score_value": 3, "patient_journey_id": 5}, "column": "patient_journey_id"}
\.

COPY public.schedule_dimension (schedule_id, slug, parse_status, milestone_slug, offset_start_days, offset_end_days, qualifier, parse_note) FROM stdin;
4	2w-post-reg	parsed	registration	14	\N	\N	\N
2	pre-op	parsed	operation	\N	0	\N	\N
1	7d-10d-post-op	parsed	operation	7	10	\N	\N
3	on-demand	override	operation	1	9	\N	\N
\.

COPY public.schedule_override (schedule_id, milestone_slug, offset_start_days, offset_end_days, note, changed_at) FROM stdin;
3	operation	1	9		2026-11-27 11:50:35.278023+00
\.

COPY public.schema_change (id, run_id, detected_at, field_name, kind, detail) FROM stdin;
\.

COPY public.staged_bucket (source_table, bucket, row_count, digest) FROM stdin;
schedule	0	4	1072314241031875228
activity	0	5	10052079416798823819
journey	0	2	-10326714397505334382
journey_activity	2	4	-17656653468800822277
journey_activity	1	3	5427224238569919225
patient_journey	0	6	-13162004989835639152
device	0	2	12586330037480795261
survey	0	2	-11537870125421889237
step_result	105569	2	11603462280515161589
step_result	105566	2	2709131233082153179
step_result	105564	3	-13004368215814247241
step_result	-1	1	1374528263338583972
step_result	105562	2	-9346056397766014688
survey_result	0	6	-1096609871494213838
patient	0	4	-19761896193488445034
\.

COPY public.staged_table (source_table, seed, row_count) FROM stdin;
schedule	2289721185332184299	4
activity	8501233759418644856	5
journey	-5474047380967347371	2
journey_activity	4418164151588020234	7
patient_journey	-8547657382149883132	6
device	721964447312361148	2
survey	-7188630820535070176	2
step_result	-6203840687921508373	10
survey_result	4997779960685467908	6
patient	1265765456590404876	4
\.

COPY public.staging_activity (id, content_slug, schedule_id) FROM stdin;
1	pain-diary	1
2	first-exercise	2
3	reading	3
4	walk	4
5	lost	9
\.

COPY public.staging_covid_day (id, url, fetched_at, sha256, "position", document) FROM stdin;
1	file:///app/covid/us/daily.json	2026-11-27 11:50:29.347541+00	5a8ccbdfd2278feef9048d2ef6e27a8f8aef2ac075246a8ce00dc6855dcd6aa5	0	{"date": "2020-03-03", "cases": {"total": {"value": 573, "calculated": {"population_percent": 0.0002, "change_from_prior_day": 220, "seven_day_change_percent": null}}}, "states": 16, "testing": {"total": {"value": null, "calculated": {"population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "outcomes": {"death": {"total": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "hospitalized": {"in_icu": {"currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}, "on_ventilator": {"currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}}}}
2	file:///app/covid/us/daily.json	2026-11-27 11:50:29.347541+00	f02801b2bcd8191eb583d6ce99c409688c2fa20ed46f7a8d9f2252f327dd506b	1	{"date": "2020-03-02", "cases": {"total": {"value": 353, "calculated": {"population_percent": 0.0001, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "states": 13, "testing": {"total": {"value": null, "calculated": {"population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "outcomes": {"death": {"total": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "hospitalized": {"in_icu": {"currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}, "on_ventilator": {"currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}}}}
3	file:///app/covid/us/daily.json	2026-11-27 11:50:29.347541+00	0cd358f0feac4c0e14fcf0fce1a3459ddd60ce8381b058a5de66dfe13cf66ae1	2	{"date": "2020-03-01", "cases": {"total": {"value": null, "calculated": {"population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "states": 10, "testing": {"total": {"value": null, "calculated": {"population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "outcomes": {"death": {"total": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "hospitalized": {"in_icu": {"currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}, "currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}, "on_ventilator": {"currently": {"value": null, "calculated": {"seven_day_average": null, "population_percent": null, "change_from_prior_day": null, "seven_day_change_percent": null}}}}}}
\.

COPY public.staging_covid_definition (id, name, field, deprecated, prior_names, first_seen_at, last_seen_at, is_current) FROM stdin;
fd1fc015-6ddd-5528-9ad3-bd5efa093aeb	Day	date	f	{reportDay,day}	2026-11-27 11:50:29.347541+00	2026-11-27 11:50:29.347541+00	t
0c6845ae-2ed8-5e9a-ab1e-bd0120a655df	All cases	cases.total.value	f	{caseCount}	2026-11-27 11:50:29.347541+00	2026-11-27 11:50:29.347541+00	t
e0ac7fd6-346b-5234-8111-6d0bc9286ee7	All tests	testing.total.value	f	{}	2026-11-27 11:50:29.347541+00	2026-11-27 11:50:29.347541+00	t
2ade849f-ab61-53ea-bc41-ee9e2f52be35	Sent home from hospital	\N	f	{}	2026-11-27 11:50:29.347541+00	2026-11-27 11:50:29.347541+00	t
\.

COPY public.staging_covid_document (url, fetched_at, sha256, etag, last_modified) FROM stdin;
file:///app/covid/us/daily.json	2026-11-27 11:50:29.347541+00	f1627c6d9a7d2527d3dfbba9e15e55d2aa93095b778cd2abe8c04775eef0faba	\N	\N
\.

COPY public.staging_device (id, platform, os_version) FROM stdin;
1	iOS	17.1
2	Android	14
\.

COPY public.staging_journey (id, abbreviation, joint_slug) FROM stdin;
1	THR	hip
2	TKR	knee
\.

COPY public.staging_journey_activity (journey_id, activity_id) FROM stdin;
1	1
1	2
1	3
2	1
2	4
2	4
2	8
\.

COPY public.staging_patient (id, age_bracket, sex, hospital) FROM stdin;
1	60-69	f	North
2	70-79	m	North
3	50-59	f	South
4	60-69	m	\N
\.

COPY public.staging_patient_journey (id, patient_id, journey_id, invitation_date, registration_date, operation_date, discharge_date, consent_date, clinician_id, owner_id, occurrence) FROM stdin;
1	1	1	2024-01-02	2024-01-05	2024-03-01	2024-03-04	2024-01-06	7	1	1
2	2	1	2024-01-03	2024-01-09	2024-03-11	\N	2024-01-09	7	2	1
3	3	2	2024-02-01	2024-02-02	2024-04-02	2024-04-05	\N	8	3	1
4	4	2	2024-02-05	2024-02-06	\N	\N	\N	\N	4	1
5	5	2	2024-02-07	\N	\N	\N	\N	8	5	1
6	6	1	2024-02-08	\N	\N	\N	\N	8	6	1
\.

COPY public.staging_schedule (id, slug) FROM stdin;
1	7d-10d-post-op
2	pre-op
3	on-demand
4	2w-post-reg
\.

COPY public.staging_slug (slug, parse_status, milestone_slug, offset_start_days, offset_end_days, qualifier, parse_note) FROM stdin;
2w-post-reg	parsed	registration	14	\N	\N	\N
pre-op	parsed	operation	\N	0	\N	\N
on-demand	unparsed	\N	\N	\N	\N	no offset
7d-10d-post-op	parsed	operation	7	10	\N	\N
\.

COPY public.staging_step_result (patient_id, date, value, owner_id) FROM stdin;
1	2024-03-08	1200	1
1	2024-03-09	 2500 	1
1	2024-03-09	2400	1
2	2024-03-18	n/a	2
2	2024-03-19	800	2
3	2024-04-09	-5	3
3	2024-04-10	3100	3
4	\N	100	4
5	2024-02-20	99999999999	5
5	2024-02-21	4200	5
\.

COPY public.staging_survey (id, slug, version, tags) FROM stdin;
1	pain	1	{short,weekly}
2	mobility	2	\N
\.

COPY public.staging_survey_result (id, patient_journey_id, survey_id, activity_id, device_id, score_value, start_time, end_time, owner_id, occurrence) FROM stdin;
1	1	1	1	1	5	2024-03-08 09:00:00	2024-03-08 09:05:00	1	1
2	2	1	1	2	7	2024-04-01 18:00:00	2024-04-01 18:04:00	2	1
3	3	2	4	\N	\N	2024-02-20 07:30:00	2024-02-20 07:42:00	3	1
4	3	1	1	2	6	2024-04-09 10:00:00	2024-04-09 09:00:00	3	1
5	5	2	4	1	3	2024-02-28 20:00:00	2024-02-28 20:10:00	5	1
6	1	1	3	1	4	2024-03-20 20:00:00	2024-03-20 20:01:00	1	1
\.

COPY public.step_result_fact (id, patient_id, date, steps) FROM stdin;
6950142009	1	2024-03-08	1200
6950142010	1	2024-03-09	2500
9604577781	2	2024-03-19	800
16553980860	3	2024-04-10	3100
\.

COPY public.survey_dimension (survey_id, slug, version, tags) FROM stdin;
1	pain	1	{short,weekly}
2	mobility	2	\N
\.

COPY public.survey_result_fact (survey_result_id, patient_journey_id, patient_id, survey_id, activity_id, device_id, score_value, start_time, end_time, duration_seconds) FROM stdin;
1	1	1	1	1	1	5	2024-03-08 09:00:00+00	2024-03-08 09:05:00+00	300
2	2	2	1	1	2	7	2024-04-01 18:00:00+00	2024-04-01 18:04:00+00	240
3	3	3	2	4	\N	\N	2024-02-20 07:30:00+00	2024-02-20 07:42:00+00	720
6	1	1	1	3	1	4	2024-03-20 20:00:00+00	2024-03-20 20:01:00+00	60
\.

COPY public.testing_fact (cases_id, total_tests, population_percent, new_tests, seven_day_change_percent) FROM stdin;
86be1ef8-fe13-56cd-8a14-25fc40b115e5	\N	\N	\N	\N
7bce6bb1-1a41-5094-867a-752938971ff5	\N	\N	\N	\N
901014b9-2065-564e-8d91-04f25cc42b49	\N	\N	\N	\N
\.

SELECT pg_catalog.setval('public.django_migrations_id_seq', 83, true);

SELECT pg_catalog.setval('public.rejected_row_id_seq', 13, true);

SELECT pg_catalog.setval('public.schema_change_id_seq', 1, false);

SELECT pg_catalog.setval('public.staging_covid_day_id_seq', 3, true);

ALTER TABLE ONLY public.activity_completion_fact
    ADD CONSTRAINT activity_completion_fact_pkey PRIMARY KEY (survey_result_id, patient_id);

ALTER TABLE ONLY public.activity_dimension
    ADD CONSTRAINT activity_dimension_pkey PRIMARY KEY (activity_id);

ALTER TABLE ONLY public.adherence_fact
    ADD CONSTRAINT adherence_fact_pkey PRIMARY KEY (patient_journey_id, activity_id, patient_id);

ALTER TABLE ONLY public.cases_dimension
    ADD CONSTRAINT cases_dimension_pkey PRIMARY KEY (cases_id);

ALTER TABLE ONLY public.cases_fact
    ADD CONSTRAINT cases_fact_pkey PRIMARY KEY (cases_id);

ALTER TABLE ONLY public.clinician_pseudonym
    ADD CONSTRAINT clinician_pseudonym_pkey PRIMARY KEY (clinician_id);

ALTER TABLE ONLY public.clinician_pseudonym
    ADD CONSTRAINT clinician_pseudonym_pseudonym_key UNIQUE (pseudonym);

ALTER TABLE ONLY public.committed_run
    ADD CONSTRAINT committed_run_pkey PRIMARY KEY (source);

ALTER TABLE ONLY public.date_dimension
    ADD CONSTRAINT date_dimension_pkey PRIMARY KEY (date);

ALTER TABLE ONLY public.death_fact
    ADD CONSTRAINT death_fact_pkey PRIMARY KEY (cases_id);

ALTER TABLE ONLY public.device_dimension
    ADD CONSTRAINT device_dimension_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY public.digest_secret
    ADD CONSTRAINT digest_secret_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.erased_patient
    ADD CONSTRAINT erased_patient_pkey PRIMARY KEY (patient_id);

ALTER TABLE ONLY public.field_definitions_dimension
    ADD CONSTRAINT field_definitions_dimension_pkey PRIMARY KEY (field_definitions_dimension_id);

ALTER TABLE ONLY public.hospitalization_fact
    ADD CONSTRAINT hospitalization_fact_pkey PRIMARY KEY (cases_id);

ALTER TABLE ONLY public.journey_activity_bridge
    ADD CONSTRAINT journey_activity_bridge_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.journey_dimension
    ADD CONSTRAINT journey_dimension_pkey PRIMARY KEY (journey_id);

ALTER TABLE ONLY public.key_set_aside
    ADD CONSTRAINT key_set_aside_pkey PRIMARY KEY (table_name, place);

ALTER TABLE ONLY public.load_state
    ADD CONSTRAINT load_state_pkey PRIMARY KEY (source);

ALTER TABLE ONLY public.patient_dimension
    ADD CONSTRAINT patient_dimension_pkey PRIMARY KEY (patient_id);

ALTER TABLE ONLY public.patient_journey_fact
    ADD CONSTRAINT patient_journey_fact_pkey PRIMARY KEY (patient_journey_id, patient_id);

ALTER TABLE ONLY public.patient_journey_pseudonym
    ADD CONSTRAINT patient_journey_pseudonym_pkey PRIMARY KEY (patient_journey_id);

ALTER TABLE ONLY public.patient_journey_pseudonym
    ADD CONSTRAINT patient_journey_pseudonym_pseudonym_key UNIQUE (pseudonym);

ALTER TABLE ONLY public.patient_journey_schedule_window
    ADD CONSTRAINT patient_journey_schedule_window_pkey PRIMARY KEY (patient_journey_id, activity_id, patient_id);

ALTER TABLE ONLY public.patient_pseudonym
    ADD CONSTRAINT patient_pseudonym_pkey PRIMARY KEY (patient_id);

ALTER TABLE ONLY public.patient_pseudonym
    ADD CONSTRAINT patient_pseudonym_pseudonym_key UNIQUE (pseudonym);

ALTER TABLE ONLY public.rejected_row
    ADD CONSTRAINT rejected_row_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.rejected_row
    ADD CONSTRAINT rejected_row_source UNIQUE (source_table, source_key);

ALTER TABLE ONLY public.schedule_dimension
    ADD CONSTRAINT schedule_dimension_pkey PRIMARY KEY (schedule_id);

ALTER TABLE ONLY public.schedule_override
    ADD CONSTRAINT schedule_override_pkey PRIMARY KEY (schedule_id);

ALTER TABLE ONLY public.schema_change
    ADD CONSTRAINT schema_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staged_bucket
    ADD CONSTRAINT staged_bucket_pkey PRIMARY KEY (source_table, bucket);

ALTER TABLE ONLY public.staged_table
    ADD CONSTRAINT staged_table_pkey PRIMARY KEY (source_table);

ALTER TABLE ONLY public.staging_covid_day
    ADD CONSTRAINT staging_covid_day_once UNIQUE (sha256);

ALTER TABLE ONLY public.staging_covid_day
    ADD CONSTRAINT staging_covid_day_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staging_covid_definition
    ADD CONSTRAINT staging_covid_definition_name_key UNIQUE (name);

ALTER TABLE ONLY public.staging_covid_definition
    ADD CONSTRAINT staging_covid_definition_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staging_covid_document
    ADD CONSTRAINT staging_covid_document_pkey PRIMARY KEY (url);

ALTER TABLE ONLY public.step_result_fact
    ADD CONSTRAINT step_result_fact_pkey PRIMARY KEY (patient_id, date);

ALTER TABLE ONLY public.survey_dimension
    ADD CONSTRAINT survey_dimension_pkey PRIMARY KEY (survey_id);

ALTER TABLE ONLY public.survey_result_fact
    ADD CONSTRAINT survey_result_fact_pkey PRIMARY KEY (survey_result_id, patient_id);

ALTER TABLE ONLY public.testing_fact
    ADD CONSTRAINT testing_fact_pkey PRIMARY KEY (cases_id);

CREATE INDEX activity_completion_fact_patient_id_4c7eac76 ON public.activity_completion_fact USING btree (patient_id);

CREATE INDEX adherence_fact_patient_id_61b92b97 ON public.adherence_fact USING btree (patient_id);

CREATE INDEX load_state_source_9a453c7b_like ON public.load_state USING btree (source text_pattern_ops);

CREATE INDEX patient_journey_fact_patient_id_f7ba1f7d ON public.patient_journey_fact USING btree (patient_id);

CREATE INDEX patient_journey_schedule_window_patient_id_490a9760 ON public.patient_journey_schedule_window USING btree (patient_id);

CREATE INDEX staging_covid_definition_name_7dfb0733_like ON public.staging_covid_definition USING btree (name text_pattern_ops);

CREATE INDEX staging_covid_document_url_55ce0b29_like ON public.staging_covid_document USING btree (url text_pattern_ops);

CREATE INDEX survey_result_fact_patient_id_86a5ef38 ON public.survey_result_fact USING btree (patient_id);

