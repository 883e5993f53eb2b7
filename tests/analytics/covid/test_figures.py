"""load_covid: the figures of the documents in the star, the real ones to the last digit."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.conf import settings as project

from tests.analytics.covid.star import (
    COLUMNS,
    DESIGN,
    HOSPITALIZED,
    Star,
    exact,
    expected,
    rejected,
    rewritten,
    star,
    versions,
    written,
)
from tests.conftest import Warehouse
from tests.ingest.covid.documents import GONE, Json, Publisher, day, days, history, without_quotes

REAL = project.BASE_DIR.parent / "shared" / "covid-api" / "v2" / "us"
README_QUERY = """
select *
  from Cases_Dimension
       join Cases_Fact on Cases_Dimension.cases_id = Cases_Fact.cases_id
       join Testing_Fact on Cases_Fact.cases_id = Testing_Fact.cases_id
       join Hospitalization_Fact on Testing_Fact.cases_id = Hospitalization_Fact.cases_id
       join Death_Fact on Hospitalization_Fact.cases_id = Death_Fact.cases_id
"""


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
