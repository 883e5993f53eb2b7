"""A table of the warehouse brought in step with a query that says what it should hold.

What differs is found once, by one join of both, and left in a table; then three statements delete, update and insert
just these rows. Rows that are right are not rewritten. Where a table is on workers distributed.py has the statements.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from psycopg2.sql import SQL, Composable, Identifier

from ingest import distributed
from ingest.cursors import Cursor
from ingest.models import StepRun
from ingest.placement import (
    Placement,
    analyze,
    analyze_local,
    drop_work_table,
    make_work_table,
    placement,
    rows_known,
)
from ingest.target import Target, each, names


def reconcile(warehouse: Cursor, target: Target, query: Composable, counts: StepRun, *, keep: bool = False) -> None:
    """Make the rows of `target` those that `query` gives, and add what that took to `counts`.

    `query` gives the target's columns by name, a row a key. With `keep` the table of the rows that differed stays until
    the transaction ends; otherwise a table that is empty is filled at once.
    """
    if is_empty(warehouse, target.table) and not keep:
        counts.inserted += fill(warehouse, target, query)
        return
    match placement(warehouse, target.table):
        case Placement.LOCAL:
            find, write = find_differing, write_differing
        case Placement.REFERENCE:
            find, write = distributed.find_differing_reference, distributed.write_differing_reference
        case Placement.BY_PATIENT:
            find, write = distributed.find_differing, distributed.write_differing
    differing = find(warehouse, target, query)
    if differing:
        write(warehouse, target, counts)
        analyze_if_much(warehouse, target, differing)
    if not keep:
        drop_work_table(warehouse, target.differing)


def is_empty(warehouse: Cursor, table: str) -> bool:
    """Tell whether a table has no row."""
    warehouse.execute(SQL("select from {} limit 1").format(Identifier(table)))
    return warehouse.rowcount == 0


def fill(warehouse: Cursor, target: Target, query: Composable) -> int:
    """Insert what `query` gives into the empty table, and return the number of rows."""
    is_local = placement(warehouse, target.table) is Placement.LOCAL  # elsewhere each part would be sorted in vain
    order = SQL("order by {}").format(names(target.key)) if target.in_order and is_local else SQL("")
    with _keys_at_the_end(warehouse, target.table) if target.is_large else nullcontext():
        warehouse.execute(
            SQL("insert into {table} ({columns}) select {columns} from ({query}) q {order}").format(
                table=Identifier(target.table), columns=names(target.columns), query=query, order=order
            )
        )
        rows = warehouse.rowcount
    analyze_if_much(warehouse, target, rows)
    return rows


def find_differing(warehouse: Cursor, target: Target, query: Composable) -> int:
    """Leave in the target's `differing` table the rows that `query` gives otherwise, or not, or alone; return how many.

    A row that is gone has the key and the compared columns that it had.
    """
    rows = make_work_table(
        warehouse,
        target.differing,
        SQL(
            """
            select {key}, {compared}{stamped} t.row_id, t.row_id is null as is_new, e.is_expected is null as is_gone
              from (select q.*, true as is_expected from ({query}) q) e
              {join} join (select t.*, t.ctid as row_id from {table} t where {scope}) t using ({key})
             where t.row_id is null
                or e.is_expected is null
                or row({ours}) is distinct from row({theirs})
            """
        ).format(
            key=names(target.key),
            compared=each("case when e.is_expected then e.{0} else t.{0} end as {0}, ", target.compared),
            stamped=each("e.{0}, ", target.stamped),
            query=query,
            join=SQL("left" if target.keeps_rows else "full"),
            table=Identifier(target.table),
            scope=target.scope,
            ours=names(target.compared, "t"),
            theirs=names(target.compared, "e"),
        ),
    )
    if rows:
        analyze_local(warehouse, target.differing)
    return rows


def write_differing(warehouse: Cursor, target: Target, counts: StepRun) -> None:
    """Delete, update and insert the rows that differ, and add their numbers to `counts`."""
    counts.deleted += delete_obsolete(warehouse, target)
    counts.updated += update_changed(warehouse, target)
    counts.inserted += insert_missing(warehouse, target)


def delete_obsolete(warehouse: Cursor, target: Target) -> int:
    """Delete the rows that are gone, and return their number."""
    warehouse.execute(
        SQL("delete from {table} t using {differing} d where t.ctid = d.row_id and d.is_gone").format(
            table=Identifier(target.table), differing=Identifier(target.differing)
        )
    )
    return warehouse.rowcount


def update_changed(warehouse: Cursor, target: Target) -> int:
    """Update the rows that are there with other values, and return their number."""
    written = target.compared + target.stamped
    if not written:
        return 0
    warehouse.execute(
        SQL("update {table} t set {assignments} from {differing} d where t.ctid = d.row_id and not d.is_gone").format(
            table=Identifier(target.table),
            differing=Identifier(target.differing),
            assignments=SQL(", ").join(SQL("{0} = d.{0}").format(Identifier(column)) for column in written),
        )
    )
    return warehouse.rowcount


def insert_missing(warehouse: Cursor, target: Target) -> int:
    """Insert the rows that are new, in the order of their key, and return their number."""
    warehouse.execute(
        SQL("insert into {table} ({columns}) select {columns} from {differing} where is_new order by {key}").format(
            table=Identifier(target.table),
            differing=Identifier(target.differing),
            columns=names(target.columns),
            key=names(target.key),
        )
    )
    return warehouse.rowcount


def analyze_if_much(warehouse: Cursor, target: Target, rows: int) -> None:
    """Analyse the table if `rows`, those that were written, are more than a twentieth of it.

    Within the transaction nobody else would, and the next statement is planned by what the server knows.
    """
    if rows * 20 > rows_known(warehouse, target.table) and not target.is_shared:
        analyze(warehouse, target.table)


@contextmanager
def _keys_at_the_end(warehouse: Cursor, table: str) -> Iterator[None]:
    """Let a table that never held a row be without its keys and indexes in the block: built at once they cost a third.

    Not where the table's file has a page, as its readers would wait, nor what something else depends on. Functions of
    the table's owner do it, as nobody else may.
    """
    warehouse.execute("select set_keys_aside(%s)", [table])
    yield
    warehouse.execute("select put_keys_back(%s)", [table])
