"""The runs of the pipeline: those of a month, one with its steps beside the run before it, and a run asked for."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.text import Truncator

from analytics.charts import Bar, Part, StackedBars, TimeBar, TimeBars
from analytics.charts.figure import Cell
from analytics.charts.scale import number
from analytics.pages.answers import Row
from analytics.pages.home import REMEDIES
from analytics.pages.page import SEES_RUNS, Content, action, asked, choice, page
from ingest.models import SOURCES, Alert, PipelineRun, RunRequest, StepRun
from ingest.runs.errors import DATABASE_ERRORS
from ingest.runs.record import end_gone_runs
from ingest.runs.requests import ask
from ingest.runs.status import FAILURES, WRITTEN, RunOutcome

ASKS_FOR_RUNS = "ingest.add_runrequest"
DAYS = 30  # that the page shows
MOST = 2000  # runs that the page shows; the CSV has all
LETTERS = 200  # of an error in the row of its run; the run's own page has all
REQUESTS = 5  # that are shown, the open ones among them
LATE = timedelta(seconds=10)  # a worker at work takes a request up sooner
BOTH = "both"
NONE = "\N{EN DASH}"
COLUMNS = (
    *("id", "source", "command", "trigger", "started", "finished", "status"),
    *("rows_read", "inserted", "updated", "deleted", "rejected", "bytes", "seconds", "error"),
)
ROWS = ("rows_read", *WRITTEN)
Status = PipelineRun.Status
# The usual status first; each of the others has a lane of its own below the bars.
STYLES: dict[str, str] = {
    Status.SUCCEEDED: "chart-kind-0",
    Status.FAILED: "chart-kind-1",
    Status.INTERRUPTED: "chart-kind-3",
    Status.SKIPPED: "chart-kind-5",
    Status.RUNNING: "chart-kind-2",
}
ROLLED_BACK = (
    "All that this run wrote was rolled back: the warehouse is as it was before. "
    "The numbers that are struck out say how far the run had come."
)
CHOICES: dict[str, Sequence[str]] = {"source": SOURCES, "status": list(STYLES)}
ADVICE: dict[str, str] = {
    Status.RUNNING: "It is at work: wait.",
    Status.SUCCEEDED: "The warehouse holds what it read.",
    Status.FAILED: f"The warehouse is as it was. {REMEDIES[Alert.Kind.FAILED]}",
    Status.INTERRUPTED: "It was stopped, or its process is gone. The warehouse is as it was: the next run catches up.",
    Status.SKIPPED: "Another run of the source was at work. Nothing is to be done, unless it is every time: then runs "
    "take too long.",
}


class RolledBack(Cell):
    """A count of what a run wrote before it was rolled back."""

    def __str__(self) -> str:
        """Return it struck out, as the admin does."""
        return f"<s>{super().__str__()}</s> rolled back" if self.text != "0" else self.text


@page("Runs", SEES_RUNS)
def runs(request: HttpRequest) -> Content:
    """Show the runs of the last days, a bar and a row each, and what was asked for."""
    values = asked(request, ["source", "status"])
    chosen = {name: choice(values, name, of) for name, of in CHOICES.items() if name in values}
    _look_for_gone_runs()
    now = timezone.now()
    first = now - timedelta(days=DAYS)
    found = list(PipelineRun.objects.filter(started__gte=first, **chosen).order_by("-pk"))
    requests = list(RunRequest.objects.order_by("-pk")[:REQUESTS])
    shown = {
        "chart": _chart(found[:MOST], first, now),
        "left_out": number(len(found) - MOST) if len(found) > MOST else "",
        "choices": [(name, of, chosen.get(name, "")) for name, of in CHOICES.items()],
        "sources": [*SOURCES, BOTH],
        "may_ask": request.user.has_perm(ASKS_FOR_RUNS),
        **_asked_for(requests, now),
    }
    return Content("pages/runs.html", shown, COLUMNS, [_as_row(run) for run in found])


def _look_for_gone_runs() -> None:
    with suppress(*DATABASE_ERRORS):  # a warehouse that is down keeps nobody from the run log
        end_gone_runs()


def _as_row(run: PipelineRun) -> Row:
    return {name: getattr(run, name) for name in COLUMNS} | {"error": _error_in_one_line(run)}


def _error_in_one_line(run: PipelineRun) -> str:
    return RunOutcome.of(run).error if run.error else ""


def _chart(found: Sequence[PipelineRun], first: datetime, now: datetime) -> TimeBars:
    place = reverse("runs")  # to ask for the address of each run takes as long as all the rest of its row
    return TimeBars(
        key="runs",
        title=f"Runs of the last {DAYS} days",
        unit="runs",
        bars=[_bar(run, place) for run in found],
        first=first,
        last=now,
        measures=("seconds", "rows read"),
        kinds=STYLES,
        names=(
            "run",
            "status",
            "source",
            "command",
            "trigger",
            "started (UTC)",
            "seconds",
            *map(_words, ROWS),
            "error",
        ),
        empty="No run is as the filters ask: choose fewer.",
        is_open=True,
    )


def _bar(run: PipelineRun, place: str) -> TimeBar:
    address = f"{place}{run.pk}/"
    started = f"{run.started:%Y-%m-%d %H:%M:%S}"
    rolled_back = run.status in FAILURES
    cells = [
        Cell(str(run.pk), address),
        *map(Cell, (run.status, run.source, run.command, run.trigger, started)),
        Cell(number(run.seconds, 2)),
        # As the admin's list, which is silent on what was rolled back.
        *(Cell(NONE if rolled_back and name in WRITTEN else number(getattr(run, name))) for name in ROWS),
        Cell(Truncator(_error_in_one_line(run)).chars(LETTERS) if run.error else ""),
    ]
    says = f"Run {run.pk}, {run.source}: {run.status}, {started} UTC"
    return TimeBar(run.started, run.status, (run.seconds, run.rows_read), says, address, cells)


def _words(name: str) -> str:
    return name.removeprefix("rows_")


# --- What was asked for


@dataclass(frozen=True)
class Asked:
    """A request, how it stands in words, and the run that came of it."""

    request: RunRequest
    state: str
    run: int | None


def _asked_for(requests: Sequence[RunRequest], now: datetime) -> dict[str, Any]:
    # A page on which a request is open is shown anew.
    shown = [Asked(each, _state(each, now), each.run_id) for each in requests]
    return {"requests": shown, "is_open": any(each.finished_at is None for each in requests)}


def _state(request: RunRequest, now: datetime) -> str:
    if request.finished_at:
        return request.outcome
    if request.taken_at:
        since = f" since {request.progress_at:%H:%M:%S} UTC" if request.progress_at else ""
        return f"{'at work: ' if request.run_id else ''}{request.progress}{since}"
    if now - request.requested_at < LATE:
        return "waiting"
    return "not taken up yet: is the web container's worker at work? Without Docker, make web starts it."


@action("Run now", ASKS_FOR_RUNS, back="runs")
def run_now(request: HttpRequest) -> None:
    """Ask for a run of a source, or of each."""
    wanted = choice({"source": request.POST.get("source", "")}, "source", (*SOURCES, BOTH))
    for source in SOURCES if wanted == BOTH else (wanted,):
        asked_for, is_new = ask(source, request.user.get_username())
        if is_new:
            messages.success(request, f"A run of {source} is asked for.")
        else:
            by, at = asked_for.requested_by, f"{asked_for.requested_at:%H:%M:%S}"
            messages.info(request, f"A run of {source} was asked for by {by} at {at} UTC: yours joins it.")


# --- One run


@page("Run", SEES_RUNS)
def run(request: HttpRequest, run_id: int) -> Content:
    """Show a run: what went wrong and what to do, and each step beside that of the run before."""
    asked(request, [])
    _look_for_gone_runs()
    found = PipelineRun.objects.filter(pk=run_id).first() if run_id < 2**63 else None
    if found is None:
        raise Http404(f"There is no run {run_id}.")
    before = _last_success_before(found)
    steps: dict[int, list[StepRun]] = {each.pk: [] for each in (found, before) if each}
    for step in StepRun.objects.filter(run__in=steps).order_by("pk"):
        steps[step.run_id].append(step)
    outcome = RunOutcome.of(found)
    shown = {
        "title": f"Run {found.pk}",
        "run": found,
        "outcome": outcome,
        "advice": ADVICE[found.status],
        "rolled_back": ROLLED_BACK if outcome.rolled_back and _has_written(found) else "",
        "traceback": found.error if found.error != outcome.error else "",
        "before": before,
        "totals": _totals(found, before),
        "chart": _bars_of_steps(found, before, steps),
        **_asked_for(list(found.requests.order_by("-pk")), timezone.now()),
    }
    return Content("pages/run.html", shown, COLUMNS, [_as_row(found)])


def _last_success_before(run: PipelineRun) -> PipelineRun | None:
    # With others nothing is to be compared: they were rolled back, or skipped.
    runs = PipelineRun.objects.filter(source=run.source, command=run.command, status=Status.SUCCEEDED, pk__lt=run.pk)
    return runs.order_by("-pk").first()


def _has_written(run: PipelineRun) -> bool:
    return any(getattr(run, name) for name in WRITTEN)


def _totals(run: PipelineRun, before: PipelineRun | None) -> list[dict[str, Any]]:
    # A run that was rolled back, or has not ended, cannot be compared.
    compared = before if run.status == Status.SUCCEEDED else None
    rows = [
        {
            "name": "seconds",
            "now": number(run.seconds, 2),
            "before": number(before.seconds, 2) if before else "",
            "change": _change(run.seconds - compared.seconds, "slower", "faster", 2) if compared else "",
        }
    ]
    for name in (*ROWS, "bytes"):
        now = getattr(run, name)
        rows.append(
            {
                "name": _words(name),
                "now": mark_safe(str(_written(name, now, run))),  # noqa: S308  (a cell escapes itself)
                "before": number(getattr(before, name)) if before else "",
                "change": _change(now - getattr(compared, name), "more", "fewer") if compared else "",
            }
        )
    return rows


def _change(difference: float, more: str, less: str, places: int = 0) -> str:
    shown = number(abs(round(difference, places)), places)
    return "the same" if shown == "0" else f"{shown} {more if difference > 0 else less}"


def _written(name: str, count: int, run: PipelineRun) -> Cell:
    kind = RolledBack if name in WRITTEN and run.status in FAILURES else Cell
    return kind(number(count))


@dataclass(frozen=True, kw_only=True)
class StepBars(StackedBars):
    """Bars of milliseconds, a table each, in the colour of the step; the table has all that the steps counted."""

    names: Sequence[str]
    cells: Sequence[Sequence[Cell]]

    @property
    def header(self) -> Sequence[str]:
        return self.names

    @property
    def table(self) -> Any:
        return self.cells


def _bars_of_steps(run: PipelineRun, before: PipelineRun | None, steps: Mapping[int, Sequence[StepRun]]) -> StepBars:
    earlier = {(step.step, step.table_name): step for step in steps[before.pk]} if before else {}
    beside = f"run {before.pk}" if before else ""
    bars, cells = [], []
    for step in steps[run.pk]:
        was = earlier.get((step.step, step.table_name))
        took = round(1000 * step.seconds)
        note = f"{number(round(1000 * was.seconds))} ms" if was else ""
        label = step.table_name if step.status == Status.SUCCEEDED else f"{step.table_name} ({step.status})"
        bars.append(Bar(label, {step.step: Part(took)}, note=note))
        cells.append(
            [
                *map(Cell, (step.table_name, step.step, step.status, number(step.seconds, 3))),
                Cell(number(was.seconds, 3) if was else ""),
                *(_written(name, getattr(step, name), run) for name in ROWS),
                Cell(_change_of_rows(step, was) if run.status == Status.SUCCEEDED else ""),
            ]
        )
    return StepBars(
        key="steps",
        title="What each step did to each table, and how long it took",
        unit="ms",
        bars=bars,
        kinds=dict.fromkeys((step.step for step in steps[run.pk]), ""),
        group="table",
        noted=f"at {beside}" if beside else "",
        is_scaled=True,
        names=(
            *("table", "step", "status", "seconds", f"seconds, {beside}" if beside else "seconds before"),
            *map(_words, ROWS),
            "rows beside before",
        ),
        cells=cells,
        empty="It did nothing to any table yet." if run.status == Status.RUNNING else "It did nothing to any table.",
        is_open=True,
    )


def _change_of_rows(step: StepRun, was: StepRun | None) -> str:
    if was is None:
        return ""
    changes = ((name, getattr(step, name) - getattr(was, name)) for name in ROWS)
    return ", ".join(f"{_words(name)} {change:+,}" for name, change in changes if change) or "the same"
