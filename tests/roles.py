"""Roles of the databases for the tests: with names of their own, as all test runs share the server's roles."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connections
from psycopg2.sql import SQL, Identifier

from analytics.roles import prepare_roles
from tests.conftest import Database

LOGINS = {
    role: {"USER": f"msk_{role}_{os.getpid()}", "PASSWORD": f"of the {role}, 'quoted' %s"}
    for role in ("loader", "web", "reader")
}


@pytest.fixture
def roles(databases: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The three roles, as prepare_databases makes them; gone after the test, with all that they were given."""
    monkeypatch.setattr(settings, "DATABASE_ROLES", LOGINS)
    prepare_roles()
    yield
    connections.close_all()
    drop_roles()


def drop_roles() -> None:
    """Let go of the roles and of all that they were given."""
    server = Database("default")
    for login in LOGINS.values():
        name = Identifier(login["USER"])
        if server.execute("select 1 from pg_roles where rolname = %s", login["USER"]):
            for alias in connections:
                database = Database(alias)
                database.execute(SQL("drop owned by {}").format(name))
                database.connection.close()
            server.execute(SQL("drop role {}").format(name))
    server.connection.close()


def as_role(role: str, alias: str) -> Database:
    """Return a database as the role sees it that has logged in."""
    login = LOGINS[role]
    return Database(alias, user=login["USER"], password=login["PASSWORD"])


@contextmanager
def acting(role: str) -> Iterator[None]:
    """Let all that Django does in the block be done by a role; what a test looks at by itself is not."""
    logins = dict.fromkeys(("default", "analytics"), LOGINS[role])
    if role == "loader":
        logins["msk_db"] = LOGINS["reader"]
    connections.close_all()
    with pytest.MonkeyPatch.context() as patch:
        for alias, login in logins.items():
            for name, value in login.items():
                patch.setitem(connections[alias].settings_dict, name, value)
        yield
        connections.close_all()
