"""Rows by day, and the days without any."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics.charts import DayLines, Line, Point
from analytics.charts.scale import number
from analytics.pages.answers import Row, as_day, kept
from analytics.pages.plausibility import SILENT_DAYS
from analytics.pages.small_numbers import Few

GAPS = 10  # that are told in words
KINDS = {"steps": "msk", "survey results": "msk", "COVID figures": "covid"}  # and the source of each
DAILY = ("steps", "survey results")  # not the COVID figures: their publisher ended in March 2021


def by_kind() -> dict[str, list[Row]]:
    """Return the rows by day, of each kind over its last year."""
    found: dict[str, list[Row]] = {kind: [] for kind in KINDS}
    for row in kept("quality_days", day=as_day(datetime.now(UTC).date())):
        found[row["kind"]].append(row)
    return found


def days_of(kind: str, rows: list[Row]) -> dict[str, Any]:
    """Return a kind's chart, in which days without rows are a line of their own, and these days in words."""
    empty = [row["day"] for row in rows if not row["rows"] and not isinstance(row["rows"], Few)]
    spans = spans_of(empty)
    chart = DayLines(
        key=f"days-{kind.split()[0].lower()}",
        title=f"{kind[0].upper()}{kind[1:]} by day, over the last year of them",
        unit="rows",
        x_title="day",
        lines=[
            line
            for line in (
                Line(kind, [Point(row["day"].toordinal(), row["rows"]) for row in rows if row["rows"]]),
                Line(f"no {kind}", [Point(day.toordinal(), 0) for day in empty]),
            )
            if line.points
        ],
        empty=f"There are no {kind}.",
    )
    return {
        "kind": kind,
        "chart": chart,
        "empty_days": number(len(empty)),
        "gaps": [_in_words(*span) for span in reversed(spans[-GAPS:])],
        "more": number(max(0, len(spans) - GAPS)),
        "newest": _newest_in_words(rows) if rows else "",
    }


def newest_of(source: str, found: dict[str, list[Row]]) -> list[str]:
    """Return of each kind of a source which day is the newest: a run that finds nothing new succeeds all the same."""
    return [f"{kind} {_newest_in_words(found[kind])}" for kind, of in KINDS.items() if of == source and found[kind]]


def fell_silent(source: str, found: dict[str, list[Row]]) -> bool:
    """Tell whether a kind that a source gives day by day has had no rows for so long that it hardly still comes."""
    return any(KINDS[kind] == source and found[kind] and _days_old(found[kind]) >= SILENT_DAYS for kind in DAILY)


def _days_old(rows: list[Row]) -> int:
    newest: date = rows[-1]["day"]
    return (datetime.now(UTC).date() - newest).days


def _newest_in_words(rows: list[Row]) -> str:
    day, days = rows[-1]["day"], _days_old(rows)
    return f"{day} ({'today' if not days else 'yesterday' if days == 1 else f'{number(days)} days ago'})"


def spans_of(days: list[date]) -> list[tuple[date, date]]:
    """Return the first and the last day of each run of days that follow each other."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] == timedelta(days=1):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def _in_words(first: date, last: date) -> str:
    return f"on {first}" if first == last else f"from {first} to {last} ({(last - first).days + 1} days)"
