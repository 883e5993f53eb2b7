"""A table of the warehouse brought in step with a query that says what it should hold.

What differs is found once, by one join of both, and left in a table; then three statements delete, update and insert
just these rows. Rows that are right are not rewritten.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from psycopg2.sql import SQL, Composable, Composed, Identifier

from ingest.cursors import Cursor, one_row
from ingest.models import StepRun

EVERY_ROW = SQL("true")


@dataclass(frozen=True)
class Target:
    """A table, the columns that identify a row, none of them null, and those that are compared.

    `stamped` columns are written with a row but do not make it differ. `scope` is a condition on the table, aliased t:
    other rows are not the query's affair. With `keeps_rows` none is deleted. One that `is_large` gets its keys after
    its first rows, and is closed to readers from then to the end of the transaction. Into one that `is_shared` runs of
    both sources write: it is not analysed, as that would lock the other's out to the end of the transaction.
    """

    table: str
    key: tuple[str, ...]
    compared: tuple[str, ...]
    stamped: tuple[str, ...] = ()
    scope: Composable = field(default_factory=lambda: EVERY_ROW)
    keeps_rows: bool = False
    is_large: bool = False
    is_shared: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.key + self.compared + self.stamped

    @property
    def differing(self) -> Identifier:
        """The table that holds the rows that differ: as they should be, with `row_id` where the row is that is there.

        `is_new` says that there was no row of the key, `is_gone` that there is to be none.
        """
        return Identifier(f"differing_{self.table}")


def reconcile(warehouse: Cursor, target: Target, query: Composable, counts: StepRun, *, keep: bool = False) -> None:
    """Make the rows of `target` those that `query` gives, and add what that took to `counts`.

    `query` gives the target's columns by name, a row a key. With `keep` the table of the rows that differed stays until
    the transaction ends; otherwise a table that is empty is filled at once.
    """
    if is_empty(warehouse, target.table) and not keep:
        counts.inserted += fill(warehouse, target, query)
        return
    differing = find_differing(warehouse, target, query)
    if differing:
        counts.deleted += delete_obsolete(warehouse, target)
        counts.updated += update_changed(warehouse, target)
        counts.inserted += insert_missing(warehouse, target)
        analyze_if_much(warehouse, target, differing)
    if not keep:
        warehouse.execute(SQL("drop table {}").format(target.differing))


def is_empty(warehouse: Cursor, table: str) -> bool:
    """Tell whether a table has no row."""
    warehouse.execute(SQL("select from {} limit 1").format(Identifier(table)))
    return warehouse.rowcount == 0


def fill(warehouse: Cursor, target: Target, query: Composable) -> int:
    """Insert what `query` gives into the empty table, and return the number of rows."""
    with _keys_at_the_end(warehouse, target.table) if target.is_large else nullcontext():
        warehouse.execute(
            SQL("insert into {table} ({columns}) select {columns} from ({query}) q").format(
                table=Identifier(target.table), columns=names(target.columns), query=query
            )
        )
        rows = warehouse.rowcount
    analyze_if_much(warehouse, target, rows)
    return rows


def find_differing(warehouse: Cursor, target: Target, query: Composable) -> int:
    """Leave in the target's `differing` table the rows that `query` gives otherwise, or not, or alone; return how many.

    A row that is gone has the key and the compared columns that it had.
    """
    warehouse.execute(
        SQL(
            """
            create temp table {differing} on commit drop as
            select {key}, {compared}{stamped} t.row_id, t.row_id is null as is_new, e.is_expected is null as is_gone
              from (select q.*, true as is_expected from ({query}) q) e
              {join} join (select t.*, t.ctid as row_id from {table} t where {scope}) t using ({key})
             where t.row_id is null
                or e.is_expected is null
                or row({ours}) is distinct from row({theirs})
            """
        ).format(
            differing=target.differing,
            key=names(target.key),
            compared=_each("case when e.is_expected then e.{0} else t.{0} end as {0}, ", target.compared),
            stamped=_each("e.{0}, ", target.stamped),
            query=query,
            join=SQL("left" if target.keeps_rows else "full"),
            table=Identifier(target.table),
            scope=target.scope,
            ours=names(target.compared, "t"),
            theirs=names(target.compared, "e"),
        )
    )
    rows = warehouse.rowcount
    if rows:
        warehouse.execute(SQL("analyze {}").format(target.differing))
    return rows


def delete_obsolete(warehouse: Cursor, target: Target) -> int:
    """Delete the rows that are gone, and return their number."""
    warehouse.execute(
        SQL("delete from {table} t using {differing} d where t.ctid = d.row_id and d.is_gone").format(
            table=Identifier(target.table), differing=target.differing
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
            differing=target.differing,
            assignments=SQL(", ").join(SQL("{0} = d.{0}").format(Identifier(column)) for column in written),
        )
    )
    return warehouse.rowcount


def insert_missing(warehouse: Cursor, target: Target) -> int:
    """Insert the rows that are new, in the order of their key, and return their number."""
    warehouse.execute(
        SQL("insert into {table} ({columns}) select {columns} from {differing} where is_new order by {key}").format(
            table=Identifier(target.table),
            differing=target.differing,
            columns=names(target.columns),
            key=names(target.key),
        )
    )
    return warehouse.rowcount


def analyze_if_much(warehouse: Cursor, target: Target, rows: int) -> None:
    """Analyse the table if `rows`, those that were written, are more than a twentieth of it.

    Within the transaction nobody else would, and the next statement is planned by what the server knows.
    """
    warehouse.execute("select reltuples from pg_class where oid = %s::regclass", [target.table])
    (known,) = one_row(warehouse)
    if rows * 20 > known and not target.is_shared:
        warehouse.execute(SQL("analyze {}").format(Identifier(target.table)))


@contextmanager
def _keys_at_the_end(warehouse: Cursor, table: str) -> Iterator[None]:
    """Let a table that never held a row be without its keys and indexes in the block: built at once they cost a third.

    Not where the table's file has a page, as its readers would wait, nor what something else depends on.
    """
    warehouse.execute(
        """
        select format('alter table %%s drop constraint %%I', conrelid::regclass, conname),
               format('alter table %%s add constraint %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
          from pg_constraint c
         where conrelid = %(table)s::regclass and contype in ('p', 'u') and pg_relation_size(conrelid) = 0
           and not exists (select from pg_depend d where d.refobjid in (c.oid, c.conindid) and d.objid <> c.conindid)
         union all
        select format('drop index %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
          from pg_index i
         where indrelid = %(table)s::regclass and pg_relation_size(indrelid) = 0
           and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
        """,
        {"table": table},
    )
    keys = warehouse.fetchall()
    for drop, _ in keys:
        warehouse.execute(drop)
    yield
    for _, make in keys:
        warehouse.execute(make)


def names(columns: tuple[str, ...], alias: str = "") -> Composed:
    """Return a list of columns for a statement, each qualified with `alias`."""
    parts = ((alias, column) if alias else (column,) for column in columns)
    return SQL(", ").join(Identifier(*part) for part in parts)


def _each(template: str, columns: tuple[str, ...]) -> Composed:
    return SQL("").join(SQL(template).format(Identifier(column)) for column in columns)
