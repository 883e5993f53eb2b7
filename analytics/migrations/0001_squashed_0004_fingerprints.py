"""The star schema as the released commit 1a9ae9f left it, with the view on it and the fingerprints that its load keeps.

The four migrations that led there are squashed: an installation that has applied them keeps what it has.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

import analytics.models.covid

# How each window stands today.
ADHERENCE = """
create view activity_adherence as
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
   -- Null only as a kept orphan, which a distributed warehouse refuses: there this is a plain equality.
   and (c.patient_id = w.patient_id or (c.patient_id is null and w.patient_id is null))
 -- Grouped by the window's key and after the join, so that the windows of a patient read no more completions than that
 -- patient's. A page in some order reads all completions.
 group by w.id;

do $$
declare
    statement text;
begin
    for statement in
        select format('comment on column activity_adherence.%I is %L', attname, col_description(attrelid, attnum))
          from pg_attribute
         where attrelid = 'patient_journey_schedule_window'::regclass and attnum > 0
    loop
        execute statement;
    end loop;
end $$;
comment on view activity_adherence is
    'How each window stands today, UTC: one row a window, with what was done about it';
comment on column activity_adherence.completions is 'Survey results for this patient journey and activity';
comment on column activity_adherence.first_completed_date is 'The earliest day on which it was done; null: never';
comment on column activity_adherence.status is
    'completed, completed_late, completed_early: the best of its completions; missed: ended, nothing done; open; upcoming; undated';
