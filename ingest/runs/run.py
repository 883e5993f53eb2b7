"""One run of the pipeline: its place in the run log, its transaction, and the counts of what it did."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from ingest.models import LoadState, PipelineRun, StepRun
from ingest.runs import lock
from ingest.runs.dry import cover_numbered_tables, estimates_kept
from ingest.runs.errors import DATABASE_ERRORS, NotRecordedError, SkippedError, explain, story
from ingest.runs.interrupts import stops_ignored

logger = logging.getLogger("ingest.runs")  # as the README shows it

DRY = 0  # the id of a run that is not recorded
COUNTS = ("rows_read", "inserted", "updated", "deleted", "rejected", "bytes", "seconds")
WORK_MEM = "64MB"  # for each sort or hash of a run, on the server; more gains nothing at 20,000 patients


@dataclass
class Run:
    """A run of one source in progress; `id` is its number in the run log, `uuid` what no other run ever has.

    `on_table` is called when a step begins on a table, for a progress display.
    """

    id: int
    source: str
    uuid: UUID
    on_table: Callable[[StepRun], None] = lambda counts: None
    steps: list[StepRun] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @contextmanager
    def table(self, step: str, table: str, *, last: bool = True) -> Iterator[StepRun]:
        """Give the counts of `step` on `table` to fill in; the time inside the block is added to its seconds.

        Unless it is the `last` block for them, another one follows.
        """
        counts = next((c for c in self.steps if (c.step, c.table_name) == (step, table)), None)
        if counts is None:
            counts = StepRun(step=step, table_name=table)
            self.steps.append(counts)
        self.on_table(counts)
        start = time.monotonic()
        try:
            yield counts
        except Exception as error:
            counts.status, counts.error = StepRun.Status.FAILED, explain(error)
            error.add_note(f"{step}, {table}")
            raise
        finally:
            counts.seconds = round(counts.seconds + time.monotonic() - start, 3)
            counts.finished = timezone.now()
        if last:
            counts.status = StepRun.Status.SUCCEEDED
            numbers = {name: getattr(counts, name) for name in COUNTS}
            about = {"run": self.id, "source": self.source, "step": step, "table": table}
            logger.info("table done", extra=about | numbers)

    def loaded(self, source: str) -> None:
        """Note in the warehouse that the star of `source` now holds what this run read."""
        LoadState.objects.update_or_create(
            source=source, defaults={"run_id": self.id, "run_uuid": self.uuid, "loaded_at": timezone.now()}
        )


@contextmanager
def pipeline_run(command: str, source: str) -> Iterator[Run]:
    """Record a run of `command` for `source` and hold it in one transaction of the warehouse.

    What the block writes to the analytics database commits at its end, or not at all. The record is in the default
    database, so a failure stays known. Raises SkippedError when another run of the source is in progress, and
    NotRecordedError when all went well but the record of it.
    """
    record = PipelineRun(command=command, source=source, trigger=settings.PIPELINE_TRIGGER)
    run = Run(DRY, source, record.uuid)
    with ExitStack() as from_the_commit_on:
        try:
            with transaction.atomic(using="analytics"):
                _lock(source)
                _end(PipelineRun.objects.filter(source=source, status=PipelineRun.Status.RUNNING))
                record.save()
                _log(logging.INFO, "run started", record, command=command, trigger=record.trigger)
                connections["default"].close()  # it would idle for as long as the run takes, and may be cut
                run.id = record.pk
                _give_room()
                yield run
                lock.sign(source, record.uuid)
                from_the_commit_on.enter_context(stops_ignored())
        except BaseException as error:
            if not _has_committed(record):
                # What cannot be written stays, at worst, recorded as running, until somebody finds that nobody is.
                with suppress(*DATABASE_ERRORS):
                    _finish(record, run, _status_after(error), error)
                _log_failure(record, error)
                raise
        try:
            _finish(record, run, PipelineRun.Status.SUCCEEDED)
        except Exception as error:
            failure = NotRecordedError(
                f"run {run.id} loaded the warehouse, but the run log still calls it running: {explain(error)}"
            )
            _log_failure(record, failure)
            raise failure from error
    _log(logging.INFO, "run succeeded", record, **{name: getattr(record, name) for name in COUNTS})


@contextmanager
def dry_run(source: str) -> Iterator[Run]:
    """Give a run that is not recorded, and undo all that the block writes to the warehouse."""
    with estimates_kept(), transaction.atomic(using="analytics"):
        _lock(source)
        cover_numbered_tables()
        _give_room()
        yield Run(DRY, source, uuid4())
        transaction.set_rollback(True, using="analytics")


def end_gone_runs() -> None:
    """Put on record how the runs ended whose process is gone, killed or cut off before it could do so itself.

    A run holds its source's lock before it is on record, so the records are read before the locks: one that is there
    and whose lock is not held is over.
    """
    running = list(PipelineRun.objects.filter(status=PipelineRun.Status.RUNNING))
    held = lock.holders() if running else ()
    _end(record for record in running if record.source not in held)


def _lock(source: str) -> None:
    """Take the lock that one run of a source holds at a time: who has it knows that no other one is in progress."""
    if not lock.take(source):
        running = PipelineRun.objects.filter(source=source, status=PipelineRun.Status.RUNNING)
        raise SkippedError(
            f"another run of {source} is in progress: {_describe(source, running.last())}. "
            "Wait until it has finished and run the command again"
        )


def _describe(source: str, record: PipelineRun | None) -> str:
    """Return who is at work on a source: the run on record, or whoever else holds its lock, such as a dry run."""
    if record:
        return (
            f"run {record.pk}, {record.command} started by {record.trigger} at {record.started:%Y-%m-%d %H:%M:%S} UTC"
        )
    return lock.holders().get(source, "it has just ended")


def _has_committed(record: PipelineRun) -> bool:
    """Tell whether the warehouse holds what the run wrote; of one that cannot be asked nothing is known to be there."""
    connections["analytics"].close()  # it may be the one that was lost
    try:
        return lock.is_signed(record.source, record.uuid)
    except DATABASE_ERRORS:
        return False


def _end(gone: Iterable[PipelineRun]) -> None:
    """Record that runs are over which did not say so: succeeded when the warehouse holds what they wrote."""
    for record in gone:
        ended = (
            {"status": PipelineRun.Status.SUCCEEDED}
            if lock.is_signed(record.source, record.uuid)
            else {
                "status": PipelineRun.Status.INTERRUPTED,
                "error": "Its process is gone: killed, or cut off from the databases.",
            }
        )
        # Only while it still says so: a run that has just committed may record its end at this very moment.
        running = PipelineRun.objects.filter(pk=record.pk, status=PipelineRun.Status.RUNNING)
        running.update(finished=timezone.now(), **ended)


def _give_room() -> None:
    """Let the run's statements sort and hash the facts in memory rather than on disk."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute("select set_config('work_mem', %s, true)", [WORK_MEM])


