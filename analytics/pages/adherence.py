"""Adherence: how windows stand as of a day, by two dimensions at once, and the windows behind each number."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from psycopg2.sql import SQL, Composable, Literal

from access.log import saw
from analytics.charts import Bar, DayLines, Line, Part, Point, StackedBars, name_of
from analytics.charts.scale import number
from analytics.models import ScheduleDimension
from analytics.pages import adherence_sums as sums
from analytics.pages import small_numbers
from analytics.pages.adherence_sums import WEEKS, first_and_last_day
from analytics.pages.answers import Row, as_day, kept, read
from analytics.pages.dimensions import DIMENSIONS, STATUSES, conditions, known_labels
from analytics.pages.page import BLANK, SEES_PATIENTS, SEES_TOTALS, Content, RefusedError, asked, choice, page
from analytics.pages.plausibility import SILENT_DAYS

ROWS = 100  # of a page of windows
REACH = 10_000  # rows that the pages of a list come to
EVERYTHING = SQL("true")
WEEK = SQL("w.window_end_date - (w.window_end_date - date '0001-01-01') % 7")  # in which a window ended
# Filters that pick among the windows that every patient has, and not among patients.
OF_WINDOWS = ("activity", "milestone")
NOTHING_TOLD = "Nothing can be shown: too few patients are behind each figure, or none. Choose fewer filters."
# One number for adherence is the share of the first among all these (design.md, Pages).
DONE, *NOT_IN_TIME = ENDED = ("completed", "completed_late", "completed_early", "missed")


@dataclass(frozen=True)
class Question:
    """What an address asks of the windows."""

    by: str
    colour: str
    day: date
    filters: Mapping[str, str]
    is_today: bool
    week: date | None = None  # by its Monday, that in which the windows ended
    schedule: ScheduleDimension | None = None  # that the windows have

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Question":
        """Return what the parameters of an address ask for; raise RefusedError for what the page does not know."""
        by = choice(values, "by", DIMENSIONS, "hospital")
        colour = choice(values, "colour", DIMENSIONS, "status")
        if by == colour:
            raise RefusedError(f"by and colour are both {by}: each row would have one colour. Choose another of them.")
        filters = {name: values[name] for name in DIMENSIONS if name in values}
        week = day_of(values, "week") if "week" in values else None
        schedule = schedule_of(values["schedule"]) if "schedule" in values else None
        return cls(by, colour, day_of(values, "day"), filters, "day" not in values, week, schedule)

    @property
    def tells_adherence(self) -> bool:
        """Whether the windows are told apart by status, and none was left out for its own."""
        return "status" in (self.by, self.colour) and "status" not in self.filters

    @property
    def is_about_milestones(self) -> bool:
        """Whether the windows are told apart or filtered by milestone."""
        return "milestone" in (self.by, self.colour, *self.filters)

    @property
    def bound(self) -> dict[str, Any]:
        """What the queries take: the day, and the condition for the windows."""
        found = [conditions(self.filters)]
        if self.week:
            found.append(SQL("w.window_end_date between {0} and {0} + 6").format(as_day(self.week)))
        if self.schedule:
            found.append(
                SQL(
                    "w.activity_id in (select a.activity_id from activity_dimension as a where a.schedule_id = {})"
                ).format(Literal(self.schedule.schedule_id))
            )
        return {"day": as_day(self.day), "conditions": SQL(" and ").join(found)}

    def address(self, place: str, **more: str) -> str:
        """Return the address of the same question, narrowed by `more`, at another place."""
        values = dict(self.filters) | more
        for name, of in (("day", None if self.is_today else self.day), ("week", self.week)):
            if of:
                values.setdefault(name, of.isoformat())
        if self.schedule:
            values["schedule"] = str(self.schedule.schedule_id)
        return reverse(place) + (f"?{urlencode(values)}" if values else "")


def day_of(values: Mapping[str, str], name: str) -> date:
    """Return the day that an address asks for by `name`, without one today, UTC."""
    if name not in values:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(values[name])
    except ValueError as error:
        raise RefusedError(f"{name}={values[name]} is no day: write it as 2024-03-31.") from error


def schedule_of(key: str) -> ScheduleDimension:
    """Return the schedule that an address asks for by its key."""
    is_key = re.fullmatch("-?[0-9]{1,10}", key)
    found = ScheduleDimension.objects.filter(pk=int(key)).first() if is_key else None
    if found is None:
        raise RefusedError(f"schedule={key} is not in the star: it is the schedule_id of the table schedule_dimension.")
    return found


@page("Adherence", SEES_TOTALS)
def adherence(request: HttpRequest) -> Content:
    """Show how many windows there are of each value of `by` and `colour`, and how adherence went week by week."""
    question = Question.of(asked(request, ["by", "colour", "day", *DIMENSIONS]))
    sees_windows, is_rough = request.user.has_perm(SEES_PATIENTS), small_numbers.applies()
    groups = _groups(question)
    rows = (
        {question.by: label, question.colour: kind, "windows": windows}
        for label, kinds in groups.items()
        for kind, windows in sorted(kinds.items())
    )
    statuses = _protected_by_status(question) if is_rough else _sum_by_status(groups, question)
    total = statuses.total()
    values = {
        "known_until": _day_results_stopped(question),
        "order": _order_in_words(question) if len(groups) > 1 else "",
        "chart": _bars(groups, question, sees_windows=sees_windows),
        "trend": _trend(question, sees_windows=sees_windows),
        "windows": number(total) if total or not is_rough else "",
        "adherence": percent(statuses) if question.tells_adherence else "",
        **form_of(question),
    }
    return Content("pages/adherence.html", values, [question.by, question.colour, "windows"], rows)


def _count_windows(question: Question) -> dict[tuple[Any, Any], int]:
    by, colour = DIMENSIONS[question.by].sql, DIMENSIONS[question.colour].sql
    if small_numbers.applies():
        rows = _protected(question, by, colour)
    elif (found := _count_from_sums(question, question.by, question.colour)) is not None:
        return found
    else:
        rows = kept("adherence", by=by, colour=colour, **question.bound)
    return {(row["by_value"], row["colour_value"]): row["windows"] for row in rows}


def _protected(question: Question, by: Composable, colour: Composable, within: Composable = EVERYTHING) -> list[Row]:
    frame = conditions({name: of for name, of in question.filters.items() if name in OF_WINDOWS})
    frame = SQL("{} and {}").format(frame, within)
    return kept("adherence_patients", by=by, colour=colour, frame=frame, **question.bound)


def _count_from_sums(question: Question, one: str, other: str) -> dict[tuple[Any, Any], int] | None:
    # The sums that are kept know neither weeks nor schedules.
    return None if question.week or question.schedule else sums.counted(question.day, (one, other), question.filters)


def _sum_by_status(groups: Mapping[str, Mapping[str, int]], question: Question) -> Counter[str]:
    statuses: Counter[str] = Counter()
    for label, kinds in groups.items():
        statuses.update({label: sum(kinds.values())} if question.by == "status" else kinds)
    return statuses


def _protected_by_status(question: Question) -> Counter[str]:
    # Not summed from the groups: those of too few patients count here, too.
    rows = _protected(question, SQL("'all'"), DIMENSIONS["status"].sql)
    return Counter({row["colour_value"]: row["windows"] for row in rows})


def _groups(question: Question) -> dict[str, Counter[str]]:
    """Return the windows of each group by kind, in the order in which they are shown.

    Months as they follow each other; by status the group that misses the largest share of what has ended first; of
    windows of one status, or without any, the largest group first.
    """
    by, colour = cache(DIMENSIONS[question.by].label), cache(DIMENSIONS[question.colour].label)
    groups: dict[str, Counter[str]] = {}
    for (value, kind), windows in _count_windows(question).items():
        groups.setdefault(by(value), Counter())[colour(kind)] = windows

    def order(group: tuple[str, Counter[str]]) -> Any:
        label, kinds = group
        if question.by == "month":
            return label
        if question.by == "status":
            return STATUSES.index(label)
        if _is_by_misses(question):
            ended = sum(kinds[status] for status in ENDED)
            return (-kinds["missed"] / ended if ended else 1, label)
        return (-kinds.total(), label)

    return dict(sorted((group for group in groups.items() if group[1].total()), key=order))


def _is_by_misses(question: Question) -> bool:
    return question.colour == "status" and question.tells_adherence


def _day_results_stopped(question: Question) -> date | None:
    (row,) = kept("newest_result")
    day: date | None = row["day"]
    return day if day and (question.day - day).days >= SILENT_DAYS else None


def _order_in_words(question: Question) -> str:
    if question.by in ("month", "status"):  # the groups say it themselves
        return ""
    first = "that misses the largest share of what has ended" if _is_by_misses(question) else "with most windows"
    return f"The {DIMENSIONS[question.by].title} {first} comes first."


def _bars(groups: dict[str, Counter[str]], question: Question, *, sees_windows: bool) -> StackedBars:
    totals: Counter[str] = sum(groups.values(), Counter())
    if question.colour == "status":
        kinds = {status: f"chart-status-{status}" for status in STATUSES if totals[status]}
    else:
        kinds = dict.fromkeys((kind for kind, _ in totals.most_common()), "")

    is_noted = question.tells_adherence and question.colour == "status"

    # Ten thousand parts have addresses: of each only what is its own is worked out anew.
    of_any = replace(question, filters={name: of for name, of in question.filters.items() if name != question.colour})
    endings = {kind: "&" + urlencode({question.colour: kind}) for kind in kinds}

    def bar(label: str, parts: Mapping[str, int]) -> Bar:
        note = percent(parts) if is_noted else ""
        if not sees_windows:
            return Bar(label, {kind: Part(count) for kind, count in parts.items()}, note=note)
        of_bar = {question.by: label}
        beginning = of_any.address("windows", **of_bar)
        drawn = {kind: Part(count, beginning + endings[kind]) for kind, count in parts.items()}
        return Bar(label, drawn, question.address("windows", **of_bar), note)

    return StackedBars(
        key="adherence",
        title=f"Windows by {DIMENSIONS[question.by].title} and {DIMENSIONS[question.colour].title}",
        unit="windows",
        bars=[bar(label, parts) for label, parts in groups.items()],
        kinds=kinds,
        group=DIMENSIONS[question.by].title,
        noted="adherence" if is_noted else "",
        nothing=small_numbers.none(),
        empty=NOTHING_TOLD if small_numbers.applies() else "No window is as the filters ask: choose fewer.",
        is_open=True,
    )


def percent(statuses: Mapping[str, int]) -> str:
    """Return the adherence of windows that are counted by status, for people to read; nothing where it is not told."""
    share = _adherence_percent(statuses)
    if small_numbers.applies():
        return "" if share is None else f"about {share:.0f} %"
    return "none ended" if share is None else f"{share:.1f} %"


def _adherence_percent(statuses: Mapping[str, int]) -> float | None:
    ended = [statuses.get(status, 0) for status in ENDED]
    if not any(ended) or (small_numbers.applies() and not small_numbers.is_known(ended)):
        return None  # there is none, or too few patients are behind it
    return 100 * statuses.get(DONE, 0) / sum(ended)


def _trend(question: Question, *, sees_windows: bool) -> DayLines:
    """Return adherence by the week in which windows ended, for the weeks that were over on the day.

    A status among the filters does not count here: of the windows that were missed none was completed.
    """
    question = replace(question, filters={name: of for name, of in question.filters.items() if name != "status"})
    is_rough = small_numbers.applies()
    points = [
        Point(
            week.toordinal(),
            float(round(share)) if is_rough else share,
            weight=statuses.total(),
            url=question.address("windows", week=week.isoformat()) if sees_windows else "",
        )
        for week, statuses in sorted(by_week(question, WEEKS).items())
        if (share := _adherence_percent(statuses)) is not None
    ]
    return DayLines(
        key="trend",
        title=f"Adherence by the week in which windows ended, the last {WEEKS} full weeks",
        unit="% of the windows that ended completed in time",
        x_title="week from",
        lines=[Line("adherence", points)] if points else [],
        weighed="windows",
        gap=7,
        places=1,
        top=100,
        empty=NOTHING_TOLD if is_rough else "No window ended in these weeks.",
    )


def by_week(question: Question, weeks: int) -> dict[date, Counter[str]]:
    """Return the windows that ended in each of the last full weeks before the day, by the week's Monday, by status."""
    first, last = (as_day(day) for day in first_and_last_day(question.day, weeks))
    if small_numbers.applies():
        within = SQL("w.window_end_date between {} and {}").format(first, last)
        rows = _protected(question, WEEK, DIMENSIONS["status"].sql, within)
        counted = {(row["by_value"], row["colour_value"]): row["windows"] for row in rows}
    elif weeks == WEEKS and (summed := _count_from_sums(question, "week", "status")) is not None:
        counted = summed
    else:
        rows = kept("adherence_by_week", **question.bound, first_day=first, last_day=last)
        counted = {(row["week"], row["status"]): row["windows"] for row in rows}
    found: dict[date, Counter[str]] = {}
    for (week, status), windows in counted.items():
        if week and status in ENDED:  # in the sums windows that ended in none of these weeks have no week
            found.setdefault(week, Counter())[status] = windows
    return found


