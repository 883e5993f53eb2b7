"""What the publisher says that its fields mean: kept, followed into the star, and each change recorded and alerted."""

from datetime import datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from ingest.models import PipelineRun
from tests.conftest import Warehouse
from tests.ingest.covid.documents import GONE, Json, Publisher, day, definition, document, meta

CASES = definition("Confirmed Cases", "cases.confirmed", prior_names=["positiveCasesViral"])
DEATHS = definition("New deaths", "outcomes.death.calculated.change_from_prior_day", prior_names=["deathIncrease"])
PROBABLE = definition("Probable Cases")
FIRST = (CASES, DEATHS, PROBABLE)


@pytest.fixture
def publisher(httpserver: HTTPServer, settings, monkeypatch) -> Publisher:
    publisher = Publisher(httpserver)
    settings.COVID_API_URL = publisher.url
    monkeypatch.setenv("NO_PROXY", "*")
    return publisher


@pytest.fixture
def define(publisher: Publisher, run):
    """Return a function that publishes definitions and loads them."""

    def define(*definitions: Any) -> None:
        publisher.publish(day(), meta=meta(*definitions))
        run("run_pipeline", "--only", "covid")

    return define


@pytest.fixture
def changes(define, warehouse: Warehouse, caplog):
    """Return a function that loads other definitions than FIRST, and gives the changes that this records and logs."""

    def changes(*definitions: Any) -> list[tuple[str, str]]:
        define(*FIRST)
        caplog.clear()
        define(*definitions)
        recorded = warehouse.execute("select field_name, kind from schema_change order by 1, 2")
        run_id = PipelineRun.objects.latest("pk").pk
        logged = [r.getMessage() for r in caplog.records if r.name == "ingest.covid.staging"]
        assert sorted(logged) == sorted(f"run={run_id} the COVID API's field {name}: {kind}" for name, kind in recorded)
        assert warehouse.execute("select distinct run_id from schema_change") == ([(run_id,)] if recorded else [])
        return recorded

    return changes


def dimension(warehouse: Warehouse) -> dict[str, tuple]:
    """Return the definitions in the star by name."""
    return {
        name: tuple(row)
        for name, *row in warehouse.execute(
            "select field_name, field_path, deprecated, prior_names from field_definitions_dimension"
        )
    }


def seen(warehouse: Warehouse) -> dict[str, tuple[datetime, datetime]]:
    """Return when each definition was seen first and last, in the star."""
    rows = warehouse.execute("select field_name, first_seen_at, last_seen_at from field_definitions_dimension")
    return {name: (first, last) for name, first, last in rows}


def changed(entry: Json, **values: Any) -> Json:
    return {key: value for key, value in (entry | values).items() if value is not GONE}


# --- Kept, and followed into the star


def test_it_loads_the_definitions_of_the_first_document_and_records_no_change(
    define, warehouse: Warehouse, caplog
) -> None:
    define(*FIRST)
    assert dimension(warehouse) == {
        "Confirmed Cases": ("cases.confirmed", False, ["positiveCasesViral"]),
        "New deaths": ("outcomes.death.calculated.change_from_prior_day", False, ["deathIncrease"]),
        "Probable Cases": (None, False, []),
    }
    assert warehouse.value("select count(*) from schema_change") == 0
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []
    fetched_at = warehouse.value("select fetched_at from staging_covid_document")
    assert set(seen(warehouse).values()) == {(fetched_at, fetched_at)}


def test_it_changes_nothing_when_the_document_is_the_same(define, publisher: Publisher, warehouse, run) -> None:
    define(*FIRST)
    query = "select xmin, * from field_definitions_dimension order by 2"
    before = warehouse.execute(query)
    define(*FIRST)
    run("run_pipeline", "--only", "covid", "--full-refresh")
    assert warehouse.execute(query) == before


def test_it_moves_only_the_last_sight_when_another_document_says_the_same(define, warehouse: Warehouse, run) -> None:
    define(*FIRST)
    before, said = seen(warehouse), dimension(warehouse)
    run("extract_covid", "--date", "2021-03-07")
    run("load_covid")
    after = seen(warehouse)
    fetched_at = warehouse.value("select max(fetched_at) from staging_covid_document")
    assert after == {name: (first, fetched_at) for name, (first, _) in before.items()}
    assert dimension(warehouse) == said
    assert warehouse.value("select count(*) from schema_change") == 0


