"""Steps: how patients walk in the days around their operation."""

from django.http import HttpRequest

from analytics.pages.answers import Row, kept
from analytics.pages.courses import GROUPS, QUARTILES, course, seen_by
from analytics.pages.page import SEES_TOTALS, Content, asked, choice, page

FIRST_DAY, LAST_DAY = -30, 180  # since the operation


def points(by: str) -> list[Row]:
    """Return patients and quartiles of steps by group and day."""
    return kept("steps", grouped_by=GROUPS[by], first_day=FIRST_DAY, last_day=LAST_DAY)


@page("Steps", SEES_TOTALS)
def steps(request: HttpRequest) -> Content:
    """Show median and quartiles of daily steps by day since a patient's first operation."""
    values = asked(request, ["by"])
    by = choice(values, "by", GROUPS)
    rows = points(by)
    chart = course(
        rows,
        "day",
        key="steps",
        title=f"Daily steps by {by.replace('_', ' ')}",
        unit="steps a day",
        empty="No patient who was operated on has steps from 30 days before to 180 days after.",
    )
    table = [{by: row["by_value"]} | row for row in seen_by(request, rows)]
    return Content("pages/steps.html", {"chart": chart, "by": by, "groups": GROUPS}, [by, "day", *QUARTILES], table)
