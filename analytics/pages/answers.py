"""The rows of a page's query, read in one snapshot, and those about no single patient kept until a load has ended."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import date
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import transaction
from psycopg2.sql import SQL, Composable, Identifier, Literal

from analytics.pages import small_numbers
from ingest import statements
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.runs.errors import DATABASE_ERRORS, explain

logger = logging.getLogger("analytics.pages")

FOLDER = Path(__file__).parent
OF_A_LOAD = "^[^:]*:[0-9]+:[0-9a-f]{16}:"  # as the cache writes the key of what is kept here, whatever load it is of
PATIENCE_SECONDS = 30  # for one query of a page

Row = small_numbers.Row
Tuple = tuple[Any, ...]
_patience: ContextVar[float] = ContextVar("patience")


def read(name: str, /, **values: object) -> list[Row]:
    """Return the rows of the query in the file `name`, its parameters bound to `values`."""
    with snapshot() as warehouse:
        return small_numbers.protected(name, rows_of(warehouse, part(name, **values)))


def kept(name: str, /, *, locked: Sequence[str] = (), **values: object) -> list[Row]:
    """Return the same as `read`, worked out once for each run that has committed.

    For what depends on the load and on `values` alone, such as the day, and counts patients or their windows, rather
    than naming them: the rows are kept in the database of the run log.
    """
    query = part(name, **values)
    with snapshot(locked) as warehouse:
        key = _key(warehouse, name, query)
        rows: list[Row] | None = cache.get(key)
        if rows is None:
            rows = rows_of(warehouse, query)
            cache.set(key, rows)
        return small_numbers.protected(name, rows)


def keep_parts(name: str, made_of: Callable[[Any, Iterable[Tuple]], object], /, **values: object) -> None:
    """Keep what is `made_of` the rows of the same query, of each part of them apart: for what is much as a whole.

    Their first column tells which part they are of, and they come in its order: no more than one is in memory.
    """
    query = part(name, **values)
    with snapshot() as warehouse:
        key = _key(warehouse, name, query)
        # The server expects far more groups than there are, and would sort all rows anew for each set of columns.
        warehouse.execute("set local hash_mem_multiplier = 8")
        with warehouse.connection.cursor(name) as rows:
            rows.execute(query)
            for which, of_part in groupby(rows, itemgetter(0)):
                cache.set(f"{key}:{which}", made_of(which, of_part))


def kept_part(name: str, which: object, /, **values: object) -> Any:
    """Return what `keep_parts` has kept of a part, if it has since the last run: for who may see patients."""
    if small_numbers.applies():
        raise small_numbers.UnprotectedError(
            f"{name} is for who may see patients: its parts do not say how many are behind them"
        )
    query = part(name, **values)
    with snapshot() as warehouse:
        return cache.get(f"{_key(warehouse, name, query)}:{which}")


def _key(warehouse: Cursor, name: str, query: Composable) -> str:
    return f"{_load(warehouse)}:{name}:{sha256(query.as_string(warehouse).encode()).hexdigest()}"


def current_load() -> str:
    """Return what tells the warehouse's present state from what it was before a run, and will be after the next."""
    with snapshot() as warehouse:
        return _load(warehouse)


def forget_other_loads() -> None:
    """Remove what is kept of loads that were: beyond some number the cache would remove any, the newest as well."""
    with raw_cursor("default") as log:
        log.execute(
            "delete from kept_answer where cache_key ~ %s and cache_key not like %s",
            [OF_A_LOAD, cache.make_key(f"{current_load()}:%")],
        )


def forget_after_a_run(**signal: Any) -> None:
    """Remove what is kept of the warehouse as it was before a run: it counts who is erased."""
    try:
        with transaction.atomic(using="default"), raw_cursor("default") as log:
            log.execute("set local lock_timeout = '1s'")  # the run is over, and waits for nobody
            forget_other_loads()
    except DATABASE_ERRORS as error:
        logger.warning("kept answers not removed, the next run does that", extra={"error": explain(error)})


def _load(warehouse: Cursor) -> str:
    warehouse.execute("select coalesce(string_agg(run_uuid::text, ' ' order by source), '') from committed_run")
    (runs,) = one_row(warehouse)
    return sha256(runs.encode()).hexdigest()[:16]


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
def snapshot(locked: Sequence[str] = ()) -> Iterator[Cursor]:
    """Give a cursor that sees the warehouse as it is now, and writes nothing.

    A table that a run truncates meanwhile would be empty in it: what may be truncated is to be `locked`, as by readers.
    """
    with transaction.atomic(using="analytics"), raw_cursor("analytics") as warehouse:
        warehouse.execute("set transaction isolation level repeatable read, read only")
        # A query of a page is over before its compilation would pay, and sorts in memory.
        warehouse.execute("set local jit = off; set local work_mem = '64MB'")
        warehouse.execute("set local statement_timeout = %s", [int(1000 * _patience.get(PATIENCE_SECONDS))])
        if locked:
            tables = SQL(", ").join(map(Identifier, locked))
            warehouse.execute(SQL("lock table {} in access share mode").format(tables))
        yield warehouse


def rows_of(warehouse: Cursor, query: Composable) -> list[Row]:
    """Return the rows of a query, each by the names of its columns."""
    warehouse.execute(query)
    names = [column.name for column in warehouse.description or ()]
    return [dict(zip(names, row, strict=True)) for row in warehouse]