def _status_after(error: BaseException) -> PipelineRun.Status:
    if isinstance(error, SkippedError):
        return PipelineRun.Status.SKIPPED
    interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
    return PipelineRun.Status.INTERRUPTED if interrupted else PipelineRun.Status.FAILED


def _log(level: int, event: str, record: PipelineRun, **more: Any) -> None:
    logger.log(level, event, extra={"run": record.pk, "source": record.source, **more})


def _log_failure(record: PipelineRun, error: BaseException) -> None:
    """Log how a run ended that did not succeed. Its error in one line: a traceback may quote a patient's row."""
    status = _status_after(error)
    if status == PipelineRun.Status.INTERRUPTED:
        _log(logging.WARNING, "run interrupted", record)
    else:
        level = logging.WARNING if status == PipelineRun.Status.SKIPPED else logging.ERROR
        _log(level, f"run {status}", record, error=explain(error))


def _finish(record: PipelineRun, run: Run, status: PipelineRun.Status, error: BaseException | None = None) -> None:
    """Record the run's end, what its steps did and in sum, and forget the runs that are too old."""
    record.finished = timezone.now()
    record.status = status
    if error:
        record.error = str(error) if isinstance(error, SkippedError) else story(error)
    record.rejected = sum(step.rejected for step in run.steps)
    extracted = [step for step in run.steps if step.step.startswith("extract_")]
    record.rows_read = sum(step.rows_read for step in extracted)
    record.bytes = sum(step.bytes for step in extracted)
    # A row passes through each step: to add up what they wrote would count it twice.
    written = [step for step in run.steps if step.step == run.steps[-1].step]
    record.inserted = sum(step.inserted for step in written)
    record.updated = sum(step.updated for step in written)
    record.deleted = sum(step.deleted for step in written)
    record.seconds = round(time.monotonic() - run.began, 3)
    for step in run.steps:
        step.run = record
        if status == PipelineRun.Status.INTERRUPTED and step.status == StepRun.Status.FAILED:
            step.status = StepRun.Status.INTERRUPTED  # what failed was the statement that the signal cancelled
    with transaction.atomic(using="default"):
        record.save()
        StepRun.objects.bulk_create(run.steps)
        oldest = record.finished - timedelta(days=settings.RUN_HISTORY_DAYS)
        PipelineRun.objects.filter(started__lt=oldest).delete()
