"""load_covid: the figures of the documents in the star, the days that do not fit, and what a restatement changes."""

import io
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from pytest_httpserver import HTTPServer

from ingest.covid import extract
from ingest.covid.client import CovidClient
from ingest.models import PipelineRun
from tests.conftest import Source, Warehouse, last_steps
from tests.ingest.covid.documents import (
    GONE,
    Json,
    Publisher,
    change,
    day,
    days,
    history,
    without_quotes,
)
from tests.ingest.runs.test_failures import free_port

REAL = project.BASE_DIR.parent / "shared" / "covid-api" / "v2" / "us"
README_QUERY = """
select *
  from Cases_Dimension
       join Cases_Fact on Cases_Dimension.cases_id = Cases_Fact.cases_id
       join Testing_Fact on Cases_Fact.cases_id = Testing_Fact.cases_id
       join Hospitalization_Fact on Testing_Fact.cases_id = Hospitalization_Fact.cases_id
       join Death_Fact on Hospitalization_Fact.cases_id = Death_Fact.cases_id
"""

# For each column of the design where its figure stands in a day's document.
HOSPITALIZED, DEATH = "outcomes.hospitalized", "outcomes.death.total"
COLUMNS = {
    "cases_dimension": {"state_number": "states"},
    "cases_fact": {
        "total_cases": "cases.total.value",
        "population_percent": "cases.total.calculated.population_percent",
        "new_cases": "cases.total.calculated.change_from_prior_day",
        "seven_day_change_percent": "cases.total.calculated.seven_day_change_percent",
    },
    "testing_fact": {
        "total_tests": "testing.total.value",
        "population_percent": "testing.total.calculated.population_percent",
        "new_tests": "testing.total.calculated.change_from_prior_day",
        "seven_day_change_percent": "testing.total.calculated.seven_day_change_percent",
    },
    "hospitalization_fact": {
        "currently_hospitalized": f"{HOSPITALIZED}.currently.value",
        "population_percent_hospitalized": f"{HOSPITALIZED}.currently.calculated.population_percent",
        "change_in_hospitalized": f"{HOSPITALIZED}.currently.calculated.change_from_prior_day",
        "seven_day_change_percent_hospitalized": f"{HOSPITALIZED}.currently.calculated.seven_day_change_percent",
        "seven_day_change_avg_hospitalized": f"{HOSPITALIZED}.currently.calculated.seven_day_average",
        "currently_in_icu": f"{HOSPITALIZED}.in_icu.currently.value",
        "population_percent_icu": f"{HOSPITALIZED}.in_icu.currently.calculated.population_percent",
        "change_in_icu": f"{HOSPITALIZED}.in_icu.currently.calculated.change_from_prior_day",
        "seven_day_change_percent_icu": f"{HOSPITALIZED}.in_icu.currently.calculated.seven_day_change_percent",
        "seven_day_change_avg_icu": f"{HOSPITALIZED}.in_icu.currently.calculated.seven_day_average",
        "currently_on_ventilator": f"{HOSPITALIZED}.on_ventilator.currently.value",
        "population_percent_ventilator": f"{HOSPITALIZED}.on_ventilator.currently.calculated.population_percent",
        "change_in_ventilator": f"{HOSPITALIZED}.on_ventilator.currently.calculated.change_from_prior_day",
        "seven_day_change_percent_ventilator": (
            f"{HOSPITALIZED}.on_ventilator.currently.calculated.seven_day_change_percent"
        ),
        "seven_day_change_avg_ventilator": f"{HOSPITALIZED}.on_ventilator.currently.calculated.seven_day_average",
    },
    "death_fact": {
        "total_deaths": f"{DEATH}.value",
        "population_percent": f"{DEATH}.calculated.population_percent",
        "new_deaths": f"{DEATH}.calculated.change_from_prior_day",
        "seven_day_change_percent": f"{DEATH}.calculated.seven_day_change_percent",
        "seven_day_change_avg": f"{DEATH}.calculated.seven_day_average",
    },
}
DESIGN = {
    table: ["cases_id", *(["last_update_at"] if table == "cases_dimension" else []), *columns]
    for table, columns in COLUMNS.items()
} | {
    "field_definitions_dimension": [
        *("field_definitions_dimension_id", "field_name", "field_path"),
        *("deprecated", "prior_names", "first_seen_at", "last_seen_at"),
    ]
}

