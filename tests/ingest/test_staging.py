"""Change detection by content: what the source inserted, updated or deleted is seen, and nothing else is read."""

import shutil
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from django.db import connections

from analytics.loads import statements
from ingest.msk.snapshot import digest_query
from ingest.msk.tables import TABLES, SourceTable
from tests.conftest import TRUNCATE_EVERYTHING, Source, Warehouse, connect, last_steps


@pytest.fixture
def sample(source: Source, dump: Path, run) -> Source:
    """A small sample, already in the warehouse."""
    source.load(dump)
    run()
    return source


def last_counts(step: str, field: str) -> dict[str, int]:
    """Return a count of the last run for each table that `step` did, where it is not zero."""
    return {c.table_name: getattr(c, field) for c in last_steps(step=step) if getattr(c, field)}


def written(step: str) -> dict[str, tuple[int, int, int]]:
    """Return (inserted, updated, deleted) for each table that the last run changed in `step`."""
    rows = {c.table_name: (c.inserted, c.updated, c.deleted) for c in last_steps(step=step)}
    return {table: row for table, row in rows.items() if any(row)}


def versions(warehouse: Warehouse) -> dict[str, list]:
    """Return where each row of the warehouse lies and which transaction wrote it: a rewritten row has another."""
    tables = warehouse.execute(
        "select tablename from pg_tables where schemaname = 'public'"
        " and tablename !~ '^(django_migrations|load_state|committed_run)'"
    )
    return {table: warehouse.execute(f"select ctid, xmin from {table} order by 1") for (table,) in tables}


def test_it_reads_no_row_and_writes_none_when_nothing_changed(sample: Source, warehouse: Warehouse, run) -> None:
    before = versions(warehouse)
    run()
    assert last_counts("extract_msk", "rows_read") == {}
    assert written("extract_msk") == written("parse_slugs") == written("load_msk") == {}
    assert versions(warehouse) == before


# The digests, and what they are made of: all that a run writes which works them out anew and finds no difference.
DIGESTS = ("digest_secret", "staged_bucket", "staged_table", "load_version")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_digest_does_not_number_the_rows(source: Source, table: SourceTable) -> None:
    query = digest_query(table, 1, table.rows).as_string(source.connection)
    assert "WindowAgg" not in str(source.execute(f"explain {query}"))


def test_it_compares_everything_and_writes_nothing_on_a_full_refresh(sample: Source, warehouse: Warehouse, run) -> None:
    before = versions(warehouse)
    run("run_pipeline", "--full-refresh")
    assert last_counts("extract_msk", "rows_read") == {}
    rows = warehouse.value("select count(*) from staging_step_result")
    assert last_counts("load_msk", "rows_read")["step_result_fact"] == rows
    after = versions(warehouse)
    assert {table for table in after if after[table] != before[table]} == set(DIGESTS)


@pytest.mark.parametrize(
    "change",
    [
        "insert into patient values (100001, '70-79', 'm', 'West')",
        "update patient set hospital = hospital || ' ' where id = 5",
        "update patient set hospital = null where id = 6",
        "delete from patient where id = 7",
        "update step_result set value = '1' where patient_id = 8 and date = '2024-05-01'",
        "insert into step_result select * from step_result where patient_id = 9",
        "delete from step_result where patient_id = 10 and date > '2024-05-01'",
        "insert into step_result values (null, null, null), (null, null, null)",
        "insert into journey_activity select * from journey_activity limit 3",
        "update patient_journey set patient_id = 12 where patient_id = 11",
        "update schedule set slug = '8d-post-op' where slug = '7d-10d-post-op'",
        "update survey set tags = array['a', null, 'NULL', '{}']",
        "update survey_result set score_value = coalesce(score_value, 0) + 1 where id % 100 = 0",
        "update survey_result set device_id = null where id % 100 = 0",
        "truncate step_result",
        # Two rows swap what they say: the sum of each column stays as it was.
        "update patient_journey a set operation_date = b.operation_date from patient_journey b"
        " where (a.id, b.id) in ((1, 3), (3, 1))",
    ],
)
def test_it_follows_a_change(change: str, sample: Source, warehouse: Warehouse, run) -> None:
    sample.execute(change)
    run("run_pipeline", "--allow-deletes")
    assert warehouse.star() == sample.star()
    run("check_warehouse")


def test_it_reads_only_the_buckets_that_changed(sample: Source, run) -> None:
    sample.execute("update step_result set value = '1' where patient_id = 8 and date = '2024-05-01'")
    run()
    assert last_counts("extract_msk", "rows_read").keys() == {"step_result"}
    assert last_counts("extract_msk", "rows_read")["step_result"] < 200
    assert written("extract_msk") == {"step_result": (0, 1, 0)}
    assert written("load_msk") == {"step_result_fact": (0, 1, 0)}


