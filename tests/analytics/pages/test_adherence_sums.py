"""Adherence by any two dimensions, worked out beforehand: the numbers are those of the windows, counted one by one."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from analytics.pages import adherence, adherence_sums, answers
from analytics.pages.dimensions import DIMENSIONS
from analytics.pages.prepare import prepare_pages
from analytics.pages.small_numbers import seen
from tests.analytics.pages.conftest import table
from tests.analytics.pages.test_adherence import BY_HAND
from tests.conftest import Source, Warehouse
from tests.days import today

DAY = "2024-05-15"  # on which windows stand in every way
WORDS = list(DIMENSIONS)
JUDGED = BY_HAND.partition("select coalesce({0}")[0] + "select {}, last_day from judged"


@pytest.fixture(autouse=True)
def exactly() -> Iterator[None]:
    """Ask as somebody who may see patients: what is kept is for nobody else."""
    with seen(exactly=True):
        yield


def windows(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Return each window as addresses name what it can be told apart by, and its last day."""
    with warehouse.connection.cursor() as cursor:
        cursor.execute(JUDGED.format(", ".join(WORDS)), {"day": DAY})
        return [
            {name: "unknown" if value is None else value for name, value in zip(WORDS, values, strict=True)}
            | {"last_day": last_day}
            for *values, last_day in cursor
        ]


def by_hand(found: list[dict[str, Any]], by: str, colour: str, filters: Mapping[str, str]) -> Counter[tuple[str, str]]:
    for name, value in filters.items():
        found = [window for window in found if window[name] == value]
    return Counter((window[by], window[colour]) for window in found)


def shown(**values: str) -> dict[tuple[str, str], int]:
    """Return what the page counts, as it labels it."""
    question = adherence.Question.of({"day": DAY, **values})
    by, colour = DIMENSIONS[question.by], DIMENSIONS[question.colour]
    counted = adherence._count_windows(question)
    return {(by.label(value), colour.label(kind)): many for (value, kind), many in counted.items()}


@contextmanager
def hidden(warehouse: Warehouse) -> Iterator[None]:
    """Let nobody read a window in the block."""
    warehouse.execute("begin; lock table adherence_fact in access exclusive mode")
    try:
        with answers.patience(0.2):
            yield
    finally:
        warehouse.execute("rollback")


@pytest.fixture
def judged(star: None, warehouse: Warehouse) -> list[dict[str, Any]]:
    """All windows; what the pages keep of their sums is worked out."""
    found = windows(warehouse)
    for name in ("hospital", "age_bracket", "sex", "joint", "milestone", "clinician", "month"):
        assert len({window[name] for window in found}) > 1, name
    for name in ("joint", "activity", "milestone", "month", "sex"):
        assert "unknown" in {window[name] for window in found}, name
    assert len({window["status"] for window in found}) == 7
    adherence_sums.prepare(date.fromisoformat(DAY))
    return found


def test_it_has_the_numbers_of_any_two_dimensions(judged: list[dict[str, Any]], warehouse: Warehouse) -> None:
    with hidden(warehouse):
        for by, colour in permutations(WORDS, 2):
            assert shown(by=by, colour=colour) == by_hand(judged, by, colour, {}), (by, colour)


def test_it_has_those_of_each_value_of_a_dimension_by_any_other(
    judged: list[dict[str, Any]], warehouse: Warehouse
) -> None:
    values = {(name, window[name]) for window in judged for name in WORDS}
    with hidden(warehouse):
        for name, value in values:
            for by in WORDS:
                colour = "status" if by != "status" else "hospital" if name == "status" else name
                found = shown(by=by, colour=colour, **{name: value})
                assert found == by_hand(judged, by, colour, {name: value}), (by, name, value)


