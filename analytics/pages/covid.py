"""COVID: the national figures by day, on one time axis with the service's operations and missed activities."""

from datetime import UTC, datetime

from django.http import HttpRequest

from analytics.charts import DayLines, Line, Point
from analytics.pages.answers import Row, as_day, kept
from analytics.pages.page import SEES_TOTALS, Content, asked, page

COLUMNS = ("day", "new_cases", "new_cases_average", "new_tests", "currently_hospitalized", "new_deaths")
AVERAGE = "seven-day average"
EMPTY = "No COVID figures are loaded: run manage.py run_pipeline --only covid."
NONE = "None of these days has this figure."
NOT_YET = "The service's own data have none of these days: they begin later, or ended before."


def figures() -> list[Row]:
    """Return the figures of each day, beside what the service did on it, as of today; None where that is not known."""
    return kept("covid", day=as_day(datetime.now(UTC).date()))


@page("COVID", SEES_TOTALS)
def covid(request: HttpRequest) -> Content:
    """Show new cases, tests, patients in hospital and deaths by day, and what the service did on these days."""
    asked(request, [])
    rows = figures()
    charts = [
        _chart(rows, "cases", "New cases", "people", {"by day": "new_cases", AVERAGE: "new_cases_average"}),
        _chart(rows, "tests", "New tests", "tests", {"by day": "new_tests", AVERAGE: "new_tests_average"}),
        _chart(rows, "hospital", "In hospital", "people", {"in hospital": "currently_hospitalized"}),
        _chart(rows, "deaths", "Deaths", "people", {"by day": "new_deaths", AVERAGE: "new_deaths_average"}),
        _chart(
            rows,
            "service",
            "The service: operations, and activities whose last day passed without their being done",
            "a day",
            {"operations": "operations", "missed activities": "missed"},
            NOT_YET,
        ),
    ]
    return Content("pages/covid.html", {"charts": charts}, COLUMNS, rows)


def _chart(rows: list[Row], key: str, title: str, unit: str, lines: dict[str, str], nothing: str = NONE) -> DayLines:
    drawn = [
        Line(name, [Point(row["day"].toordinal(), float(row[of])) for row in rows if row[of] is not None])
        for name, of in lines.items()
    ]
    return DayLines(
        key=key,
        title=title,
        unit=unit,
        lines=[line for line in drawn if line.points],
        span=(rows[0]["day"].toordinal(), rows[-1]["day"].toordinal()) if rows else None,
        x_title="day",
        empty=nothing if rows else EMPTY,
    )
