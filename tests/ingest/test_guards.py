"""A source that has lost its rows stops a run; a dry run says what a run would do."""

import pytest
from django.core.management import CommandError
from django.db import connections
from psycopg2.sql import SQL, Identifier

from ingest.models import PipelineRun
from tests.conftest import COVID_SAMPLE, Database, Source, Warehouse, last_steps
from tests.ingest.test_staging import versions


@pytest.fixture
def loaded(source: Source, run) -> Source:
    """A hundred patients, their devices and three days of steps, already in the warehouse."""
    source.execute("insert into patient select n, '60-69', 'f', 'North' from generate_series(1, 100) n")
    source.execute("insert into device select n, 'iOS', '17' from generate_series(1, 2) n")
    source.execute(
        "insert into step_result select p, date '2024-03-01' + d, '100'"
        " from generate_series(1, 100) p, generate_series(0, 2) d"
    )
    run("run_pipeline")
    return source


def assert_refused(run, *said: str, options: tuple[str, ...] = ()) -> None:
    with pytest.raises(CommandError) as refusal:
        run("run_pipeline", *options)
    for text in (*said, "--allow-deletes", "The warehouse is as it was."):
        assert text in str(refusal.value)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("delete from patient where id > 49", "patient lost 51 of 100 rows"),
        ("delete from step_result where patient_id <= 51", "step_result lost 153 of 300 rows"),
        ("update patient set id = id + 1000", "patient lost 100 of 100 rows"),
        ("truncate device", "device is empty, it had 2 rows"),
        ("truncate device; delete from patient where id > 40", "patient lost 60 of 100 rows; device is empty"),
    ],
)
def test_it_refuses_a_source_that_lost_too_much(
    loss: str, said: str, loaded: Source, warehouse: Warehouse, run
) -> None:
    before = versions(warehouse)
    loaded.execute(loss)
    assert_refused(run, said, "MSK_MAX_DELETE_PERCENT is 50")
    assert_refused(run, said, options=("--full-refresh",))
    assert_refused(run, said, options=("--dry-run",))
    assert versions(warehouse) == before
    run("run_pipeline", "--allow-deletes")
    assert warehouse.star() == loaded.star()


@pytest.mark.parametrize(
    "loss",
    [
        "delete from patient where id > 50",
        "delete from device where id = 2",
        "update patient set hospital = 'South'",
        "delete from patient where id > 30; insert into patient select n from generate_series(31, 80) n",
    ],
)
def test_it_follows_a_source_that_lost_no_more_than_it_may(
    loss: str, loaded: Source, warehouse: Warehouse, run
) -> None:
    loaded.execute(loss)
    run("run_pipeline")
    assert warehouse.star() == loaded.star()


@pytest.mark.parametrize(("percent", "deleted"), [(0, 1), (10, 11), (99, 100)])
def test_it_takes_the_limit_from_the_settings(percent: int, deleted: int, settings, loaded: Source, run) -> None:
    settings.MSK_MAX_DELETE_PERCENT = percent
    loaded.execute(f"delete from patient where id <= {deleted}")
    assert_refused(run, "patient")


def test_it_refuses_a_source_that_has_become_empty_whatever_the_limit(settings, loaded: Source, run) -> None:
    settings.MSK_MAX_DELETE_PERCENT = 100
    loaded.clear()
    assert_refused(run, "the ten tables of the source database are all empty")
    run("run_pipeline", "--allow-deletes")


@pytest.mark.parametrize("source_too", ["truncate patient", "delete from patient where id > 2"])
def test_it_compares_with_what_it_read_last_and_not_with_a_damaged_staging_table(
    source_too: str, loaded: Source, warehouse: Warehouse, run
) -> None:
    warehouse.execute("truncate staging_patient")
    loaded.execute(source_too)
    assert_refused(run, "patient")


@pytest.mark.parametrize("options", [(), ("--full-refresh",)])
def test_it_does_not_take_surplus_staging_rows_for_a_loss(
    options: tuple[str, ...], settings, loaded: Source, warehouse: Warehouse, run
) -> None:
    settings.MSK_MAX_DELETE_PERCENT = 0
    warehouse.execute("insert into staging_patient select t.* from staging_patient t, generate_series(1, 2)")
    run("run_pipeline", *options)
    assert warehouse.star() == loaded.star()
    assert warehouse.value("select count(*) from staging_patient") == 100


@pytest.mark.parametrize("options", [(), ("--full-refresh",)])
def test_it_takes_an_empty_source_the_first_time_when_told_to(
    options: tuple[str, ...], source: Source, warehouse: Warehouse, run
) -> None:
    assert_refused(run, "the ten tables of the source database are all empty", options=options)
    for _ in range(2):
        run("run_pipeline", "--allow-deletes", *options)
    assert warehouse.star() == source.star()


