"""One run of the pipeline: its place in the run log, its transaction, and the counts of what it did."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from django.db import connections, transaction
from django.utils import timezone

from ingest.errors import NotRecordedError, PipelineError, explain, story
from ingest.models import LoadState, PipelineRun

logger = logging.getLogger(__name__)

# Any number will do as long as nothing else in the analytics database locks it.
LOCK_KEY = 0x4D534B
DRY = 0  # the id of a run that is not recorded
WORK_MEM = "64MB"  # for each sort or hash of a run, on the server; more gains nothing at 20,000 patients


@dataclass
class TableCounts:
    """What one step did to one table, in rows; `read` is what came in, `rejected` what is listed as rejected now."""

    step: str
    table: str
    read: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    rejected: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())


@dataclass
class Run:
    """A run of one source in progress; `id` is its number in the run log.

    `on_table` is called when a step begins on a table, for a progress display.
    """

    id: int
    source: str
    on_table: Callable[[TableCounts], None] = lambda counts: None
    counts: list[TableCounts] = field(default_factory=list)

    @contextmanager
    def table(self, step: str, table: str) -> Iterator[TableCounts]:
        """Give the counts of `step` on `table` to fill in; the time inside the block is added to its seconds."""
        counts = next((c for c in self.counts if (c.step, c.table) == (step, table)), None)
        if counts is None:
            counts = TableCounts(step, table)
            self.counts.append(counts)
        self.on_table(counts)
        start = time.monotonic()
        yield counts
        counts.seconds = round(counts.seconds + time.monotonic() - start, 3)
        logger.info("run=%s %s", self.id, counts)

    def loaded(self, source: str) -> None:
        """Note in the warehouse that the star of `source` now holds what this run read."""
        LoadState.objects.update_or_create(source=source, defaults={"run_id": self.id, "loaded_at": timezone.now()})


@contextmanager
def pipeline_run(command: str, source: str) -> Iterator[Run]:
    """Record a run of `command` for `source` and hold it in one transaction of the warehouse.

    What the block writes to the analytics database commits at its end, or not at all. The record is in the default
    database, so a failure stays known. Raises PipelineError when another run is in progress, and NotRecordedError
    when all went well but the record of it.
    """
    record = PipelineRun.objects.create(command=command, source=source)
    connections["default"].close()  # it would idle for as long as the run takes, and may be cut
    run = Run(record.pk, source)
    try:
        with transaction.atomic(using="analytics"):
            _lock()
            _give_room()
            yield run
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
        status = PipelineRun.Status.INTERRUPTED if interrupted else PipelineRun.Status.FAILED
        _finish(record, run, status, story(error))
        raise
    try:
        _finish(record, run, PipelineRun.Status.SUCCEEDED)
    except Exception as error:
        raise NotRecordedError(
            f"run {run.id} loaded the warehouse, but the run log still calls it running: {explain(error)}"
        ) from error


@contextmanager
def dry_run(source: str) -> Iterator[Run]:
    """Give a run that is not recorded, and undo all that the block writes to the warehouse."""
    with transaction.atomic(using="analytics"):
        _lock()
        _give_room()
        yield Run(DRY, source)
        transaction.set_rollback(True, using="analytics")


def _lock() -> None:
    """Take the lock that one run holds at a time; it is freed with the transaction, however that ends."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
        if not cursor.fetchone()[0]:
            raise PipelineError("another run is in progress: wait until it has finished and run the command again")


def _give_room() -> None:
    """Let the run's statements sort and hash the facts in memory rather than on disk."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute("select set_config('work_mem', %s, true)", [WORK_MEM])


def _finish(record: PipelineRun, run: Run, status: PipelineRun.Status, error: str = "") -> None:
    record.finished = timezone.now()
    record.status = status
    record.counts = [asdict(counts) for counts in run.counts]
    record.error = error
    record.save()
