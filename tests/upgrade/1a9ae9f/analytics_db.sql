-- analytics_db as an installation of commit 1a9ae9f leaves it after the runs that msk_database.sql tells of. A person has
-- said what schedule 3 means, and the step result that run 4 staged is still to be loaded.
-- From pg_dump, but for what an older psql refuses, comments, and date_dimension, which is written shorter.

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE VIEW public.activity_adherence AS
SELECT
    NULL::bigint AS id,
    NULL::integer AS patient_id,
    NULL::integer AS patient_journey_id,
    NULL::integer AS activity_id,
    NULL::text AS activity_content_slug,
    NULL::integer AS schedule_id,
    NULL::text AS schedule_slug,
    NULL::integer AS schedule_start_offset_days,
    NULL::integer AS schedule_end_offset_days,
    NULL::text AS schedule_milestone_slug,
    NULL::date AS milestone_date,
    NULL::date AS window_start_date,
    NULL::date AS window_end_date,
    NULL::bigint AS completions,
    NULL::date AS first_completed_date,
    NULL::text AS status;
COMMENT ON VIEW public.activity_adherence IS 'How each window stands today, UTC: one row a window, with what was done about it';
COMMENT ON COLUMN public.activity_adherence.id IS '(patient_journey_id << 32) | activity_id';
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

CREATE TABLE public.activity_completion_fact (
    survey_result_id integer NOT NULL,
    patient_journey_id integer,
    patient_id integer,
    activity_id integer,
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

CREATE TABLE public.activity_dimension (
    activity_id integer NOT NULL,
    content_slug text,
    schedule_id integer
);
COMMENT ON TABLE public.activity_dimension IS 'Activities';
COMMENT ON COLUMN public.activity_dimension.activity_id IS 'activity.id of the source';
COMMENT ON COLUMN public.activity_dimension.content_slug IS 'What the patient is to do';
COMMENT ON COLUMN public.activity_dimension.schedule_id IS 'When it is due, in schedule_dimension; null: no schedule, or one that does not exist';

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

CREATE TABLE public.committed_run (
    source text NOT NULL,
    run_id bigint NOT NULL
);
COMMENT ON TABLE public.committed_run IS 'The last run of each source that committed, a number of pipeline_run';

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
    journey_id integer,
    activity_id integer
);
COMMENT ON TABLE public.journey_activity_bridge IS 'Which activities a journey asks for; one row a journey and activity';
COMMENT ON COLUMN public.journey_activity_bridge.id IS '(journey_id << 32) | activity_id';
COMMENT ON COLUMN public.journey_activity_bridge.journey_id IS 'The journey, in journey_dimension';
COMMENT ON COLUMN public.journey_activity_bridge.activity_id IS 'The activity, in activity_dimension';

CREATE TABLE public.journey_activity_fingerprint (
    journey_id integer NOT NULL,
    activity_id integer NOT NULL,
    fingerprint bigint NOT NULL
);
COMMENT ON TABLE public.journey_activity_fingerprint IS 'Hash of what an activity brought to the windows of a journey';

CREATE TABLE public.journey_dimension (
    journey_id integer NOT NULL,
    abbreviation text,
    joint_slug text
);
COMMENT ON TABLE public.journey_dimension IS 'Journeys: the care pathways that a patient can follow';
COMMENT ON COLUMN public.journey_dimension.journey_id IS 'journey.id of the source';
COMMENT ON COLUMN public.journey_dimension.abbreviation IS 'Short name, such as THR';
COMMENT ON COLUMN public.journey_dimension.joint_slug IS 'The joint that is treated';

