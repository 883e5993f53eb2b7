"""The run log. It lives in the default database, so that a failed run is on record though its data rolled back."""

from uuid import uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.utils import timezone

# Each is loaded by itself; two runs of one never meet.
SOURCES = ("msk", "covid")


def count(comment: str) -> "models.BigIntegerField[int, int]":
    return models.BigIntegerField(default=0, db_comment=comment)


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
    uuid = models.UUIDField(
        unique=True,
        default=uuid4,
        db_default=RandomUUID(),
        editable=False,
        db_comment="By which the warehouse knows the run: numbers repeat where the run log was restored from a backup",
    )
    source = models.TextField(default="msk", db_comment="The source that it was about: msk or covid")
    command = models.TextField(db_comment="Management command that ran")
    trigger = models.TextField(choices=Trigger, default=Trigger.MANUAL, db_comment="Who started it: cron or manual")
    started = models.DateTimeField(default=timezone.now, db_comment="When it began")
    finished = models.DateTimeField(null=True, db_comment="When it ended, or was found to be gone; null: it runs")
    status = models.TextField(
        choices=Status,
        default=Status.RUNNING,
        db_comment="running, succeeded, failed, interrupted (stopped or killed) or skipped (another run was at work)",
    )
    rows_read = count("Rows copied from the source; 0 where nothing was extracted")
    inserted = count("Rows inserted by its last step, by rule the load of the star")
    updated = count("Rows updated by its last step")
    deleted = count("Rows deleted by its last step")
    rejected = count("Rows of the source listed as rejected at its end")
    bytes = count("Bytes copied from the source")
    seconds = models.FloatField(default=0.0, db_comment="Seconds that it took")
    source_held_seconds = models.FloatField(
        null=True,
        db_comment="Seconds of these for which it held a transaction at the source open; null: it opened none",
    )
    error = models.TextField(blank=True, default="", db_comment="What went wrong, with the traceback")

    class Meta:
        db_table = "pipeline_run"
        db_table_comment = "Every run of a pipeline command, failed ones included; what those wrote was rolled back"

    def __str__(self) -> str:
        return f"run {self.pk}: {self.command} for {self.source}, {self.status}"


class StepRun(models.Model):
    """What one step of a run does to one table: filled in while it works, and saved at the end of the run."""

    class Status(models.TextChoices):
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the entry")
    run = models.ForeignKey(PipelineRun, models.CASCADE, related_name="steps", db_comment="The run that it is part of")
    step = models.TextField(db_comment="Step of the run, by the name of the command that does it alone")
    table_name = models.TextField(db_comment="The table that it worked on: of the source, or of the star in a load")
    started = models.DateTimeField(default=timezone.now, db_comment="When it began")
    finished = models.DateTimeField(default=timezone.now, db_comment="When it ended")
    status = models.TextField(
        choices=Status,
        default=Status.INTERRUPTED,
        db_comment="succeeded, failed, or interrupted when something else ended the run before it was done",
    )
    rows_read = count("Rows that came in")
    inserted = count("Rows inserted")
    updated = count("Rows updated")
    deleted = count("Rows deleted")
    rejected = count("Rows of the source listed as rejected afterwards")
    reasons = models.JSONField(default=dict, db_comment="Of the rejected rows how many there are of each reason")
    checked = count("Rows of the source, the rejected ones among them, that the load has checked, now or before")
    bytes = count("Bytes copied from the source")
    seconds = models.FloatField(default=0.0, db_comment="Seconds of work; a step may come to a table twice")
    error = models.TextField(blank=True, default="", db_comment="What went wrong, in one line")

    class Meta:
        db_table = "step_run"
        db_table_comment = "What each step of a run did to each table, in order"

    def __str__(self) -> str:
        return f"{self.step} {self.table_name}, {self.status}"