"""

# What went into the windows when they were last made.
FINGERPRINTS = """
create table patient_journey_fingerprint (
    -- The key has the name that it has wherever the release is installed, so that a later migration finds it.
    patient_journey_id integer constraint window_fingerprint_pkey primary key,
    fingerprint        bigint  not null
);
create table journey_activity_fingerprint (
    journey_id  integer not null,
    activity_id integer not null,
    fingerprint bigint  not null,
    primary key (journey_id, activity_id)
);
comment on table patient_journey_fingerprint is 'Hash of what a patient journey brought to its windows';
comment on table journey_activity_fingerprint is 'Hash of what an activity brought to the windows of a journey';
"""


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("analytics", "0001_initial"),
        ("analytics", "0002_activity_adherence"),
        ("analytics", "0003_covid"),
        ("analytics", "0004_fingerprints"),
    ]

    operations = [
        migrations.CreateModel(
            name="ActivityAdherence",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("patient_id", models.IntegerField(null=True)),
                ("patient_journey_id", models.IntegerField()),
                ("activity_id", models.IntegerField()),
                ("activity_content_slug", models.TextField(null=True)),
                ("schedule_id", models.IntegerField(null=True)),
                ("schedule_slug", models.TextField(null=True)),
                ("schedule_start_offset_days", models.IntegerField(null=True)),
                ("schedule_end_offset_days", models.IntegerField(null=True)),
                ("schedule_milestone_slug", models.TextField(null=True)),
                ("milestone_date", models.DateField(null=True)),
                ("window_start_date", models.DateField(null=True)),
                ("window_end_date", models.DateField(null=True)),
                ("completions", models.BigIntegerField()),
                ("first_completed_date", models.DateField(null=True)),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("completed", "Completed"),
                            ("completed_late", "Completed Late"),
                            ("completed_early", "Completed Early"),
                            ("missed", "Missed"),
                            ("open", "Open"),
                            ("upcoming", "Upcoming"),
                            ("undated", "Undated"),
                        ]
                    ),
                ),
            ],
            options={
                "db_table": "activity_adherence",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="ActivityCompletionFact",
            fields=[
                (
                    "survey_result_id",
                    models.IntegerField(
                        db_comment="The survey result, in survey_result_fact", primary_key=True, serialize=False
                    ),
                ),
                (
                    "patient_journey_id",
                    models.IntegerField(db_comment="The patient journey, in patient_journey_fact", null=True),
                ),
                (
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True, null=True),
                ),
                ("activity_id", models.IntegerField(db_comment="The activity done, in activity_dimension", null=True)),
                ("completed_date", models.DateField(db_comment="The UTC day on which it was done, in date_dimension")),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("in_window", "In Window"),
                            ("early", "Early"),
                            ("late", "Late"),
                            ("undated", "Undated"),
                            ("not_scheduled", "Not Scheduled"),
                        ],
                        db_comment="in_window, early or late; undated: the window has no date; not_scheduled: there is no window",
                    ),
                ),
                (
                    "days_from_window",
                    models.IntegerField(
                        db_comment="0 inside, negative before, positive after; null: no window to count from", null=True
                    ),
                ),
            ],
            options={
                "db_table": "activity_completion_fact",
                "db_table_comment": "Activities done, against the window in which they were due; one row a survey result",
            },
        ),
        migrations.CreateModel(
            name="ActivityDimension",
            fields=[
                (
                    "activity_id",
                    models.IntegerField(db_comment="activity.id of the source", primary_key=True, serialize=False),
                ),
                ("content_slug", models.TextField(db_comment="What the patient is to do", null=True)),
                (
                    "schedule_id",
                    models.IntegerField(
                        db_comment="When it is due, in schedule_dimension; null: no schedule, or one that does not exist",
                        null=True,
                    ),
                ),
            ],
            options={
                "db_table": "activity_dimension",
                "db_table_comment": "Activities",
            },
        ),
        migrations.CreateModel(
            name="DateDimension",
            fields=[
                ("date", models.DateField(db_comment="The day", primary_key=True, serialize=False)),
                ("year", models.IntegerField(db_comment="Year")),
                ("quarter", models.IntegerField(db_comment="Quarter, 1 to 4")),
                ("month", models.IntegerField(db_comment="Month, 1 to 12")),
                ("month_name", models.TextField(db_comment="Month's name in English")),
                ("iso_year", models.IntegerField(db_comment="Year that the ISO 8601 week belongs to")),
                ("iso_week", models.IntegerField(db_comment="ISO 8601 week, 1 to 53")),
                ("day_of_month", models.IntegerField(db_comment="Day of the month, 1 to 31")),
                ("day_of_week", models.IntegerField(db_comment="ISO 8601 day of the week, 1 Monday to 7 Sunday")),
                ("is_weekend", models.BooleanField(db_comment="Saturday or Sunday")),
            ],
            options={
                "db_table": "date_dimension",
                "db_table_comment": "Days: every day of each year in which a fact or a window has a date",
            },
        ),
        migrations.CreateModel(
            name="DeviceDimension",
            fields=[
                (
                    "device_id",
                    models.IntegerField(db_comment="device.id of the source", primary_key=True, serialize=False),
                ),
                ("platform", models.TextField(db_comment="Operating system", null=True)),
                ("os_version", models.TextField(db_comment="Its version", null=True)),
            ],
            options={
                "db_table": "device_dimension",
                "db_table_comment": "Devices on which surveys were answered",
            },
        ),
        migrations.CreateModel(
            name="JourneyActivityBridge",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        db_comment="(journey_id << 32) | activity_id", primary_key=True, serialize=False
                    ),
                ),
                ("journey_id", models.IntegerField(db_comment="The journey, in journey_dimension", null=True)),
                ("activity_id", models.IntegerField(db_comment="The activity, in activity_dimension", null=True)),
            ],
            options={
                "db_table": "journey_activity_bridge",
                "db_table_comment": "Which activities a journey asks for; one row a journey and activity",
            },
        ),
        migrations.CreateModel(
            name="JourneyDimension",
            fields=[
                (
                    "journey_id",
                    models.IntegerField(db_comment="journey.id of the source", primary_key=True, serialize=False),
                ),
                ("abbreviation", models.TextField(db_comment="Short name, such as THR", null=True)),
                ("joint_slug", models.TextField(db_comment="The joint that is treated", null=True)),
            ],
            options={
                "db_table": "journey_dimension",
                "db_table_comment": "Journeys: the care pathways that a patient can follow",
            },
        ),
        migrations.CreateModel(
            name="PatientDimension",
            fields=[
                (
                    "patient_id",
                    models.IntegerField(db_comment="patient.id of the source", primary_key=True, serialize=False),
                ),
                ("age_bracket", models.TextField(db_comment="Age group, as the source writes it", null=True)),
                ("sex", models.TextField(db_comment="Sex, as the source writes it", null=True)),
                ("hospital", models.TextField(db_comment="Hospital that treats the patient", null=True)),
            ],
            options={
                "db_table": "patient_dimension",
                "db_table_comment": "Patients",
            },
        ),
        migrations.CreateModel(
            name="PatientJourneyFact",
            fields=[
                (
                    "patient_journey_id",
                    models.IntegerField(
                        db_comment="patient_journey.id of the source", primary_key=True, serialize=False
                    ),
                ),
                (
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True, null=True),
                ),
                ("journey_id", models.IntegerField(db_comment="The journey followed, in journey_dimension", null=True)),
                (
                    "clinician_id",
                    models.IntegerField(db_comment="The clinician, a key of the source without a table", null=True),
                ),
                ("invitation_date", models.DateField(db_comment="Milestone: invited", null=True)),
                ("registration_date", models.DateField(db_comment="Milestone: registered", null=True)),
                ("consent_date", models.DateField(db_comment="Milestone: consented", null=True)),
                ("operation_date", models.DateField(db_comment="Milestone: operated", null=True)),
                ("discharge_date", models.DateField(db_comment="Milestone: discharged", null=True)),
                (
                    "days_invitation_to_registration",
                    models.IntegerField(db_comment="Days from invitation to registration", null=True),
                ),
                (
                    "days_registration_to_operation",
                    models.IntegerField(db_comment="Days from registration to operation", null=True),
                ),
                (
                    "days_operation_to_discharge",
                    models.IntegerField(db_comment="Days from operation to discharge", null=True),
                ),
            ],
            options={
                "db_table": "patient_journey_fact",
                "db_table_comment": "Journeys that patients follow, with their milestones; one row a patient journey",
            },
        ),
        migrations.CreateModel(
            name="PatientJourneyScheduleWindow",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        db_comment="(patient_journey_id << 32) | activity_id", primary_key=True, serialize=False
                    ),
                ),
                (
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True, null=True),
                ),
                (
                    "patient_journey_id",
                    models.IntegerField(db_comment="The patient journey, in patient_journey_fact", null=True),
                ),
                ("activity_id", models.IntegerField(db_comment="The activity, in activity_dimension", null=True)),
                ("activity_content_slug", models.TextField(db_comment="What the patient is to do", null=True)),
                (
                    "schedule_id",
                    models.IntegerField(
                        db_comment="The schedule, in schedule_dimension; null: the activity has none", null=True
                    ),
                ),
                ("schedule_slug", models.TextField(db_comment="The rule as written", null=True)),
                (
                    "schedule_start_offset_days",
                    models.IntegerField(db_comment="First day of the window, from the milestone", null=True),
                ),
                (
                    "schedule_end_offset_days",
                    models.IntegerField(db_comment="Last day of the window, from the milestone", null=True),
                ),
                (
                    "schedule_milestone_slug",
                    models.TextField(db_comment="The event that the offsets count from", null=True),
                ),
                (
                    "milestone_date",
                    models.DateField(db_comment="That event's day in this patient journey; null: not known", null=True),
                ),
                (
                    "window_start_date",
                    models.DateField(
                        db_comment="First day on which the activity is due; null: no start, or undated", null=True
                    ),
                ),
                (
                    "window_end_date",
                    models.DateField(
                        db_comment="Last day on which the activity is due; null: no end, or undated", null=True
                    ),
                ),
            ],
            options={
                "db_table": "patient_journey_schedule_window",
                "db_table_comment": "When each activity is due for each patient; one row a patient journey and activity",
            },
        ),
        migrations.CreateModel(
            name="ScheduleDimension",
            fields=[
                (
                    "schedule_id",
                    models.IntegerField(db_comment="schedule.id of the source", primary_key=True, serialize=False),
                ),
                ("slug", models.TextField(db_comment="The rule as written, such as 7d-10d-post-op", null=True)),
                (
                    "parse_status",
                    models.TextField(
                        choices=[
                            ("parsed", "an offset and a milestone"),
                            ("partial", "an offset, but no milestone"),
                            ("unparsed", "not understood"),
                            ("override", "a person said so"),
                        ],
                        db_comment="parsed: offset and milestone; partial: milestone unknown; unparsed; override: set in admin",
                    ),
                ),
                (
                    "milestone_slug",
                    models.TextField(
                        db_comment="The event that the offsets count from; unknown where the slug names none", null=True
                    ),
                ),
                (
                    "offset_start_days",
                    models.IntegerField(
                        db_comment="First day of the window, from the milestone; null: no start", null=True
                    ),
                ),
                (
                    "offset_end_days",
                    models.IntegerField(
                        db_comment="Last day of the window, from the milestone; null: no end", null=True
                    ),
                ),
                ("qualifier", models.TextField(db_comment="Words of the slug that are no part of the rule", null=True)),
                (
                    "parse_note",
                    models.TextField(
                        db_comment="Why the slug was not understood, or what the override says", null=True
                    ),
                ),
            ],
            options={
                "db_table": "schedule_dimension",
                "db_table_comment": "Schedules: when an activity is due, read from the slug",
            },
        ),
        migrations.CreateModel(
            name="StepResultFact",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        db_comment="(patient_id << 32) | days since 0001-01-01", primary_key=True, serialize=False
                    ),
                ),
                (
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True, null=True),
                ),
                ("date", models.DateField(db_comment="The day, in date_dimension")),
                (
                    "steps",
                    models.IntegerField(db_comment="Steps walked that day; the highest where the source has several"),
                ),
            ],
            options={
                "db_table": "step_result_fact",
                "db_table_comment": "Steps walked; one row a patient and day",
            },
        ),
        migrations.CreateModel(
            name="SurveyDimension",
            fields=[
                (
                    "survey_id",
                    models.IntegerField(db_comment="survey.id of the source", primary_key=True, serialize=False),
                ),
                ("slug", models.TextField(db_comment="The survey's name", null=True)),
                ("version", models.TextField(db_comment="Its version", null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        db_comment="Its tags, in the source's order",
                        null=True,
                        size=None,
                    ),
                ),
            ],
            options={
                "db_table": "survey_dimension",
                "db_table_comment": "Surveys",
            },
        ),
        migrations.CreateModel(
            name="SurveyResultFact",
            fields=[
                (
                    "survey_result_id",
                    models.IntegerField(db_comment="survey_result.id of the source", primary_key=True, serialize=False),
                ),
                (
                    "patient_journey_id",
                    models.IntegerField(db_comment="The patient journey, in patient_journey_fact", null=True),
                ),
                (
                    "patient_id",
                    models.IntegerField(db_comment="The patient, in patient_dimension", db_index=True, null=True),
                ),
                ("survey_id", models.IntegerField(db_comment="The survey, in survey_dimension", null=True)),
                (
                    "activity_id",
                    models.IntegerField(db_comment="The activity that asked for it, in activity_dimension", null=True),
                ),
                (
                    "device_id",
                    models.IntegerField(db_comment="The device, in device_dimension; null: not known", null=True),
                ),
                ("score_value", models.IntegerField(db_comment="Score; null: none was given", null=True)),
                ("start_time", models.DateTimeField(db_comment="When the answer began, UTC")),
                ("end_time", models.DateTimeField(db_comment="When the answer ended, UTC")),
                ("duration_seconds", models.BigIntegerField(db_comment="Whole seconds from start to end")),
            ],
            options={
                "db_table": "survey_result_fact",
                "db_table_comment": "Surveys answered; one row a survey result",
            },
        ),
        migrations.CreateModel(
            name="CasesDimension",
            fields=[
                (
                    "cases_id",
                    models.UUIDField(
                        db_comment="UUIDv5 of scope and date: the same at every load", primary_key=True, serialize=False
                    ),
                ),
                ("last_update_at", models.DateTimeField(db_comment="The day, at midnight UTC")),
                ("state_number", models.IntegerField(db_comment="States and territories that reported", null=True)),
            ],
            options={
                "db_table": "cases_dimension",
                "db_table_comment": "Days of the national COVID figures",
            },
        ),
        migrations.CreateModel(
            name="CasesFact",
            fields=[
                (
                    "cases_id",
                    models.UUIDField(db_comment="The day, in cases_dimension", primary_key=True, serialize=False),
                ),
                ("total_cases", models.BigIntegerField(db_comment="Cases so far", null=True)),
                (
                    "population_percent",
                    analytics.models.covid.ExactDecimalField(db_comment="Of the population, in percent", null=True),
                ),
                ("new_cases", models.BigIntegerField(db_comment="Change from the day before", null=True)),
                (
                    "seven_day_change_percent",
                    analytics.models.covid.ExactDecimalField(
                        db_comment="Change over seven days, in percent", null=True
                    ),
                ),
            ],
            options={
                "db_table": "cases_fact",
                "db_table_comment": "Cases; one row a day",
            },
        ),
        migrations.CreateModel(
            name="DeathFact",
            fields=[
                (
                    "cases_id",
                    models.UUIDField(db_comment="The day, in cases_dimension", primary_key=True, serialize=False),
                ),
                ("total_deaths", models.BigIntegerField(db_comment="Deaths so far", null=True)),
                (
                    "population_percent",
                    analytics.models.covid.ExactDecimalField(db_comment="Of the population, in percent", null=True),
                ),
                ("new_deaths", models.BigIntegerField(db_comment="Change from the day before", null=True)),
                (
                    "seven_day_change_percent",
                    analytics.models.covid.ExactDecimalField(
                        db_comment="Change over seven days, in percent", null=True
                    ),
                ),
                (
                    "seven_day_change_avg",
                    analytics.models.covid.ExactDecimalField(db_comment="Average of seven days", null=True),
                ),
            ],
            options={
                "db_table": "death_fact",
                "db_table_comment": "Deaths; one row a day",
            },
        ),
        migrations.CreateModel(
            name="FieldDefinitionsDimension",
            fields=[
                (
                    "field_definitions_dimension_id",
                    models.UUIDField(db_comment="UUIDv5 of the field's name", primary_key=True, serialize=False),
                ),
                ("field_name", models.TextField(db_comment="The field's name")),
                (
                    "field_path",
                    models.TextField(
                        db_comment="Where it stands in a document; null: the publisher says nothing", null=True
                    ),
                ),
                ("deprecated", models.BooleanField(db_comment="Whether it is no longer to be used", null=True)),
                (
                    "prior_names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_comment="What it was called before", null=True, size=None
                    ),
                ),
                (
                    "first_seen_at",
                    models.DateTimeField(db_comment="When the first document that defines it was fetched"),
                ),
                ("last_seen_at", models.DateTimeField(db_comment="When the last document that defines it was fetched")),
            ],
            options={
                "db_table": "field_definitions_dimension",
                "db_table_comment": "What the publisher says that the fields of its documents mean",
            },
        ),
        migrations.CreateModel(
            name="HospitalizationFact",
            fields=[
                (
                    "cases_id",
                    models.UUIDField(db_comment="The day, in cases_dimension", primary_key=True, serialize=False),
                ),
                ("currently_hospitalized", models.BigIntegerField(db_comment="In hospital that day", null=True)),
                (
                    "population_percent_hospitalized",
                    analytics.models.covid.ExactDecimalField(db_comment="Of the population, in percent", null=True),
                ),
                ("change_in_hospitalized", models.BigIntegerField(db_comment="Change from the day before", null=True)),
                (
                    "seven_day_change_percent_hospitalized",
                    analytics.models.covid.ExactDecimalField(
                        db_comment="Change over seven days, in percent", null=True
                    ),
                ),
                (
                    "seven_day_change_avg_hospitalized",
                    analytics.models.covid.ExactDecimalField(db_comment="Average of seven days", null=True),
                ),
                ("currently_in_icu", models.BigIntegerField(db_comment="In intensive care that day", null=True)),
                (
                    "population_percent_icu",
                    analytics.models.covid.ExactDecimalField(db_comment="Of the population, in percent", null=True),
                ),
                ("change_in_icu", models.BigIntegerField(db_comment="Change from the day before", null=True)),
                (
                    "seven_day_change_percent_icu",
                    analytics.models.covid.ExactDecimalField(
                        db_comment="Change over seven days, in percent", null=True
                    ),
                ),
                (
                    "seven_day_change_avg_icu",
                    analytics.models.covid.ExactDecimalField(db_comment="Average of seven days", null=True),
                ),
                ("currently_on_ventilator", models.BigIntegerField(db_comment="On a ventilator that day", null=True)),
                (
                    "population_percent_ventilator",
                    analytics.models.covid.ExactDecimalField(db_comment="Of the population, in percent", null=True),
                ),
                ("change_in_ventilator", models.BigIntegerField(db_comment="Change from the day before", null=True)),
                (
                    "seven_day_change_percent_ventilator",
                    analytics.models.covid.ExactDecimalField(
                        db_comment="Change over seven days, in percent", null=True
                    ),
                ),
                (
                    "seven_day_change_avg_ventilator",
                    analytics.models.covid.ExactDecimalField(db_comment="Average of seven days", null=True),
                ),
            ],
            options={
                "db_table": "hospitalization_fact",
                "db_table_comment": "Patients in hospital, intensive care and on ventilators; one row a day",
            },
        ),
        migrations.CreateModel(
            name="TestingFact",
            fields=[
                (
                    "cases_id",
                    models.UUIDField(db_comment="The day, in cases_dimension", primary_key=True, serialize=False),
                ),
                ("total_tests", models.BigIntegerField(db_comment="Tests so far", null=True)),
                (
                    "population_percent",
                    analytics.models.covid.ExactDecimalField(db_comment="Of the population, in percent", null=True),
                ),
                ("new_tests", models.BigIntegerField(db_comment="Change from the day before", null=True)),
                (
                    "seven_day_change_percent",
                    analytics.models.covid.ExactDecimalField(
                        db_comment="Change over seven days, in percent", null=True
                    ),
                ),
            ],
            options={
                "db_table": "testing_fact",
                "db_table_comment": "Tests; one row a day",
            },
        ),
        migrations.RunSQL(ADHERENCE, "drop view activity_adherence", hints={"database": "analytics"}),
        migrations.RunSQL(
            FINGERPRINTS,
            "drop table patient_journey_fingerprint, journey_activity_fingerprint",
            hints={"database": "analytics"},
        ),
    ]
