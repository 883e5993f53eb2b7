"""Ids that hash well, keys of the grain with the patient, no null links, and the joint of a journey.

What is there is brought over; the next run compares everything once.
"""

from django.db import migrations, models

FORWARDS = """
-- What MSK_ORPHANS=keep let in with a link that is null is listed in rejected_row, and no longer enters.
delete from activity_completion_fact where patient_journey_id is null or patient_id is null or activity_id is null;
delete from patient_journey_schedule_window
 where patient_journey_id is null or patient_id is null or activity_id is null;
delete from survey_result_fact
 where patient_journey_id is null or patient_id is null or survey_id is null or activity_id is null;
delete from step_result_fact where patient_id is null;
delete from patient_journey_fact where patient_id is null or journey_id is null;
delete from journey_activity_bridge where journey_id is null or activity_id is null;

-- The keys on ids go first: an id of the new form may be one of the old form's, and no index is kept up in vain.
-- The adherence view has to go by all columns before the windows' key can go.
create or replace view activity_adherence as
select w.*,
       count(c.survey_result_id) as completions,
       min(c.completed_date)     as first_completed_date,
       case
           when w.window_start_date is null and w.window_end_date is null then 'undated'
           when bool_or(c.status = 'in_window') then 'completed'
           when bool_or(c.status = 'late') then 'completed_late'
           when bool_or(c.status = 'early') then 'completed_early'
           when w.window_end_date < (now() at time zone 'UTC')::date then 'missed'
           when w.window_start_date > (now() at time zone 'UTC')::date then 'upcoming'
           else 'open'
       end as status
  from patient_journey_schedule_window w
  left join activity_completion_fact c
    on c.patient_journey_id = w.patient_journey_id
   and c.activity_id = w.activity_id
   and c.patient_id = w.patient_id
 -- After the join, so that the windows of a patient read no more completions than that patient's. A page in some order
 -- reads all completions: who wants one asks for the page of windows first, then for these, as the admin does.
 group by w.id, w.patient_id, w.patient_journey_id, w.activity_id, w.activity_content_slug, w.schedule_id,
          w.schedule_slug, w.schedule_start_offset_days, w.schedule_end_offset_days, w.schedule_milestone_slug,
          w.milestone_date, w.window_start_date, w.window_end_date;

alter table step_result_fact drop constraint step_result_fact_pkey;
alter table patient_journey_schedule_window drop constraint patient_journey_schedule_window_pkey;
alter table journey_activity_bridge drop constraint journey_activity_bridge_pkey;
drop index step_result_fact_patient_id_83403099; -- the new key begins with the patient

update step_result_fact set id = row_id(patient_id, date - date '0001-01-01');
update patient_journey_schedule_window set id = row_id(patient_journey_id, activity_id);
update journey_activity_bridge set id = row_id(journey_id, activity_id);

update journey_dimension set joint = lower(btrim(substring(joint_slug from '^[^-_]*')));

alter table patient_journey_fact
    alter column patient_id set not null,
    alter column journey_id set not null,
    drop constraint patient_journey_fact_pkey,
    add primary key (patient_journey_id, patient_id);
alter table step_result_fact
    alter column patient_id set not null,
    add primary key (patient_id, date);
alter table survey_result_fact
    alter column patient_journey_id set not null,
    alter column patient_id set not null,
    alter column survey_id set not null,
    alter column activity_id set not null,
    drop constraint survey_result_fact_pkey,
    add primary key (survey_result_id, patient_id);
alter table patient_journey_schedule_window
    alter column patient_id set not null,
    alter column patient_journey_id set not null,
    alter column activity_id set not null,
    add primary key (patient_journey_id, activity_id, patient_id);
alter table activity_completion_fact
    alter column patient_journey_id set not null,
    alter column patient_id set not null,
    alter column activity_id set not null,
    drop constraint activity_completion_fact_pkey,
    add primary key (survey_result_id, patient_id);
alter table journey_activity_bridge
    alter column journey_id set not null,
    alter column activity_id set not null,
    add primary key (id);

comment on column step_result_fact.id is 'Made of patient_id and date';
comment on column patient_journey_schedule_window.id is 'Made of patient_journey_id and activity_id';
comment on column activity_adherence.id is 'Made of patient_journey_id and activity_id';
comment on column journey_activity_bridge.id is 'Made of journey_id and activity_id';

drop table patient_journey_fingerprint, journey_activity_fingerprint;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_squashed_0004_fingerprints"), ("ingest", "0013_changes")]

    operations = [
        migrations.AddField(
            "journeydimension",
            "joint",
            models.TextField(
                null=True,
                db_comment="The joint: what joint_slug begins with, up to the first - or _, in small letters",
            ),
        ),
        migrations.RunSQL(
            FORWARDS,
            hints={"database": "analytics"},
            state_operations=[
                migrations.AlterField(
                    "activitycompletionfact",
                    "activity_id",
                    models.IntegerField(db_comment="The activity done, in activity_dimension"),
                ),
                migrations.AlterField(
                    "activitycompletionfact",
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True),
                ),
                migrations.AlterField(
                    "activitycompletionfact",
                    "patient_journey_id",
                    models.IntegerField(db_comment="The patient journey, in patient_journey_fact"),
                ),
                migrations.AlterField(
                    "journeyactivitybridge",
                    "activity_id",
                    models.IntegerField(db_comment="The activity, in activity_dimension"),
                ),
                migrations.AlterField(
                    "journeyactivitybridge",
                    "id",
                    models.BigIntegerField(db_comment="Made of journey_id and activity_id", primary_key=True, serialize=False),
                ),
                migrations.AlterField(
                    "journeyactivitybridge",
                    "journey_id",
                    models.IntegerField(db_comment="The journey, in journey_dimension"),
                ),
                migrations.AlterField(
                    "patientjourneyfact",
                    "journey_id",
                    models.IntegerField(db_comment="The journey followed, in journey_dimension"),
                ),
                migrations.AlterField(
                    "patientjourneyfact",
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True),
                ),
                migrations.AlterField(
                    "patientjourneyschedulewindow",
                    "activity_id",
                    models.IntegerField(db_comment="The activity, in activity_dimension"),
                ),
                migrations.AlterField(
                    "patientjourneyschedulewindow",
                    "id",
                    models.BigIntegerField(db_comment="Made of patient_journey_id and activity_id", primary_key=True, serialize=False),
                ),
                migrations.AlterField(
                    "patientjourneyschedulewindow",
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True),
                ),
                migrations.AlterField(
                    "patientjourneyschedulewindow",
                    "patient_journey_id",
                    models.IntegerField(db_comment="The patient journey, in patient_journey_fact"),
                ),
                migrations.AlterField(
                    "stepresultfact",
                    "id",
                    models.BigIntegerField(db_comment="Made of patient_id and date", primary_key=True, serialize=False),
                ),
                migrations.AlterField(
                    "stepresultfact",
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension"),
                ),
                migrations.AlterField(
                    "surveyresultfact",
                    "activity_id",
                    models.IntegerField(db_comment="The activity that asked for it, in activity_dimension"),
                ),
                migrations.AlterField(
                    "surveyresultfact",
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True),
                ),
                migrations.AlterField(
                    "surveyresultfact",
                    "patient_journey_id",
                    models.IntegerField(db_comment="The patient journey, in patient_journey_fact"),
                ),
                migrations.AlterField(
                    "surveyresultfact",
                    "survey_id",
                    models.IntegerField(db_comment="The survey, in survey_dimension"),
                ),
            ],
        ),
    ]
