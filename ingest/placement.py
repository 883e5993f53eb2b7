"""Where the rows of a table of the warehouse are, and the work tables of a run, which follow them.

On one server everything is local, and a work table is a temporary one. In a warehouse that Citus distributes (see
analytics/distribution.py) those with rows of patients are permanent, as a temporary one is joined with nothing that is
on a worker; they are empty when a run has ended.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from django.db import transaction
from psycopg2.sql import SQL, Composable, Identifier, Literal

from ingest.cursors import Cursor, one_row, raw_cursor

# The most rows of a work table on workers that are deleted: to truncate its parts takes about as long, and each
# statement would read more dead rows until they are vacuumed.
DELETED_AT_MOST = 50_000


class Placement(Enum):
    """Where the rows of a table are, in a warehouse that may be distributed."""

    LOCAL = auto()  # on the server that we are connected to
    REFERENCE = auto()  # whole on each worker, and here
    BY_PATIENT = auto()  # each row beside the others of its patient


def placement(warehouse: Cursor, table: str) -> Placement:
    """Return where the rows of a table are.

    One that is partitioned by patient on this server counts as on workers: so the statements for these can be tried
    without Citus.
    """
    warehouse.execute(
        "select c.relkind = 'p', to_regclass('pg_catalog.pg_dist_partition') is not null"
        "  from pg_class c where c.oid = to_regclass(%s)",
        [table],
    )
    is_partitioned, has_citus = warehouse.fetchone() or (False, False)
    if has_citus:
        warehouse.execute(
            "select partmethod = 'h' from pg_dist_partition"
            " where logicalrelid = to_regclass(%s) and (partmethod, repmodel) in (('h', 's'), ('n', 't'))",
            [table],
        )
        for (is_cut,) in warehouse.fetchall():
            return Placement.BY_PATIENT if is_cut else Placement.REFERENCE
    return Placement.BY_PATIENT if is_partitioned else Placement.LOCAL


def make_work_table(warehouse: Cursor, name: str, query: Composable) -> int:
    """Let the work table `name` hold the rows of `query` until the transaction ends, and return their number."""
    table = Identifier(name)
    if placement(warehouse, name) is Placement.LOCAL:
        warehouse.execute(SQL("create temp table {} on commit drop as {}").format(table, query))
    else:
        warehouse.execute(SQL("delete from {}").format(table))
        warehouse.execute(SQL("insert into {} {}").format(table, query))
    return warehouse.rowcount


def drop_work_table(warehouse: Cursor, name: str) -> None:
    """Let go of the rows of a work table."""
    table = Identifier(name)
    if placement(warehouse, name) is Placement.LOCAL:
        warehouse.execute(SQL("drop table {}").format(table))
        return
    some = SQL("select count(*) from (select 1 from {} limit {}) r").format(table, Literal(DELETED_AT_MOST + 1))
    warehouse.execute(some)
    (rows,) = one_row(warehouse)
    if rows > DELETED_AT_MOST:
        empty(warehouse, name)
    elif rows:
        warehouse.execute(SQL("delete from {}").format(table))


def empty(warehouse: Cursor, table: str) -> None:
    """Let go of all rows of a table at once, or one by one while somebody reads it, as pg_dump does.

    To empty it at once would wait for the reader.
    """
    warehouse.execute(
        SQL(
            """
            do $$ begin
                lock table {table} nowait; truncate {table};
            exception when lock_not_available then delete from {table};
            end $$
            """
        ).format(table=Identifier(table))
    )


def empty_work_tables(warehouse: Cursor, tables: Iterable[str]) -> None:
    """Let go of the rows of those of the work tables that are on workers: the others the transaction's end drops."""
    for name in tables:
        if placement(warehouse, name) is Placement.BY_PATIENT:
            drop_work_table(warehouse, name)


def analyze_local(warehouse: Cursor, name: str) -> None:
    """Let the server know what a table holds where that is on this server.

    Of a work table on workers each sees the size of its parts; a staging table autovacuum has analysed there before the
    next run.
    """
    if placement(warehouse, name) is Placement.LOCAL:
        _analyze_here(warehouse, name)


def analyze(warehouse: Cursor, table: str) -> None:
    """Let the server know what a table holds: at once or, where that is on workers, when the transaction has ended.

    Before its end Citus refuses, as the transaction has come to the table's parts in another way.
    """
    if placement(warehouse, table) is Placement.LOCAL:
        _analyze_here(warehouse, table)
    else:
        statement = SQL("analyze {}").format(Identifier(table))
        transaction.on_commit(partial(_execute, statement), using="analytics", robust=True)


def _analyze_here(warehouse: Cursor, table: str) -> None:
    warehouse.execute("select pg_has_role(relowner, 'usage') from pg_class where oid = %s::regclass", [table])
    if one_row(warehouse) == (True,):
        warehouse.execute(SQL("analyze {}").format(Identifier(table)))
    else:  # the server would only warn, and not analyse: a function of the owner does
        warehouse.execute("select analyze_table(%s)", [table])


def _execute(statement: Composable) -> None:
    with raw_cursor("analytics") as warehouse:
        warehouse.execute(statement)


def rows_known(warehouse: Cursor, table: str) -> int:
    """Return how many rows a table has, as far as the server knows: -1 for one that it knows nothing of."""
    where = placement(warehouse, table)
    if where is Placement.REFERENCE:  # they are few
        warehouse.execute(SQL("select count(*) from {}").format(Identifier(table)))
    elif where is Placement.BY_PATIENT and has_workers(warehouse):
        warehouse.execute(ROWS_OF_PARTS, {"table": table})
    else:
        warehouse.execute("select reltuples from pg_class where oid = %s::regclass", [table])
    (rows,) = one_row(warehouse)
    return int(rows)


# Of such a table each worker knows the rows of its own parts.
ROWS_OF_PARTS = """
select case when min(result::real) < 0 then -1 else sum(result::real) end
  from run_command_on_shards(%(table)s, 'select reltuples from pg_class where oid = ''%%s''::regclass')
"""


def has_workers(warehouse: Cursor) -> bool:
    """Tell whether the database is one that Citus distributes."""
    warehouse.execute("select to_regclass('pg_catalog.citus_shards') is not null")
    (found,) = one_row(warehouse)
    return bool(found)


@dataclass(frozen=True)
class Share:
    """How much a worker has of the rows that are cut by patient; None where it does not answer."""

    worker: str
    bytes: int | None
    percent: float | None  # of what all have: None where one of them does not answer


def shares() -> list[Share]:
    """Return what each worker has, by its address; nothing where the warehouse is on one server."""
    with raw_cursor("analytics") as warehouse:
        if not has_workers(warehouse):
            return []
        warehouse.execute(
            """
            select w.worker, w.bytes,
                   case when bool_and(w.bytes is not null) over ()
                        then round(100 * w.bytes / greatest(sum(w.bytes) over (), 1), 1)::real
                   end
              from (select format('%s:%s', nodename, nodeport) as worker, sum(shard_size)::bigint as bytes
                      from citus_shards
                     where citus_table_type = 'distributed'
                     group by nodename, nodeport) w
             order by w.worker
            """
        )
        return [Share(*row) for row in warehouse.fetchall()]
