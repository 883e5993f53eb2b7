"""A table of the warehouse brought in step with a query that says what it should hold.

Three set-based statements, each touching only rows that differ: delete what the query no longer gives, update what it
gives otherwise, insert what is missing. Rows that are right are not rewritten.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from psycopg2.sql import SQL, Composable, Composed, Identifier

from ingest.cursors import Cursor
from ingest.models import StepRun


@dataclass(frozen=True)
class Target:
    """A table, the columns that identify a row and those that are compared.

    `stamped` columns are written with a row but do not make it differ. New rows are inserted in the order of `order`,
    by default the key's. `scope` is a condition on the table, aliased t: other rows are not the query's affair.
    """

    table: str
    key: tuple[str, ...]
    compared: tuple[str, ...]
    stamped: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    scope: Composable = field(default_factory=lambda: SQL("true"))

    def names(self) -> dict[str, Composable]:
        """Return the pieces of the statements below."""
        written = self.compared + self.stamped
        return {
            "table": Identifier(self.table),
            "expected": Identifier(f"expected_{self.table}"),
            "columns": _join(", ", "{0}", self.key + written),
            "same_key": _join(" and ", "t.{0} = e.{0}", self.key),
            "ours": _join(", ", "t.{0}", self.compared),
            "theirs": _join(", ", "e.{0}", self.compared),
            "assignments": _join(", ", "{0} = e.{0}", written),
            "scope": self.scope,
            "order": _join(", ", "{0}", self.order or self.key),
        }


def reconcile(
    warehouse: Cursor, target: Target, query: Composable, counts: StepRun, touched: Identifier | None = None
) -> int:
    """Make the rows of `target` those that `query` gives, and add what that took to `counts`; return their number.

    `query` gives the target's columns by name, a row a key. With `touched` the keys of the rows that were deleted,
    updated or inserted are added to the table of that name, in its columns key and is_update.
    """
    names = target.names() | {"query": query}
    if touched:
        names |= {"touched": touched, "key": SQL("t.{}").format(Identifier(target.key[0]))}

    def execute(statement: str) -> int:
        warehouse.execute(SQL(statement).format(**names))
        return warehouse.rowcount

    def change(statement: str, *, is_update: bool = False) -> int:
        if touched:
            statement = f"""
                with c as ({statement} returning {{key}} as key)
                insert into {{touched}} select key, {is_update} from c
                """
        return execute(statement)

    if execute("select from {table} limit 1") == 0 and not touched:
        with _indexes_at_the_end(warehouse, target):
            rows = execute("insert into {table} ({columns}) select {columns} from ({query}) e order by {order}")
        execute("analyze {table}")
        counts.inserted += rows
        return rows
    rows = execute("create temp table {expected} on commit drop as {query}")
    execute("analyze {expected}")
    counts.deleted += change(
        """
        delete from {table} t
         where {scope}
           and not exists (select from {expected} e where {same_key})
        """
    )
    if target.compared:
        counts.updated += change(
            """
            update {table} t
               set {assignments}
              from {expected} e
             where {same_key}
               and row({ours}) is distinct from row({theirs})
            """,
            is_update=True,
        )
    counts.inserted += change(
        """
        insert into {table} as t ({columns})
        select {columns}
          from {expected} e
         where not exists (select from {table} t where {same_key})
         order by {order}
        """
    )
    execute("drop table {expected}")
    return rows


@contextmanager
def _indexes_at_the_end(warehouse: Cursor, target: Target) -> Iterator[None]:
    """Let a table that never held a row be without its plain indexes in the block: built at once they cost a third."""
    warehouse.execute(
        """
        select indexrelid::regclass::text, pg_get_indexdef(indexrelid)
          from pg_index
         where indrelid = %(table)s::regclass and not indisunique and pg_relation_size(indrelid) = 0
        """,
        {"table": target.table},
    )
    indexes = warehouse.fetchall()
    for name, _ in indexes:
        warehouse.execute(f"drop index {name}")
    yield
    for _, definition in indexes:
        warehouse.execute(definition)


def _join(separator: str, template: str, columns: tuple[str, ...]) -> Composed:
    return SQL(separator).join(SQL(template).format(Identifier(column)) for column in columns)
