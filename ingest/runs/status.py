"""Whether the pipeline is well: how fresh each source is and how its last runs went, what is rejected, what changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from ingest.models import SOURCES, LoadState, PipelineRun, RejectedRow, SchemaChange, StepRun
from ingest.runs.record import end_gone_runs

RUNS_SHOWN = 5  # of each source
FAILURES = (PipelineRun.Status.FAILED, PipelineRun.Status.INTERRUPTED)
CLOCKS_DIFFER_HOURS = 0.02  # as those of two machines may: a minute or so
CLOCK_SET_BACK = "which is yet to come: the clock was set back, and the next run will mend it"
WRITTEN = ("inserted", "updated", "deleted", "rejected")  # of these counts nothing is so once a run is rolled back
SCHEMA_CHANGE_DAYS = 7  # nobody acknowledges a change: for so long it counts as news


class State(StrEnum):
    """How a source stands, in the word that people and monitors read."""

    FINE = "fine"
    NEVER = "never loaded"
    STALE = "stale"  # loaded longer ago than its limit, or at a time that is yet to come
    FAILING = "failing"  # a run failed or was interrupted, and no load came after it


@dataclass(frozen=True)
class RunOutcome:
    """A run as monitors are told of it: times in UTC, `seconds` that it took, and rows by what became of them."""

    id: int
    command: str
    trigger: str
    started: datetime
    finished: datetime | None
    status: str
    seconds: float
    rows_read: int
    inserted: int
    updated: int
    deleted: int
    rejected: int
    rolled_back: bool  # all that it wrote: the four numbers before say how far it came, the warehouse is as it was
    error: str  # in one line

    @classmethod
    def of(cls, run: PipelineRun) -> "RunOutcome":
        """Return what the run log has of a run, its error in one line."""
        *_, error = run.error.splitlines() or [""]  # a traceback ends with what went wrong
        numbers = (run.seconds, run.rows_read, run.inserted, run.updated, run.deleted, run.rejected)
        rolled_back = run.status in FAILURES
        return cls(
            run.pk, run.command, run.trigger, run.started, run.finished, run.status, *numbers, rolled_back, error
        )


@dataclass(frozen=True)
class SourceStatus:
    """How a source stands: `failure` is the run by which it is failing, `runs` are its last ones, the newest first."""

    source: str
    state: State
    loaded_at: datetime | None
    age_hours: float | None
    max_age_hours: int
    failure: RunOutcome | None
    runs: tuple[RunOutcome, ...]

    @property
    def is_from_the_future(self) -> bool:
        """Tell whether it was loaded at a time that is yet to come."""
        return self.age_hours is not None and self.age_hours < -CLOCKS_DIFFER_HOURS

    def __str__(self) -> str:
        """Return one line that says what is the matter."""
        if run := self.failure:
            return f"{self.source} is failing: run {run.id}, {run.command} by {run.trigger}, {run.status}: {run.error}"
        if self.state == State.STALE and self.is_from_the_future:
            return f"{self.source} is stale: it was loaded at {self.loaded_at:%Y-%m-%d %H:%M} UTC, {CLOCK_SET_BACK}"
        if self.state == State.STALE:
            limit = f"{self.source.upper()}_MAX_AGE_HOURS={self.max_age_hours}"
            return f"{self.source} is stale: it was loaded {self.age_hours} hours ago, {limit}"
        return f"{self.source} {'was' if self.state == State.NEVER else 'is'} {self.state}"


@dataclass(frozen=True)
class Rejects:
    """How many rows of a source table the last load rejected for one reason."""

    source_table: str
    reason: str
    rows: int


@dataclass(frozen=True)
class FieldChange:
    """A change of a field's definition at the COVID API, and when it was seen, in UTC."""

    field_name: str
    kind: str
    detected_at: datetime


def source_statuses() -> list[SourceStatus]:
    """Return how each source stands; runs whose process is gone are put on record as such before."""
    end_gone_runs()
    return [_source_status(source) for source in SOURCES]


def _source_status(source: str) -> SourceStatus:
    runs = PipelineRun.objects.filter(source=source).order_by("-pk")
    load = LoadState.objects.filter(source=source).first()
    age = (timezone.now() - load.loaded_at) / timedelta(hours=1) if load else None
    age_hours = round(age, 2) if age is not None else None
    limit = settings.MAX_AGE_HOURS[source]
    failure = last_failure(source)
    if failure:
        state = State.FAILING
    elif age is None or age_hours is None:
        state = State.NEVER
    else:
        state = State.FINE if age_hours >= -CLOCKS_DIFFER_HOURS and age <= limit else State.STALE
    return SourceStatus(
        source=source,
        state=state,
        loaded_at=load.loaded_at if load else None,
        age_hours=age_hours,
        max_age_hours=limit,
        failure=failure,
        runs=tuple(map(RunOutcome.of, runs[:RUNS_SHOWN])),
    )


def last_failure(source: str) -> RunOutcome | None:
    """Return the run by which a source is failing: the last one that did, unless its star was loaded since.

    A run of a single step before that mends nothing. The run log knows, so that the warehouse need not answer.
    """
    runs = PipelineRun.objects.filter(source=source)
    loaded = loads(source).first()
    failures = runs.filter(status__in=FAILURES, pk__gt=loaded.pk if loaded else 0)
    last = failures.order_by("-pk").first()
    return RunOutcome.of(last) if last else None


def loads(source: str) -> QuerySet[PipelineRun]:
    """Return the runs that loaded the star of a source, the last one first."""
    load_steps = StepRun.objects.filter(run=OuterRef("pk"), step__startswith="load_")
    runs = PipelineRun.objects.filter(Exists(load_steps), source=source, status=PipelineRun.Status.SUCCEEDED)
    return runs.order_by("-pk")


def current_rejects() -> list[Rejects]:
    """Return the number of rejected rows by source table and reason."""
    counted = RejectedRow.objects.values_list("source_table", "reason").annotate(rows=Count("pk"))
    return [Rejects(*row) for row in counted.order_by("source_table", "reason")]


def recent_schema_changes() -> list[FieldChange]:
    """Return what the COVID API has changed of its fields within SCHEMA_CHANGE_DAYS, the newest first."""
    since = timezone.now() - timedelta(days=SCHEMA_CHANGE_DAYS)
    found = SchemaChange.objects.filter(detected_at__gte=since).order_by("-pk")
    return [FieldChange(*row) for row in found.values_list("field_name", "kind", "detected_at")]
