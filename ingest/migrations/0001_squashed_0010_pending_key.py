"""The databases as the released commit 1a9ae9f left them: the source's models, the run log, the staging tables.

The ten migrations that led there are squashed: an installation that has applied them keeps what it has.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models

# The source's rows as they came, without a key and without a constraint.
STAGING = """
create table staging_schedule (
    id   integer,
    slug text
);
create table staging_activity (
    id           integer,
    content_slug text,
    schedule_id  integer
);
create table staging_journey (
    id           integer,
    abbreviation text,
    joint_slug   text
);
create table staging_journey_activity (
    journey_id  integer,
    activity_id integer
);
create table staging_patient (
    id          integer,
    age_bracket text,
    sex         text,
    hospital    text
);
create table staging_patient_journey (
    id                integer,
    patient_id        integer,
    journey_id        integer,
    invitation_date   date,
    registration_date date,
    operation_date    date,
    discharge_date    date,
    consent_date      date,
    clinician_id      integer
);
create table staging_device (
    id         integer,
    platform   text,
    os_version text
);
create table staging_survey (
    id      integer,
    slug    text,
    version text,
    tags    text[]
);
create table staging_step_result (
    patient_id integer,
    date       date,
    value      text
);
create table staging_survey_result (
    id                 integer,
    patient_journey_id integer,
    survey_id          integer,
    activity_id        integer,
    device_id          integer,
    score_value        integer,
    start_time         timestamp,
    end_time           timestamp,
    patient_id         integer
);
create table staging_slug (
    slug              text,
    parse_status      text,
    milestone_slug    text,
    offset_start_days integer,
    offset_end_days   integer,
    qualifier         text,
    parse_note        text
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

# How far the warehouse has got with each source.
PROGRESS = """
create table staged_table (
    source_table text   primary key,
    seed         bigint not null,
    row_count    bigint not null
);
create table pending_key (
    source_table text not null,
    key          bigint
);
create table loaded_with (
    rules text not null
);
create table committed_run (
    source text   primary key,
    run_id bigint not null
);
comment on table staged_table is
    'What a source table was when it was last read: its rows, and the seed by which digests can be compared';
comment on table pending_key is
    'Keys of the staged rows that changed since the star was loaded; a null key: all of the table';
comment on table loaded_with is 'Digest of the rules, SQL and settings, by which the star was loaded';
comment on table committed_run is 'The last run of each source that committed, a number of pipeline_run';
"""

TABLES = (
    "staging_schedule staging_activity staging_journey staging_journey_activity staging_patient staging_patient_journey"
    " staging_device staging_survey staging_step_result staging_survey_result staging_slug"
    " staged_table pending_key loaded_with committed_run"
)
DROP = "drop table " + ", ".join(TABLES.split())


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("ingest", "0001_initial"),
        ("ingest", "0002_staging"),
        ("ingest", "0003_covid"),
        ("ingest", "0004_pending"),
        ("ingest", "0005_triggers"),
        ("ingest", "0006_step_run"),
        ("ingest", "0007_staged_table"),
        ("ingest", "0008_alert"),
        ("ingest", "0009_committed_run"),
        ("ingest", "0010_pending_key"),
    ]

    operations = [
        # The tables of msk_db, which nothing here makes.
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content_slug", models.TextField(null=True)),
                ("schedule_id", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "activity",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("platform", models.TextField(null=True)),
                ("os_version", models.TextField(null=True)),
            ],
            options={
                "db_table": "device",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Journey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("abbreviation", models.TextField(null=True)),
                ("joint_slug", models.TextField(null=True)),
            ],
            options={
                "db_table": "journey",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="JourneyActivity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "journey_id", "activity_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("journey_id", models.IntegerField()),
                ("activity_id", models.IntegerField()),
            ],
            options={
                "db_table": "journey_activity",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Patient",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("age_bracket", models.TextField(null=True)),
                ("sex", models.TextField(null=True)),
                ("hospital", models.TextField(null=True)),
            ],
            options={
                "db_table": "patient",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PatientJourney",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("patient_id", models.IntegerField(null=True)),
                ("journey_id", models.IntegerField(null=True)),
                ("invitation_date", models.DateField(null=True)),
                ("registration_date", models.DateField(null=True)),
                ("operation_date", models.DateField(null=True)),
                ("discharge_date", models.DateField(null=True)),
                ("consent_date", models.DateField(null=True)),
                ("clinician_id", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "patient_journey",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.TextField(null=True)),
            ],
            options={
                "db_table": "schedule",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="StepResult",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "patient_id", "date", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("patient_id", models.IntegerField()),
                ("date", models.DateField()),
                ("value", models.TextField(null=True)),
            ],
            options={
                "db_table": "step_result",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Survey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.TextField(null=True)),
                ("version", models.TextField(null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
                ),
            ],
            options={
                "db_table": "survey",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="SurveyResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("patient_journey_id", models.IntegerField(null=True)),
                ("survey_id", models.IntegerField(null=True)),
                ("activity_id", models.IntegerField(null=True)),
                ("device_id", models.IntegerField(null=True)),
                ("score_value", models.IntegerField(null=True)),
                ("start_time", models.DateTimeField(null=True)),
                ("end_time", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "survey_result",
                "managed": False,
            },
        ),
        # The run log and the alerts, in the default database.
        migrations.CreateModel(
            name="PipelineRun",
            fields=[
                ("id", models.BigAutoField(db_comment="Number of the run", primary_key=True, serialize=False)),
                ("command", models.TextField(db_comment="Management command that ran")),
                ("started", models.DateTimeField(db_comment="When it began", default=django.utils.timezone.now)),
                (
                    "finished",
                    models.DateTimeField(
                        db_comment="When it ended, or was found to be gone; null while it runs", null=True
                    ),
                ),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("interrupted", "Interrupted"),
                            ("skipped", "Skipped"),
                        ],
                        db_comment="running, succeeded, failed, interrupted (stopped or killed) or skipped (another run was at work)",
                        default="running",
                    ),
                ),
                ("error", models.TextField(blank=True, db_comment="What went wrong, with the traceback", default="")),
                ("source", models.TextField(db_comment="The source that it was about: msk or covid", default="msk")),
                (
                    "trigger",
                    models.TextField(
                        choices=[("cron", "Cron"), ("manual", "Manual")],
                        db_comment="Who started it: cron or manual",
                        default="manual",
                    ),
                ),
                ("bytes", models.BigIntegerField(db_comment="Bytes copied from the source", default=0)),
                ("deleted", models.BigIntegerField(db_comment="Rows deleted by its last step", default=0)),
                (
                    "inserted",
                    models.BigIntegerField(
                        db_comment="Rows inserted by its last step, by rule the load of the star", default=0
                    ),
                ),
                (
                    "rejected",
                    models.BigIntegerField(db_comment="Rows of the source listed as rejected at its end", default=0),
                ),
                (
                    "rows_read",
                    models.BigIntegerField(
                        db_comment="Rows copied from the source; 0 where nothing was extracted", default=0
                    ),
                ),
                ("seconds", models.FloatField(db_comment="Seconds that it took", default=0.0)),
                ("updated", models.BigIntegerField(db_comment="Rows updated by its last step", default=0)),
            ],
            options={
                "db_table": "pipeline_run",
                "db_table_comment": "Every run of a pipeline command, failed ones included; what those wrote was rolled back",
            },
        ),
        migrations.CreateModel(
            name="StepRun",
            fields=[
                ("id", models.BigAutoField(db_comment="Number of the entry", primary_key=True, serialize=False)),
                ("step", models.TextField(db_comment="Step of the run, by the name of the command that does it alone")),
                (
                    "table_name",
                    models.TextField(db_comment="The table that it worked on: of the source, or of the star in a load"),
                ),
                ("started", models.DateTimeField(db_comment="When it began", default=django.utils.timezone.now)),
                ("finished", models.DateTimeField(db_comment="When it ended", default=django.utils.timezone.now)),
                (
                    "status",
                    models.TextField(
                        choices=[("succeeded", "Succeeded"), ("failed", "Failed"), ("interrupted", "Interrupted")],
                        db_comment="succeeded, failed, or interrupted when something else ended the run before it was done",
                        default="interrupted",
                    ),
                ),
                ("rows_read", models.BigIntegerField(db_comment="Rows that came in", default=0)),
                ("inserted", models.BigIntegerField(db_comment="Rows inserted", default=0)),
                ("updated", models.BigIntegerField(db_comment="Rows updated", default=0)),
                ("deleted", models.BigIntegerField(db_comment="Rows deleted", default=0)),
                (
                    "rejected",
                    models.BigIntegerField(db_comment="Rows of the source listed as rejected afterwards", default=0),
                ),
                ("bytes", models.BigIntegerField(db_comment="Bytes copied from the source", default=0)),
                (
                    "seconds",
                    models.FloatField(db_comment="Seconds of work; a step may come to a table twice", default=0.0),
                ),
                ("error", models.TextField(blank=True, db_comment="What went wrong, in one line", default="")),
                (
                    "run",
                    models.ForeignKey(
                        db_comment="The run that it is part of",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="ingest.pipelinerun",
                    ),
                ),
            ],
            options={
                "db_table": "step_run",
                "db_table_comment": "What each step of a run did to each table, in order",
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(db_comment="Number of the alert", primary_key=True, serialize=False)),
                ("source", models.TextField(db_comment="The source that it is about: msk or covid")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("failed", "failing runs"),
                            ("stale", "stale data"),
                            ("schema_change", "schema change"),
                            ("rejects", "jump in rejects"),
                        ],
                        db_comment="failed, stale, schema_change or rejects",
                    ),
                ),
                ("message", models.TextField(db_comment="What happened")),
                ("began_at", models.DateTimeField(db_comment="When it began")),
                (
                    "ended_at",
                    models.DateTimeField(db_comment="When it was seen to be over; null while it lasts", null=True),
                ),
                (
                    "pending",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        db_comment="The channels that its news, the beginning or the end, has yet to reach: mail, webhook",
                        default=list,
                        size=None,
                    ),
                ),
            ],
            options={
                "db_table": "alert",
                "db_table_comment": "What people were told of, once when it began and once when it was over",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("kind", "source"), name="alert_open_once"
                    )
                ],
            },
        ),
        # The warehouse.
        migrations.CreateModel(
            name="StagedBucket",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source_table", "bucket", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source_table", models.TextField(db_comment="Table of msk_db")),
                (
                    "bucket",
                    models.BigIntegerField(
                        db_comment="Group of keys, see ingest/msk/tables.py; -1 for rows without a key"
                    ),
                ),
                ("row_count", models.BigIntegerField(db_comment="Rows in the bucket")),
                (
                    "digest",
                    models.DecimalField(
                        db_comment="Sum of the rows' 64-bit hashes, so that duplicates count",
                        decimal_places=0,
                        max_digits=40,
                    ),
                ),
            ],
            options={
                "db_table": "staged_bucket",
                "db_table_comment": "What the source's rows were when they were last copied: a count and a digest a bucket",
            },
        ),
        migrations.CreateModel(
            name="LoadState",
            fields=[
                ("source", models.TextField(db_comment="msk or covid", primary_key=True, serialize=False)),
                ("run_id", models.BigIntegerField(db_comment="pipeline_run.id in the default database")),
                ("loaded_at", models.DateTimeField(db_comment="When that run loaded the star")),
            ],
            options={
                "db_table": "load_state",
                "db_table_comment": "What the star schema holds, since when: one row a source",
            },
        ),
        migrations.CreateModel(
            name="RejectedRow",
            fields=[
                ("id", models.BigAutoField(db_comment="Number of the entry", primary_key=True, serialize=False)),
                (
                    "run_id",
                    models.BigIntegerField(db_comment="pipeline_run.id of the run that first listed the row as it is"),
                ),
                ("source_table", models.TextField(db_comment="Table of the source")),
                (
                    "source_key",
                    models.TextField(
                        db_comment="The row's key in the source; #2, #3 … where several rows share it; null where it is missing"
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        choices=[
                            ("orphan", "a key that resolves to nothing"),
                            ("not_a_number", "a value that is not a whole number"),
                            ("negative", "a number below zero"),
                            ("out_of_range", "a number or a date beyond what the star can hold"),
                            ("duplicate", "another row for the same key"),
                            ("missing_key", "a key, day or time that is null"),
                            ("end_before_start", "an end before its start"),
                        ],
                        db_comment="Why the row is listed, one stable word",
                    ),
                ),
                (
                    "detail",
                    models.JSONField(
                        db_comment="The row as it came and, for an orphan, the column and the missing key"
                    ),
                ),
            ],
            options={
                "db_table": "rejected_row",
                "db_table_comment": "The source's rows that do not fit the star, as of the last load",
                "constraints": [
                    models.UniqueConstraint(fields=("source_table", "source_key"), name="rejected_row_source")
                ],
            },
        ),
        migrations.CreateModel(
            name="ScheduleOverride",
            fields=[
                (
                    "schedule_id",
                    models.IntegerField(db_comment="schedule.id of the source", primary_key=True, serialize=False),
                ),
                (
                    "milestone_slug",
                    models.TextField(
                        choices=[
                            ("operation", "operation"),
                            ("registration", "registration"),
                            ("discharge", "discharge"),
                            ("appointment", "appointment"),
                            ("consent", "consent"),
                            ("invitation", "invitation"),
                        ],
                        db_comment="The event that the offsets count from",
                    ),
                ),
                (
                    "offset_start_days",
                    models.IntegerField(
                        blank=True, db_comment="First day of the window, from the milestone; null: no start", null=True
                    ),
                ),
                (
                    "offset_end_days",
                    models.IntegerField(
                        blank=True, db_comment="Last day of the window, from the milestone; null: no end", null=True
                    ),
                ),
                ("note", models.TextField(blank=True, db_comment="Why, and who says so", db_default="", default="")),
                (
                    "changed_at",
                    models.DateTimeField(
                        auto_now=True,
                        db_comment="When it was last saved in admin",
                        db_default=django.db.models.functions.datetime.Now(),
                    ),
                ),
            ],
            options={
                "db_table": "schedule_override",
                "db_table_comment": "What a person says a schedule means: it wins over the slug",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("offset_start_days__isnull", False), ("offset_end_days__isnull", False), _connector="OR"
                        ),
                        name="schedule_override_has_an_offset",
                        violation_error_message="Give a start, an end or both.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("offset_start_days__lte", models.F("offset_end_days"))),
                        name="schedule_override_in_order",
                        violation_error_message="The start must not lie after the end.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("offset_start_days__range", (-36500, 36500)), ("offset_end_days__range", (-36500, 36500))
                        ),
                        name="schedule_override_in_range",
                        violation_error_message="Offsets go from -36500 to 36500 days.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "milestone_slug__in",
                                ("operation", "registration", "discharge", "appointment", "consent", "invitation"),
                            )
                        ),
                        name="schedule_override_milestone",
                        violation_error_message="A milestone is one of operation, registration, discharge, appointment, consent, invitation.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CovidDocument",
            fields=[
                ("url", models.TextField(db_comment="The document's address", primary_key=True, serialize=False)),
                ("fetched_at", models.DateTimeField(db_comment="When its content was first fetched as it is")),
                ("sha256", models.TextField(db_comment="SHA-256 of its bytes, in hexadecimal")),
                ("etag", models.TextField(db_comment="Its version, as the server calls it", null=True)),
                ("last_modified", models.TextField(db_comment="When the server says that it changed", null=True)),
            ],
            options={
                "db_table": "staging_covid_document",
                "db_table_comment": "The documents of the COVID API that were read, one row an address",
            },
        ),
        migrations.CreateModel(
            name="CovidDay",
            fields=[
                ("id", models.BigAutoField(db_comment="Number of the version", primary_key=True, serialize=False)),
                ("url", models.TextField(db_comment="Address of the document that it came in")),
                ("fetched_at", models.DateTimeField(db_comment="When that document was fetched")),
                (
                    "sha256",
                    models.TextField(db_comment="SHA-256 of the day's object as jsonb writes it, in hexadecimal"),
                ),
                ("position", models.IntegerField(db_comment="Its place in the document, from 0; -1: no longer there")),
                ("document", models.JSONField(db_comment="The day's object")),
            ],
            options={
                "db_table": "staging_covid_day",
                "db_table_comment": "Every version of every day that the COVID API gave",
                "constraints": [models.UniqueConstraint(fields=("sha256",), name="staging_covid_day_once")],
            },
        ),
        migrations.CreateModel(
            name="CovidDefinition",
            fields=[
                ("id", models.UUIDField(db_comment="UUIDv5 of the field's name", primary_key=True, serialize=False)),
                ("name", models.TextField(db_comment="The field's name", unique=True)),
                ("field", models.TextField(db_comment="Where it stands in a document", null=True)),
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
                ("is_current", models.BooleanField(db_comment="Whether the newest document defines it")),
            ],
            options={
                "db_table": "staging_covid_definition",
                "db_table_comment": "What the COVID API says that its fields mean",
            },
        ),
        migrations.CreateModel(
            name="SchemaChange",
            fields=[
                ("id", models.BigAutoField(db_comment="Number of the change", primary_key=True, serialize=False)),
                ("run_id", models.BigIntegerField(db_comment="pipeline_run.id of the run that saw it")),
                ("detected_at", models.DateTimeField(db_comment="When the document that shows it was fetched")),
                ("field_name", models.TextField(db_comment="The field, by its name of today")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("appeared", "Appeared"),
                            ("disappeared", "Disappeared"),
                            ("renamed", "Renamed"),
                            ("deprecated", "Deprecated"),
                            ("path_changed", "Path Changed"),
                        ],
                        db_comment="appeared, disappeared, renamed, deprecated or path_changed",
                    ),
                ),
                ("detail", models.JSONField(db_comment="The definition before and after")),
            ],
            options={
                "db_table": "schema_change",
                "db_table_comment": "Changes of what the COVID API says that its fields mean",
            },
        ),
        migrations.RunSQL(STAGING + PROGRESS, DROP, hints={"database": "analytics"}),
    ]
