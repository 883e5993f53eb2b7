"""What a server says, and the remedy that goes with it; said by real servers."""

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connections, transaction
from psycopg2.sql import SQL, Identifier, Literal

from ingest.runs.errors import explain, masked, story
from tests.analytics.test_star import assert_same
from tests.conftest import Database, Source, Warehouse, connect
from tests.ingest.runs.test_failures import (
    RIGHT,
    Server,
    backends,
    end,
    environment,
    guarded,
    held_up,
    last_status,
    loaded,
    manage,
    only_line,
    wait_for,
)
from tests.ingest.test_source import Contents, contents

__all__ = ["guarded", "loaded"]  # fixtures


@pytest.fixture
def server(databases: None) -> Iterator[Database]:
    """The server as its administrator sees it."""
    server = Database("default")
    yield server
    server.connection.close()


def said_by(server: Database, statement: str) -> str:
    """Return how the error is explained in which `statement` ends."""
    with pytest.raises(psycopg2.Error) as failure:
        server.execute(statement)
    return explain(failure.value)


def raised(server: Database, message: str, state: str) -> str:
    """Return how an error of the server is explained that has this message and SQLSTATE."""
    return said_by(server, f"do $$ begin raise '{message}' using errcode = '{state}'; end $$")


def refused(**changes: object) -> str:
    """Return how it is explained that a server does not let us in."""
    with pytest.raises(psycopg2.OperationalError) as failure:
        connect("default", **changes)
    return explain(failure.value)


# --- A statement that was cancelled


def test_it_does_not_blame_a_time_limit_when_somebody_cancels_a_statement(
    loaded: Contents, source: Source, warehouse: Warehouse
) -> None:
    with held_up("analytics", "patient_dimension") as (running, _):
        for pid in backends("analytics"):
            warehouse.execute("select pg_cancel_backend(%s)", pid)
        line = only_line(end(running))
    assert "canceling statement due to user request (load_msk, patient_dimension); somebody cancelled it" in line
    assert "STATEMENT_TIMEOUT_SECONDS" not in line
    assert last_status() == "failed"
    assert contents(warehouse) == loaded


def test_it_names_the_time_limit_that_ran_out(server: Database) -> None:
    line = said_by(server, "set statement_timeout = 1; select pg_sleep(5)")
    assert line == (
        "canceling statement due to statement timeout; raise STATEMENT_TIMEOUT_SECONDS, and run the command again"
    )


def test_it_names_both_reasons_when_the_server_speaks_another_language(server: Database) -> None:
    line = raised(server, "annulation de la requête", "57014")
    assert "if its time ran out, raise STATEMENT_TIMEOUT_SECONDS; if somebody cancelled it, run" in line


def test_it_names_a_lock_that_was_not_to_be_had_in_time(server: Database) -> None:
    holder = Database("default")
    holder.execute("select pg_advisory_lock(1)")
    line = said_by(server, "set lock_timeout = 1; select pg_advisory_lock(1)")
    holder.connection.close()
    assert "canceling statement due to lock timeout; somebody holds it longer than the server's lock_timeout" in line


def test_it_says_what_to_do_about_a_standby_that_could_not_wait(server: Database) -> None:
    line = raised(server, "canceling statement due to conflict with recovery", "40001")
    assert "the source is a standby" in line
    assert "max_standby_streaming_delay or hot_standby_feedback" in line


# --- What it quotes of a row: nothing

