"""init-db.sh: a dump that does not load says so in one line, and takes nothing away but from whoever asked for it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.conftest import Database, connect
from tests.ingest.runs.test_failures import manage

COMMAND = settings.BASE_DIR / "init-db.sh"
TORN = "-- x\n-- PostgreSQL database dump\ncreate table patient (id integer);\n"

Load = Callable[[Path], tuple[int, str]]

pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="init-db.sh is not part of the image")


@pytest.fixture
def name(databases: None) -> Iterator[str]:
    """The name of a source database that is not there, whatever a test makes of it."""
    name = f"test_source_{os.getpid()}"
    yield name
    server = Database("analytics")
    for database in (name, f"incoming_{name}"):
        server.execute(f'drop database if exists "{database}" with (force)')
    server.connection.close()


@pytest.fixture
def load(tmp_path: Path, name: str) -> Load:
    """Return a function that runs init-db.sh by a path, in a project of its own, and returns its code and stderr."""
    (tmp_path / "sample_data").mkdir()
    address = connect("analytics").info

    def load(command: Path) -> tuple[int, str]:
        ended = subprocess.run(
            [command],
            env=os.environ
            | {"PROJECT": str(tmp_path), "PGHOST": address.host, "PGPORT": str(address.port)}
            | {"POSTGRES_USER": address.user, "POSTGRES_PASSWORD": address.password}
            | {"POSTGRES_DB": address.dbname, "POSTGRES_ANALYTICS_DB": address.dbname, "POSTGRES_SECONDARY_DB": name},
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stderr

    return load


@pytest.fixture
def first_start(tmp_path: Path) -> Path:
    """The path by which the image of the db container runs init-db.sh on its first start, with another root."""
    folder = tmp_path / "docker-entrypoint-initdb.d"
    folder.mkdir()
    command = folder / "init-db.sh"
    command.symlink_to(COMMAND)
    return command


def put_torn(dump: Path) -> None:
    dump.write_text(TORN)


def put_wrong(dump: Path) -> None:
    dump.write_text("create table patient (id integer); select 1 / 0;")


def put_dangling_link(dump: Path) -> None:
    dump.symlink_to("/nowhere/msk_db.sql")


def put_folder(dump: Path) -> None:
    dump.mkdir()


BROKEN = [
    pytest.param(put_torn, "its end is missing", id="torn"),
    pytest.param(put_wrong, "psql:msk_db.sql:1: ERROR:  division by zero", id="wrong"),
    pytest.param(put_dangling_link, "it is a link that leads out of the project's folder", id="link"),
    pytest.param(put_folder, "it is no file", id="folder"),
]


def databases_of(name: str) -> list[tuple[str]]:
    server = Database("analytics")
    found = server.execute("select datname from pg_database where datname ~ %s", name)
    server.connection.close()
    return found


@pytest.mark.parametrize(("put", "problem"), BROKEN)
def test_it_lets_the_server_come_up_though_the_first_dump_does_not_load(
    load: Load, name: str, first_start: Path, tmp_path: Path, put: Callable[[Path], None], problem: str
) -> None:
    put(tmp_path / "msk_db.sql")
    code, stderr = load(first_start)
    (line,) = stderr.splitlines()
    assert code == 0
    assert f"init-db: msk_db.sql could not be loaded: {problem}" in line
    assert f"there is no {name} yet: mend that, then make source" in line
    assert databases_of(name) == []


@pytest.mark.parametrize(("put", "problem"), BROKEN)
def test_it_fails_whoever_asked_for_a_dump_that_does_not_load(
    load: Load, name: str, tmp_path: Path, put: Callable[[Path], None], problem: str
) -> None:
    (tmp_path / "sample_data" / "msk_db.sql").write_text("create table patient (id integer)")
    assert load(COMMAND) == (0, "")
    put(tmp_path / "msk_db.sql")
    code, stderr = load(COMMAND)
    (line,) = stderr.splitlines()
    assert code == 1
    assert f"init-db: msk_db.sql could not be loaded: {problem}" in line
    assert line.endswith(f"; {name} is as it was")
    assert databases_of(name) == [(name,)]


def test_it_says_how_to_load_a_source_that_is_not_there(name: str) -> None:
    remedy = "load msk_db.sql or the sample by docker compose run --rm sql, outside Docker by make source"
    code, stdout, stderr = manage("prepare_databases", POSTGRES_SECONDARY_DB=name, POSTGRES_EMBEDDED="0")
    assert (code, stdout, stderr) == (0, "", f"warning: the source database {name} does not exist; {remedy}\n")
    code, _, stderr = manage("run_pipeline", "--only", "msk", POSTGRES_SECONDARY_DB=name)
    assert code == 1
    assert f'database "{name}" does not exist; {remedy}. The warehouse is as it was.' in stderr.splitlines()[-1]
    code, _, stderr = manage("pipeline_status", POSTGRES_SECONDARY_DB=name)
    assert code == 2
    assert f'database "{name}" does not exist; {remedy}' in stderr.splitlines()[-1]
