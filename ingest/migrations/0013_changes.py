"""Staging by patient, and the keys of what changed in tables of their own; none of these is logged.

A crash of the server empties tables that are not logged, all of them: the next run copies and compares everything once,
as does the one after this migration.
"""

from django.db import migrations

FORWARDS = """
drop table staging_schedule, staging_activity, staging_journey, staging_journey_activity, staging_patient,
           staging_patient_journey, staging_device, staging_survey, staging_step_result, staging_survey_result;
drop table pending_key, loaded_with;

create unlogged table staging_schedule (
    id   integer,
    slug text
);
create unlogged table staging_activity (
    id           integer,
    content_slug text,
    schedule_id  integer
);
create unlogged table staging_journey (
    id           integer,
    abbreviation text,
    joint_slug   text
);
create unlogged table staging_journey_activity (
    journey_id  integer,
    activity_id integer
);
create unlogged table staging_patient (
    id          integer,
    age_bracket text,
    sex         text,
    hospital    text
);
create unlogged table staging_patient_journey (
    id                integer,
    patient_id        integer,
    journey_id        integer,
    invitation_date   date,
    registration_date date,
    operation_date    date,
    discharge_date    date,
    consent_date      date,
    clinician_id      integer,
    owner_id          integer not null
);
create unlogged table staging_device (
    id         integer,
    platform   text,
    os_version text
);
create unlogged table staging_survey (
    id      integer,
    slug    text,
    version text,
    tags    text[]
);
create unlogged table staging_step_result (
    patient_id integer,
    date       date,
    value      text,
    owner_id   integer not null
);
create unlogged table staging_survey_result (
    id                 integer,
    patient_journey_id integer,
    survey_id          integer,
    activity_id        integer,
    device_id          integer,
    score_value        integer,
    start_time         timestamp,
    end_time           timestamp,
    owner_id           integer not null
);
comment on table staging_schedule is 'msk_db.schedule as last extracted';
comment on table staging_activity is 'msk_db.activity as last extracted';
comment on table staging_journey is 'msk_db.journey as last extracted';
comment on table staging_journey_activity is 'msk_db.journey_activity as last extracted; equal rows can occur';
comment on table staging_patient is 'msk_db.patient as last extracted';
comment on table staging_patient_journey is 'msk_db.patient_journey as last extracted; owner_id: its patient, or -1';
comment on table staging_device is 'msk_db.device as last extracted';
comment on table staging_survey is 'msk_db.survey as last extracted';
comment on table staging_step_result is
    'msk_db.step_result as last extracted; equal rows can occur; owner_id: its patient, or -1';
comment on table staging_survey_result is
    'msk_db.survey_result as last extracted; owner_id: its patient journey''s patient, or -1';

create unlogged table changed_patient (
    patient_id integer not null
);
create unlogged table changed_patient_journey (
    patient_id         integer not null,
    patient_journey_id integer not null
);
create unlogged table changed_step_result (
    patient_id integer not null,
    date       date    not null
);
create unlogged table changed_survey_result (
    patient_id       integer not null,
    survey_result_id integer not null
);
create unlogged table changed_window (
    patient_id         integer not null,
    patient_journey_id integer not null,
    activity_id        integer not null
);
create unlogged table changed_completion (
    patient_id       integer not null,
    survey_result_id integer not null
);
comment on table changed_patient is
    'Patients whose staged rows changed since the star was loaded; -1 stands for a null key, here and in its sisters';
comment on table changed_patient_journey is 'Patient journeys whose staged rows changed since the star was loaded';
comment on table changed_step_result is 'Days whose staged rows changed since the star was loaded; -infinity: a null';
comment on table changed_survey_result is 'Survey results whose staged rows changed since the star was loaded';
comment on table changed_window is 'Windows that a load has to look at; empty when it has ended';
comment on table changed_completion is 'Completions that a load has to look at; empty when it has ended';

create unlogged table load_version (
    version text not null
);
comment on table load_version is
    'Digest of the statements by which the star was loaded; none when the next load has to look at every row';

create function excerpt(value text) returns text
    language sql immutable parallel safe
    return case
        when length(value) > 1000 then left(value, 1000) || '… (' || length(value) || ' characters)'
        else value
    end;
comment on function excerpt is
    'A text as rejected_row quotes it: a long one in part, as jsonb takes none of more than 256 MB and nobody reads it';

create function row_id(left_key integer, right_key integer) returns bigint
    language sql immutable parallel safe
    return (left_key::bigint << 32) | ((right_key + left_key * 2654435761) & 4294967295);
comment on function row_id is
    'The id of a row whose grain are two keys: the left one, then the right one so mixed with it that ids hash well';
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0012_run_uuid")]

    operations = [migrations.RunSQL(FORWARDS, hints={"database": "analytics"})]