DATUM = "Kanarienvogel"
QUOTING = {
    "select 'DATUM'::integer": 'invalid input syntax for type integer: "…"',
    "select E'DATUM\nDATUM'::integer": 'invalid input syntax for type integer: "…"',
    "select E'1\nfailed: FATAL:  DATUM'::integer": 'invalid input syntax for type integer: "…"',
    "select 'DATUM'::date": 'invalid input syntax for type date: "…"',
    "select '2024-02-30 DATUM'::date": 'invalid input syntax for type date: "…"',
    "select '91827364555'::integer": 'value "…" is out of range for type integer',
    "select '2024-02-91827364'::date": 'date/time field value out of range: "…"',
    "select make_date(91827364, 1, 1)": "date out of range: …",
    "select '{DATUM'::text[]": 'malformed array literal: "…"',
    "select '{DATUM}'::jsonb": "invalid input syntax for type json",
    "select to_date('DATUM', 'YYYY')": 'invalid value "…"',
    "select convert_from('\\x4b916e617269656e', 'UTF8')": 'invalid byte sequence for encoding "…": …',
    "selekt 'DATUM'": 'syntax error at or near "…"',
    "select 1 'DATUM' 91827364": 'syntax error at or near "…"',
    "do $$ begin raise 'DATUM is wrong'; end $$": "RaiseException (SQLSTATE P0001)",
    "do $$ begin raise 'DATUM is wrong' using errcode = '23505'; end $$": "UniqueViolation (SQLSTATE 23505)",
    "do $$ begin raise 'DATUM is wrong' using errcode = 'ZZ123'; end $$": "(SQLSTATE ZZ123)",
    "do $$ begin assert false, 'DATUM is wrong'; end $$": "AssertFailure (SQLSTATE P0004)",
    "do $$ begin raise 'DATUM is wrong' using errcode = '22P02'; end $$": "InvalidTextRepresentation (SQLSTATE 22P02)",
    "create temp table a (b text check (b = '')); insert into a values ('DATUM')": 'check constraint "a_b_check"',
    "create temp table a (b text primary key); insert into a values ('DATUM'), ('DATUM')": 'unique constraint "a_pkey"',
    "create temp table a (b text, c int not null); insert into a values ('DATUM')": 'null value in column "c" of',
}


@pytest.mark.parametrize(("statement", "said"), QUOTING.items())
def test_it_quotes_no_value_that_the_server_refuses(server: Database, statement: str, said: str) -> None:
    line = said_by(server, statement.replace("DATUM", DATUM))
    assert said in line
    assert not re.search(f"{DATUM}|91827364|4b|91|Failing|Key", line)


@pytest.mark.parametrize(
    "marks", ['"{}"', "»{}«", "« {} »", "«{}»", "„{}“", "“{}”", "「{}」"], ids=["", "de", "fr", "es", "pl", "zh", "ja"]
)
def test_it_quotes_no_value_in_whatever_language_the_server_refuses_it(marks: str) -> None:
    message = masked(f"valeur d'entrée {marks.format(DATUM)} : 91827364, 0xe9")
    assert message.startswith("valeur d")
    assert not re.search(f"{DATUM}|9182|0xe9", message)


def test_it_names_the_column_of_a_copy_that_fails(server: Database) -> None:
    server.execute("create temp table kept (number integer, other text)")
    with pytest.raises(psycopg2.Error) as failure, server.connection.cursor() as cursor:
        cursor.copy_expert("copy kept from stdin", io.StringIO(f"1\tx\n{DATUM}\tx\n"))
    assert DATUM in (failure.value.diag.context or "")
    line = explain(failure.value)
    assert line.startswith('invalid input syntax for type integer: "…" (kept.number); ')
    assert DATUM not in line


def test_it_says_of_an_error_that_nobody_foresaw_what_and_where_it_was_and_not_its_words() -> None:
    with pytest.raises(ValueError, match=DATUM) as failure:
        raise ValueError(f"{DATUM} is no number")
    failure.value.add_note("load_msk, patient_dimension")
    failure.value.add_note(f"when serializing {DATUM}")
    line = explain(failure.value)
    assert re.fullmatch(
        r"ValueError at tests/ingest/runs/test_errors\.py:\d+ \(load_msk, patient_dimension\) \(--traceback .*\)", line
    )
    assert DATUM not in story(failure.value)
    assert explain(OSError(28, "…", DATUM)).startswith("OSError: No space left on device (")


