"""What the publisher says that its fields mean: kept, followed into the star, and each change recorded and alerted."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import transaction
from pytest_httpserver import HTTPServer

from ingest.covid.definitions import MAX_CHARACTERS, MAX_DEFINITIONS, MAX_PRIOR_NAMES
from ingest.cursors import raw_cursor
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
        recorded = warehouse.execute('select field_name, kind from schema_change order by field_name collate "C", kind')
        run_id = PipelineRun.objects.latest("pk").pk
        logged = [vars(r) for r in caplog.records if r.name == "ingest.covid.staging"]
        assert {r["msg"] for r in logged} <= {"field of the COVID API changed"}
        assert {r["run"] for r in logged} <= {run_id}
        assert sorted((r["field"], r["change"]) for r in logged) == recorded
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


# --- What is too much


TOO_MUCH = {
    "definitions": (
        [definition(f"f{number}") for number in range(MAX_DEFINITIONS + 1)],
        "2,001 field definitions",
        "2,000",
    ),
    "a name": (
        [definition("n" * 60_000)],
        f'the field "{"n" * 120}…" (60,000 characters) with a name of 60,000',
        "255",
    ),
    "a name by one": (
        [definition("n" * 256)],
        f'the field "{"n" * 120}…" (256 characters) with a name of 256 characters',
        "255",
    ),
    "a path": ([definition("Date", "p" * 256)], 'the field "Date" with a path of 256 characters', "255"),
    "a prior name": (
        [definition("Date", prior_names=["x", "p" * 256])],
        'the field "Date" with a prior name of 256 characters',
        "255",
    ),
    "prior names": (
        [definition("Date", prior_names=["x"] * (MAX_PRIOR_NAMES + 1))],
        'the field "Date" with 101 prior names',
        "100",
    ),
}


@pytest.mark.parametrize(("definitions", "words", "limit"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_it_refuses_by_name_what_is_more_than_it_keeps(
    define, publisher: Publisher, warehouse: Warehouse, definitions: list[Json], words: str, limit: str
) -> None:
    with pytest.raises(CommandError) as failure:
        define(*definitions)
    line = str(failure.value)
    assert f"{publisher.url}/us/daily.json holds {words}" in line
    assert f", and {limit} is the limit: " in line
    assert len(line) < 500
    assert warehouse.value("select count(*) from staging_covid_definition") == 0


def test_it_keeps_as_much_as_it_may(define, warehouse: Warehouse) -> None:
    most = "\U0010ffff" * MAX_CHARACTERS
    define(definition(most, most, prior_names=[most] * MAX_PRIOR_NAMES))
    assert dimension(warehouse) == {most: (most, False, [most] * MAX_PRIOR_NAMES)}


UNKEPT = {
    "a NUL": ("Da\0te", r"Da\x00te"),
    "half a character": ("Da\ud800te", r"Da\ud800te"),
    "the other half": ("Da\udc00te", r"Da\udc00te"),
}


@pytest.mark.parametrize(("text", "shown"), UNKEPT.values(), ids=UNKEPT)
@pytest.mark.parametrize(
    ("key", "path"), [("name", "name"), ("field", "field"), ("prior_names", "prior_names[0]"), ("license", "license")]
)
def test_it_names_the_place_of_a_text_that_cannot_be_kept(
    define, publisher: Publisher, text: str, shown: str, key: str, path: str
) -> None:
    entry = definition("Date", "date") | {key: [text] if key == "prior_names" else text}
    with pytest.raises(CommandError) as failure:
        define(CASES, entry)
    line = str(failure.value)
    assert line.startswith(f"{publisher.url}/us/daily.json cannot be kept as JSON (")
    assert f'"meta.field_definitions[1].{path}" is or holds "{shown}"' in line
    assert line.isprintable()


# --- What it costs


def test_it_writes_each_definition_once_a_document(define, run) -> None:
    define(*FIRST)
    with transaction.atomic(using="analytics"), raw_cursor("analytics") as cursor:

        def written() -> int:
            """Return the rows written so far, those that the session has not yet reported of its last run included."""
            cursor.execute(
                """
                select coalesce(sum(n_tup_ins + n_tup_upd), 0)
                  from pg_stat_xact_user_tables where relname = 'staging_covid_definition'
                """
            )
            return int(cursor.fetchall()[0][0])

        before = written()
        run("extract_covid", "--date", "2021-03-07")
        assert written() - before == len(FIRST)


def test_it_records_all_changes_of_a_document_in_one_statement(changes, warehouse: Warehouse) -> None:
    many = [definition(f"field {number:04}") for number in range(300)]
    assert len(changes(*many)) == len(many) + len(FIRST)
    assert warehouse.value("select count(distinct cmin::text) from schema_change") == 1


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


@pytest.mark.parametrize("without", [GONE, None, [], "none", {}, {"field_definitions": None}])
def test_it_learns_nothing_of_definitions_from_a_document_that_has_none(
    define, publisher: Publisher, warehouse: Warehouse, run, without: Any
) -> None:
    define(*FIRST)
    query = "select xmin, * from staging_covid_definition order by name"
    before = warehouse.execute(query)
    publisher.documents["/2021-03-07"] = document(day(changes={"states": 49}), meta=without)
    run("extract_covid", "--date", "2021-03-07")
    assert warehouse.execute(query) == before
    assert warehouse.value("select count(*) from schema_change") == 0
    assert warehouse.value("select count(*) from staging_covid_day") == 2


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