Star = dict[str, dict[date, tuple]]


@pytest.fixture
def publisher(httpserver: HTTPServer, settings, monkeypatch) -> Publisher:
    """The API that the commands ask, which is tried again at once when it is unwell."""
    publisher = Publisher(httpserver)
    settings.COVID_API_URL = publisher.url
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(extract, "CovidClient", partial(CovidClient, retries=2, backoff_seconds=0))
    return publisher


@pytest.fixture
def load(run) -> partial[str]:
    return partial(run, "run_pipeline", "--only", "covid")


def figure(content: Json, path: str) -> Any:
    """Return what stands at `path`, or None when the last key of it is not there."""
    *way, last = path.split(".")
    for key in way:
        content = content[key]
    return content.get(last)


def expected(contents: list[Json]) -> Star:
    """Return the star as it should be for these days: the figures by table and day, in the columns' order."""
    return {
        table: {
            date.fromisoformat(content["date"]): tuple(figure(content, path) for path in columns.values())
            for content in contents
        }
        for table, columns in COLUMNS.items()
    }


def star(warehouse: Warehouse) -> Star:
    """Return the star as it is; an exact number is the same only in the same type."""
    return {
        table: {
            day: tuple(figures)
            for day, *figures in warehouse.execute(
                f"""
                select (d.last_update_at at time zone 'UTC')::date, {", ".join(f"t.{column}" for column in columns)}
                  from cases_dimension d join {table} t on t.cases_id = d.cases_id
                """
            )
        }
        for table, columns in COLUMNS.items()
    }


def exact(body: bytes) -> Any:
    """Return a document with its numbers digit by digit, read without the pipeline's help."""
    return json.loads(body, parse_float=Decimal)


def versions(warehouse: Warehouse) -> dict[str, dict[Any, tuple]]:
    """Return where each row of the six tables lies and which transaction wrote it, by its key."""
    return {
        table: {key: tuple(row) for key, *row in warehouse.execute(f"select {columns[0]}, ctid, xmin from {table}")}
        for table, columns in DESIGN.items()
    }


def rewritten(before: dict[str, dict[Any, tuple]], warehouse: Warehouse) -> dict[str, set[date]]:
    """Return the days of which rows were written, by table; the definitions' table says nothing of days."""
    days = dict(warehouse.execute("select cases_id, (last_update_at at time zone 'UTC')::date from cases_dimension"))
    changed = {
        table: {days[key] for key, version in rows.items() if before[table].get(key) != version}
        for table, rows in versions(warehouse).items()
        if table in COLUMNS
    }
    return {table: found for table, found in changed.items() if found}


def rejected(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    """Return key, reason and path of the days that are listed as rejected."""
    return warehouse.execute(
        "select source_key, reason, detail ->> 'path' from rejected_row where source_table = 'covid_day' order by 1"
    )


def written() -> dict[str, int]:
    """Return the number of rows that the last run wrote to each table that it wrote to."""
    rows: Counter[str] = Counter()
    for counts in last_steps():
        rows[counts.table_name] += counts.inserted + counts.updated + counts.deleted
    return {table: count for table, count in rows.items() if count}


# --- The tables


@pytest.mark.parametrize(("table", "columns"), DESIGN.items())
def test_it_has_the_columns_of_the_design_each_with_a_comment(
    table: str, columns: list[str], warehouse: Warehouse
) -> None:
    described = warehouse.execute(
        "select attname, col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 order by attnum",
        table,
    )
    assert [name for name, _ in described] == columns
    assert all(comment for _, comment in described)
    assert warehouse.value("select obj_description(%s::regclass)", table)


@pytest.mark.parametrize("table", COLUMNS)
def test_it_holds_counts_as_integers_and_decimals_exactly(table: str, warehouse: Warehouse) -> None:
    types = dict(
        warehouse.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0",
            table,
        )
    )
    whole = {"value": "bigint", "change_from_prior_day": "bigint", "states": "integer"}
    for column, path in COLUMNS[table].items():
        assert types[column] == whole.get(path.rsplit(".", 1)[-1], "numeric"), column