def test_it_gives_a_definition_the_same_key_at_every_load(define, warehouse: Warehouse) -> None:
    query = "select field_name, field_definitions_dimension_id from field_definitions_dimension order by 1"
    define(*FIRST)
    before = warehouse.execute(query)
    assert {key.version for _, key in before} == {5}
    warehouse.execute(
        "truncate staging_covid_day, staging_covid_document, staging_covid_definition, field_definitions_dimension"
    )
    define(*FIRST)
    assert warehouse.execute(query) == before


@pytest.mark.parametrize(
    "entry",
    [None, "Date", 7, [], {}, {"field": "date"}, {"name": None}, {"name": 7, "field": "date"}],
)
def test_it_passes_over_a_definition_of_nothing(define, warehouse: Warehouse, entry: Any) -> None:
    define(*FIRST, entry)
    assert set(dimension(warehouse)) == {"Confirmed Cases", "New deaths", "Probable Cases"}


def test_it_makes_nothing_of_what_is_no_path_no_flag_and_no_name(define, warehouse: Warehouse) -> None:
    define({"name": "Date", "field": 5, "deprecated": "no", "prior_names": "dateModified"}, {"name": "Hash"})
    define({"name": "Date", "field": ["date"], "deprecated": None, "prior_names": ["x", 5, None]}, {"name": "Hash"})
    assert dimension(warehouse) == {"Date": (None, None, ["x"]), "Hash": (None, None, [])}


def test_it_takes_the_last_of_two_definitions_of_one_name(define, warehouse: Warehouse) -> None:
    define(CASES, changed(CASES, field="cases.total"))
    assert dimension(warehouse)["Confirmed Cases"][0] == "cases.total"


# --- A change of what it means

PATH = "cases.positive"
CHANGES = {
    "nothing": (FIRST, []),
    "another order": (FIRST[::-1], []),
    "appeared": ((*FIRST, definition("Date", "date")), [("Date", "appeared")]),
    "disappeared": ((CASES, DEATHS), [("Probable Cases", "disappeared")]),
    "deprecated": ((changed(CASES, deprecated=True), DEATHS, PROBABLE), [("Confirmed Cases", "deprecated")]),
    "another path": ((changed(CASES, field=PATH), DEATHS, PROBABLE), [("Confirmed Cases", "path_changed")]),
    "a path for none": ((CASES, DEATHS, changed(PROBABLE, field=PATH)), [("Probable Cases", "path_changed")]),
    "none for a path": ((changed(CASES, field=GONE), DEATHS, PROBABLE), [("Confirmed Cases", "path_changed")]),
    "renamed": (
        (changed(CASES, name="Cases", prior_names=["positiveCasesViral", "Confirmed Cases"]), DEATHS, PROBABLE),
        [("Cases", "renamed")],
    ),
    "renamed and moved": (
        (changed(CASES, name="Cases", field=PATH, prior_names=["Confirmed Cases"]), DEATHS, PROBABLE),
        [("Cases", "path_changed"), ("Cases", "renamed")],
    ),
    "renamed and deprecated": (
        (changed(CASES, name="Cases", deprecated=True, prior_names=["Confirmed Cases"]), DEATHS, PROBABLE),
        [("Cases", "deprecated"), ("Cases", "renamed")],
    ),
    "two in one": (
        (DEATHS, definition("Cases", PATH, prior_names=["Confirmed Cases", "Probable Cases"])),
        [("Cases", "path_changed"), ("Cases", "renamed")],
    ),
    "a new one beside its old name": (
        (*FIRST, definition("Cases", PATH, prior_names=["Confirmed Cases"])),
        [("Cases", "appeared")],
    ),
    "replaced": (
        (definition("Cases", "cases.confirmed"), DEATHS, PROBABLE),
        [("Cases", "appeared"), ("Confirmed Cases", "disappeared")],
    ),
    "all gone": ((), [(entry["name"], "disappeared") for entry in FIRST]),
    "no longer deprecated": ((changed(CASES, deprecated=False), DEATHS, PROBABLE), []),
    "more names of old": ((changed(CASES, prior_names=["a", "b"]), DEATHS, PROBABLE), []),
}


