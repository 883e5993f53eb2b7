"""Three real databases for the tests, and the means to write to the source and to look into the warehouse."""

import gc
import importlib.util
import io
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
import psycopg2
import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command
from django.db import connections
from django.test.utils import setup_databases
from psycopg2.sql import SQL, Identifier, Placeholder
from pytest_django import Settings

from ingest.models import PipelineRun, StepRun
from sample_data.generator.msk import msk_sql
from tests.recompute import read_star, recompute

DAY_SECONDS = 24 * 60 * 60
SAMPLE = settings.BASE_DIR / "sample_data" / "msk_db.sql"
COVID_SAMPLE = settings.BASE_DIR / "sample_data" / "covid" / "v2"

# A slow machine is no failure.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

# As in production, but not a million times over, which takes half a second a password.
PBKDF2PasswordHasher.iterations = 1_000


def connect(alias: str, **changes: Any) -> Any:
    """Return a connection of its own to the database behind `alias`, in autocommit, free of our session's options."""
    parameters = connections[alias].get_connection_params() | changes
    connection = psycopg2.connect(**{k: v for k, v in parameters.items() if k not in ("options", "cursor_factory")})
    connection.autocommit = True
    return connection


def last_steps(**which: Any) -> list[StepRun]:
    """Return what the last run did, a step and table each, in order."""
    return list(StepRun.objects.filter(run=PipelineRun.objects.latest("pk"), **which).order_by("pk"))


Written = dict[str, list[tuple[Any, ...]]]


