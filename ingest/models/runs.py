"""The run log. It lives in the default database, so that a failed run is on record though its data rolled back."""

from django.db import models
from django.utils import timezone

# Each is loaded by itself; two runs of one never meet.
SOURCES = ("msk", "covid")


class PipelineRun(models.Model):
    class Status(models.TextChoices):
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        INTERRUPTED = "interrupted"
        SKIPPED = "skipped"

    class Trigger(models.TextChoices):
        CRON = "cron"
        MANUAL = "manual"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the run")
    source = models.TextField(default="msk", db_comment="The source that it was about: msk or covid")
    command = models.TextField(db_comment="Management command that ran")
    trigger = models.TextField(choices=Trigger, default=Trigger.MANUAL, db_comment="Who started it: cron or manual")
    started = models.DateTimeField(default=timezone.now, db_comment="When it began")
    finished = models.DateTimeField(null=True, db_comment="When it ended, or was found to be gone; null while it runs")
    status = models.TextField(
        choices=Status,
        default=Status.RUNNING,
        db_comment="running, succeeded, failed, interrupted (stopped or killed) or skipped (another run was at work)",
    )
    counts = models.JSONField(default=list, db_comment="Rows and seconds of each step and table, in order")
    error = models.TextField(blank=True, default="", db_comment="What went wrong, with the traceback")

    class Meta:
        db_table = "pipeline_run"
        db_table_comment = "Every run of a pipeline command, failed ones included"

    def __str__(self) -> str:
        return f"run {self.pk}: {self.command} for {self.source}, {self.status}"
