"""The source: never written, read as of one moment, and refused when it is not what it should be."""

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import InternalError, connections
from psycopg2.sql import SQL, Identifier, Literal

from analytics.loads.star import load_msk
from ingest.models import PipelineRun, StepRun
from ingest.models import source as tables
from ingest.msk.extract import extract_msk
from ingest.msk.parse import parse_slugs
from ingest.msk.snapshot import _check_version, snapshot
from ingest.msk.tables import TABLES
from ingest.runs.errors import PipelineError
from ingest.runs.run import pipeline_run
from tests.analytics.test_star import assert_same
from tests.conftest import Source, Warehouse

MODELS = (
    tables.Schedule,
    tables.Activity,
    tables.Journey,
    tables.JourneyActivity,
    tables.Patient,
    tables.PatientJourney,
    tables.Device,
    tables.Survey,
    tables.StepResult,
    tables.SurveyResult,
)


# Count and digest of each table.
Contents = dict[str, tuple[Any, ...]]


def contents(warehouse: Warehouse) -> Contents:
    """Return a count and a digest of every table of the warehouse: staging, star and all that is kept beside them."""
    tables = warehouse.execute("select tablename from pg_tables where schemaname = 'public'")
    query = SQL("select count(*), sum(hash_record_extended(t, 0)) from {} t")
    return {table: warehouse.execute(query.format(Identifier(table)))[0] for (table,) in tables}


@pytest.fixture
def loaded(small_world: Source, warehouse: Warehouse, run) -> Contents:
    """The warehouse's contents after a run; every table of the source has one more row since."""
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="4000")
    small_world.insert_survey_result()
    run()
    for table in TABLES:
        key = "id" if "id" in table.columns else next(iter(table.columns))
        small_world.insert(table.name, **{key: 2})
    return contents(warehouse)


def refusal(run) -> str:
    """Run the pipeline, which must fail and be on record as failed; return the one line it ends with."""
    with pytest.raises(CommandError) as failure:
        run()
    (line,) = str(failure.value).splitlines()
    record = PipelineRun.objects.latest("pk")
    assert record.status == PipelineRun.Status.FAILED
    assert record.finished is not None
    assert record.error.startswith("Traceback (most recent call last):\n")
    assert line.split(";")[0].split(". ")[0] in " ".join(record.error.split())
    assert line.endswith("The warehouse is as it was.")
    return line


# --- It is never written


def test_it_refuses_to_be_written_through_a_model(source: Source) -> None:
    with pytest.raises(InternalError, match="cannot execute INSERT in a read-only transaction"):
        tables.Patient.objects.create(id=1)
    assert source.value("select count(*) from patient") == 0


@pytest.mark.parametrize(
    ("statement", "verb"),
    [
        ("insert into patient (id) values (1)", "INSERT"),
        ("update patient set sex = 'f'", "UPDATE"),
        ("delete from patient", "DELETE"),
        ("truncate patient", "TRUNCATE TABLE"),
        ("create table note (text text)", "CREATE TABLE"),
        ("alter table patient add note text", "ALTER TABLE"),
        ("drop table patient", "DROP TABLE"),
        ("select id from patient for update", "SELECT FOR UPDATE"),
    ],
)
def test_it_refuses_to_be_written_by_sql(source: Source, statement: str, verb: str) -> None:
    source.insert("patient", id=7, sex="m")
    with (
        connections["msk_db"].cursor() as cursor,
        pytest.raises(InternalError, match=f"cannot execute {verb} in a read-only transaction"),
    ):
        cursor.execute(statement)
    assert source.execute("select * from patient") == [(7, None, "m", None)]


# --- It is read


def test_it_has_a_model_for_each_of_the_ten_tables(source: Source) -> None:
    source.load_sample()
    for model in MODELS:
        table = model._meta.db_table
        count = source.value(SQL("select count(*) from {}").format(Identifier(table)))
        rows = list(model._default_manager.values_list(*(field.name for field in model._meta.concrete_fields)))
        assert model._default_manager.count() == len(rows) == count > 0, table
    assert {model._meta.db_table for model in MODELS} == {table.name for table in TABLES}