# --- The figures


def test_it_loads_every_figure_of_every_day(publisher: Publisher, warehouse: Warehouse, load) -> None:
    publisher.publish(*days(3))
    load()
    assert star(warehouse) == expected(exact(history(*days(3)))["data"])
    assert rejected(warehouse) == []
    assert written() == {"covid_day": 3, "field_definitions_dimension": 3} | dict.fromkeys(COLUMNS, 3)


def test_it_gives_a_day_the_same_key_at_every_load(publisher: Publisher, warehouse: Warehouse, load, run) -> None:
    publisher.publish(*days(2))
    load()
    query = "select last_update_at, cases_id from cases_dimension order by 1"
    before = warehouse.execute(query)
    assert [(at, key.version) for at, key in before] == [
        (datetime(2021, 3, 6, tzinfo=UTC), 5),
        (datetime(2021, 3, 7, tzinfo=UTC), 5),
    ]
    warehouse.execute("truncate cases_dimension, cases_fact, staging_covid_day, staging_covid_document")
    run("extract_covid", "--from", "2021-03-06", "--to", "2021-03-07")
    run("load_covid")
    assert warehouse.execute(query) == before


@pytest.mark.parametrize(
    ("literal", "path"),
    [
        ("0.1234567890123456789012345678901234567890", "cases.total.calculated.population_percent"),
        ("109.98570", "testing.total.calculated.population_percent"),
        ("-0.30000000000000004", "outcomes.death.total.calculated.seven_day_change_percent"),
        ("1e-30", "cases.total.calculated.seven_day_change_percent"),
        ("9007199254740993.5", "outcomes.death.total.calculated.seven_day_average"),
        ("9007199254740993", "cases.total.value"),
        ("9223372036854775807", "testing.total.value"),
        ("-9223372036854775807", "testing.total.calculated.change_from_prior_day"),
        ("2147483647", "states"),
        ("0", "cases.total.value"),
        ("-0", "cases.total.value"),
        ("12.0", "cases.total.value"),
        ("1.2e1", "cases.total.value"),
        ("-12", "cases.total.calculated.change_from_prior_day"),
        ("-12.5", "cases.total.calculated.seven_day_change_percent"),
        ("null", "cases.total.value"),
        ("null", "states"),
    ],
)
def test_it_loads_a_figure_as_it_is_written(
    publisher: Publisher, warehouse: Warehouse, load, literal: str, path: str
) -> None:
    publisher.publish_history(without_quotes(history(day(changes={path: literal})), literal))
    load()
    ((table, column),) = ((t, c) for t, columns in COLUMNS.items() for c in columns if columns[c] == path)
    found = warehouse.value(f"select {column} from {table}")
    assert found == (None if literal == "null" else Decimal(literal))
    assert rejected(warehouse) == []


def test_it_loads_a_day_of_which_nothing_is_known(publisher: Publisher, warehouse: Warehouse, load) -> None:
    nothing = {path: None for columns in COLUMNS.values() for path in columns.values()}
    publisher.publish(day(), day("2020-01-13", nothing))
    load()
    for rows in star(warehouse).values():
        assert set(rows[date(2020, 1, 13)]) == {None}
    assert len(warehouse.execute(README_QUERY)) == 2


