"""The databases themselves: created where they are missing, and the embedded default's source filled."""

import os
import subprocess
from pathlib import Path

import psycopg2
from django.conf import settings
from django.db import OperationalError, connections
from psycopg2.sql import SQL, Identifier

from ingest.errors import PipelineError

SAMPLE = settings.BASE_DIR / "sample_data" / "msk_db.sql"
OWN_DUMP = settings.BASE_DIR / "msk_db.sql"


def create_missing(alias: str) -> bool:
    """Create the database behind `alias` if the server has none of that name, and tell whether it did.

    Raises OperationalError when the server cannot be reached or the user may not create a database.
    """
    connection = connections[alias]
    try:
        connection.ensure_connection()
    except OperationalError as error:
        if f'database "{connection.settings_dict["NAME"]}" does not exist' not in str(error):
            raise
    else:
        return False
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    parameters.pop("options")
    server = psycopg2.connect(**{k: v for k, v in parameters.items() if k not in ("cursor_factory",)})
    try:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(SQL("create database {}").format(Identifier(connection.settings_dict["NAME"])))
    finally:
        server.close()
    return True


def load_dump(alias: str, dump: Path) -> None:
    """Load a plain SQL dump into the database behind `alias` with psql, all of it or nothing.

    Raises PipelineError with psql's own words when it fails.
    """
    database = connections[alias].settings_dict
    environment = {
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"]),
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
    }
    result = subprocess.run(  # noqa: S603  (our own arguments)
        ["psql", "--no-psqlrc", "--quiet", "--single-transaction", "-v", "ON_ERROR_STOP=1", "-f", str(dump)],  # noqa: S607
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode:
        raise PipelineError(f"{dump.name} cannot be loaded into {database['NAME']}: {result.stderr.strip()}")


def has_tables(alias: str) -> bool:
    """Tell whether the database behind `alias` has any table of its own."""
    return bool(connections[alias].introspection.table_names())