def test_it_keeps_the_steps_of_a_patient_whose_number_stands_for_none(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("step_result", patient_id=-1, date="2024-03-02", value="100")
    small_world.insert("step_result", patient_id=None, date="2024-03-02", value="200")
    run()
    small_world.execute("update step_result set value = '300' where patient_id is null")
    run()
    assert warehouse.star() == small_world.star()
    assert "FAIL" not in run("check_warehouse")


def test_it_sees_two_rows_of_one_id_swap_a_value(source: Source, warehouse: Warehouse, run) -> None:
    source.execute("alter table patient drop constraint patient_pkey")
    source.execute(
        """
        insert into patient
        select n, 'a' || n || side, 'f', 'h' || side from generate_series(1, 60) n, generate_series(1, 2) side
        """
    )
    run()
    source.execute("update patient set hospital = case hospital when 'h1' then 'h2' else 'h1' end where id <= 20")
    run()
    swapped = "select count(*) from staging_patient where right(age_bracket, 1) <> right(hospital, 1)"
    assert warehouse.value(swapped) == 40
    assert warehouse.star() == source.star()


def test_it_compares_everything_once_when_the_sources_types_change(sample: Source, warehouse: Warehouse, run) -> None:
    before = seeds(warehouse)["journey_activity"]
    sample.execute("alter table journey_activity alter activity_id type smallint using activity_id % 30000")
    run()
    assert seeds(warehouse)["journey_activity"] != before
    assert last_counts("load_msk", "rows_read").keys() >= {"step_result_fact", "patient_journey_schedule_window"}
    run()
    assert last_counts("extract_msk", "rows_read") == {}
    assert warehouse.star() == sample.star()


def seeds(warehouse: Warehouse) -> dict[str, int]:
    """Return the seed under which each table's digests were worked out."""
    return dict(warehouse.execute("select source_table, seed from staged_table"))


def test_it_works_out_digests_under_a_seed_that_is_a_secret_of_the_warehouse(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    run()
    before = seeds(warehouse)
    warehouse.execute(TRUNCATE_EVERYTHING)  # another warehouse, of the same source
    run()
    assert before.keys() == seeds(warehouse).keys()
    assert set(before.values()).isdisjoint(seeds(warehouse).values())


def test_it_sees_a_change_that_was_crafted_to_have_the_same_digest(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    # Found for the seed that a warehouse has on PostgreSQL 18.6 if it is made of nothing but public facts.
    small_world.execute("update patient set hospital = 'Royal Hosp. OOOOOOOOOOOO'")
    run()
    small_world.execute("update patient set hospital = 'wv3EoCLth-Bl-Jk%lochTG,K'")
    run()
    assert warehouse.value("select hospital from patient_dimension") == "wv3EoCLth-Bl-Jk%lochTG,K"


def test_it_compares_everything_once_when_the_warehouse_gets_its_secret(
    sample: Source, warehouse: Warehouse, run
) -> None:
    before = versions(warehouse)
    warehouse.execute("truncate digest_secret")  # as in a warehouse of before there was one
    run()
    assert last_counts("load_msk", "rows_read").keys() >= {"step_result_fact", "patient_journey_schedule_window"}
    assert written("extract_msk") == written("load_msk") == {}
    run()
    assert last_counts("extract_msk", "rows_read") == {}
    assert versions(warehouse)["step_result_fact"] == before["step_result_fact"]


def test_it_keeps_its_secret_until_a_full_refresh(small_world: Source, warehouse: Warehouse, run) -> None:
    run()
    secret = warehouse.execute("select * from digest_secret")
    run()
    assert warehouse.execute("select * from digest_secret") == secret
    run("run_pipeline", "--full-refresh")
    assert warehouse.execute("select * from digest_secret") != secret


def test_it_compares_everything_once_when_the_buckets_are_others(
    sample: Source, warehouse: Warehouse, run, monkeypatch
) -> None:
    coarse = tuple(replace(table, bucket=table.bucket.replace(">> 6", ">> 2")) for table in TABLES)
    monkeypatch.setattr("ingest.msk.extract.TABLES", coarse)
    sample.execute("delete from patient where id > 48")
    run()
    assert warehouse.star() == sample.star()
    run()
    assert last_counts("extract_msk", "rows_read") == {}


def test_it_does_not_judge_children_anew_when_a_parent_says_something_else_of_itself(sample: Source, run) -> None:
    sample.execute(
        """
        update device set os_version = os_version || ' beta';
        update survey set version = version || ' beta';
        update activity set content_slug = content_slug || ' beta';
        update patient set hospital = hospital || ' beta';
        update patient_journey set clinician_id = 77
        """
    )
    run()
    assert {"step_result_fact", "survey_result_fact"}.isdisjoint(last_counts("load_msk", "rows_read"))


def test_it_looks_at_every_row_when_a_statement_of_the_load_changes(
    sample: Source, warehouse: Warehouse, run, monkeypatch, tmp_path: Path
) -> None:
    shutil.copytree(statements.FOLDER, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(statements, "FOLDER", tmp_path)
    steps = tmp_path / "090_step_result_fact.sql"
    steps.write_text(steps.read_text().replace("9999-12-31", "2024-04-15"))
    run()
    assert warehouse.value("select max(date) from step_result_fact") == date(2024, 4, 15)


@pytest.mark.parametrize(
    "damage",
    [
        "delete from staging_step_result where patient_id = 5",
        "update staging_patient set sex = 'x'",
        "truncate staging_survey_result",
        "insert into staging_step_result select * from staging_step_result limit 10",
        "delete from step_result_fact where patient_id = 5",
        "update survey_result_fact set score_value = 0",
        "truncate rejected_row",
        "update rejected_row set reason = 'whim'",
        "update rejected_row set source_table = 'gone'",
        "insert into date_dimension values ('1900-05-05', 1900, 2, 5, 'June', 1900, 18, 5, 6, true)",
    ],
)
def test_it_heals_any_difference_on_a_full_refresh(damage: str, sample: Source, warehouse: Warehouse, run) -> None:
    warehouse.execute(damage)
    run("run_pipeline", "--full-refresh")
    assert warehouse.star() == sample.star()
    run("check_warehouse")


def test_it_waits_for_no_reader_of_a_table_that_it_writes_anew(sample: Source, warehouse: Warehouse, run) -> None:
    sample.execute("update step_result set value = '7'")
    with closing(connect("analytics")) as reader, reader.cursor() as cursor:
        reader.autocommit = False
        tables = warehouse.value("select string_agg(tablename, ', ') from pg_tables where schemaname = 'public'")
        cursor.execute(f"lock table {tables} in access share mode")  # as pg_dump does
        with connections["analytics"].cursor() as ours:
            ours.execute("set lock_timeout = '5s'")
        run()
    assert warehouse.star() == sample.star()


@pytest.mark.parametrize(
    "change",
    [
        "insert into step_result select patient_id + 1000, date, value from step_result",
        "update step_result set value = '7'",
    ],
    ids=["grown", "written anew"],
)
def test_it_knows_how_large_a_staging_table_is_of_which_much_changed(
    change: str, sample: Source, warehouse: Warehouse, run
) -> None:
    sample.execute(change)
    run("extract_msk")
    assert warehouse.value(
        "select reltuples = (select count(*) from staging_step_result) from pg_class"
        " where relname = 'staging_step_result'"
    )


def test_it_notes_a_row_once_that_most_others_changed_with(sample: Source, warehouse: Warehouse, run) -> None:
    sample.execute("update step_result set value = '7'")
    run("extract_msk")
    noted = warehouse.execute("select patient_id, date from changed_step_result")
    assert len(noted) == len(set(noted)) > 1000


def test_it_looks_at_no_row_when_nothing_changed_though_nobody_knows_how_large_the_tables_are(
    sample: Source, warehouse: Warehouse, run
) -> None:
    warehouse.execute("update pg_class set reltuples = -1 where relname ~ '_fact$|_window$|_dimension$'")  # as restored
    run()
    assert {"patient_dimension", "step_result_fact", "activity_completion_fact"}.isdisjoint(
        last_counts("load_msk", "rows_read")
    )


def test_it_looks_at_the_changed_rows_alone_where_nobody_knows_how_large_a_table_is(
    sample: Source, warehouse: Warehouse, run
) -> None:
    warehouse.execute("update pg_class set reltuples = -1 where relname = 'step_result_fact'")
    sample.execute("update step_result set value = '1' where patient_id = 8 and date = '2024-05-01'")
    run()
    assert last_counts("load_msk", "rows_read")["step_result_fact"] == 1


def test_it_follows_a_restore_of_an_older_source(sample: Source, dump: Path, warehouse: Warehouse, run) -> None:
    sample.execute("delete from patient where id > 30; update step_result set value = '7'")
    run()
    sample.load(dump)
    run()
    assert warehouse.star() == sample.star()


def test_it_moves_a_fact_to_another_patient_by_deleting_and_inserting_it(
    sample: Source, warehouse: Warehouse, run
) -> None:
    sample.execute("update patient_journey set patient_id = 12 where id = 1")
    run()
    assert written("load_msk")["patient_journey_fact"] == (1, 0, 1)