def test_a_command_that_nobody_caught_quotes_no_row(server: Database) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, manage; from django.core import management\n"
            "sys.argv = ['manage.py', 'check', *sys.argv[1:]]\n"
            "def fail(arguments): raise ValueError('Kanarienvogel')\n"
            "manage.execute_from_command_line = fail\nmanage.main()",
        ],
        cwd=settings.BASE_DIR,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "ValueError at " in ended.stderr
    assert "in fail" in ended.stderr
    assert DATUM not in ended.stderr


# --- A server that does not let anybody in


without_passwords = pytest.mark.skipif(
    not settings.EMBEDDED, reason="a server that asks for a password tells nobody that there is no such role"
)


@without_passwords
def test_it_says_how_to_make_a_role_that_does_not_exist(databases: None) -> None:
    assert refused(user="nobody_of_ours").endswith(
        'FATAL: role "nobody_of_ours" does not exist; check POSTGRES_USER, or MSK_SOURCE_USER for the source; '
        'create role "nobody_of_ours" login makes it'
    )


@without_passwords
def test_it_says_so_of_a_run_whose_source_has_no_such_role(loaded: Contents, warehouse: Warehouse) -> None:
    line = only_line(manage("run_pipeline", MSK_SOURCE_USER="nobody_of_ours"))
    assert 'role "nobody_of_ours" does not exist; check POSTGRES_USER, or MSK_SOURCE_USER for the source' in line
    assert "is the server up" not in line
    assert contents(warehouse) == loaded


@pytest.fixture
def role(server: Database) -> Iterator[str]:
    """A role that may log in, of which no other test run makes use at the same time."""
    name = f"test_role_{os.getpid()}"
    password = Literal(connections["default"].settings_dict["PASSWORD"])  # ours, for a server that asks for it
    server.execute(SQL("create role {} login password {}").format(Identifier(name), password))
    yield name
    server.execute(SQL("drop role {}").format(Identifier(name)))


def test_it_says_how_to_let_a_role_log_in(server: Database, role: str) -> None:
    server.execute(SQL("alter role {} nologin").format(Identifier(role)))
    assert f'alter role "{role}" login lets it in' in refused(user=role)


def test_it_says_when_a_role_has_as_many_connections_as_it_may(server: Database, role: str) -> None:
    server.execute(SQL("alter role {} connection limit 0").format(Identifier(role)))
    line = refused(user=role)
    assert f'too many connections for role "{role}"; run the command again when others have gone' in line


def test_it_says_how_to_open_a_database(server: Database, role: str) -> None:
    name = f"{connections['default'].settings_dict['NAME']}_closed"
    database = Identifier(name)
    server.execute(SQL("create database {}").format(database))
    try:
        server.execute(SQL("revoke connect on database {} from public").format(database))
        assert f'grant connect on database "{name}" to the user' in refused(user=role, dbname=name)
        server.execute(SQL("alter database {} allow_connections false").format(database))
        assert f'alter database "{name}" allow_connections true opens it' in refused(dbname=name)
    finally:
        server.execute(SQL("drop database {}").format(database))


def sign_in(guarded: Server, **changes: str) -> str:
    """Return how it is explained that the guarded server does not let us in; "" when it does."""
    address: dict[str, Any] = {
        "host": guarded["HOST"],
        "port": guarded["PORT"],
        "dbname": "postgres",
        "user": guarded["USER"],
    }
    try:
        psycopg2.connect(**address | {"password": RIGHT} | changes).close()
    except psycopg2.OperationalError as error:
        return explain(error)
    return ""


def test_it_speaks_of_pg_hba_conf_when_the_server_does_not_take_the_user_from_here(guarded: Server) -> None:
    owner = psycopg2.connect(
        host=guarded["HOST"], port=guarded["PORT"], dbname="postgres", user=guarded["USER"], password=RIGHT
    )
    with owner.cursor() as cursor:
        cursor.execute("select current_setting('hba_file'), pg_read_file(current_setting('hba_file'))")
        ((path, lines),) = cursor.fetchall()
        cursor.execute(
            SQL("copy (select unnest(array['host all stranger all reject'] || {}::text[])) to {}").format(
                Literal(lines.splitlines()), Literal(path)
            )
        )
        cursor.execute("select pg_reload_conf()")
    owner.close()
    wait_for(lambda: "pg_hba.conf rejects connection" in sign_in(guarded, user="stranger"))
    line = sign_in(guarded, user="stranger")
    assert "let the user in from this machine by a line of the server's pg_hba.conf" in line


