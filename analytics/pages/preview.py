"""What an override would change, worked out before it is saved: by the load's own statements, in one query that reads.

It is of what the last load left, in one snapshot: a run that is at work is neither waited for nor seen.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.forms import model_to_dict
from psycopg2.errors import QueryCanceled
from psycopg2.sql import SQL, Composable, Literal

from analytics.charts.scale import number
from analytics.loads.statements import statement
from analytics.loads.tables import STAR_TABLES
from analytics.models import ScheduleDimension
from analytics.pages import small_numbers
from analytics.pages.answers import Row, as_day, patience, read
from analytics.pages.dimensions import STATUSES
from analytics.pages.small_numbers import Few, rounded
from ingest.models import ScheduleOverride
from ingest.runs.errors import DATABASE_ERRORS, explain
from ingest.slugs import ParsedSlug, parse_slug

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5
EXAMPLES = 10
TOO_LONG = (
    f"There is no preview: it was not worked out within {PATIENCE_SECONDS} seconds, as the database is busy or the "
    "schedule has very many windows. Try again in a few minutes, or save without it."
)
NO_ANSWER = "There is no preview: the warehouse does not answer. Try again in a few minutes, or save without it."
# The tables that follow from an override, in the order in which a load brings them in step.
FOLLOWING = ("schedule_dimension", "patient_journey_schedule_window", "activity_completion_fact", "adherence_fact")


class Meaning(NamedTuple):
    """What a schedule means: days from a milestone, all None where nobody knows."""

    milestone: str | None
    start: int | None
    end: int | None

    @classmethod
    def of(cls, says: ScheduleDimension | ScheduleOverride | ParsedSlug) -> "Meaning":
        """Return what a schedule of the star, an override or a parsed slug says."""
        return cls(says.milestone_slug, says.offset_start_days, says.offset_end_days)

    def __str__(self) -> str:
        """Return it in words."""
        if self == (None, None, None):
            return "nothing that was understood"
        start, end = ("none" if value is None else value for value in (self.start, self.end))
        return f"milestone {self.milestone}, start {start}, end {end}"


class Cell(NamedTuple):
    """Windows that stand alike before, and alike afterwards; `changed` have other days or status.

    They are of a hospital, or of all where none is named, and all at once without a status.
    """

    hospital: str | None
    before: str
    after: str
    windows: int
    changed: int


@dataclass(frozen=True)
class Preview:
    """What becomes of the windows of a schedule on `day` by what it is to mean `after`."""

    schedule: ScheduleDimension
    day: date
    before: Meaning
    after: Meaning
    is_as_slug: bool  # and no deletion: the override is not needed
    cells: Sequence[Cell]
    totals: Sequence[Cell]  # of all hospitals
    windows: int
    changed: int
    patient_journeys: int  # of which a window changes
    examples: Sequence[dict[str, Any]]
    seconds: float
    nothing: int  # what stands for no windows
    small_numbers: str  # what is said of them

    @property
    def summary(self) -> str:
        """Return in a sentence how much it changes."""
        if self.changed:
            return (
                f"It changes {number(self.changed)} of {_count(self.windows, 'window')}, "
                f"in {_count(self.patient_journeys, 'patient journey')}."
            )
        if isinstance(self.nothing, Few) and self.before != self.after:
            return f"It changes windows {self.nothing}, or none."
        if not self.windows:
            return "It changes nothing: no patient journey has an activity with this schedule."
        if self.before == self.after:
            return f"It changes nothing: this is what the schedule means already, to {_count(self.windows, 'window')}."
        return f"It changes nothing: {_count(self.windows, 'window')} of this schedule keep days and status."

    @property
    def becomes(self) -> list[tuple[str, str, str]]:
        """Return how many windows change, by their status before and after; where that stays, their days change."""
        found: Counter[tuple[str, str]] = Counter()
        for cell in sorted(self.totals):
            found[cell.before, cell.after] += cell.changed
        return [(before, after, number(count)) for (before, after), count in found.most_common() if count]

    @property
    def statuses(self) -> list[str]:
        """Return the statuses that windows have, before or afterwards."""
        there = {status for cell in self.totals for status in (cell.before, cell.after)}
        return [status for status in STATUSES if status in there]

    @property
    def by_hospital(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """Return all windows by status, then those of each hospital: before, afterwards, and whether that differs."""
        hospitals = sorted({cell.hospital for cell in self.cells if cell.hospital is not None})
        return [("All", self._by_status(self.totals))] + [
            (hospital, self._by_status([cell for cell in self.cells if cell.hospital == hospital]))
            for hospital in hospitals
        ]

    def _by_status(self, cells: Sequence[Cell]) -> list[tuple[str, str, bool]]:
        before, after = Counter[str](), Counter[str]()
        for cell in cells:
            before[cell.before] += cell.windows
            after[cell.after] += cell.windows
        nothing = self.nothing
        return [
            (number(before[s] or nothing), number(after[s] or nothing), before[s] != after[s]) for s in self.statuses
        ]


def preview(schedule: ScheduleDimension, override: ScheduleOverride | None, *, with_examples: bool) -> Preview:
    """Return what `override`, or its deletion if None, would change of the windows of a schedule, as of today.

    Not within a transaction of the warehouse. Raises a database error, after PATIENCE_SECONDS at most.
    """
    began = time.monotonic()
    today = datetime.now(UTC).date()
    parsed = parse_slug(schedule.slug)
    with patience(PATIENCE_SECONDS):
        rows = read(
            "preview",
            schedule=schedule.schedule_id,
            day=as_day(today),
            rows=EXAMPLES if with_examples else 0,
            parsed=_json({"slug": schedule.slug or ""} | asdict(parsed)),
            override=_json(model_to_dict(override) if override else None),
            **{name: _statement_for_changes(name) for name in FOLLOWING},
        )
    # None where a run has just taken the schedule out of the star.
    found: Row = rows[0] if rows else {"cells": "[]", "examples": "[]", "patient_journeys": 0, "patients": 0}
    rows = json.loads(found["cells"])
    whole = next((_cell(row) for row in rows if row["status_before"] is None), Cell(None, "", "", 0, 0))
    cells = [cell for row in rows if row["status_before"] is not None and (cell := _cell(row)).windows]
    after = Meaning(*(found.get(name) for name in ("milestone_slug", "offset_start_days", "offset_end_days")))
    return Preview(
        schedule=schedule,
        day=today,
        before=Meaning.of(schedule),
        after=after,
        is_as_slug=override is not None and after == Meaning.of(parsed),
        # All less the hospitals that are shown would be the one that is not.
        cells=[] if small_numbers.applies() else [cell for cell in cells if cell.hospital is not None],
        totals=[cell for cell in cells if cell.hospital is None],
        windows=whole.windows,
        changed=whole.changed,
        patient_journeys=rounded(found["patient_journeys"], found["patients"]),
        examples=json.loads(found["examples"]),
        seconds=time.monotonic() - began,
        nothing=small_numbers.none(),
        small_numbers=small_numbers.note(),
    )


def _cell(row: Row) -> Cell:
    windows = rounded(row["windows"], row["patients"])
    changed = rounded(row["changed"], row["patients_of_changed"])
    return Cell(row["hospital"], row["status_before"], row["status_after"], windows, changed)


def shown(schedule: ScheduleDimension | None, override: ScheduleOverride | None, **more: bool) -> dict[str, Any]:
    """Return what the template of a preview takes; where there can be none, why not."""
    if schedule is None:
        return {"no_preview": "There is no preview: the schedule is not in the star, and has no window."}
    try:
        return {"preview": preview(schedule, override, **more)}
    except DATABASE_ERRORS as error:
        logger.warning("no preview", extra={"schedule": schedule.schedule_id, "error": explain(error)})
        is_late = isinstance(error.__cause__ or error, QueryCanceled)
        return {"no_preview": TOO_LONG if is_late else NO_ANSWER}


def _json(value: dict[str, Any] | None) -> Composable:
    return SQL("{}::jsonb").format(Literal(value and json.dumps(value)))


def _statement_for_changes(name: str) -> Composable:
    (table,) = (table for table in STAR_TABLES if table.name == name)
    query = statement(table.statement, everything=False)
    return SQL("select * from ({}) as q where {}").format(query, SQL(table.enters)) if table.source else query


def _count(of: int, what: str) -> str:
    return f"{number(of)} {what}{'' if of == 1 else 's'}"
