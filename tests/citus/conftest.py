"""A warehouse on a coordinator and its workers, beside one on a single server that reads the same source.

Needs the servers in CITUS_HOST, CITUS_PORT and CITUS_WORKERS ("host:port host:port"), where nobody asks for a password.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg2.sql import SQL, Identifier

from analytics.loads.tables import STAR_TABLES
from tests.analytics.test_random_changes import world
from tests.conftest import Database, Source, Warehouse, connect
from tests.ingest.runs.test_failures import wait_for

__all__ = ["world"]  # a fixture

COMPARED = {table.name: "t.*" for table in STAR_TABLES} | {
    "activity_adherence": "t.*",
    "rejected_row": "t.source_table, t.source_key, t.reason, t.detail::text",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/citus/" in str(item.path):
            item.add_marker("citus")


class Server:
    """The database of the warehouse on one of the servers."""

    def __init__(self, address: str, database: str) -> None:
        self.host, self.port = address.split(":")
        self.database = database

    def connect(self, database: str = "") -> Any:
        user = os.environ.get("POSTGRES_USER", "postgres")
        connection = psycopg2.connect(host=self.host, port=self.port, dbname=database or self.database, user=user)
        connection.autocommit = True
        return connection

    def execute(self, statement: Any, database: str = "", **values: Any) -> list[tuple[Any, ...]]:
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def crash(self, session: str, *, when: Callable[[], None] = lambda: None) -> None:
        """Kill a session after `when`, as a system does that is out of memory: the server ends all, and recovers.

        Skips the test where that would hit others, or the server's processes are not ours to kill.
        """
        ours = ["postgres", *(connections[alias].settings_dict["NAME"] for alias in connections)]
        sessions = "select pid from pg_stat_activity where backend_type = 'client backend' and "
        if others := self.execute(f"{sessions} datname <> all(%(ours)s)", ours=ours):
            pytest.skip(f"a crash of {self.host}:{self.port} would end {len(others)} sessions of other databases")
        ((process,),) = self.execute(f"{sessions} datname = %(name)s and {session} limit 1", name=self.database)
        with self.connect().cursor() as bystander:
            when()
            if not _kill(process, self.database):
                pytest.skip(f"the processes of {self.host}:{self.port} are not on this machine, or not ours to kill")
            wait_for(lambda: _fails(lambda: bystander.execute("select")))
        wait_for(lambda: not _fails(lambda: self.execute("select")))

    @contextmanager
    def down(self) -> Iterator[None]:
        """Let nobody in for the block, as if the server were gone, and end who is."""
        self._let_in("false")
        try:
            yield
        finally:
            self._let_in("true")

    def _let_in(self, word: str) -> None:
        name = Identifier(self.database)
        self.execute(SQL("alter database {} allow_connections " + word).format(name), "postgres")
        self.hang_up()

    def hang_up(self) -> None:
        """End who is in the database, whatever they are at."""
        self.execute(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.database}'", "postgres"
        )


def _kill(process: int, database: str) -> bool:
    with suppress(OSError):  # it is not on this machine, or not ours to kill
        if f" {database} " in Path(f"/proc/{process}/cmdline").read_text():
            os.kill(process, signal.SIGKILL)
            return True
    return False


def _fails(use: Callable[[], Any]) -> bool:
    try:
        use()
    except psycopg2.Error:
        return True
    return False


@pytest.fixture(scope="session")
def workers(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Server]]:
    """Make the test database of the warehouse that of a coordinator with workers."""
    database = connections["analytics"].settings_dict["NAME"]
    workers = [Server(address, database) for address in os.environ["CITUS_WORKERS"].split()]
    create = SQL("create database {}").format(Identifier(database))
    for worker in workers:
        worker.execute("set citus.enable_create_database_propagation = off", "postgres")
        worker.execute(create, "postgres")
        worker.execute("create extension citus")
    with django_db_blocker.unblock():
        coordinator = connect("analytics")
        with coordinator.cursor() as cursor:
            cursor.execute("create extension citus")
            cursor.execute("select citus_set_coordinator_host(%s, %s)", [coordinator.info.host, coordinator.info.port])
            for worker in workers:
                cursor.execute("select citus_add_node(%s, %s)", [worker.host, int(worker.port)])
        coordinator.close()
    yield workers
    for worker in workers:
        worker.execute(SQL("drop database {} with (force)").format(Identifier(database)), "postgres")


class Both:
    """The warehouse on workers, and one on a single server."""

    def __init__(self, run: Callable[..., str], plain: str) -> None:
        self._run = run
        self.plain = plain
        self.distributed = connections["analytics"].settings_dict["NAME"]
        address = connections["analytics"].settings_dict
        self.coordinator = Server(f"{address['HOST']}:{address['PORT'] or 5432}", self.distributed)

    @contextmanager
    def on_one_server(self) -> Iterator[None]:
        """Let the commands in the block work with the warehouse on a single server."""
        self._use(self.plain)
        try:
            yield
        finally:
            self._use(self.distributed)

    def _use(self, database: str) -> None:
        connections["analytics"].close()
        connections["analytics"].settings_dict["NAME"] = database

    def come_back(self, *databases: Database) -> None:
        """Connect anew to the servers of which one has crashed."""
        connections.close_all()
        for database in databases:
            database.connect()

    def run(self, command: str = "run_pipeline", *arguments: str) -> None:
        """Run a command on both."""
        with self.on_one_server():
            self._run(command, *arguments)
        self._run(command, *arguments)

    def differences(self) -> list[str]:
        """Return the tables that do not hold the same rows in both."""
        distributed = self.rows()
        with self.on_one_server():
            plain = self.rows()
        return [table for table in COMPARED if distributed[table] != plain[table]]

    def rows(self) -> dict[str, list[str]]:
        warehouse = Warehouse("analytics")
        try:
            return {
                table: sorted(
                    map(str, warehouse.execute(SQL("select " + columns + " from {} t").format(Identifier(table))))
                )
                for table, columns in COMPARED.items()
            }
        finally:
            warehouse.connection.close()


@pytest.fixture
def both(workers: list[Server], source: Source, warehouse: Warehouse, run: Callable[..., str]) -> Iterator[Both]:
    """Both warehouses, empty: that of the coordinator is not distributed yet."""
    call_command("distribute_warehouse", "--undo")
    plain = f"{connections['analytics'].settings_dict['NAME']}_plain"
    both = Both(run, plain)
    warehouse.execute("set citus.enable_create_database_propagation = off")
    warehouse.execute(SQL("create database {}").format(Identifier(plain)))
    with both.on_one_server():
        call_command("migrate", database="analytics", verbosity=0)
    yield both
    call_command("distribute_warehouse", "--undo")
    warehouse.execute(SQL("drop database {} with (force)").format(Identifier(plain)))
