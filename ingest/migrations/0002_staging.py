"""The staging tables: the source's rows as they came, without a key and without a constraint."""

from django.db import migrations

CREATE = """
create table staging_schedule (
    id integer,
    slug text
);
create table staging_activity (
    id integer,
    content_slug text,
    schedule_id integer
);
create table staging_journey (
    id integer,
    abbreviation text,
    joint_slug text
);
create table staging_journey_activity (
    journey_id integer,
    activity_id integer
);
create table staging_patient (
    id integer,
    age_bracket text,
    sex text,
    hospital text
);
create table staging_patient_journey (
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
create table staging_device (
    id integer,
    platform text,
    os_version text
);
create table staging_survey (
    id integer,
    slug text,
    version text,
    tags text[]
);
create table staging_step_result (
    patient_id integer,
    date date,
    value text
);
create table staging_survey_result (
    id integer,
    patient_journey_id integer,
    survey_id integer,
    activity_id integer,
    device_id integer,
    score_value integer,
    start_time timestamp,
    end_time timestamp,
    patient_id integer
);
create table staging_slug (
    slug text,
    parse_status text,
    milestone_slug text,
    offset_start_days integer,
    offset_end_days integer,
    qualifier text,
    parse_note text
);
comment on table staging_schedule is 'msk_db.schedule as last extracted';
comment on table staging_activity is 'msk_db.activity as last extracted';
comment on table staging_journey is 'msk_db.journey as last extracted';
comment on table staging_journey_activity is 'msk_db.journey_activity as last extracted; equal rows can occur';
comment on table staging_patient is 'msk_db.patient as last extracted';
comment on table staging_patient_journey is 'msk_db.patient_journey as last extracted';
comment on table staging_device is 'msk_db.device as last extracted';
comment on table staging_survey is 'msk_db.survey as last extracted';
comment on table staging_step_result is 'msk_db.step_result as last extracted; equal rows can occur';
comment on table staging_survey_result is
    'msk_db.survey_result as last extracted; patient_id is the patient journey''s, null where that does not exist';
comment on table staging_slug is 'What each distinct slug of staging_schedule says, as parse_slugs read it';
"""

TABLES = "schedule activity journey journey_activity patient patient_journey device survey step_result survey_result slug"
DROP = "drop table " + ", ".join(f"staging_{table}" for table in TABLES.split())


class Migration(migrations.Migration):
    dependencies = [("ingest", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP, hints={"database": "analytics"})]