@pytest.mark.parametrize(
    ("by", "colour", "filters"),
    [
        ("activity", "clinician", {"status": "missed"}),
        ("clinician", "month", {"month": "unknown"}),
        ("clinician", "status", {"month": "2024-03", "status": "completed"}),
        ("sex", "status", {"sex": "f", "status": "open"}),
        ("joint", "sex", {"sex": "unknown", "joint": "hip", "status": "completed_late"}),
        ("hospital", "status", {"hospital": "Nowhere"}),
        ("hospital", "status", {"clinician": "-1"}),
    ],
)
def test_it_has_those_of_more_filters_where_no_more_than_two_dimensions_are_asked_for(
    judged: list[dict[str, Any]], warehouse: Warehouse, by: str, colour: str, filters: dict[str, str]
) -> None:
    with hidden(warehouse):
        assert shown(by=by, colour=colour, **filters) == by_hand(judged, by, colour, filters)


def test_it_asks_the_windows_for_what_it_has_no_sums_of(
    judged: list[dict[str, Any]], manager: Client, warehouse: Warehouse
) -> None:
    filters = {"sex": "f", "joint": "hip"}
    assert shown(by="hospital", **filters) == by_hand(judged, "hospital", "status", filters)
    assert shown(by="month", colour="activity", sex="f") == by_hand(judged, "month", "activity", {"sex": "f"})
    assert sum(shown(day="2024-05-14").values()) == len(judged)
    with hidden(warehouse):
        pages = ("sex=f&joint=hip&milestone=operation", f"by=sex&day={today()}")
        assert [manager.get(f"/adherence/?{page}").status_code for page in pages] == [503, 503]


def test_it_has_the_trend_of_each_value_of_a_dimension(judged: list[dict[str, Any]], warehouse: Warehouse) -> None:
    monday = date(2024, 5, 13)  # of the week of the day, which is not over
    values = {(name, window[name]) for window in judged for name in WORDS if name != "status"}
    trends = 0
    with hidden(warehouse):
        for name, value in values:
            expected: dict[date, Counter[str]] = {}
            for window in judged:
                last = window["last_day"]
                is_shown = last and monday - timedelta(weeks=26) <= last < monday and window["status"] != "upcoming"
                if is_shown and window[name] == value and window["status"] != "open":
                    week = last - timedelta(days=last.weekday())
                    expected.setdefault(week, Counter())[window["status"]] += 1
            question = adherence.Question.of({"day": DAY, name: value})
            assert adherence.by_week(question, adherence_sums.WEEKS) == expected, (name, value)
            trends += bool(expected)
    assert trends > 30


def test_it_shows_after_a_load_what_it_has_prepared_without_a_look_at_the_windows(
    star: None, manager: Client, warehouse: Warehouse
) -> None:
    prepare_pages()
    with hidden(warehouse):
        for page in ("", "?by=activity", "?by=month&colour=hospital", "?milestone=operation", "?by=clinician&sex=f"):
            assert manager.get(f"/adherence/{page}").status_code == 200, page
        missed = table(manager, "/adherence/?by=status&colour=joint&status=missed")
    assert {row["status"] for row in missed} == {"missed"}
    (bar,) = manager.get("/adherence/?by=milestone&colour=sex&milestone=operation").context["chart"].bars
    for address, count in [(bar.url, bar.total), *((part.url, part.count) for part in bar.parts.values())]:
        assert manager.get(address).context["total"] == f"{count:,}"


def test_it_tells_a_missing_value_from_a_dimension_that_a_sum_is_not_about(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    # Of two patient journeys one has neither a day nor a clinician, and its patient no hospital.
    small_world.insert("patient", id=2, sex="unknown")
    small_world.insert("patient_journey", id=2, patient_id=2, journey_id=1)
    run()
    adherence_sums.prepare(date.fromisoformat(DAY))
    with hidden(warehouse):
        assert shown(by="clinician", colour="month") == {("unknown", "2024-03"): 1, ("unknown", "unknown"): 1}
        assert shown(by="month", clinician="unknown") == {("2024-03", "missed"): 1, ("unknown", "undated"): 1}
        assert shown(by="month", colour="sex", month="unknown") == {("unknown", "unknown"): 1}
        assert shown(by="hospital", month="unknown") == {("unknown", "undated"): 1}


def test_it_prepares_nothing_of_an_empty_star(manager: Client) -> None:
    prepare_pages()
    assert manager.get("/adherence/?by=month&colour=hospital").status_code == 200
