"""One run of the pipeline: its lock, its transaction, and the counts of what it did."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.dispatch import Signal
from django.utils import timezone

from ingest.models import LoadState, PipelineRun, StepRun
from ingest.runs import lock
from ingest.runs.errors import DATABASE_ERRORS, NotRecordedError, explain
from ingest.runs.interrupts import stops_ignored
from ingest.runs.record import end_gone, finish, has_committed, log, log_failure, status_after

logger = logging.getLogger("ingest.runs")  # as docs/on-call.md shows it

committed = Signal()  # sent when a run has committed: what others keep of the warehouse is of what it was before
DRY = 0  # the id of a run that is not recorded
COUNTS = ("rows_read", "inserted", "updated", "deleted", "rejected", "bytes", "seconds")
# What a run's statements may have of the server, unlike a reader's. Each was measured at 20,000 patients.
ROOM = {
    "citus.propagate_set_commands": "local",  # what follows holds for the workers of a distributed warehouse as well
    # There one connection to a worker writes: a statement that reads what the one before wrote would not see it.
    "citus.multi_shard_modify_mode": "sequential",
    "work_mem": "128MB",  # for each sort or hash: facts are sorted in memory rather than on disk
    "maintenance_work_mem": "256MB",  # for building a key
    "jit": "off",  # to compile a statement takes longer than it saves
    "parallel_setup_cost": "100",  # nobody else waits for these cores as a run does for them
    "parallel_tuple_cost": "0.001",
    "random_page_cost": "1.5",  # a page of an index is as often as not in memory
}


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
    source_held_seconds: float | None = None

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

    @property
    def seconds(self) -> float:
        """Return how long it has been at work."""
        return time.monotonic() - self.began

    @contextmanager
    def holding_source(self) -> Iterator[None]:
        """Note how long a transaction at the source is open: the time inside the block."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.source_held_seconds = round(time.monotonic() - start, 3)

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
                lock.take(source)
                end_gone(PipelineRun.objects.filter(source=source, status=PipelineRun.Status.RUNNING))
                record.save()
                log(logging.INFO, "run started", record, command=command, trigger=record.trigger)
                connections["default"].close()  # it would idle for as long as the run takes, and may be cut
                run.id = record.pk
                give_room()
                yield run
                lock.sign(source, record.uuid)
                from_the_commit_on.enter_context(stops_ignored())
        except BaseException as error:
            if not has_committed(record):
                # What cannot be written stays, at worst, recorded as running, until somebody finds that nobody is.
                record.source_held_seconds = run.source_held_seconds
                with suppress(*DATABASE_ERRORS):
                    finish(record, run.steps, run.seconds, status_after(error), error)
                log_failure(record, error)
                raise
        record.source_held_seconds = run.source_held_seconds
        try:
            finish(record, run.steps, run.seconds, PipelineRun.Status.SUCCEEDED)
        except Exception as error:
            failure = NotRecordedError(
                f"run {run.id} loaded the warehouse, but the run log still calls it running: {explain(error)}"
            )
            log_failure(record, failure)
            raise failure from error
        committed.send_robust(Run)
    log(logging.INFO, "run succeeded", record, **{name: getattr(record, name) for name in COUNTS})


def give_room() -> None:
    """Give the statements of this transaction what ROOM says."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute("; ".join(f"set local {name} = '{value}'" for name, value in ROOM.items()))
