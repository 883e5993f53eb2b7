"""The databases themselves: created where they are missing, and the source loaded from a dump."""

import os
import subprocess

import psycopg2
from django.conf import settings
from django.db import OperationalError, connections
from django.db.migrations.loader import MigrationLoader
from psycopg2.sql import SQL, Identifier

from ingest.runs.errors import PipelineError


def create_missing(alias: str) -> bool:
    """Create the database behind `alias` if the server has none of that name, and tell whether it did.

    Raises django.db.Error or psycopg2.Error when the server cannot be reached or the user may not create a database.
    """
    connection = connections[alias]
    name = connection.settings_dict["NAME"]
    try:
        connection.ensure_connection()
    except OperationalError as error:
        if f'database "{name}" does not exist' not in str(error):
            raise
    else:
        return False
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    server = psycopg2.connect(**{k: v for k, v in parameters.items() if k not in ("options", "cursor_factory")})
    try:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(SQL("create database {}").format(Identifier(name)))
    finally:
        server.close()
    return True


def refuse_between_releases(alias: str) -> None:
    """Raise PipelineError where some of the migrations are applied that a squashed one replaced, but not all of them.

    The others are gone: Django would leave them out and go on with what follows.
    """
    loader = MigrationLoader(connections[alias])
    for squashed in loader.replacements.values():
        gone = set(squashed.replaces) - loader.disk_migrations.keys()
        applied = gone & loader.applied_migrations.keys()
        if applied and applied != gone:
            app, last = max(applied)
            raise PipelineError(
                f"{connections[alias].settings_dict['NAME']} stands between two releases, at {last} of {app}: bring it "
                "up to date with commit 1a9ae9f first, by git checkout 1a9ae9f and make migrate, then with this one"
            )


def source_is_ours() -> bool:
    """Tell whether the source is on the server of the warehouse, where the project may load a dump into it."""
    warehouse, source = (connections[alias].settings_dict for alias in ("analytics", "msk_db"))
    return (warehouse["HOST"], warehouse["PORT"]) == (source["HOST"], source["PORT"])


def source_exists() -> bool:
    """Tell whether the server of the warehouse has the source database; nobody connects to that for it."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute("select from pg_database where datname = %s", [connections["msk_db"].settings_dict["NAME"]])
        return bool(cursor.rowcount)


def source_has_tables() -> bool:
    """Tell whether the source database has any table, in whatever schema."""
    with connections["msk_db"].cursor() as cursor:
        cursor.execute(
            "select from pg_class where relkind in ('r', 'p', 'v', 'm', 'f')"
            " and relnamespace::regnamespace::text !~ '^(pg_|information_schema$)' limit 1"
        )
        return bool(cursor.rowcount)


def load_source() -> str:
    """Load msk_db.sql of the project's folder, or else the sample, as the source, and return what init-db.sh said.

    The dump goes into a database beside the one in use, which it replaces only when all went well. Raises
    PipelineError when it did not, or when the source is on a server that is not ours to write to.
    """
    database = connections["msk_db"].settings_dict
    if not source_is_ours():
        raise PipelineError(
            f"the source {database['NAME']} is on {database['HOST']}, which this project only reads: load it there"
        )
    connections["msk_db"].close()
    result = subprocess.run(  # noqa: S603  (our own script)
        [settings.BASE_DIR / "init-db.sh"],
        env=os.environ
        | {
            "PROJECT": str(settings.BASE_DIR),
            "PGHOST": str(database["HOST"]),
            "PGPORT": str(database["PORT"]),
            **{f"PG{name.upper()}": value for name, value in database["OPTIONS"].items() if name[:3] in ("ssl", "gss")},
            "POSTGRES_USER": str(settings.POSTGRES_USER),
            "POSTGRES_PASSWORD": settings.POSTGRES_PASSWORD,
            "POSTGRES_DB": connections["default"].settings_dict["NAME"],
            "POSTGRES_ANALYTICS_DB": connections["analytics"].settings_dict["NAME"],
            "POSTGRES_SECONDARY_DB": database["NAME"],
            "READER_USER": settings.READER_USER,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise PipelineError(result.stderr.strip().removeprefix("init-db: "))
    return result.stdout.strip()
