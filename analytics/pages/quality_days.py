"""Rows by day, and the days without any."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics.charts import DayLines, Line, Point
from analytics.charts.scale import number
from analytics.pages.answers import Row, as_day, kept
from analytics.pages.plausibility import SILENT_DAYS

GAPS = 10  # that are told in words
KINDS = ("steps", "survey results", "COVID figures")


def by_kind() -> dict[str, list[Row]]:
    """Return the rows by day, of each kind over its last year."""
    found: dict[str, list[Row]] = {kind: [] for kind in KINDS}
    for row in kept("quality_days", day=as_day(datetime.now(UTC).date())):
        found[row["kind"]].append(row)
    return found


def days_of(kind: str, rows: list[Row]) -> dict[str, Any]:
    """Return a kind's chart, in which days without rows are a line of their own, and these days in words."""
    empty = [row["day"] for row in rows if not row["rows"]]
    days_ago = days_since(rows)
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
        "has_rows": bool(rows),
        "last_day": rows[-1]["day"].isoformat() if days_ago > 1 else "",  # of today there is little in the morning
        "days_ago": number(days_ago),
    }


def days_since(rows: list[Row]) -> int:
    """Return how many days ago the last rows of a kind are; 0 where there are none."""
    return (datetime.now(UTC).date() - rows[-1]["day"]).days if rows else 0


def silent(kinds: Iterable[str], days: dict[str, list[Row]]) -> list[str]:
    """Return in words which kinds have had no rows for so long that nobody is to rely on their numbers of today."""
    return [
        f"no {kind} since {days[kind][-1]['day']}, {number(days_since(days[kind]))} days ago"
        for kind in kinds
        if days_since(days[kind]) >= SILENT_DAYS
    ]


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
