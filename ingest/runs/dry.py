"""A dry run, and what of it a rollback would not undo: numbers taken from sequences, and estimates of tables' sizes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from django.db import connections, transaction

from ingest.cursors import raw_cursor
from ingest.models import CovidDay, RejectedRow, SchemaChange
from ingest.placement import analyze
from ingest.runs import lock
from ingest.runs.errors import DATABASE_ERRORS
from ingest.runs.run import DRY, Run, give_room

NUMBERED = [model._meta.db_table for model in (RejectedRow, CovidDay, SchemaChange)]


@contextmanager
def dry_run(source: str) -> Iterator[Run]:
    """Give a run that is not recorded, and undo all that the block writes to the warehouse."""
    with _estimates_kept(), transaction.atomic(using="analytics"):
        lock.take(source)
        _cover_numbered_tables()
        give_room()
        yield Run(DRY, source, uuid4())
        transaction.set_rollback(True, using="analytics")


def _cover_numbered_tables() -> None:
    # Temporary copies stand before the tables in the search path, so that these keep the numbers of their sequences.
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
                           c.relname, n.nspname
                       ), '')
              from pg_class c
              join pg_namespace n on n.oid = c.relnamespace
             where c.oid = any(%s::regclass[])
            """,
            [NUMBERED],
        )
        (copies,) = cursor.fetchone()
        cursor.execute(copies)


@contextmanager
def _estimates_kept() -> Iterator[None]:
    """Analyse again after the block the tables whose estimated rows have changed.

    The server writes an estimate in place when a table is analysed: that of rows which are rolled back would stay.
    """
    before = _estimated_rows()
    try:
        yield
    except BaseException:
        with suppress(*DATABASE_ERRORS):  # what went wrong first is what counts
            _analyze_changed(before)
        raise
    _analyze_changed(before)


def _analyze_changed(before: dict[str, float]) -> None:
    changed = [table for table, rows in _estimated_rows().items() if rows != before.get(table)]
    with raw_cursor("analytics") as cursor:
        for table in changed:
            analyze(cursor, table)


def _estimated_rows() -> dict[str, float]:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(
            """
            select c.relname, c.reltuples
              from pg_class c
             where c.relkind = 'r'
               and (c.relnamespace, c.relowner)
                   = (select w.relnamespace, w.relowner from pg_class w where w.oid = 'committed_run'::regclass)
            """
        )
        return dict(cursor.fetchall())
