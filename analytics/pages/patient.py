"""One patient: milestones, windows and what was done in them on one time line, the curve of steps, scores."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from django.http import Http404, HttpRequest
from django.urls import reverse

from access.log import saw
from analytics.charts import DayLines, Line, Mark, Milestone, Point, Span, TimeLine, name_of
from analytics.models import PatientDimension
from analytics.pages.answers import Row, as_day, read
from analytics.pages.page import SEES_PATIENTS, Content, asked, page

MILESTONES = ("invitation", "registration", "consent", "operation", "discharge")
# A day outside these years stands for never, or is a slip of the pen: the time line would be all about it.
FIRST_YEAR, LAST_YEAR = 1990, 2100


@page("Patient", SEES_PATIENTS)
def patient(request: HttpRequest, patient_id: int) -> Content:
    """Show all that is known of a patient in the order of time."""
    asked(request, [])
    found = PatientDimension.objects.filter(pk=patient_id).first() if -(2**31) <= patient_id < 2**31 else None
    if found is None:
        raise Http404(f"There is no patient {patient_id} in the star.")
    saw(request, [patient_id])
    today = datetime.now(UTC).date()
    journeys = read("patient_journeys", patient=patient_id)
    windows = read("patient_windows", patient=patient_id, day=as_day(today))
    results = read("patient_results", patient=patient_id)
    steps = [row for row in read("patient_steps", patient=patient_id) if _drawable(row["date"])]
    scored = [row for row in results if row["score_value"] is not None and _drawable(row["completed_date"])]
    days_beside = [*(row["date"] for row in steps), *(row["completed_date"] for row in scored)]
    time_line = _time_line(journeys, windows, results, today, days_beside)
    values = {
        "title": f"Patient {patient_id}",
        "patient": found,
        "journeys": journeys,
        "time_line": time_line,
        # On the axis of the time line: a day is in one place in all three.
        "steps": _steps(steps, time_line.shared_axis),
        "scores": _scores(scored, time_line.shared_axis),
    }
    return Content("pages/patient.html", values)


def _time_line(
    journeys: list[Row], windows: list[Row], results: list[Row], today: date, days_beside: list[date]
) -> TimeLine:
    done: dict[tuple[int, int], list[Row]] = {}
    for result in results:
        done.setdefault((result["patient_journey_id"], result["activity_id"]), []).append(result)
    spans = [
        Span(
            _named(window["activity"], "unknown"),
            _named(window["schedule"], "no schedule"),
            _drawable(window["window_start_date"]),
            _drawable(window["window_end_date"]),
            window["status"],
            [
                Mark(result["completed_date"], result["status"])
                for result in done.get((window["patient_journey_id"], window["activity_id"]), ())
                if _drawable(result["completed_date"])
            ],
            reverse("admin:analytics_activityadherence_change", args=[window["id"]]),
        )
        for window in windows
    ]
    return TimeLine(
        key="time-line",
        title="Milestones, windows and what was done in them",
        unit="day",
        spans=spans,
        milestones=list(_milestones(journeys)),
        today=today,
        days_beside=days_beside,
        empty="No activity is due for this patient: none of the journeys followed has one.",
    )


def _named(name: str | None, missing: str) -> str:
    return missing if name is None else name_of(name)


def _milestones(journeys: list[Row]) -> Iterator[Milestone]:
    for journey in journeys:
        for name in MILESTONES:
            day = _drawable(journey[f"{name}_date"])
            if day:
                yield Milestone(name, day)


def _drawable(day: date | None) -> date | None:
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None


def _steps(rows: list[Row], span: tuple[int, int] | None) -> DayLines:
    points = [Point(row["date"].toordinal(), row["steps"]) for row in rows]
    return DayLines(
        x_title="day",
        key="steps",
        title="Daily steps",
        unit="steps",
        lines=[Line("steps", points)] if points else [],
        span=span,
        empty="No steps of this patient are in the star.",
    )


def _scores(results: list[Row], span: tuple[int, int] | None) -> DayLines:
    surveys: dict[str, list[Point]] = {}
    for result in results:
        name = f"{result['survey'] or 'survey'} ({result['survey_id']})"
        points = surveys.setdefault(name, [])
        day = result["completed_date"].toordinal()
        if points and points[-1].x == day:
            points.pop()  # of several on one day the last one counts
        points.append(Point(day, result["score_value"]))
    return DayLines(
        x_title="day",
        key="scores",
        title="Scores by survey",
        unit="score",
        lines=[Line(name, points) for name, points in sorted(surveys.items())],
        gap=3650,
        span=span,
        empty="No score of this patient is in the star.",
    )
