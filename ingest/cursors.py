"""psycopg2's cursors, for what Django's do not offer: COPY, and names in statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class, for all its small letter)

__all__ = ["Cursor", "one_row", "raw_cursor"]


@contextmanager
def raw_cursor(alias: str) -> Iterator[Cursor]:
    """Give a psycopg2 cursor on the connection that Django holds to the database `alias`."""
    connections[alias].ensure_connection()
    with connections[alias].connection.cursor() as cursor:
        yield cursor


def one_row(cursor: Cursor) -> tuple[Any, ...]:
    """Return the row of a query that gives exactly one."""
    (row,) = cursor.fetchall()
    return row
