"""The record of a run in the run log, and in the log: how it ended, what its steps did, and whether it committed."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from ingest.cursors import raw_cursor
from ingest.models import PipelineRun, RunRequest, StepRun
from ingest.runs import lock
from ingest.runs.errors import DATABASE_ERRORS, SkippedError, explain, story

logger = logging.getLogger("ingest.runs")  # as docs/on-call.md shows it


def end_gone_runs() -> None:
    """Put on record how the runs ended whose process was killed or cut off before it could do so itself.

    The site may not write to the run log: the worker of run_requests does this within a second or so. A run takes its
    source's lock before it is on record. So the records are read before the locks: a run that is on record and whose
    lock is free is over.
    """
    running = list(PipelineRun.objects.filter(status=PipelineRun.Status.RUNNING))
    if running and not _may_write():
        return
    held = lock.holders() if running else ()
    end_gone(record for record in running if record.source not in held)


def _may_write() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute("select has_table_privilege(%s, 'update')", [PipelineRun._meta.db_table])
        return bool(cursor.fetchone()[0])


def end_gone(gone: Iterable[PipelineRun]) -> None:
    """Record the end of runs whose process is gone: as succeeded where the warehouse holds what they wrote."""
    for record in gone:
        status, error = PipelineRun.Status.SUCCEEDED, ""
        if not lock.is_signed(record.source, record.uuid):
            status, error = (
                PipelineRun.Status.INTERRUPTED,
                "Its process is gone: killed, or cut off from the databases.",
            )
        # Only while it still says so: a run that has just committed may record its end at this very moment.
        running = PipelineRun.objects.filter(pk=record.pk, status=PipelineRun.Status.RUNNING)
        running.update(finished=timezone.now(), status=status, error=error)


def has_committed(record: PipelineRun) -> bool:
    """Tell whether the warehouse holds what the run wrote; False where it does not answer."""
    connections["analytics"].close()  # it may be the one that was lost
    try:
        return lock.is_signed(record.source, record.uuid)
    except DATABASE_ERRORS:
        return False


def finish(
    record: PipelineRun,
    steps: list[StepRun],
    seconds: float,
    status: PipelineRun.Status,
    error: BaseException | None = None,
) -> None:
    """Record the run's end, what its steps did and in sum, and forget the runs and requests that are too old."""
    record.finished = timezone.now()
    record.status = status
    if error:
        record.error = str(error) if isinstance(error, SkippedError) else story(error)
    record.rejected = sum(step.rejected for step in steps)
    extracted = [step for step in steps if step.step.startswith("extract_")]
    record.rows_read = sum(step.rows_read for step in extracted)
    record.bytes = sum(step.bytes for step in extracted)
    # A row passes through each step: to add up what they wrote would count it twice.
    written = [step for step in steps if step.step == steps[-1].step]
    record.inserted = sum(step.inserted for step in written)
    record.updated = sum(step.updated for step in written)
    record.deleted = sum(step.deleted for step in written)
    record.seconds = round(seconds, 3)
    for step in steps:
        step.run = record
        if status == PipelineRun.Status.INTERRUPTED and step.status == StepRun.Status.FAILED:
            step.status = StepRun.Status.INTERRUPTED  # what failed was the statement that the signal cancelled
    with transaction.atomic(using="default"):
        record.save()
        StepRun.objects.bulk_create(steps)
        oldest = record.finished - timedelta(days=settings.RUN_HISTORY_DAYS)
        RunRequest.objects.filter(requested_at__lt=oldest).exclude(finished_at=None).delete()
        PipelineRun.objects.filter(started__lt=oldest).delete()
    _shorten_access_log()


def _shorten_access_log() -> None:
    try:
        with raw_cursor("default") as log_database:
            log_database.execute("select forget_access_log(%s)", [settings.ACCESS_LOG_DAYS])
    except DATABASE_ERRORS as error:  # no reason for a run to fail
        logger.error("access log not shortened", extra={"error": explain(error)})  # noqa: TRY400


def status_after(error: BaseException) -> PipelineRun.Status:
    """Return the status in which a run ends that `error` ended."""
    if isinstance(error, SkippedError):
        return PipelineRun.Status.SKIPPED
    interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
    return PipelineRun.Status.INTERRUPTED if interrupted else PipelineRun.Status.FAILED


def log(level: int, event: str, record: PipelineRun, **more: Any) -> None:
    """Log an event of a run, as one line that names the run and its source."""
    logger.log(level, event, extra={"run": record.pk, "source": record.source, **more})


def log_failure(record: PipelineRun, error: BaseException) -> None:
    """Log how a run ended that did not succeed. Its error in one line: a traceback may quote a patient's row."""
    status = status_after(error)
    if status == PipelineRun.Status.INTERRUPTED:
        log(logging.WARNING, "run interrupted", record)
    else:
        level = logging.WARNING if status == PipelineRun.Status.SKIPPED else logging.ERROR
        log(level, f"run {status}", record, error=explain(error))
