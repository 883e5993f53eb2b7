"""load_covid: the days that do not fit, or that a document holds twice."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ingest.models import PipelineRun
from tests.analytics.covid.star import DEATH, HOSPITALIZED, exact, expected, rejected, star, versions
from tests.conftest import Warehouse
from tests.ingest.covid.documents import GONE, Json, Publisher, day, days, history

# --- The days that do not fit

BAD_FIGURES = {
    "a string": ("cases.total.value", '"12"', "not_a_number"),
    "a word": ("testing.total.value", '"many"', "not_a_number"),
    "a boolean": ("cases.total.value", "true", "not_a_number"),
    "an array": ("cases.total.value", "[12]", "not_a_number"),
    "an object": ("states", '{"x": 12}', "not_a_number"),
    "half a case": ("cases.total.value", "12.5", "not_a_number"),
    "half a state": ("states", "0.5", "not_a_number"),
    "half a change": ("cases.total.calculated.change_from_prior_day", "-0.5", "not_a_number"),
    "a negative count": ("outcomes.death.total.value", "-1", "negative"),
    "a negative percentage": ("cases.total.calculated.population_percent", "-0.1", "negative"),
    "a negative average": (f"{HOSPITALIZED}.in_icu.currently.calculated.seven_day_average", "-3", "negative"),
    "too many": ("cases.total.value", "9223372036854775808", "out_of_range"),
    "too many by far": ("cases.total.value", "1e300", "out_of_range"),
    "too many digits": ("cases.total.value", "9" * 300, "out_of_range"),
    "too few": ("cases.total.calculated.change_from_prior_day", "-1e19", "out_of_range"),
    "too many states": ("states", "2147483648", "out_of_range"),
    "too large a percentage": ("cases.total.calculated.seven_day_change_percent", "-1e300", "out_of_range"),
    "a string for an average": (f"{DEATH}.calculated.seven_day_average", '"12"', "not_a_number"),
}


@pytest.mark.parametrize(("path", "literal", "reason"), BAD_FIGURES.values(), ids=BAD_FIGURES)
def test_it_lists_a_day_with_a_figure_that_is_none_and_loads_the_others(
    publisher: Publisher, warehouse: Warehouse, load, path: str, literal: str, reason: str
) -> None:
    contents = [day(), day("2021-03-06", {path: "@"}), day("2021-03-05")]
    publisher.publish_history(history(*contents).replace(b'"@"', literal.encode()))
    load()
    assert rejected(warehouse) == [("2021-03-06", reason, f"data[1].{path}")]
    assert warehouse.value("select detail ->> 'url' from rejected_row") == f"{publisher.url}/us/daily.json"
    assert warehouse.value("select detail -> 'value' = %s::jsonb from rejected_row", literal)
    assert star(warehouse) == expected(exact(history(contents[0], contents[2]))["data"])
    assert PipelineRun.objects.latest("pk").status == "succeeded"


@pytest.mark.parametrize(
    ("gone", "path"),
    [
        ("cases.total.value", "cases.total.value"),
        ("states", "states"),
        (f"{DEATH}.calculated.population_percent", f"{DEATH}.calculated.population_percent"),
        (f"{HOSPITALIZED}.in_icu", f"{HOSPITALIZED}.in_icu.currently.value"),
        ("outcomes", f"{HOSPITALIZED}.currently.value"),
        ("testing.total.calculated", "testing.total.calculated.population_percent"),
    ],
)
def test_it_lists_a_day_in_which_a_block_is_missing(
    publisher: Publisher, warehouse: Warehouse, load, gone: str, path: str
) -> None:
    publisher.publish(day(), day("2021-03-06", {gone: GONE}), day("2021-03-05"))
    load()
    assert rejected(warehouse) == [("2021-03-06", "missing_key", f"data[1].{path}")]
    assert star(warehouse) == expected(exact(history(day(), day("2021-03-05")))["data"])


BAD_DATES = {
    "no day of the calendar": ("2021-02-30", "2021-02-30", "out_of_range"),
    "a word": ("yesterday", "yesterday", "out_of_range"),
    "infinite": ("infinity", "infinity", "out_of_range"),
    "empty": ("", "", "out_of_range"),
    "without zeros": ("2021-3-6", "2021-3-6", "out_of_range"),
    "with a time": ("2021-03-06T00:00:00Z", "2021-03-06T00:00:00Z", "out_of_range"),
    "a number": (20210306, "20210306", "out_of_range"),
    "before the pandemic": ("1999-12-31", "1999-12-31", "out_of_range"),
    "far in the future": ("9999-12-31", "9999-12-31", "out_of_range"),
    "null": (None, "null", "missing_key"),
    "gone": (GONE, "null", "missing_key"),
}


@pytest.mark.parametrize(("name", "key", "reason"), BAD_DATES.values(), ids=BAD_DATES)
def test_it_lists_a_day_whose_date_is_none(
    publisher: Publisher, warehouse: Warehouse, load, name: Any, key: str, reason: str
) -> None:
    publisher.publish_history(history(day(), day("2021-03-06", {"date": name}), day("2021-03-05")))
    load()
    assert rejected(warehouse) == [(key, reason, "data[1].date")]
    assert warehouse.value("select detail -> 'value' from rejected_row") == (None if name is GONE else name)
    assert star(warehouse) == expected(exact(history(day(), day("2021-03-05")))["data"])


def test_it_lists_tomorrow_and_loads_today(publisher: Publisher, warehouse: Warehouse, load) -> None:
    today = datetime.now(UTC).date()
    tomorrow = today + timedelta(days=1)
    publisher.publish(day(str(tomorrow)), day(str(today)))
    load()
    assert rejected(warehouse) == [(str(tomorrow), "out_of_range", "data[0].date")]
    assert set(star(warehouse)["cases_fact"]) == {today}


@pytest.mark.parametrize("junk", [5, "x", None, [], True])
def test_it_lists_what_is_no_day_at_all(publisher: Publisher, warehouse: Warehouse, load, junk: Any) -> None:
    publisher.publish_history(history(day(), junk))
    load()
    assert rejected(warehouse) == [("null", "missing_key", "data[1].date")]
    assert set(star(warehouse)["cases_fact"]) == {date(2021, 3, 7)}


def test_it_lists_every_day_whose_date_is_missing_and_none_as_another_s_duplicate(
    publisher: Publisher, warehouse: Warehouse, load
) -> None:
    nameless = [day(str(date(2021, 3, number)), {"date": None}) for number in (3, 2, 1)]
    publisher.publish_history(history(day(), *nameless))
    load()
    assert rejected(warehouse) == [
        ("null", "missing_key", "data[1].date"),
        ("null#2", "missing_key", "data[2].date"),
        ("null#3", "missing_key", "data[3].date"),
    ]


@pytest.mark.parametrize(
    "names",
    [
        [None, "null"],
        [None, None, "null#2"],
        ["2021-03-06", "2021-03-06", "2021-03-06#2"],
        ["x" * 100_000, "x" * 100_000 + "y"],
        [{"a": list(range(10_000))}, "yesterday"],
    ],
    ids=["null", "null#2", "day#2", "long", "object"],
)
def test_it_can_tell_strange_dates_apart(publisher: Publisher, warehouse: Warehouse, load, names: list[Any]) -> None:
    strange = [day(changes={"date": name, "states": number}) for number, name in enumerate(names)]
    publisher.publish_history(history(day(), *strange))
    load()
    assert len(rejected(warehouse)) + warehouse.value("select count(*) from cases_fact") == 1 + len(names)
    assert max(len(key) for key, *_ in rejected(warehouse)) < 200


def test_it_lists_the_first_flaw_of_a_day_and_lets_it_in_when_it_has_none(
    publisher: Publisher, warehouse: Warehouse, load
) -> None:
    flaws = {"testing.total.value": "x", "outcomes.death.total.value": -1}
    publisher.publish(day(), day("2021-03-06", flaws))
    load()
    assert rejected(warehouse) == [("2021-03-06", "not_a_number", "data[1].testing.total.value")]
    publisher.publish(day(), day("2021-03-06"))
    load()
    assert rejected(warehouse) == []
    assert star(warehouse) == expected(exact(history(*days(2)))["data"])


def test_it_takes_a_day_out_of_the_star_that_was_restated_as_nonsense(
    publisher: Publisher, warehouse: Warehouse, load
) -> None:
    publisher.publish(*days(2))
    load()
    publisher.publish(day(), day("2021-03-06", {"cases.total.value": -5}))
    load()
    assert rejected(warehouse) == [("2021-03-06", "negative", "data[1].cases.total.value")]
    for rows in star(warehouse).values():
        assert set(rows) == {date(2021, 3, 7)}


# --- A day twice


def test_it_loads_a_day_once_that_the_history_holds_twice(publisher: Publisher, warehouse: Warehouse, load) -> None:
    publisher.publish_history(history(day(), day("2021-03-06"), day(), day("2021-03-06")))
    load()
    assert star(warehouse) == expected(exact(history(*days(2)))["data"])
    assert rejected(warehouse) == []
    assert warehouse.value("select count(*) from staging_covid_day") == 2


SECOND = day(changes={"cases.total.value": 1})
THIRD = day(changes={"cases.total.value": 2})
DUPLICATE = ("2021-03-07#2", "duplicate")


def test_it_takes_the_first_of_two_that_differ_and_lists_the_second(
    publisher: Publisher, warehouse: Warehouse, load
) -> None:
    publisher.publish_history(history(day(), day("2021-03-06"), SECOND))
    load()
    assert star(warehouse) == expected(exact(history(*days(2)))["data"])
    assert rejected(warehouse) == [(*DUPLICATE, "data[2].date")]
    before = versions(warehouse)
    load("--full-refresh")
    assert versions(warehouse) == before


@pytest.mark.parametrize(
    ("before", "after", "duplicates"),
    [
        ([day()], [day(), SECOND], [(*DUPLICATE, "data[1].date")]),
        ([day()], [SECOND, day()], [(*DUPLICATE, "data[1].date")]),
        ([day(), SECOND], [SECOND, day()], [(*DUPLICATE, "data[1].date")]),
        ([day(), SECOND], [day()], []),
        ([day(), SECOND], [SECOND], []),
        ([day(), SECOND], [day(), THIRD], [(*DUPLICATE, "data[1].date")]),
        ([day(), SECOND], [THIRD, SECOND], [(*DUPLICATE, "data[1].date")]),
        (
            [day(), SECOND],
            [day(), SECOND, THIRD],
            [(*DUPLICATE, "data[1].date"), ("2021-03-07#3", "duplicate", "data[2].date")],
        ),
    ],
    ids=["joined", "preceded", "exchanged", "second gone", "first gone", "second new", "first new", "third"],
)
def test_it_holds_what_the_newest_history_says_of_a_day_that_it_holds_twice(
    publisher: Publisher,
    warehouse: Warehouse,
    load,
    before: list[Json],
    after: list[Json],
    duplicates: list[tuple[str, str, str]],
) -> None:
    for contents in (before, after):
        publisher.publish_history(history(*contents))
        load()
    assert star(warehouse) == expected(exact(history(after[0]))["data"])
    assert rejected(warehouse) == duplicates


@pytest.mark.parametrize("name", ["2021-02-30", None])
def test_it_lists_no_longer_what_the_history_no_longer_holds(
    publisher: Publisher, warehouse: Warehouse, load, name: str | None
) -> None:
    publisher.publish_history(history(day(), day("2021-03-06", {"date": name})))
    load()
    assert len(rejected(warehouse)) == 1
    publisher.publish(*days(2))
    load()
    assert rejected(warehouse) == []


def test_it_lists_an_invalid_day_again_when_its_document_has_it_again(
    publisher: Publisher, warehouse: Warehouse, load
) -> None:
    invalid, valid = day("2021-03-06", {"date": "2021-02-30"}), day()
    for published in ((invalid, valid), (valid,), (invalid, valid)):
        publisher.publish(*published)
        load()
    assert warehouse.execute("select source_key, detail ->> 'path' from rejected_row") == [
        ("2021-02-30", "data[0].date")
    ]