def test_it_names_the_version_that_it_needs_when_the_server_does_not_know_a_setting(databases: None) -> None:
    parameters: dict[str, Any] = connections["default"].get_connection_params() | {"options": "-c no_such_limit=1"}
    with pytest.raises(psycopg2.OperationalError) as failure:
        psycopg2.connect(**parameters)
    line = explain(failure.value)
    assert 'unrecognized configuration parameter "no_such_limit"; the server must be PostgreSQL 14 or later' in line


def test_it_does_not_ask_whether_a_server_is_up_that_answered_in_another_language(databases: None) -> None:
    refusal = psycopg2.OperationalError('connection to server at "::1", port 5432 failed: ВАЖНО:  роль не существует')
    assert explain(refusal).endswith(
        "роль не существует; the server is up and refuses the connection: mend what it says, and run the command again"
    )


# --- Limits of the server for sessions that take long


LIMITS = {
    "idle_in_transaction_session_timeout": 90_600,
    "idle_session_timeout": 140_000,
    "transaction_timeout": 170_000,
}


# Short, but long enough for a slow machine to lift the limit from a new connection.
LIMIT_MS, IDLE_SECONDS = 250, 0.35


@contextmanager
def limited(alias: str, limit: str) -> Iterator[None]:
    """Give the database `alias` a limit that is soon reached, as its administrator may."""
    database = Identifier(connections[alias].settings_dict["NAME"])
    owner = Database(alias)
    if owner.connection.server_version < LIMITS[limit]:
        pytest.skip(f"the server does not have {limit}")
    connections[alias].close()
    owner.execute(SQL(f"alter database {{}} set {limit} = {LIMIT_MS}").format(database))
    try:
        yield
    finally:
        connections[alias].close()
        owner.execute(SQL(f"alter database {{}} reset {limit}").format(database))
        owner.connection.close()


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("alias", ["default", "analytics", "msk_db"])
def test_it_is_not_cut_off_by_a_limit_of_the_server_for_who_is_idle(databases: None, alias: str, limit: str) -> None:
    held = nullcontext() if limit == "idle_session_timeout" else transaction.atomic(using=alias)
    with limited(alias, limit), connections[alias].cursor() as cursor, held:
        cursor.execute("select 1")
        time.sleep(IDLE_SECONDS)
        cursor.execute("select 1")


@pytest.mark.parametrize(
    ("idle", "busy", "table"),
    [("analytics", "msk_db", "step_result"), ("msk_db", "analytics", "staged_bucket")],
    ids=["the warehouse, while the source is read", "the source, while the warehouse is asked"],
)
def test_a_run_may_be_idle_at_one_server_while_it_works_at_the_other(
    loaded: Contents, source: Source, warehouse: Warehouse, idle: str, busy: str, table: str
) -> None:
    with limited(idle, "idle_in_transaction_session_timeout"), held_up(busy, table) as (running, go_on):
        time.sleep(IDLE_SECONDS)
        go_on()
        code, _, stderr = end(running)
    assert (code, stderr) == (0, "")
    assert_same(warehouse.star(), source.star())


@pytest.mark.skipif(not settings.EMBEDDED, reason="the log of a server of one's own is its owner's affair")
def test_the_embedded_server_writes_no_row_into_its_log(server: Database) -> None:
    datum = f"Kanarienvogel {os.getpid()}"
    said_by(server, f"select '{datum}'::integer")
    server.execute("select pg_reload_conf()")  # which it logs
    log = (Path(settings.POSTGRES_HOST) / "log").read_text(errors="replace")
    assert "reloading configuration files" in log
    assert datum not in log