CREATE TABLE public.load_state (
    source text NOT NULL,
    run_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.load_state IS 'What the star schema holds, since when: one row a source';
COMMENT ON COLUMN public.load_state.source IS 'msk or covid';
COMMENT ON COLUMN public.load_state.run_id IS 'pipeline_run.id in the default database';
COMMENT ON COLUMN public.load_state.loaded_at IS 'When that run loaded the star';

CREATE TABLE public.loaded_with (
    rules text NOT NULL
);
COMMENT ON TABLE public.loaded_with IS 'Digest of the rules, SQL and settings, by which the star was loaded';

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
    patient_id integer,
    journey_id integer,
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

CREATE TABLE public.patient_journey_fingerprint (
    patient_journey_id integer CONSTRAINT window_fingerprint_patient_journey_id_not_null NOT NULL,
    fingerprint bigint CONSTRAINT window_fingerprint_fingerprint_not_null NOT NULL
);
COMMENT ON TABLE public.patient_journey_fingerprint IS 'Hash of what a patient journey brought to its windows';

CREATE TABLE public.patient_journey_schedule_window (
    id bigint NOT NULL,
    patient_id integer,
    patient_journey_id integer,
    activity_id integer,
    activity_content_slug text,
    schedule_id integer,
    schedule_slug text,
    schedule_start_offset_days integer,
    schedule_end_offset_days integer,
    schedule_milestone_slug text,
    milestone_date date,
    window_start_date date,
    window_end_date date
);
COMMENT ON TABLE public.patient_journey_schedule_window IS 'When each activity is due for each patient; one row a patient journey and activity';
COMMENT ON COLUMN public.patient_journey_schedule_window.id IS '(patient_journey_id << 32) | activity_id';
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

CREATE TABLE public.pending_key (
    source_table text CONSTRAINT pending_bucket_source_table_not_null NOT NULL,
    key bigint
);
COMMENT ON TABLE public.pending_key IS 'Keys of the staged rows that changed since the star was loaded; a null key: all of the table';

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

CREATE TABLE public.staged_table (
    source_table text NOT NULL,
    seed bigint NOT NULL,
    row_count bigint NOT NULL
);
COMMENT ON TABLE public.staged_table IS 'What a source table was when it was last read: its rows, and the seed by which digests can be compared';

CREATE TABLE public.staging_activity (
    id integer,
    content_slug text,
    schedule_id integer
);
COMMENT ON TABLE public.staging_activity IS 'msk_db.activity as last extracted';

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

CREATE TABLE public.staging_device (
    id integer,
    platform text,
    os_version text
);
COMMENT ON TABLE public.staging_device IS 'msk_db.device as last extracted';

CREATE TABLE public.staging_journey (
    id integer,
    abbreviation text,
    joint_slug text
);
COMMENT ON TABLE public.staging_journey IS 'msk_db.journey as last extracted';

CREATE TABLE public.staging_journey_activity (
    journey_id integer,
    activity_id integer
);
COMMENT ON TABLE public.staging_journey_activity IS 'msk_db.journey_activity as last extracted; equal rows can occur';

CREATE TABLE public.staging_patient (
    id integer,
    age_bracket text,
    sex text,
    hospital text
);
COMMENT ON TABLE public.staging_patient IS 'msk_db.patient as last extracted';

CREATE TABLE public.staging_patient_journey (
    id integer,
    patient_id integer,
    journey_id integer,
    invitation_date date,
    registration_date date,
    operation_date date,
    discharge_date date,
    consent_date date,
    clinician_id integer
);
COMMENT ON TABLE public.staging_patient_journey IS 'msk_db.patient_journey as last extracted';

CREATE TABLE public.staging_schedule (
    id integer,
    slug text
);
COMMENT ON TABLE public.staging_schedule IS 'msk_db.schedule as last extracted';

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

CREATE TABLE public.staging_step_result (
    patient_id integer,
    date date,
    value text
);
COMMENT ON TABLE public.staging_step_result IS 'msk_db.step_result as last extracted; equal rows can occur';

CREATE TABLE public.staging_survey (
    id integer,
    slug text,
    version text,
    tags text[]
);
COMMENT ON TABLE public.staging_survey IS 'msk_db.survey as last extracted';

CREATE TABLE public.staging_survey_result (
    id integer,
    patient_journey_id integer,
    survey_id integer,
    activity_id integer,
    device_id integer,
    score_value integer,
    start_time timestamp without time zone,
    end_time timestamp without time zone,
    patient_id integer
);
COMMENT ON TABLE public.staging_survey_result IS 'msk_db.survey_result as last extracted; patient_id is the patient journey''s, null where that does not exist';

CREATE TABLE public.step_result_fact (
    id bigint NOT NULL,
    patient_id integer,
    date date NOT NULL,
    steps integer NOT NULL
);
COMMENT ON TABLE public.step_result_fact IS 'Steps walked; one row a patient and day';
COMMENT ON COLUMN public.step_result_fact.id IS '(patient_id << 32) | days since 0001-01-01';
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
    patient_journey_id integer,
    patient_id integer,
    survey_id integer,
    activity_id integer,
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
5	5	5	4	2024-02-28	undated	\N
6	1	1	3	2024-03-20	in_window	0
\.

COPY public.activity_dimension (activity_id, content_slug, schedule_id) FROM stdin;
1	pain-diary	1
2	first-exercise	2
3	reading	3
4	walk	4
5	lost	\N
\.

COPY public.committed_run (source, run_id) FROM stdin;
msk	4
\.

insert into public.date_dimension
select date, extract(year from date), extract(quarter from date), extract(month from date), to_char(date, 'FMMonth'),
       extract(isoyear from date), extract(week from date), extract(day from date), extract(isodow from date),
       extract(isodow from date) in (6, 7)
  from generate_series(date '2024-01-01', date '2024-12-31', interval '1 day') as day, cast(day as date) as date;

COPY public.device_dimension (device_id, platform, os_version) FROM stdin;
1	iOS	17.1
2	Android	14
\.

COPY public.django_migrations (id, app, name, applied) FROM stdin;
1	contenttypes	0001_initial	2024-11-24 19:48:32.999617+00
2	auth	0001_initial	2024-11-24 19:48:33.012001+00
3	admin	0001_initial	2024-11-24 19:48:33.019582+00
4	admin	0002_logentry_remove_auto_add	2024-11-24 19:48:33.029996+00
5	admin	0003_logentry_add_action_flag_choices	2024-11-24 19:48:33.034032+00
6	ingest	0001_initial	2024-11-24 19:48:33.0506+00
7	ingest	0002_staging	2024-11-24 19:48:33.056092+00
8	ingest	0003_covid	2024-11-24 19:48:33.07013+00
9	ingest	0004_pending	2024-11-24 19:48:33.072789+00
10	analytics	0001_initial	2024-11-24 19:48:33.108171+00
11	analytics	0002_activity_adherence	2024-11-24 19:48:33.111905+00
12	analytics	0003_covid	2024-11-24 19:48:33.130362+00
13	analytics	0004_fingerprints	2024-11-24 19:48:33.132734+00
14	contenttypes	0002_remove_content_type_name	2024-11-24 19:48:33.142292+00
15	auth	0002_alter_permission_name_max_length	2024-11-24 19:48:33.14779+00
16	auth	0003_alter_user_email_max_length	2024-11-24 19:48:33.152773+00
17	auth	0004_alter_user_username_opts	2024-11-24 19:48:33.157842+00
18	auth	0005_alter_user_last_login_null	2024-11-24 19:48:33.162436+00
19	auth	0006_require_contenttypes_0002	2024-11-24 19:48:33.163327+00
20	auth	0007_alter_validators_add_error_messages	2024-11-24 19:48:33.168893+00
21	auth	0008_alter_user_username_max_length	2024-11-24 19:48:33.174097+00
22	auth	0009_alter_user_last_name_max_length	2024-11-24 19:48:33.185229+00
23	auth	0010_alter_group_name_max_length	2024-11-24 19:48:33.191067+00
24	auth	0011_update_proxy_permissions	2024-11-24 19:48:33.192357+00
25	auth	0012_alter_user_first_name_max_length	2024-11-24 19:48:33.238192+00
26	axes	0001_initial	2024-11-24 19:48:33.24135+00
27	axes	0002_auto_20151217_2044	2024-11-24 19:48:33.250133+00
28	axes	0003_auto_20160322_0929	2024-11-24 19:48:33.260346+00
29	axes	0004_auto_20181024_1538	2024-11-24 19:48:33.270264+00
30	axes	0005_remove_accessattempt_trusted	2024-11-24 19:48:33.27221+00
31	axes	0006_remove_accesslog_trusted	2024-11-24 19:48:33.273713+00
32	axes	0007_alter_accessattempt_unique_together	2024-11-24 19:48:33.27548+00
33	axes	0008_accessfailurelog	2024-11-24 19:48:33.276822+00
34	axes	0009_add_session_hash	2024-11-24 19:48:33.278647+00
35	axes	0010_accessattemptexpiration	2024-11-24 19:48:33.280748+00
36	ingest	0005_triggers	2024-11-24 19:48:33.285489+00
37	ingest	0006_step_run	2024-11-24 19:48:33.296168+00
38	ingest	0007_staged_table	2024-11-24 19:48:33.298971+00
39	ingest	0008_alert	2024-11-24 19:48:33.300507+00
40	ingest	0009_committed_run	2024-11-24 19:48:33.302599+00
41	ingest	0010_pending_key	2024-11-24 19:48:33.30392+00
42	sessions	0001_initial	2024-11-24 19:48:33.305155+00
\.

COPY public.journey_activity_bridge (id, journey_id, activity_id) FROM stdin;
4294967297	1	1
4294967298	1	2
4294967299	1	3
8589934593	2	1
8589934596	2	4
\.

COPY public.journey_activity_fingerprint (journey_id, activity_id, fingerprint) FROM stdin;
1	1	510841771875724503
1	2	7601625726402815546
2	1	510841771875724503
2	4	-2392286484860940058
1	3	8526744592118132164
\.

COPY public.journey_dimension (journey_id, abbreviation, joint_slug) FROM stdin;
1	THR	hip
2	TKR	knee
\.

COPY public.load_state (source, run_id, loaded_at) FROM stdin;
msk	3	2024-11-24 19:48:35.506461+00
\.

COPY public.loaded_with (rules) FROM stdin;
58626b139f85f323f76628c7b4c7658bd9d7e970abae9d1e587dae131550beef
\.

COPY public.patient_dimension (patient_id, age_bracket, sex, hospital) FROM stdin;
1	60-69	f	North
2	70-79	m	North
3	50-59	f	South
4	60-69	m	\N
5	\N	f	South
\.

COPY public.patient_journey_fact (patient_journey_id, patient_id, journey_id, clinician_id, invitation_date, registration_date, consent_date, operation_date, discharge_date, days_invitation_to_registration, days_registration_to_operation, days_operation_to_discharge) FROM stdin;
1	1	1	7	2024-01-02	2024-01-05	2024-01-06	2024-03-01	2024-03-04	3	56	3
2	2	1	7	2024-01-03	2024-01-09	2024-01-09	2024-03-11	\N	6	62	\N
3	3	2	8	2024-02-01	2024-02-02	\N	2024-04-02	2024-04-05	1	60	3
4	4	2	\N	2024-02-05	2024-02-06	\N	\N	\N	1	\N	\N
5	5	2	8	2024-02-07	\N	\N	\N	\N	\N	\N	\N
\.

COPY public.patient_journey_fingerprint (patient_journey_id, fingerprint) FROM stdin;
1	-4348145530947501395
2	-3701215727486193772
3	-8876178843432568914
4	1687832964392588377
5	-4803385129110226644
\.

COPY public.patient_journey_schedule_window (id, patient_id, patient_journey_id, activity_id, activity_content_slug, schedule_id, schedule_slug, schedule_start_offset_days, schedule_end_offset_days, schedule_milestone_slug, milestone_date, window_start_date, window_end_date) FROM stdin;
4294967297	1	1	1	pain-diary	1	7d-10d-post-op	7	10	operation	2024-03-01	2024-03-08	2024-03-11
4294967298	1	1	2	first-exercise	2	pre-op	\N	0	operation	2024-03-01	\N	2024-03-01
8589934593	2	2	1	pain-diary	1	7d-10d-post-op	7	10	operation	2024-03-11	2024-03-18	2024-03-21
8589934594	2	2	2	first-exercise	2	pre-op	\N	0	operation	2024-03-11	\N	2024-03-11
12884901889	3	3	1	pain-diary	1	7d-10d-post-op	7	10	operation	2024-04-02	2024-04-09	2024-04-12
12884901892	3	3	4	walk	4	2w-post-reg	14	\N	registration	2024-02-02	2024-02-16	\N
17179869185	4	4	1	pain-diary	1	7d-10d-post-op	7	10	operation	\N	\N	\N
17179869188	4	4	4	walk	4	2w-post-reg	14	\N	registration	2024-02-06	2024-02-20	\N
21474836481	5	5	1	pain-diary	1	7d-10d-post-op	7	10	operation	\N	\N	\N
21474836484	5	5	4	walk	4	2w-post-reg	14	\N	registration	\N	\N	\N
4294967299	1	1	3	reading	3	on-demand	14	28	operation	2024-03-01	2024-03-15	2024-03-29
8589934595	2	2	3	reading	3	on-demand	14	28	operation	2024-03-11	2024-03-25	2024-04-08
\.

COPY public.pending_key (source_table, key) FROM stdin;
step_result	21475575416
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
10	3	survey_result	4	end_before_start	{"row": {"id": 4, "end_time": "2024-04-09T09:00:00", "device_id": 2, "survey_id": 1, "start_time": "2024-04-09T10:00:00", "activity_id": 1, "score_value": 6, "patient_journey_id": 3}}
\.

COPY public.schedule_dimension (schedule_id, slug, parse_status, milestone_slug, offset_start_days, offset_end_days, qualifier, parse_note) FROM stdin;
1	7d-10d-post-op	parsed	operation	7	10	\N	\N
2	pre-op	parsed	operation	\N	0	\N	\N
4	2w-post-reg	parsed	registration	14	\N	\N	\N
3	on-demand	override	operation	14	28	\N	as the ward says
\.

COPY public.schedule_override (schedule_id, milestone_slug, offset_start_days, offset_end_days, note, changed_at) FROM stdin;
3	operation	14	28	as the ward says	2024-05-02 08:00:00+00
\.

COPY public.staged_bucket (source_table, bucket, row_count, digest) FROM stdin;
schedule	0	4	-1191644919286405773
activity	0	5	-5409461346807018207
journey	0	2	3902160944124995654
journey_activity	2	4	-21615130421702637014
journey_activity	1	3	-4827765423298617155
patient	0	5	16489994466293251755
patient_journey	0	6	-10077654348024193175
device	0	2	995056352203657417
survey	0	2	-9061822622315177956
step_result	105569	2	7888925851007600392
step_result	105566	2	-4761946016281005170
step_result	105564	3	8384827042261484232
step_result	-1	1	-760794312602975398
survey_result	0	6	2891471797124010479
step_result	105562	2	-2567047559548003068
\.

COPY public.staged_table (source_table, seed, row_count) FROM stdin;
schedule	3863185941595590464	4
activity	8314739945223434863	5
journey	-8883762528747405114	2
journey_activity	2424169320040463043	7
patient	7809712650012580565	5
patient_journey	-2544077865748892949	6
device	7543749472054375780	2
survey	2402632604528094995	2
survey_result	-4228094941009748094	6
step_result	-2569866789318548229	10
\.

COPY public.staging_activity (id, content_slug, schedule_id) FROM stdin;
1	pain-diary	1
2	first-exercise	2
3	reading	3
4	walk	4
5	lost	9
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
5	\N	f	South
\.

COPY public.staging_patient_journey (id, patient_id, journey_id, invitation_date, registration_date, operation_date, discharge_date, consent_date, clinician_id) FROM stdin;
1	1	1	2024-01-02	2024-01-05	2024-03-01	2024-03-04	2024-01-06	7
2	2	1	2024-01-03	2024-01-09	2024-03-11	\N	2024-01-09	7
3	3	2	2024-02-01	2024-02-02	2024-04-02	2024-04-05	\N	8
4	4	2	2024-02-05	2024-02-06	\N	\N	\N	\N
5	5	2	2024-02-07	\N	\N	\N	\N	8
6	6	1	2024-02-08	\N	\N	\N	\N	8
\.

COPY public.staging_schedule (id, slug) FROM stdin;
1	7d-10d-post-op
2	pre-op
3	on-demand
4	2w-post-reg
\.

COPY public.staging_slug (slug, parse_status, milestone_slug, offset_start_days, offset_end_days, qualifier, parse_note) FROM stdin;
2w-post-reg	parsed	registration	14	\N	\N	\N
7d-10d-post-op	parsed	operation	7	10	\N	\N
on-demand	unparsed	\N	\N	\N	\N	no offset
pre-op	parsed	operation	\N	0	\N	\N
\.

COPY public.staging_step_result (patient_id, date, value) FROM stdin;
1	2024-03-08	1200
1	2024-03-09	 2500 
1	2024-03-09	2400
2	2024-03-18	n/a
2	2024-03-19	800
3	2024-04-09	-5
3	2024-04-10	3100
4	\N	100
5	2024-02-20	99999999999
5	2024-02-21	4200
\.

COPY public.staging_survey (id, slug, version, tags) FROM stdin;
1	pain	1	{short,weekly}
2	mobility	2	\N
\.

COPY public.staging_survey_result (id, patient_journey_id, survey_id, activity_id, device_id, score_value, start_time, end_time, patient_id) FROM stdin;
1	1	1	1	1	5	2024-03-08 09:00:00	2024-03-08 09:05:00	1
3	3	2	4	\N	\N	2024-02-20 07:30:00	2024-02-20 07:42:00	3
5	5	2	4	1	3	2024-02-28 20:00:00	2024-02-28 20:10:00	5
6	1	1	3	1	4	2024-03-20 20:00:00	2024-03-20 20:01:00	1
4	3	1	1	2	6	2024-04-09 10:00:00	2024-04-09 09:00:00	3
2	2	1	1	2	7	2024-04-01 18:00:00	2024-04-01 18:04:00	2
\.

COPY public.step_result_fact (id, patient_id, date, steps) FROM stdin;
4295706248	1	2024-03-08	1200
4295706249	1	2024-03-09	2500
8590673555	2	2024-03-19	800
12885640873	3	2024-04-10	3100
\.

COPY public.survey_dimension (survey_id, slug, version, tags) FROM stdin;
1	pain	1	{short,weekly}
2	mobility	2	\N
\.

COPY public.survey_result_fact (survey_result_id, patient_journey_id, patient_id, survey_id, activity_id, device_id, score_value, start_time, end_time, duration_seconds) FROM stdin;
1	1	1	1	1	1	5	2024-03-08 09:00:00+00	2024-03-08 09:05:00+00	300
6	1	1	1	3	1	4	2024-03-20 20:00:00+00	2024-03-20 20:01:00+00	60
3	3	3	2	4	\N	\N	2024-02-20 07:30:00+00	2024-02-20 07:42:00+00	720
5	5	5	2	4	1	3	2024-02-28 20:00:00+00	2024-02-28 20:10:00+00	600
2	2	2	1	1	2	7	2024-04-01 18:00:00+00	2024-04-01 18:04:00+00	240
\.

SELECT pg_catalog.setval('public.django_migrations_id_seq', 42, true);
SELECT pg_catalog.setval('public.rejected_row_id_seq', 10, true);
ALTER TABLE ONLY public.activity_completion_fact
    ADD CONSTRAINT activity_completion_fact_pkey PRIMARY KEY (survey_result_id);
ALTER TABLE ONLY public.activity_dimension
    ADD CONSTRAINT activity_dimension_pkey PRIMARY KEY (activity_id);
ALTER TABLE ONLY public.cases_dimension
    ADD CONSTRAINT cases_dimension_pkey PRIMARY KEY (cases_id);
ALTER TABLE ONLY public.cases_fact
    ADD CONSTRAINT cases_fact_pkey PRIMARY KEY (cases_id);
ALTER TABLE ONLY public.committed_run
    ADD CONSTRAINT committed_run_pkey PRIMARY KEY (source);
ALTER TABLE ONLY public.date_dimension
    ADD CONSTRAINT date_dimension_pkey PRIMARY KEY (date);
ALTER TABLE ONLY public.death_fact
    ADD CONSTRAINT death_fact_pkey PRIMARY KEY (cases_id);
ALTER TABLE ONLY public.device_dimension
    ADD CONSTRAINT device_dimension_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.field_definitions_dimension
    ADD CONSTRAINT field_definitions_dimension_pkey PRIMARY KEY (field_definitions_dimension_id);
ALTER TABLE ONLY public.hospitalization_fact
    ADD CONSTRAINT hospitalization_fact_pkey PRIMARY KEY (cases_id);
ALTER TABLE ONLY public.journey_activity_bridge
    ADD CONSTRAINT journey_activity_bridge_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.journey_activity_fingerprint
    ADD CONSTRAINT journey_activity_fingerprint_pkey PRIMARY KEY (journey_id, activity_id);
ALTER TABLE ONLY public.journey_dimension
    ADD CONSTRAINT journey_dimension_pkey PRIMARY KEY (journey_id);
ALTER TABLE ONLY public.load_state
    ADD CONSTRAINT load_state_pkey PRIMARY KEY (source);
ALTER TABLE ONLY public.patient_dimension
    ADD CONSTRAINT patient_dimension_pkey PRIMARY KEY (patient_id);
ALTER TABLE ONLY public.patient_journey_fact
    ADD CONSTRAINT patient_journey_fact_pkey PRIMARY KEY (patient_journey_id);
ALTER TABLE ONLY public.patient_journey_schedule_window
    ADD CONSTRAINT patient_journey_schedule_window_pkey PRIMARY KEY (id);
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
    ADD CONSTRAINT step_result_fact_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.survey_dimension
    ADD CONSTRAINT survey_dimension_pkey PRIMARY KEY (survey_id);
ALTER TABLE ONLY public.survey_result_fact
    ADD CONSTRAINT survey_result_fact_pkey PRIMARY KEY (survey_result_id);
ALTER TABLE ONLY public.testing_fact
    ADD CONSTRAINT testing_fact_pkey PRIMARY KEY (cases_id);
ALTER TABLE ONLY public.patient_journey_fingerprint
    ADD CONSTRAINT window_fingerprint_pkey PRIMARY KEY (patient_journey_id);
CREATE INDEX activity_completion_fact_patient_id_4c7eac76 ON public.activity_completion_fact USING btree (patient_id);
CREATE INDEX load_state_source_9a453c7b_like ON public.load_state USING btree (source text_pattern_ops);
CREATE INDEX patient_journey_fact_patient_id_f7ba1f7d ON public.patient_journey_fact USING btree (patient_id);
CREATE INDEX patient_journey_schedule_window_patient_id_490a9760 ON public.patient_journey_schedule_window USING btree (patient_id);
CREATE INDEX staging_covid_definition_name_7dfb0733_like ON public.staging_covid_definition USING btree (name text_pattern_ops);
CREATE INDEX staging_covid_document_url_55ce0b29_like ON public.staging_covid_document USING btree (url text_pattern_ops);
CREATE INDEX step_result_fact_patient_id_83403099 ON public.step_result_fact USING btree (patient_id);
CREATE INDEX survey_result_fact_patient_id_86a5ef38 ON public.survey_result_fact USING btree (patient_id);

CREATE OR REPLACE VIEW public.activity_adherence AS
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
     LEFT JOIN public.activity_completion_fact c ON (((c.patient_journey_id = w.patient_journey_id) AND (c.activity_id = w.activity_id) AND ((c.patient_id = w.patient_id) OR ((c.patient_id IS NULL) AND (w.patient_id IS NULL))))))
  GROUP BY w.id;