@pytest.mark.parametrize("block", ["currently", "in_icu.currently", "on_ventilator.currently"])
def test_it_does_without_a_seven_day_average(publisher: Publisher, warehouse: Warehouse, load, block: str) -> None:
    path = f"{HOSPITALIZED}.{block}.calculated.seven_day_average"
    publisher.publish(day(changes={path: GONE}), day("2021-03-06"))
    load()
    assert star(warehouse) == expected(exact(history(day(changes={path: GONE}), day("2021-03-06")))["data"])
    assert rejected(warehouse) == []


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


# --- A restatement


@pytest.fixture
def loaded(publisher: Publisher, warehouse: Warehouse, load) -> list[Json]:
    """The published days, which are in the star."""
    contents = days(10)
    publisher.publish(*contents)
    load()
    return contents


@pytest.mark.parametrize("table", COLUMNS)
def test_it_writes_only_the_row_whose_figure_was_restated(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load, table: str
) -> None:
    for path in COLUMNS[table].values():
        before = versions(warehouse)
        change(loaded[4], path, 7)
        publisher.publish(*loaded)
        load()
        assert rewritten(before, warehouse) == {table: {date(2021, 3, 3)}}
        assert written() == {"covid_day": 2, table: 1, "field_definitions_dimension": 3}
    assert star(warehouse) == expected(exact(history(*loaded))["data"])


