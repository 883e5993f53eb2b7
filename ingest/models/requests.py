"""What a person asks of the pipeline on the site. In the default database, as the run log."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ingest.models.runs import PipelineRun


class RunRequest(models.Model):
    """A run that is asked for. The worker of manage.py run_requests takes it up; it is open until it is finished."""

    id = models.BigAutoField(primary_key=True, db_comment="Number of the request")
    source = models.TextField(db_comment="The source that a run is asked for of: msk or covid")
    requested_by = models.TextField(db_comment="Name of the user who asked first")
    requested_at = models.DateTimeField(default=timezone.now, db_comment="When that was")
    taken_at = models.DateTimeField(null=True, db_comment="When a worker took it up; null: none has yet")
    finished_at = models.DateTimeField(null=True, db_comment="When it was over; null: it is open")
    run = models.ForeignKey(
        PipelineRun,
        models.CASCADE,
        null=True,
        related_name="requests",
        db_comment="The run that came of it; null: none did, or not yet",
    )
    progress = models.TextField(
        blank=True, default="", db_comment="The step and table that the run is at, or whom it waits for"
    )
    progress_at = models.DateTimeField(null=True, db_comment="Since when; null: nothing is known yet")
    outcome = models.TextField(
        blank=True, default="", db_comment="succeeded, or failed, interrupted or skipped and in one line why"
    )

    class Meta:
        db_table = "run_request"
        db_table_comment = "The runs that people asked for on the site, by whom, and what came of it"
        constraints = (
            models.UniqueConstraint(fields=["source"], condition=Q(finished_at=None), name="run_request_open_once"),
        )

    def __str__(self) -> str:
        return f"request {self.pk}: {self.source}, {self.outcome or self.progress or 'waiting'}"