def test_it_is_read_as_of_one_moment(source: Source) -> None:
    with snapshot() as source_snapshot:
        cursor = source_snapshot.cursor
        source.insert("patient", id=1)
        source.insert("step_result", patient_id=1, date="2024-01-01", value="10")
        cursor.execute("select count(*) from patient")
        assert cursor.fetchone() == (0,)
        cursor.execute("select count(*) from step_result")
        assert cursor.fetchone() == (0,)


def test_it_lets_a_run_see_nothing_of_what_is_committed_meanwhile(source: Source, warehouse: Warehouse, run) -> None:
    source.load_sample()
    expected = source.star()

    def commit(counts: StepRun) -> None:
        """Move the source on when the run, which has read the patients, comes to the steps."""
        if (counts.step, counts.table_name) == ("extract_msk", "step_result") and not counts.rows_read:
            source.execute("delete from patient where id = (select min(patient_id) from step_result)")
            source.insert("patient", id=999_999)
            source.insert("step_result", patient_id=999_999, date="2024-01-01", value="10")

    with pipeline_run("test", "msk") as one_run:
        one_run.on_table = commit
        extract_msk(one_run)
        parse_slugs(one_run)
        load_msk(one_run)
    assert source.value("select count(*) from patient where id = 999999") == 1
    assert_same(warehouse.star(), expected)

    run()
    assert_same(warehouse.star(), source.star())


# --- It is not what it should be


def test_it_is_missing(loaded: Contents, warehouse: Warehouse, run, monkeypatch) -> None:
    connections["msk_db"].close()
    monkeypatch.setitem(connections["msk_db"].settings_dict, "NAME", "test_no_such_database")
    line = refusal(run)
    assert 'database "test_no_such_database" does not exist' in line
    assert "load msk_db.sql or the sample by docker compose run --rm sql, outside Docker by make source" in line
    assert contents(warehouse) == loaded


def test_it_has_none_of_the_tables(loaded: Contents, source: Source, warehouse: Warehouse, run) -> None:
    source.execute("drop schema public cascade; create schema public")
    name = connections["msk_db"].settings_dict["NAME"]
    assert (
        f"the source database {name} has none of the ten tables in the search_path of its user: load your dump into it"
        in refusal(run)
    )
    assert contents(warehouse) == loaded


def test_it_has_no_row_in_any_table(loaded: Contents, source: Source, warehouse: Warehouse, run) -> None:
    source.clear()
    line = refusal(run)
    assert "the ten tables of the source database are all empty: load your dump into it" in line
    assert contents(warehouse) == loaded


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("drop table device", "table device is missing"),
        ("alter table patient drop column hospital", "column patient.hospital is missing"),
        ("alter table step_result alter value type numeric using 1", "column step_result.value is numeric, not text"),
        (
            "alter table survey_result alter start_time type timestamptz",
            "column survey_result.start_time is timestamp with time zone, not timestamp",
        ),
        (
            "alter table patient rename sex to gender; alter table device rename to devices",
            "column patient.sex is missing; table device is missing",
        ),
    ],
)
def test_it_has_another_shape(
    loaded: Contents, source: Source, warehouse: Warehouse, run, change: str, problem: str
) -> None:
    source.execute(change)
    line = refusal(run)
    name = connections["msk_db"].settings_dict["NAME"]
    assert f"the source database {name} is not as expected: {problem}. Restore what is missing" in line
    assert contents(warehouse) == loaded


