"""What a dry run does that a rollback does not undo: numbers taken from sequences, and estimates of tables' sizes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connections
from psycopg2.sql import SQL, Identifier

from ingest.cursors import raw_cursor
from ingest.errors import DATABASE_ERRORS
from ingest.models import CovidDay, RejectedRow, SchemaChange

NUMBERED = [model._meta.db_table for model in (RejectedRow, CovidDay, SchemaChange)]


def cover_numbered_tables() -> None:
    """Put a temporary copy before each table of a run that numbers its rows, until the transaction ends."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute("select set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)")
        cursor.execute(
            """
            select string_agg(
                       format(
                           'create temp table %%1$I (like %%2$I.%%1$I including defaults including identity)'
                           ' on commit drop;'
                           'insert into pg_temp.%%1$I overriding system value select * from %%2$I.%%1$I;'
                           'analyze pg_temp.%%1$I;',
                           relname, relnamespace::regnamespace
                       ), '')
              from pg_class
             where oid = any(%s::regclass[])
            """,
            [NUMBERED],
        )
        (copies,) = cursor.fetchone()
        cursor.execute(copies)


@contextmanager
def estimates_kept() -> Iterator[None]:
    """Correct after the block how many rows the server takes each table for.

    It notes that in place when a table is analysed, and so keeps it of rows that were rolled back.
    """
    before = _estimates()
    try:
        yield
    finally:
        # Where the server is gone, the error that says so is on its way already.
        with suppress(*DATABASE_ERRORS), raw_cursor("analytics") as cursor:
            for table, rows in _estimates().items():
                if rows != before.get(table):
                    cursor.execute(SQL("analyze {}").format(Identifier(*table)))


def _estimates() -> dict[tuple[str, str], float]:
    """Return the estimated rows of each table of ours."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute(
            """
            select relnamespace::regnamespace::text, relname, reltuples
              from pg_class
             where relkind = 'r' and relpersistence = 'p'
               and relowner = (select oid from pg_roles where rolname = current_user)
               and relnamespace <> 'pg_catalog'::regnamespace
            """
        )
        return {(schema, name): rows for schema, name, rows in cursor.fetchall()}