def test_it_writes_only_the_rows_of_a_new_day(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    before = versions(warehouse)
    loaded.insert(0, day("2021-03-08"))
    publisher.publish(*loaded)
    load()
    assert rewritten(before, warehouse) == {table: {date(2021, 3, 8)} for table in COLUMNS}
    assert star(warehouse) == expected(exact(history(*loaded))["data"])


def test_it_writes_no_figure_when_only_the_order_or_what_is_not_read_changed(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    before = versions(warehouse)
    loaded.reverse()
    change(loaded[0], "cases.probable", {"value": 1})
    publisher.publish(*loaded)
    load()
    assert rewritten(before, warehouse) == {}


def test_it_follows_a_restatement_and_its_withdrawal(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    first = star(warehouse)
    for value in (7, loaded[4]["cases"]["total"]["value"], 7):
        change(loaded[4], "cases.total.value", value)
        publisher.publish(*loaded)
        load()
        assert star(warehouse) == expected(exact(history(*loaded))["data"])
        assert (star(warehouse) == first) == (value != 7)
    assert warehouse.value("select count(*) from staging_covid_day") == 11


def test_it_writes_nothing_when_it_loads_twice_and_says_so(loaded: list[Json], warehouse: Warehouse, load, run) -> None:
    before = versions(warehouse)
    for again in (load, partial(load, "--full-refresh"), partial(run, "load_covid")):
        summary = again()
        assert versions(warehouse) == before
        assert written() == {}
        for table in DESIGN:
            assert re.search(rf"^{table} +\d+ +0 +0 +0 +0 ", summary, re.MULTILINE), summary


@pytest.mark.parametrize("options", [["--date", "2021-03-03"], ["--from", "2021-03-02", "--to", "2021-03-04"]])
def test_it_follows_a_restatement_that_comes_in_a_day_s_own_document(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, run, load, options: list[str]
) -> None:
    before = versions(warehouse)
    old = history(*loaded)
    change(loaded[4], "testing.total.value", 7)
    publisher.publish(*loaded)
    publisher.publish_history(old)
    run("extract_covid", *options)
    run("load_covid")
    assert rewritten(before, warehouse) == {"testing_fact": {date(2021, 3, 3)}}
    assert star(warehouse) == expected(exact(history(*loaded))["data"])
    load()  # and the history that is still the same takes nothing back
    assert star(warehouse) == expected(exact(history(*loaded))["data"])
    run("extract_covid", "--all")  # but the history that is read anew does: what was read last counts
    run("load_covid")
    assert star(warehouse) == expected(exact(old)["data"])


def test_it_keeps_a_day_that_the_history_no_longer_holds(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    before = versions(warehouse)
    publisher.publish(*loaded[:3])
    load()
    assert rewritten(before, warehouse) == {}
    assert star(warehouse) == expected(exact(history(*loaded))["data"])


# --- The real documents


@pytest.fixture(scope="module")
def real_documents() -> dict[str, bytes]:
    """The real documents of all days, by the end of their address."""
    if not REAL.is_dir():
        pytest.skip(f"the real documents are not there: {REAL.relative_to(project.BASE_DIR.parent)} beside the project")
    files = {f"/{file.stem}": file.read_bytes() for file in (REAL / "daily").iterdir()}
    return files | {"": (REAL / "daily.json").read_bytes()}


@pytest.fixture
def real(real_documents: dict[str, bytes], publisher: Publisher) -> list[Json]:
    """The days of the real history, which is published."""
    publisher.documents = dict(real_documents)
    contents: list[Json] = exact(real_documents[""])["data"]
    assert len(contents) == 420
    return contents


@pytest.fixture
def all_loaded(real: list[Json], load) -> list[Json]:
    load()
    return real


def digits(star: Star) -> dict[str, dict[date, list[str]]]:
    """Return a star's figures as they are written."""
    return {table: {day: list(map(str, row)) for day, row in rows.items()} for table, rows in star.items()}


def test_it_loads_all_real_days_by_one_request_to_the_last_digit(
    real: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    with publisher.counted() as requests:
        load()
        load()
    assert requests == [("/v2/us/daily.json", 200), ("/v2/us/daily.json", 304)]
    assert digits(star(warehouse)) == digits(expected(real))
    assert [len(rows) for rows in star(warehouse).values()] == [420] * len(COLUMNS)
    assert rejected(warehouse) == []
    assert len(warehouse.execute(README_QUERY)) == 420


def test_it_loads_all_real_days_from_a_folder(
    real: list[Json], publisher: Publisher, warehouse: Warehouse, load, settings
) -> None:
    settings.COVID_API_URL = str(REAL.parent)
    with publisher.counted() as requests:
        load()
    assert requests == []
    assert digits(star(warehouse)) == digits(expected(real))


def test_it_loads_all_real_days_singly_and_finds_them_again_in_the_history(
    real: list[Json], publisher: Publisher, warehouse: Warehouse, run, load, settings
) -> None:
    settings.COVID_API_URL = REAL.parent.as_uri()
    run("extract_covid", "--from", "2020-01-11", "--to", "2021-03-09")
    run("load_covid")
    assert digits(star(warehouse)) == digits(expected(real))
    before = versions(warehouse)
    load()
    assert warehouse.value("select count(*) from staging_covid_day") == 420
    assert rewritten(before, warehouse) == {}


def test_it_writes_exactly_the_rows_of_a_real_day_that_was_altered(
    all_loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    before = versions(warehouse)
    body = publisher.documents[""]
    publisher.publish_history(body.replace(b'"value":28714654', b'"value":28714655'))
    load()
    assert rewritten(before, warehouse) == {"cases_fact": {date(2021, 3, 6)}}
    publisher.publish_history(body)
    load()
    assert digits(star(warehouse)) == digits(expected(all_loaded))


def test_it_knows_the_real_definitions(all_loaded: list[Json], publisher: Publisher, warehouse: Warehouse) -> None:
    definitions = exact(publisher.documents[""])["meta"]["field_definitions"]
    rows = warehouse.execute("select field_name, field_path, deprecated, prior_names from field_definitions_dimension")
    assert sorted(rows) == sorted((d["name"], d.get("field"), d["deprecated"], d["prior_names"]) for d in definitions)
    assert warehouse.value("select count(*) from schema_change") == 0


# --- Both sources


def run_both() -> str:
    out = io.StringIO()
    call_command("run_pipeline", stdout=out)
    return out.getvalue()


def test_it_runs_both_sources_each_in_a_run_of_its_own(
    small_world: Source, publisher: Publisher, warehouse: Warehouse
) -> None:
    publisher.publish(*days(3))
    summary = run_both()
    runs = list(PipelineRun.objects.order_by("pk").values_list("command", "source", "status"))
    assert runs == [("run_pipeline", "msk", "succeeded"), ("run_pipeline", "covid", "succeeded")]
    assert "patient_dimension" in summary
    assert "cases_fact" in summary
    loads = warehouse.execute("select source, run_id from load_state order by 1")
    ids = dict(PipelineRun.objects.values_list("source", "pk"))
    assert loads == [("covid", ids["covid"]), ("msk", ids["msk"])]


@pytest.mark.parametrize("only", ["msk", "covid"])
def test_it_runs_one_source_only(
    small_world: Source, publisher: Publisher, warehouse: Warehouse, run, only: str
) -> None:
    publisher.publish(*days(3))
    with publisher.counted() as requests:
        run("run_pipeline", "--only", only)
    assert list(PipelineRun.objects.values_list("source", flat=True)) == [only]
    assert warehouse.execute("select source from load_state") == [(only,)]
    assert bool(requests) == (only == "covid")


def test_it_loads_the_patients_though_the_covid_figures_cannot_be_had(
    small_world: Source, warehouse: Warehouse, settings, monkeypatch
) -> None:
    monkeypatch.setattr(extract, "CovidClient", partial(CovidClient, retries=0))
    settings.COVID_API_URL = f"http://127.0.0.1:{free_port()}/v2"
    with pytest.raises(CommandError) as failure:
        run_both()
    (line,) = str(failure.value).splitlines()
    assert "msk succeeded." in line
    assert f"covid failed: {settings.COVID_API_URL}/us/daily.json cannot be reached" in line
    assert failure.value.returncode == 1
    assert dict(PipelineRun.objects.values_list("source", "status")) == {"msk": "succeeded", "covid": "failed"}
    assert warehouse.value("select count(*) from patient_dimension") == 1
    assert warehouse.execute("select source from load_state") == [("msk",)]


def test_it_loads_the_patients_though_a_covid_path_is_gone(
    small_world: Source, publisher: Publisher, warehouse: Warehouse
) -> None:
    publisher.publish(day(changes={"cases": GONE}))
    with pytest.raises(CommandError, match=r"^msk succeeded\. covid failed: .*data\.cases\.total\.value should be"):
        run_both()
    assert warehouse.value("select count(*) from patient_dimension") == 1
    assert warehouse.value("select count(*) from cases_dimension") == 0


def test_it_loads_the_covid_figures_though_the_patients_cannot_be_had(
    source: Source, publisher: Publisher, warehouse: Warehouse
) -> None:
    source.execute("drop table patient")
    publisher.publish(*days(3))
    with pytest.raises(CommandError, match=r"^msk failed: .* covid succeeded\.$") as failure:
        run_both()
    assert failure.value.returncode == 1
    assert dict(PipelineRun.objects.values_list("source", "status")) == {"msk": "failed", "covid": "succeeded"}
    assert warehouse.value("select count(*) from cases_fact") == 3
    assert warehouse.execute("select source from load_state") == [("covid",)]


def test_it_says_of_both_sources_what_failed(source: Source, publisher: Publisher, warehouse: Warehouse) -> None:
    source.execute("drop table patient")
    publisher.publish_history(b"<html>")
    with pytest.raises(CommandError, match=r"^msk failed: .*patient.* covid failed: .*is not JSON.*$"):
        run_both()
    assert set(PipelineRun.objects.values_list("status", flat=True)) == {"failed"}


def test_it_skips_the_star_or_the_documents(publisher: Publisher, warehouse: Warehouse, load) -> None:
    publisher.publish(*days(3))
    load("--skip-analytics")
    assert warehouse.value("select count(*) from staging_covid_day") == 3
    assert warehouse.value("select count(*) from cases_fact") == 0
    with publisher.counted() as requests:
        load("--skip-staging")
    assert requests == []
    assert warehouse.value("select count(*) from cases_fact") == 3


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
