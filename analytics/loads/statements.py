"""The statements of sql/, a file a table."""

from pathlib import Path

from psycopg2.sql import Composed

from ingest import statements

FOLDER = Path(__file__).with_name("sql")


def statement(name: str, /, **values: object) -> Composed:
    """Return the statement of the file `name`, its parameters bound to `values`: see ingest.statements."""
    return statements.statement(FOLDER, name, **values)