def test_it_counts_one_row_more_or_less_of_equal_ones_as_that(loaded: Source, run) -> None:
    loaded.execute("insert into step_result select * from step_result where patient_id = 9")
    run("run_pipeline")
    assert last_written("step_result") == (3, 0, 0)
    loaded.execute("delete from step_result where ctid in (select max(ctid) from step_result where patient_id = 9)")
    run("run_pipeline")
    assert last_written("step_result") == (0, 0, 1)


def test_it_counts_an_update_as_one(loaded: Source, run) -> None:
    loaded.execute("update patient set hospital = 'South' where id <= 10; delete from patient where id = 11")
    loaded.execute("insert into patient values (101, null, null, null), (102, null, null, null)")
    run("run_pipeline")
    assert last_written("patient") == (2, 10, 1)


def test_a_dry_run_says_what_a_run_would_do_and_writes_nothing(loaded: Source, warehouse: Warehouse, run) -> None:
    loaded.execute("update patient set hospital = 'South' where id <= 10; delete from patient where id = 11")
    before, runs = everything_of(warehouse), PipelineRun.objects.count()
    said = run("run_pipeline", "--dry-run")
    assert "Dry run: msk, nothing was written" in said
    assert (everything_of(warehouse), PipelineRun.objects.count()) == (before, runs)
    really = run("run_pipeline")
    assert counts_of(said) == counts_of(really)
    assert "patient_dimension" in really


def test_every_step_can_be_tried_dry(settings, loaded: Source, warehouse: Warehouse, run) -> None:
    settings.COVID_API_URL = str(COVID_SAMPLE)
    before = everything_of(warehouse)
    loaded.execute("delete from patient where id = 11")
    for command in ("extract_msk", "parse_slugs", "load_msk", "extract_covid", "load_covid"):
        assert "nothing was written" in run(command, "--dry-run")
    assert everything_of(warehouse) == before


def test_a_dry_run_advances_no_sequence(settings, loaded: Source, warehouse: Warehouse, run) -> None:
    settings.COVID_API_URL = str(COVID_SAMPLE)
    loaded.execute("delete from patient where id = 11")
    before = sequences()
    for command in ("extract_msk", "load_msk", "extract_covid", "load_covid"):
        run(command, "--dry-run")
    run("run_pipeline", "--dry-run")
    assert sequences() == before
    run()
    assert sequences() != before
    assert len(warehouse.rejects("step_result")) > 0


def test_a_dry_run_advances_no_sequence_whatever_the_search_path(loaded: Source, warehouse: Warehouse, run) -> None:
    loaded.execute("delete from patient where id = 11")
    name = Identifier(warehouse.connection.info.dbname)
    warehouse.execute(SQL("alter database {} set search_path = public, pg_temp").format(name))
    connections["analytics"].close()
    before = sequences()
    try:
        run("run_pipeline", "--dry-run")
    finally:
        warehouse.execute(SQL("alter database {} reset search_path").format(name))
    assert sequences() == before


def test_a_dry_run_does_not_mind_the_temporary_tables_of_others(loaded: Source, warehouse: Warehouse, run) -> None:
    warehouse.execute("create temp table mine (id bigint generated always as identity)")
    assert "nothing was written" in run("run_pipeline", "--dry-run")


def test_a_dry_run_leaves_no_estimate_of_what_it_undid(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.execute("insert into step_result select 1, date '2024-01-01' + n, '1' from generate_series(1, 500) n")
    warehouse.execute("analyze")
    run("run_pipeline", "--dry-run")
    assert warehouse.value("select max(reltuples) from pg_class where relname ~ 'step_result' and relkind = 'r'") == 0
    run()
    assert warehouse.value("select reltuples from pg_class where relname = 'step_result_fact'") == 500


def test_a_dry_run_leaves_the_record_of_a_run_that_is_gone_as_it_is(loaded: Source, run) -> None:
    gone = PipelineRun.objects.create(source="msk", command="run_pipeline")
    run("run_pipeline", "--dry-run")
    gone.refresh_from_db()
    assert (gone.status, gone.finished) == ("running", None)
    run()
    gone.refresh_from_db()
    assert gone.status == "interrupted"


def sequences() -> list[tuple]:
    """Return how far the sequences of both databases are."""
    query = "select current_database(), sequencename, last_value from pg_sequences where schemaname = 'public'"
    return sorted(row for alias in ("default", "analytics") for row in Database(alias).execute(query))


def everything_of(warehouse: Warehouse) -> dict[str, list]:
    """Return the versions of all rows, and when the star was loaded."""
    return versions(warehouse) | {"load_state": warehouse.execute("select * from load_state order by source")}


def last_written(table: str) -> tuple[int, int, int]:
    """Return (inserted, updated, deleted) of a source table in the last run."""
    (step,) = last_steps(table_name=table)
    return step.inserted, step.updated, step.deleted


def counts_of(summary: str) -> list[list[str]]:
    """Return a printed summary without its title and its seconds."""
    return [line.split()[:-1] for line in summary.splitlines()[1:]]