@pytest.mark.parametrize(("definitions", "expected"), CHANGES.values(), ids=CHANGES)
def test_it_records_and_alerts_a_change_of_the_definitions(
    changes, warehouse: Warehouse, definitions: tuple[Json, ...], expected: list[tuple[str, str]]
) -> None:
    assert changes(*definitions) == expected
    star = dimension(warehouse)
    for entry in definitions:
        assert star[entry["name"]] == (entry.get("field"), entry["deprecated"], entry["prior_names"])
    assert set(star) == {entry["name"] for entry in (*FIRST, *definitions)}


def test_it_records_a_definition_before_and_after(changes, warehouse: Warehouse) -> None:
    changes(changed(CASES, name="Cases", prior_names=["Confirmed Cases"]), PROBABLE)
    details = dict(warehouse.execute("select kind, detail from schema_change"))
    before = {key: CASES[key] for key in ("name", "field", "deprecated", "prior_names")}
    assert details["renamed"] == {"before": before, "after": before | {"name": "Cases", "prior_names": [CASES["name"]]}}
    assert details["disappeared"] == {"before": DEATHS, "after": None}
    assert warehouse.value("select count(distinct detected_at) from schema_change") == 1


def test_it_knows_since_when_and_until_when_a_field_was_defined(define, warehouse: Warehouse) -> None:
    define(CASES, DEATHS)
    first = seen(warehouse)
    define(CASES, PROBABLE)
    second = seen(warehouse)
    assert second["New deaths"] == first["New deaths"]
    assert second["Confirmed Cases"][0] == first["Confirmed Cases"][0]
    assert second["Confirmed Cases"][1] == second["Probable Cases"][0] == second["Probable Cases"][1]
    assert second["Confirmed Cases"][1] > first["Confirmed Cases"][1]


@pytest.mark.parametrize("between", [(DEATHS, PROBABLE), ()], ids=["others stay", "none stays"])
def test_it_records_that_a_definition_comes_back(changes, define, warehouse: Warehouse, between: tuple[Json]) -> None:
    changes(*between)
    first = seen(warehouse)["Confirmed Cases"]
    define(*FIRST)
    last = warehouse.execute(
        "select field_name, kind from schema_change where run_id = %s order by 1", PipelineRun.objects.latest("pk").pk
    )
    assert last == [(entry["name"], "appeared") for entry in FIRST if entry not in between]
    assert seen(warehouse)["Confirmed Cases"][0] == first[0]


def test_it_records_a_change_once(changes, define, warehouse: Warehouse, run) -> None:
    changes(CASES, DEATHS)
    define(CASES, DEATHS)
    run("run_pipeline", "--only", "covid", "--full-refresh")
    assert warehouse.value("select count(*) from schema_change") == 1


def test_it_sees_a_change_in_a_day_s_own_document(define, publisher: Publisher, warehouse: Warehouse, run) -> None:
    define(*FIRST)
    publisher.documents["/2021-03-07"] = document(day(), meta=meta(CASES, DEATHS))
    run("extract_covid", "--date", "2021-03-07")
    assert warehouse.execute("select field_name, kind from schema_change") == [("Probable Cases", "disappeared")]


def test_it_records_no_change_of_a_document_that_it_refuses(
    define, publisher: Publisher, warehouse: Warehouse, run
) -> None:
    define(*FIRST)
    before = seen(warehouse)
    publisher.publish(day(changes={"cases": GONE}), meta=meta(CASES))
    with pytest.raises(Exception, match=r"data\.cases\.total\.value should be"):
        run("run_pipeline", "--only", "covid")
    assert warehouse.value("select count(*) from schema_change") == 0
    assert seen(warehouse) == before


def test_it_succeeds_though_the_definitions_changed(changes) -> None:
    changes(changed(CASES, field=PATH))
    assert PipelineRun.objects.latest("pk").status == "succeeded"
