"""What the pages on steps and on scores share: quartiles of groups of patients, by time since the operation."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from psycopg2.sql import SQL, Composable

from analytics.charts import Line, Lines, Point, name_of
from analytics.pages.answers import Row
from analytics.pages.page import FEWEST, SEES_PATIENTS

# What patients can be grouped by, in terms of patient_dimension p and of the journey_dimension j of the operation.
GROUPS: dict[str, Composable] = {
    "hospital": SQL("p.hospital"),
    "joint": SQL("j.joint"),
    "age_bracket": SQL("p.age_bracket"),
    "sex": SQL("p.sex"),
}
MOST = 5  # lines that an eye can tell apart
QUARTILES = ("patients", "lower_quartile", "median", "upper_quartile")


def drawn(rows: Sequence[Row]) -> list[Row]:
    """Return the points with patients enough behind them to say something of no single one."""
    return [row for row in rows if row["patients"] >= FEWEST]


def seen_by(request: HttpRequest, rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows of the table that who asks may see: those of a few patients are for who may see patients."""
    return rows if request.user.has_perm(SEES_PATIENTS) else drawn(rows)


def course(rows: Sequence[Row], unit_of_time: str, **figure: Any) -> Lines:
    """Return the chart of the medians by group, one alone with the band from quartile to quartile.

    Of many groups the largest are drawn.
    """
    groups: dict[str, list[Row]] = {}
    for row in drawn(rows):
        groups.setdefault(row["by_value"], []).append(row)
    sizes = {group: sum(row["patients"] for row in of) for group, of in groups.items()}
    shown = sorted(sorted(sizes, key=lambda group: -sizes[group])[:MOST])
    lines = [
        Line(
            name_of(group),
            [
                Point(row[unit_of_time], row["median"], row["lower_quartile"], row["upper_quartile"], row["patients"])
                for row in groups[group]
            ],
        )
        for group in shown
    ]
    left_out = len(groups) - len(shown)
    title = figure.pop("title")
    if shown:
        title += ": median of each" if len(shown) > 1 else ": median, and the band in which the middle half is"
    if left_out:
        title += f" (the {MOST} largest groups of {len(groups)}; the others are in the CSV)"
    return Lines(title=title, lines=lines, x_title=f"{unit_of_time}s since the operation", weighed="patients", **figure)
