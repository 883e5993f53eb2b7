"""What a database says of its tables and columns: their comments, types and keys."""

from pathlib import Path
from typing import NamedTuple

from ingest.cursors import raw_cursor

QUERY = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Described(NamedTuple):
    """A column, with what the database says of it and of its table."""

    table_name: str
    table_meaning: str | None
    is_view: bool
    column_name: str
    type: str
    meaning: str | None
    is_never_null: bool
    is_in_key: bool


def described(alias: str) -> tuple[Described, ...]:
    """Return the columns of all tables and views of the database `alias`, by table and in their order."""
    with raw_cursor(alias) as cursor:
        cursor.execute(QUERY)
        return tuple(Described(*row) for row in cursor)
