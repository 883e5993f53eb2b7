"""The installation of the last release comes up with this code, and everything that it holds is still there.

The folder named after a release has its databases, which tests/upgrade/make.py makes.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2.sql import SQL, Identifier

from pipeline_project.version import VERSION
from tests.conftest import Database
from tests.upgrade.installation import FOLDER, Installation, installation
from tests.upgrade.make import DATABASES, PSEUDONYM_KEY

TABLES = """
select nspname, relname, array_agg(attname order by attnum)
  from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
 where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema')
 group by nspname, relname
"""
STAR = "select relname from pg_class where relkind = 'r' and relname ~ '_(dimension|fact|bridge|window)$'"
Table = tuple[str, str, list[str]]
Contents = Counter[tuple[str, str]]


def tables(database: Database) -> list[Table]:
    """Return the schema, name and columns of each table."""
    return [(schema, name, columns) for schema, name, columns in database.execute(TABLES)]


def contents(database: Database, which: list[Table]) -> Contents:
    """Return every row of tables, after the name of its table, with the columns that are named there."""
    found: Contents = Counter()
    for schema, name, columns in which:
        query = SQL("select row({})::text from {}").format(
            SQL(", ").join(map(Identifier, columns)), Identifier(schema, name)
        )
        found.update((name, row) for (row,) in database.execute(query))
    return found


def versions(database: Database) -> dict[str, Any]:
    """Return of each table of the star what no write leaves as it was."""
    one = SQL("select count(*), sum(xmin::text::bigint), md5(string_agg(ctid::text, ' ' order by ctid)) from {}")
    return {name: database.execute(one.format(Identifier(name))) for (name,) in database.execute(STAR)}


@pytest.fixture(params=sorted(folder.name for folder in FOLDER.glob("*.*.*")))
def release(request: pytest.FixtureRequest, databases: None) -> Iterator[Installation]:
    with installation(*(f"{request.param}/{name}.sql" for name in DATABASES.values())) as old:
        yield old


def test_the_release_has_its_databases() -> None:
    there = sorted(path.name for path in (FOLDER / VERSION).glob("*.sql"))
    assert there == sorted(f"{name}.sql" for name in DATABASES.values()), (
        f"the release {VERSION} has to have its databases in tests/upgrade/{VERSION}: python -m tests.upgrade.make"
    )


def test_it_keeps_every_row_and_writes_none_of_the_star_anew(release: Installation) -> None:
    both = (release.default, release.warehouse)
    there = [tables(database) for database in both]
    held = [contents(database, which) for database, which in zip(both, there, strict=True)]
    kinds = {name for rows in held for name, _ in rows}
    assert kinds >= {
        *("auth_user", "auth_user_groups", "mfa_authenticator", "access_log", "pipeline_run", "step_run", "alert"),
        *("run_request", "schedule_override", "rejected_row", "erased_patient", "warehouse_check"),
        *("patient_journey_schedule_window", "adherence_fact", "cases_fact", "field_definitions_dimension"),
    }
    release.succeed("prepare_databases")
    for database, which, rows in zip(both, there, held, strict=True):
        assert rows - contents(database, which) == Counter()

    star = versions(release.warehouse)
    release.succeed("run_pipeline", "--only", "msk", PSEUDONYM_KEY=PSEUDONYM_KEY)
    assert versions(release.warehouse) == star
    assert held[0] - contents(release.default, there[0]) == Counter()
    release.succeed("check_warehouse")
