"""What the dictionary says of tables and columns: that nothing is left out, and that it is so."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from analytics import roles
from analytics.dictionary import declared
from analytics.dictionary.lineage import KEPT, Origin, lineage
from analytics.dictionary.markdown import write_pages
from analytics.dictionary.tables import RUN_LOG, STAGING, STAR, Column, dictionary
from analytics.dictionary.unsaid import UnsaidError, unsaid
from ingest.cursors import Cursor, raw_cursor
from tests.analytics.test_schema import TABLES
from tests.conftest import Database, Warehouse

ROOT: Path = settings.BASE_DIR
MIGRATIONS = list((ROOT / "analytics" / "migrations").glob("*.py"))
# What a run needs for itself, and secrets: no part of the dictionary.
FOR_RUNS = {
    *("changed_patient", "changed_patient_journey", "changed_step_result", "changed_survey_result", "changed_window"),
    *("changed_completion", "changed_adherence", "committed_run", "digest_secret", "django_migrations"),
    *("key_set_aside", "load_version", "staged_rows", "staged_table"),
    *("patient_pseudonym", "patient_journey_pseudonym", "clinician_pseudonym"),
}


def columns() -> list[Column]:
    return [column for table in dictionary().values() for column in table.columns]


def column(name: str) -> Column:
    (found,) = [each for each in columns() if str(each.place) == name]
    return found


@pytest.fixture
def change(databases: None) -> Iterator[Cursor]:
    """A cursor whose changes to the warehouse the dictionary sees, and nobody after the test."""
    dictionary.cache_clear()
    with transaction.atomic(using="analytics"), raw_cursor("analytics") as cursor:
        yield cursor
        transaction.set_rollback(True, using="analytics")
    dictionary.cache_clear()


def test_it_has_every_table_of_the_warehouse_but_what_is_for_runs_alone(warehouse: Warehouse) -> None:
    there = warehouse.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')"
    )
    in_warehouse = {table.name for table in dictionary().values() if table.kind != RUN_LOG}
    assert in_warehouse == {name for (name,) in there} - FOR_RUNS
    assert in_warehouse >= set(TABLES)


def test_it_has_the_run_log(databases: None) -> None:
    found = {table.name for table in dictionary().values() if table.kind == RUN_LOG}
    assert found == {"pipeline_run", "step_run", "run_request", "alert", "warehouse_check"}


def test_nothing_is_left_unsaid(databases: None) -> None:
    assert [each for table in dictionary().values() for each in unsaid(table)] == []


@pytest.mark.parametrize(
    ("change_of_it", "missing"),
    [
        ("comment on column patient_dimension.sex is null", "patient_dimension.sex has no comment"),
        (r"comment on column patient_dimension.sex is E' \n'", "patient_dimension.sex has no comment"),
        ("comment on table patient_dimension is ' '", "patient_dimension has no comment"),
        ("alter table patient_dimension add n integer", "patient_dimension.n has no unit"),
        ("alter table patient_dimension add n integer", "patient_dimension.n has no meaning of null"),
        ("alter table patient_dimension add n integer", "patient_dimension.n has no origin"),
    ],
)
def test_no_page_is_made_while_something_is_unsaid(
    change: Cursor, tmp_path: Path, change_of_it: str, missing: str
) -> None:
    change.execute(change_of_it)
    with pytest.raises(UnsaidError, match=f"(^|; ){missing}: "):
        write_pages(tmp_path / "tables")


def test_of_a_table_without_lineage_it_says_how_to_renew_it(
    change: Cursor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    del kept["tables"]["device_dimension"]
    (tmp_path / "lineage.json").write_text(json.dumps(kept), encoding="utf-8")
    monkeypatch.setattr("analytics.dictionary.lineage.KEPT", tmp_path / "lineage.json")
    lineage.cache_clear()
    try:
        with pytest.raises(UnsaidError, match="device_dimension has no source: run make lineage, or write into READS"):
            write_pages(tmp_path / "tables")
    finally:
        lineage.cache_clear()


def test_each_table_names_the_file_that_writes_it(databases: None) -> None:
    files = {table.written_by for table in dictionary().values()}
    assert {table.written_by for table in dictionary().values() if table.is_view} == {
        max(file.relative_to(ROOT).as_posix() for file in MIGRATIONS if f"view {name} as" in file.read_text())
        for name in ("activity_adherence", "window_detail")
    }
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_it_has_a_materialised_view_as_a_view(change: Cursor) -> None:
    change.execute("drop view window_detail cascade; create materialized view window_detail as select 1 as patient_id")
    assert dictionary()["window_detail"].is_view


def test_each_origin_is_a_column_that_is_there_or_one_of_a_source(databases: None) -> None:
    there = {each.place for each in columns()}
    named = {origin for each in columns() for origin in each.origins}
    ours = {each for each in named if not each.table.startswith(("msk_db.", "covid"))}
    assert [
        str(each) for each in ours if each.whole_column and Origin(each.table, each.whole_column) not in there
    ] == []
    assert {each.table for each in ours} <= dictionary().keys()


def test_only_a_table_without_anything_of_a_source_is_made_as_a_whole(databases: None) -> None:
    whole = {name.removesuffix(".*") for name in declared.MADE_HERE if name.endswith(".*")}
    assert whole == {name for name, table in dictionary().items() if table.kind == RUN_LOG} | {
        "schedule_override",
        "load_state",
    }


def test_it_says_what_a_number_counts(databases: None) -> None:
    units = {
        "step_result_fact.steps": "steps",
        "schedule_dimension.offset_start_days": "days",
        "activity_completion_fact.days_from_window": "days",
        "survey_result_fact.duration_seconds": "seconds",
        "survey_result_fact.score_value": "points of the survey",
        "survey_result_fact.start_time": "UTC",
        "death_fact.new_deaths": "deaths",
        "death_fact.population_percent": "percent",
        "patient_dimension.patient_id": "",
        "patient_dimension.sex": "",
    }
    assert {name: column(name).unit for name in units} == units


def test_it_says_what_null_means(databases: None) -> None:
    assert column("step_result_fact.steps").null == "no"
    assert column("activity_adherence.id").null == "no"
    assert column("survey_result_fact.score_value").null == "yes: none was given"
    assert column("window_detail.hospital").null == "yes: the source has none"


def test_it_says_which_columns_are_the_key_and_what_they_link_to(databases: None) -> None:
    assert dictionary()["step_result_fact"].grain == ("patient_id", "date")
    assert column("step_result_fact.patient_id").key == "key, link to patient_dimension"
    assert column("survey_result_fact.device_id").key == "link to device_dimension"
    assert column("step_result_fact.steps").key == ""
    assert dictionary()["staging_step_result"].grain == ()


def test_the_rows_of_a_view_are_told_apart_by_what_it_says(star: None, warehouse: Warehouse) -> None:
    for table in dictionary().values():
        if table.is_view:
            key = ", ".join(table.grain)
            assert warehouse.value(f"select count(*) from {table.name}") > 0
            assert warehouse.value(f"select count(*) from (select from {table.name} group by {key}) g") == (
                warehouse.value(f"select count(*) from {table.name}")
            )


def test_it_says_who_may_read_a_table(databases: None) -> None:
    found = {name: set(dictionary()[name].readers) for name in ("step_result_fact", "device_dimension", "step_run")}
    assert found == {
        "step_result_fact": {"loader", "web", "analyst", "pseudonymous analyst"},
        "device_dimension": {"loader", "web", "analyst"},
        "step_run": {"loader", "web"},
    }
    assert dictionary()["staging_patient"].readers.keys() == {"loader"}
    assert dictionary()["activity_adherence"].readers["loader"] == "select"
    assert set(roles.BY_NAME) == {"loader", "web"}
    assert dictionary()["patient_dimension"].rights.endswith(
        "pseudonymous analyst (select, as research.patient_dimension without hospital)"
    )


def test_it_writes_a_page_of_each_table_without_a_value_unless_asked(star: None, tmp_path: Path) -> None:
    assert write_pages(tmp_path) == len(dictionary())
    assert {file.stem for file in tmp_path.iterdir()} == {*dictionary(), "index"}
    page = (tmp_path / "patient_dimension.md").read_text()
    assert "example" not in page
    assert "[staging_patient.hospital](staging_patient.md)" in page
    assert "`msk_db.patient.hospital`" in page
    index = (tmp_path / "index.md").read_text()
    assert [name for name in dictionary() if f"]({name}.md)" not in index] == []


def test_its_pages_have_the_values_of_a_row_where_asked(star: None, warehouse: Warehouse, tmp_path: Path) -> None:
    write_pages(tmp_path, examples=True)
    lines = (tmp_path / "patient_dimension.md").read_text().splitlines()
    cells = {line.split(" | ")[0]: line.split(" | ")[6] for line in lines if line.startswith("| `")}
    patient, hospital = (cells[f"| `{name}`"].strip("`") for name in ("patient_id", "hospital"))
    assert warehouse.value("select hospital from patient_dimension where patient_id = %s", patient) == hospital
    beside = [table.name for table in dictionary().values() if table.kind not in (STAR, STAGING)]
    assert [name for name in beside if "| example |" in (tmp_path / f"{name}.md").read_text()] == []


def test_an_empty_warehouse_gives_no_examples(databases: None, tmp_path: Path) -> None:
    write_pages(tmp_path, examples=True)
    assert "| example |" not in (tmp_path / "patient_dimension.md").read_text()


def test_it_says_the_same_types_as_the_run_log_has(databases: None) -> None:
    log = Database("default")
    there = log.execute("select column_name, data_type from information_schema.columns where table_name = 'step_run'")
    log.connection.close()
    assert {each.name: each.type for each in dictionary()["step_run"].columns} == dict(there)
