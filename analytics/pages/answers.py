"""The rows of a page's query, read in one snapshot, and those about no single patient kept until a load has ended."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import transaction
from psycopg2.sql import SQL, Composable, Literal

from ingest import statements
from ingest.cursors import Cursor, one_row, raw_cursor

FOLDER = Path(__file__).parent
PATIENCE_SECONDS = 30  # for one query of a page

Row = dict[str, Any]
_patience: ContextVar[float] = ContextVar("patience")


def read(name: str, /, **values: object) -> list[Row]:
    """Return the rows of the query in the file `name`, its parameters bound to `values`."""
    with snapshot() as warehouse:
        return rows_of(warehouse, part(name, **values))


def kept(name: str, /, **values: object) -> list[Row]:
    """Return the same as `read`, worked out once for each load of the warehouse.

    For what depends on the load and on `values` alone, such as the day, and counts patients or their windows, rather
    than naming them: the rows are kept in the database of the run log.
    """
    query = part(name, **values)
    with snapshot() as warehouse:
        warehouse.execute("select coalesce(string_agg(run_uuid::text, ' ' order by source), '') from load_state")
        (loads,) = one_row(warehouse)
        key = f"{name}:{sha256((loads + query.as_string(warehouse)).encode()).hexdigest()}"
        rows: list[Row] | None = cache.get(key)
        if rows is None:
            rows = rows_of(warehouse, query)
            cache.set(key, rows)
        return rows


def part(name: str, /, **values: object) -> Composable:
    """Return the query in the file `name` as a part of another one."""
    return statements.statement(FOLDER, name, **values)


def as_day(value: date) -> Composable:
    """Return a day for a statement, which takes a plain text for one of no type."""
    return SQL("{}::date").format(Literal(value))


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Give up each query in the block after so many seconds; 0: none."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


def unhurried() -> AbstractContextManager[None]:
    """Let the queries in the block take as long as they do: nobody waits for them."""
    return patience(0)


@contextmanager
def snapshot() -> Iterator[Cursor]:
    """Give a cursor that sees the warehouse as it is now, and writes nothing."""
    with transaction.atomic(using="analytics"), raw_cursor("analytics") as warehouse:
        warehouse.execute("set transaction isolation level repeatable read, read only")
        # A query of a page is over before its compilation would pay, and sorts in memory.
        warehouse.execute("set local jit = off; set local work_mem = '64MB'")
        warehouse.execute("set local statement_timeout = %s", [int(1000 * _patience.get(PATIENCE_SECONDS))])
        yield warehouse


def rows_of(warehouse: Cursor, query: Composable) -> list[Row]:
    """Return the rows of a query, each by the names of its columns."""
    warehouse.execute(query)
    names = [column.name for column in warehouse.description or ()]
    return [dict(zip(names, row, strict=True)) for row in warehouse]
