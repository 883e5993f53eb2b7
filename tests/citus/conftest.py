"""A warehouse on a coordinator and its workers, beside one on a single server that reads the same source.

Needs the servers in CITUS_HOST, CITUS_PORT and CITUS_WORKERS ("host:port host:port"), where nobody asks for a password.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg2.sql import SQL, Identifier

from analytics.loads.tables import STAR_TABLES
from tests.analytics.test_random_changes import world
from tests.conftest import Source, Warehouse, connect

__all__ = ["world"]  # a fixture

COMPARED = {table.name: "t.*" for table in STAR_TABLES} | {
    "activity_adherence": "t.*",
    "rejected_row": "t.source_table, t.source_key, t.reason, t.detail::text",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/citus/" in str(item.path):
            item.add_marker("citus")


class Worker:
    """A worker's database of the warehouse."""

    def __init__(self, address: str, database: str) -> None:
        self.host, self.port = address.split(":")
        self.database = database

    def execute(self, statement: Any, database: str = "") -> None:
        user = os.environ.get("POSTGRES_USER", "postgres")
        connection = psycopg2.connect(host=self.host, port=self.port, dbname=database or self.database, user=user)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

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


@pytest.fixture(scope="session")
def workers(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Worker]]:
    """Make the test database of the warehouse that of a coordinator with workers."""
    database = connections["analytics"].settings_dict["NAME"]
    workers = [Worker(address, database) for address in os.environ["CITUS_WORKERS"].split()]
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
def both(workers: list[Worker], source: Source, warehouse: Warehouse, run: Callable[..., str]) -> Iterator[Both]:
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