def form_of(question: Question) -> dict[str, Any]:
    """Return what the form of the page shows: each choice with its values, and which is taken."""
    values = known_labels()
    fields = []
    for name, dimension in DIMENSIONS.items():
        chosen = question.filters.get(name)
        # A form that left out what the address asks for would widen it with the next press of its button.
        options = dict.fromkeys([*values[name], *([] if chosen is None else [chosen])])
        named = [{"value": of or BLANK, "name": name_of(of), "is_chosen": of == chosen} for of in options]
        fields.append({"name": name, "title": dimension.title, "options": named})
    return {"fields": fields, "dimensions": DIMENSIONS.values(), "question": question}


def prepare() -> None:
    """Work out what the page shows as it opens."""
    question = Question.of({})
    _day_results_stopped(question)
    by_week(question, WEEKS)
    if small_numbers.applies():
        _protected_by_status(question)
    form_of(question)
    _count_windows(question)


def prepare_sums() -> None:
    """Work out what it shows by any two dimensions, and by one of what another one picks."""
    sums.prepare(Question.of({}).day)


@page("Windows", SEES_PATIENTS)
def windows(request: HttpRequest) -> Content:
    """List the windows behind a number of the adherence page, those that ended last first."""
    values = asked(request, ["day", "week", "page", "schedule", *DIMENSIONS])
    question = Question.of(values)
    # By a dimension that picks them: of that sums are kept.
    by = next((name for name in question.filters if name != "status"), question.by)
    total = sum(_count_windows(replace(question, by=by)).values())
    last = max(1, -(-min(total, REACH) // ROWS))
    shown = values.get("page", "1")
    if not (shown.isascii() and shown.isdecimal() and len(shown) < 10 and 1 <= int(shown) <= last):
        raise RefusedError(f"page={shown} is not there: the pages are 1 to {last}.")
    first = (int(shown) - 1) * ROWS
    rows = read("windows", rows=ROWS, before=first, **question.bound)
    saw(request, (row["patient_id"] for row in rows), rows=len(rows))
    return Content(
        "pages/windows.html",
        {
            "rows": rows,
            "question": question,
            "total": number(total),
            "first": number(first + 1 if rows else 0),
            "last": number(first + len(rows)),
            "reach": number(REACH) if total > REACH else "",
            "before": question.address("windows", page=str(int(shown) - 1)) if int(shown) > 1 else "",
            "after": question.address("windows", page=str(int(shown) + 1)) if int(shown) < last else "",
            "back": replace(question, week=None, schedule=None).address("adherence"),
            "list": _address_of_list(request, question),
        },
    )


def _address_of_list(request: HttpRequest, question: Question) -> str:
    # The list of the admin is as of today, and knows no weeks.
    if question.week or not question.is_today or not request.user.has_perm("analytics.view_activityadherence"):
        return ""
    schedule = {"schedule_id": str(question.schedule.schedule_id)} if question.schedule else {}
    return reverse("admin:analytics_activityadherence_changelist", query={**question.filters, **schedule})
