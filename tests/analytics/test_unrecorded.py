"""manage.py check --deploy: whether reads by SQL are on record, asked of real servers, one of them with pgaudit."""

import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg2.sql import SQL, Identifier
from pytest_django import Settings

from analytics.unrecorded import unrecorded
from tests.conftest import Warehouse

WITH_PGAUDIT = [Path(found).parent.parent for found in glob("/usr/lib/postgresql/*/lib/pgaudit.so")]  # noqa: PTH207


def check() -> str:
    out = io.StringIO()
    call_command("check", deploy=True, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def ann(warehouse: Warehouse) -> Iterator[str]:
    """An analyst, who may read the star by the role that grant_analyst makes."""
    role, ann = f"analysts_{os.getpid()}", f"ann_{os.getpid()}"
    call_command("grant_analyst", role=role, stdout=io.StringIO())
    warehouse.execute(SQL("create role {} login in role {}").format(Identifier(ann), Identifier(role)))
    yield ann
    for each in (ann, role):
        for alias in ("analytics", "default"):
            with connections[alias].cursor() as cursor:
                cursor.execute(SQL("drop owned by {}").format(Identifier(each)))
        warehouse.execute(SQL("drop role {}").format(Identifier(each)))


def test_it_says_of_whom_no_read_is_on_record(ann: str) -> None:
    said = check()
    assert "(access.W001)" in said
    assert f"which patients {ann} looked at by SQL" in said
    assert "pgaudit is not in its shared_preload_libraries" in said
    assert "docs/security.md" in said


def test_it_says_nothing_where_the_project_alone_reads_the_star(warehouse: Warehouse) -> None:
    assert "access.W" not in check()


def test_it_says_that_it_does_not_know_where_the_server_does_not_answer(
    warehouse: Warehouse, settings: Settings
) -> None:
    connections["analytics"].close()
    there = connections["analytics"].settings_dict
    name, there["NAME"] = there["NAME"], "nowhere"
    try:
        assert "Whether reads by SQL are recorded is not known" in check()
    finally:
        connections["analytics"].close()
        there["NAME"] = name


@pytest.fixture
def audited() -> Iterator[Any]:
    """A connection to a server that has loaded pgaudit, with a table of the star that ann may read."""
    if not WITH_PGAUDIT:
        pytest.skip("there is no PostgreSQL with pgaudit: apt-get install postgresql-15-pgaudit")
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root

    def run(program: str, *arguments: str) -> None:
        command: list[str | Path] = [WITH_PGAUDIT[0] / "bin" / program, "-D", f"{folder}/data", *arguments]
        subprocess.run(command, user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as folder:
        if user:
            shutil.chown(folder, user)
        run("initdb", "--username=postgres", "--auth=trust", "--no-sync")
        options = f"-c shared_preload_libraries=pgaudit -c listen_addresses= -c fsync=off -k {folder}"
        run("pg_ctl", "-w", "-o", options, "-l", f"{folder}/log", "start")
        try:
            connection = psycopg2.connect(host=folder, user="postgres", dbname="postgres")
            connection.autocommit = True
            yield connection
            connection.close()
        finally:
            run("pg_ctl", "-m", "immediate", "stop")


def test_it_asks_for_the_extension_and_then_for_the_reads_of_each_role(audited: Any) -> None:
    def said(statement: str) -> str:
        cursor.execute(statement)
        return " ".join(message.msg for message in unrecorded(cursor))

    with audited.cursor() as cursor:
        assert said("create role ann login; create table patient_dimension (patient_id integer)") == ""
        assert "pgaudit is not installed in the warehouse" in said("grant select on patient_dimension to ann")
        assert "which patients ann looked at by SQL" in said("create extension pgaudit")
        assert "pgaudit.log is without read" in said("alter role ann set pgaudit.log = 'write, ddl'")
        assert said("alter role ann set pgaudit.log = 'read, write'") == ""
        assert "without read" in said("alter role ann in database postgres set pgaudit.log = 'all, -read'")
        assert (
            said("alter role ann in database postgres reset pgaudit.log; alter role ann set pgaudit.log = 'all'") == ""
        )
        assert "ann" in said("alter role ann reset pgaudit.log")
        assert said("alter database postgres set pgaudit.log = 'read'") == ""
        assert said("alter role ann nologin; alter database postgres reset pgaudit.log") == ""
