"""What people ask of the pipeline on the site."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0015_warehouse_check")]

    operations = [
        migrations.CreateModel(
            name="RunRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(db_comment="Number of the request", primary_key=True, serialize=False),
                ),
                ("source", models.TextField(db_comment="The source that a run is asked for of: msk or covid")),
                ("requested_by", models.TextField(db_comment="Name of the user who asked first")),
                (
                    "requested_at",
                    models.DateTimeField(db_comment="When that was", default=django.utils.timezone.now),
                ),
                ("taken_at", models.DateTimeField(db_comment="When a worker took it up; null before", null=True)),
                (
                    "finished_at",
                    models.DateTimeField(db_comment="When it was over; null while it is open", null=True),
                ),
                (
                    "progress",
                    models.TextField(
                        blank=True,
                        db_comment="The step and table that the run is at, or whom it waits for",
                        default="",
                    ),
                ),
                ("progress_at", models.DateTimeField(db_comment="Since when", null=True)),
                (
                    "outcome",
                    models.TextField(
                        blank=True,
                        db_comment="succeeded, or failed, interrupted or skipped and in one line why",
                        default="",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_comment="The run that came of it; null before that began, and where none did",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="requests",
                        to="ingest.pipelinerun",
                    ),
                ),
            ],
            options={
                "db_table": "run_request",
                "db_table_comment": "The runs that people asked for on the site, by whom, and what came of it",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at", None)), fields=("source",), name="run_request_open_once"
                    )
                ],
            },
        ),
    ]