class Database:
    """A database seen through a connection that is not the pipeline's."""

    def __init__(self, alias: str, **changes: Any) -> None:
        self.address = (alias, changes)
        self.connect()

    def connect(self) -> None:
        alias, changes = self.address
        self.connection = connect(alias, **changes)

    def execute(self, statement: Any, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, if it has any."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, query: Any, *values: Any) -> Any:
        """Return the one value that `query` gives."""
        ((value,),) = self.execute(query, *values)
        return value

    def load(self, dump: Path) -> None:
        """Load a dump in the place of what is there."""
        self.execute("drop schema public cascade; create schema public")
        self.psql("-q", "-o", os.devnull, "-f", str(dump))

    def psql(self, *arguments: str, script: str = "") -> str:
        """Run psql, as somebody would who has no settings of their own, and return what it prints."""
        address = self.connection.info
        return subprocess.run(
            ["psql", "-X", "-v", "ON_ERROR_STOP=1", *arguments],
            input=script,
            env=os.environ
            | {"PGHOST": address.host, "PGPORT": str(address.port), "PGUSER": address.user}
            | {"PGPASSWORD": address.password, "PGDATABASE": address.dbname, "PGCLIENTENCODING": "UTF8"},
            encoding="utf-8",
            stdout=subprocess.PIPE,
            check=True,
        ).stdout


class Source(Database):
    """The operational database, as its owner sees it."""

    as_delivered = ""  # its DEFINITIONS when it was last cleared

    def insert(self, table: str, **row: Any) -> None:
        self.execute(
            SQL("insert into {} ({}) values ({})").format(
                Identifier(table),
                SQL(", ").join(map(Identifier, row)),
                SQL(", ").join(Placeholder() * len(row)),
            ),
            *row.values(),
        )

    def load_sample(self) -> None:
        self.load(SAMPLE)

    def insert_survey_result(self, **changes: Any) -> None:
        """Insert survey result 1, answered within the small world's window, with `changes`."""
        row = {"id": 1, "patient_journey_id": 1, "survey_id": 1, "activity_id": 1, "device_id": 1, "score_value": 5}
        times = {"start_time": "2024-03-08 09:00", "end_time": "2024-03-08 09:05"}
        self.insert("survey_result", **row | times | changes)

    def star(self) -> dict[str, dict[Any, Any]]:
        """Return the star as it should be for what the source holds."""
        return recompute(self.connection)

    def clear(self) -> None:
        """Leave the ten tables empty, and as they are delivered."""
        if Source.as_delivered == self.value(DEFINITIONS):
            self.execute(TRUNCATE_EVERYTHING)
        else:
            self.execute("drop schema public cascade; create schema public")
            self.execute(EMPTY_SOURCE)
        Source.as_delivered = self.value(DEFINITIONS)


class Warehouse(Database):
    """The analytics database, as an analyst sees it."""

    def rejects(self, table: str) -> list[tuple[str, str]]:
        """Return (source_key, reason) of the rejected rows of a source table."""
        return self.execute("select source_key, reason from rejected_row where source_table = %s order by 1, 2", table)

    def star(self) -> dict[str, dict[Any, Any]]:
        """Return the star as it is, in the form in which `Source.star` gives what it should be."""
        return read_star(self.connection)


EMPTY_SOURCE = """
create table schedule (id integer primary key, slug varchar);
create table activity (id integer primary key, content_slug varchar, schedule_id integer);
create table journey (id integer primary key, abbreviation varchar, joint_slug varchar);
create table journey_activity (journey_id integer, activity_id integer);
create table patient (id integer primary key, age_bracket varchar, sex varchar, hospital varchar);
create table patient_journey (
    id integer primary key, patient_id integer, journey_id integer, invitation_date date, registration_date date,
    operation_date date, discharge_date date, consent_date date, clinician_id integer
);
create table device (id integer primary key, platform varchar, os_version varchar);
create table survey (id integer primary key, slug varchar, version varchar, tags varchar[]);
create table step_result (patient_id integer, date date, value varchar);
create table survey_result (
    id integer primary key, patient_journey_id integer, survey_id integer, activity_id integer, device_id integer,
    score_value integer, start_time timestamp, end_time timestamp
);
"""


# A digest of all that the database's catalogue says, each row with the transaction that wrote it. To make ten tables
# anew takes ten times as long as to see that no test has changed them.
DEFINITIONS = """
select md5(concat_ws(' ',
           (select array_agg((oid, xmin) order by oid)::text from pg_class where oid >= 16384),
           (select array_agg((attrelid, attnum, xmin) order by attrelid, attnum)::text
              from pg_attribute where attrelid >= 16384),
           (select array_agg((oid, xmin) order by oid)::text from pg_proc where oid >= 16384),
           (select array_agg((oid, xmin) order by oid)::text from pg_type where oid >= 16384),
           (select array_agg((oid, xmin) order by oid)::text from pg_constraint where oid >= 16384),
           (select array_agg((oid, xmin) order by oid)::text from pg_namespace),
           (select array_agg((oid, xmin) order by oid)::text from pg_policy),
           (select array_agg((oid, xmin) order by oid)::text from pg_trigger),
           (select array_agg((oid, xmin) order by oid)::text from pg_default_acl)))
"""


# The image has not what these need.
collect_ignore = [
    folder
    for folder, needed in (("deploy", "yaml"), ("handbook", "handbook"), ("docs/test_extend.py", "handbook"))
    if importlib.util.find_spec(needed) is None
]
# What people see, runs as processes of their own that are stopped and killed, and what else takes long.
NOT_QUICK = (
    *("access", "analytics/admin", "analytics/exports", "analytics/pages", "browser", "deploy", "handbook"),
    *("ingest/runs", "analytics/test_random_changes.py", "docs/test_extend.py", "upgrade"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help=f"leave out {', '.join(NOT_QUICK)}")
    parser.addoption("--renew", action="store_true", help="write into docs/ what the code gives now, not compare them")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what is not quick, if that is asked for."""
    is_slow = collection_path in {Path(__file__).parent / place for place in NOT_QUICK}
    return True if is_slow and config.option.quick else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests that take longest begin first, so that no process works at one when all others are done."""
    items.sort(key=lambda item: not item.get_closest_marker("long"))


def pytest_runtest_setup() -> None:
    """Let no test begin just before midnight: what is today as it begins is not so at its end."""
    left = DAY_SECONDS - time.time() % DAY_SECONDS
    if left < 20:
        time.sleep(left)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what is there before the first test, and stays: a sixth of all the work."""
    gc.freeze()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many processes share the tests of `make test`, each with databases of its own.

    One more than there are cores, as tests wait for servers and processes; no more than the server has connections for,
    and one alone for a file or what -k picks, which is done before a second one has made its databases.
    """
    is_little = config.option.keyword or config.option.lf or (len(config.args) == 1 and ".py" in config.args[0])
    return 0 if is_little else min((os.cpu_count() or 1) + 1, 6)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Create three test databases; the source's apart, because Django's connection to it cannot create anything."""
    with django_db_blocker.unblock():
        for alias in ("default", "analytics"):
            connections[alias].settings_dict["TEST"]["NAME"] = database_name(alias)
        setup_databases(verbosity=0, interactive=False, aliases=dict.fromkeys(("default", "analytics")))
        server = Database("msk_db", dbname="postgres")
        name = database_name("msk_db")
        server.execute(SQL("create database {}").format(Identifier(name)))
        connections["msk_db"].settings_dict["NAME"] = name
        for alias in connections:  # a commit need not wait for the disk: nobody pulls the plug
            named = Identifier(connections[alias].settings_dict["NAME"])
            server.execute(SQL("alter database {} set synchronous_commit = off").format(named))
        connections.close_all()
        yield
        connections.close_all()
        server.connect()  # anew, as tests may have crashed the server
        for alias in connections:  # by force: the server may not have noticed yet that a killed run is gone
            named = Identifier(connections[alias].settings_dict["NAME"])
            server.execute(SQL("drop database {} with (force)").format(named))
        server.connection.close()


def database_name(alias: str) -> str:
    """Return the name of a test database that no other test run uses at the same time."""
    return f"test_{connections[alias].settings_dict['NAME']}_{os.getpid()}"


@pytest.fixture
def databases(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let a test use the databases as the commands do, with real commits; they are empty at its beginning.

    But for a test that wants the star: it finds the one that is there, if nobody has written to it since.
    """
    with django_db_blocker.unblock():
        KeptStar.is_there = "star" in request.fixturenames and bool(KeptStar.written) and KeptStar.written == written()
        kept = KeptStar.RUN_LOG if KeptStar.is_there else ()
        for alias in ("default",) if kept else ("default", "analytics"):
            with connections[alias].cursor() as cursor:
                cursor.execute("select set_config('tests.kept', %s, false)", [" ".join(kept)])
                cursor.execute(TRUNCATE_EVERYTHING)
        yield
        connections.close_all()


class KeptStar:
    """The star that a test has left, for the next that wants it: to load it takes ten times as long as to see it."""

    RUN_LOG = ("pipeline_run", "step_run")  # what of the default database belongs to it
    written: ClassVar[Written] = {}  # what says so, once there is one
    is_there = False  # whether the test at work has found it


def written() -> Written:
    """Return of each table of the star, of its sources and of the run log what no write leaves as it was."""
    found = {}
    for alias in connections:
        with connections[alias].cursor() as cursor:
            cursor.execute("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'")
            tables = {name for (name,) in cursor.fetchall()}
            if alias == "default":
                tables &= {*KeptStar.RUN_LOG}
            # xmin is the transaction that wrote a row.
            one = """select '{0}', count(*), sum(xmin::text::bigint) from public."{0}" """
            cursor.execute("union all ".join(map(one.format, sorted(tables))) or "select")
            found[alias] = cursor.fetchall()
    connections["msk_db"].close()
    return found


# What has no page is empty: to truncate it, too, makes and removes hundreds of files, a quarter of a second a test.
TRUNCATE_EVERYTHING = """
do $$ begin
    -- access_log lets nobody empty it, but whose session fires no trigger.
    perform set_config('session_replication_role', 'replica', true);
    execute (select coalesce('truncate ' || string_agg(oid::regclass::text, ', ') || ' cascade', 'select')
               from pg_class
              where relnamespace = 'public'::regnamespace
                and relkind = 'r'
                and pg_relation_size(oid) > 0
                and relname not in ('django_migrations', 'django_content_type', 'auth_permission', 'auth_group',
                                    'auth_group_permissions', 'committed_run', 'access_log_days')
                and relname <> all(string_to_array(coalesce(current_setting('tests.kept', true), ''), ' ')));
end $$
"""


@pytest.fixture
def source(databases: None) -> Iterator[Source]:
    """The source with its ten tables empty, but for a test that wants the star."""
    source = Source("msk_db")
    if not KeptStar.is_there:
        source.clear()
    yield source
    source.connection.close()


@pytest.fixture(scope="session")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump as untidy as the sample, of 60 patients and 100 days: a tenth of its rows, as it is loaded many times."""
    path = tmp_path_factory.mktemp("dump") / "msk_db.sql"
    path.write_text("".join(msk_sql(patients=60, days=100, seed=1)))
    return path


@pytest.fixture(scope="session")
def covid_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first 60 days of the COVID sample: a sixth of it, as it is loaded many times."""
    history = json.loads((COVID_SAMPLE / "us" / "daily.json").read_text())
    folder = tmp_path_factory.mktemp("covid")
    (folder / "us").mkdir()
    (folder / "us" / "daily.json").write_text(json.dumps(history | {"data": history["data"][-60:]}))
    return folder


@pytest.fixture
def small_world(source: Source) -> Source:
    """One of each: patient 1 in journey 1, operated on 1 March 2024, with an activity due 7 to 10 days later."""
    source.insert("schedule", id=1, slug="7d-10d-post-op")
    source.insert("activity", id=1, content_slug="pain-diary", schedule_id=1)
    source.insert("journey", id=1, abbreviation="THR", joint_slug="hip")
    source.insert("journey_activity", journey_id=1, activity_id=1)
    source.insert("patient", id=1, age_bracket="60-69", sex="f", hospital="North")
    source.insert("patient_journey", id=1, patient_id=1, journey_id=1, operation_date="2024-03-01")
    source.insert("device", id=1, platform="iOS", os_version="17.1")
    source.insert("survey", id=1, slug="pain", version="1", tags=["short"])
    return source


@pytest.fixture
def star(source: Source, dump: Path, covid_folder: Path, run: Callable[..., str], settings: Settings) -> None:
    """The star of a dump as untidy as the sample, and of some COVID days."""
    settings.COVID_API_URL = str(covid_folder)
    if not KeptStar.is_there:
        source.load(dump)
        run()
        run("run_pipeline", "--only", "covid")
        KeptStar.written = written()


@pytest.fixture
def warehouse(databases: None) -> Iterator[Warehouse]:
    warehouse = Warehouse("analytics")
    yield warehouse
    warehouse.connection.close()


@pytest.fixture
def run(databases: None) -> Callable[..., str]:
    """Return a function that runs a management command and returns what it printed; run_pipeline for msk alone."""

    def run(command: str = "run_pipeline", *arguments: str) -> str:
        out = io.StringIO()
        if command == "run_pipeline" and "--only" not in arguments:
            arguments += ("--only", "msk")
        call_command(command, *arguments, stdout=out)
        return out.getvalue()

    return run
