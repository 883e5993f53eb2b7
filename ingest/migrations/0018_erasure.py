"""Which run erased a patient; and no error on record that an earlier release let quote a row of one."""

from django.db import migrations, models

# What an earlier release wrote of an error that nobody had foreseen, of a text that it could not read, and in full.
QUOTED = r"--traceback shows the whole story|the source''s text .* of row |(DETAIL|CONTEXT|LINE [0-9]+): "
REMOVED = "an earlier release recorded this error, and may have quoted a row in it: removed"
COLUMNS = {
    "pipeline_run": "error",
    "step_run": "error",
    "run_request": "outcome",
    "warehouse_check": "error",
    "alert": "message",
}


class Migration(migrations.Migration):
    dependencies = [("ingest", "0017_occurrence")]

    operations = [
        migrations.CreateModel(
            name="ErasedPatient",
            fields=[
                (
                    "patient_id",
                    models.IntegerField(
                        db_comment="patient.id that the source had", primary_key=True, serialize=False
                    ),
                ),
                (
                    "run_id",
                    models.BigIntegerField(
                        db_comment="pipeline_run.id of the run that last took the patient out of the star"
                    ),
                ),
                ("run_uuid", models.UUIDField(db_comment="pipeline_run.uuid of the same run")),
                ("erased_at", models.DateTimeField(db_comment="When that was")),
            ],
            options={
                "db_table": "erased_patient",
                "db_table_comment": "Patients whom the source no longer has: which run took each out of the star, "
                "no more",
            },
        ),
        *(
            migrations.RunSQL(
                f"update {table} set {column} = '{REMOVED}' where {column} ~ '{QUOTED}'",  # noqa: S608  (ours)
                migrations.RunSQL.noop,
            )
            for table, column in COLUMNS.items()
        ),
    ]