def test_it_has_a_table_that_its_user_may_not_read(loaded: Contents, source: Source, warehouse: Warehouse, run) -> None:
    reader = Identifier(f"test_reader_{os.getpid()}")  # roles are the server's: another test run may make its own
    source.execute(SQL("create role {}").format(reader))
    try:
        source.execute(SQL("grant usage on schema public to {}").format(reader))
        source.execute(SQL("grant select on all tables in schema public to {}").format(reader))
        source.execute(SQL("revoke select on step_result from {}").format(reader))
        with connections["msk_db"].cursor() as cursor:
            cursor.execute(SQL("set role {}").format(reader))
        line = refusal(run)
    finally:
        connections["msk_db"].close()
        source.execute(SQL("drop owned by {0}; drop role {0}").format(reader))
    assert "permission denied for table step_result" in line
    assert "grant" in line.lower()
    assert contents(warehouse) == loaded


@pytest.fixture
def reader(source: Source, monkeypatch) -> Iterator[str]:
    """The role by which the pipeline reads the source: no superuser, who may read all that is there now."""
    name = f"test_reader_{os.getpid()}"
    role = Identifier(name)
    password = Literal(connections["msk_db"].settings_dict["PASSWORD"])  # the pipeline's, for a server that asks for it
    source.execute(SQL("create role {} login password {}").format(role, password))
    source.execute(SQL("grant usage on schema public to {}").format(role))
    source.execute(SQL("grant select on all tables in schema public to {}").format(role))
    connections["msk_db"].close()
    with monkeypatch.context() as patch:
        patch.setitem(connections["msk_db"].settings_dict, "USER", name)
        yield name
        connections["msk_db"].close()
    source.execute(SQL("drop owned by {0} cascade; drop role {0}").format(role))


HIDE_PATIENTS = """
alter table patient enable row level security;
create policy some_patients on patient for select using (id > 12)
"""


@pytest.mark.parametrize(
    "stands_between",
    [
        "",
        "alter table patient rename to patients; create view patient as select * from patients",
        "alter table patient rename to patients;"
        " create view patient with (security_barrier) as select * from patients where true",
        "alter table patient rename to patients;"
        " create function visible() returns setof patients language sql security definer as 'select * from patients';"
        " create view patient as select * from visible()",
    ],
    ids=["a table", "a view", "a view with a security barrier", "a function"],
)
def test_it_hides_rows_from_its_user(
    small_world: Source, warehouse: Warehouse, run, reader: str, stands_between: str
) -> None:
    for patient in (13, 14):
        small_world.insert("patient", id=patient)
    run()
    before = contents(warehouse)
    small_world.execute(HIDE_PATIENTS)
    small_world.execute(stands_between or "select")
    # The rights by which a view or function looks are its owner's.
    role = Identifier(reader)
    small_world.execute(SQL("grant create on schema public to {}").format(role))
    if "view patient" in stands_between:
        small_world.execute(SQL("alter view patient owner to {}").format(role))
    if "function" in stands_between:
        small_world.execute(SQL("alter function visible owner to {}").format(role))
    line = refusal(run)
    assert 'query would be affected by row-level security policy for table "patient' in line
    assert f'alter role "{reader}" bypassrls' in line
    assert contents(warehouse) == before

    small_world.execute(SQL("alter role {} bypassrls").format(role))
    connections["msk_db"].close()
    run()
    assert_same(warehouse.star(), small_world.star())


def test_it_may_have_policies_that_do_not_touch_its_user(
    small_world: Source, warehouse: Warehouse, run, reader: str
) -> None:
    small_world.execute(HIDE_PATIENTS)
    small_world.execute(SQL("alter role {} bypassrls").format(Identifier(reader)))
    run()
    assert_same(warehouse.star(), small_world.star())


def test_it_may_differ_where_nothing_is_lost(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.execute(
        """
        alter table patient alter id type smallint, alter sex type text, add note text, drop constraint patient_pkey;
        alter table device rename to devices;
        create view device as select platform::varchar(20), os_version, id from devices
        """
    )
    run()
    assert_same(warehouse.star(), small_world.star())


def test_it_runs_on_a_server_that_is_too_old() -> None:
    # No such server is at hand: this one number is all that the check looks at.
    old: Any = SimpleNamespace(connection=SimpleNamespace(server_version=130023))
    with pytest.raises(PipelineError, match="the source runs PostgreSQL 13: it must be 14 or later"):
        _check_version(old)
