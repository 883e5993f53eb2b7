"""What reconcile.py does, for a table that is on the workers of Citus: with its statements these are refused, or slow.

A row's place (ctid) says nothing there, a full join is not done where the rows are, and a table that is whole on each
worker is neither updated nor emptied by a join with a temporary one.
"""

from psycopg2.sql import SQL, Composable, Composed, Identifier

from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.placement import make_work_table
from ingest.target import Target, each, names


def find_differing(warehouse: Cursor, target: Target, query: Composable) -> int:
    """Put the differing rows of a distributed table into its work table; return how many they are.

    `query` is read twice, and so has to give rows of a work table.
    """
    rows = make_work_table(warehouse, target.differing, _statement(NEW_OR_CHANGED, target, query))
    if not target.keeps_rows:
        insert = SQL("insert into {} ").format(Identifier(target.differing))
        warehouse.execute(insert + _statement(GONE, target, query))
        rows += warehouse.rowcount
    return rows


def write_differing(warehouse: Cursor, target: Target, counts: StepRun) -> None:
    """Delete, update and insert the rows that differ, each where it is, and add their numbers to `counts`."""
    for statement, what in ((DELETE, "deleted"), (UPDATE, "updated"), (INSERT, "inserted")):
        if what != "updated" or target.compared:
            warehouse.execute(_statement(statement, target))
            setattr(counts, what, getattr(counts, what) + warehouse.rowcount)


def find_differing_reference(warehouse: Cursor, target: Target, query: Composable) -> int:
    """Put the rows that differ of a table that is whole on each worker into a temporary table; return how many."""
    gone = SQL("") if target.keeps_rows else SQL(" union all ") + _statement(GONE, target, query)
    return make_work_table(warehouse, target.differing, _statement(NEW_OR_CHANGED, target, query) + gone)


def write_differing_reference(warehouse: Cursor, target: Target, counts: StepRun) -> None:
    """Delete the rows that differ and insert them as they should be, and add to `counts` what became of them."""
    warehouse.execute(
        SQL(
            "select count(*) filter (where is_gone), count(*) filter (where not is_new and not is_gone),"
            " count(*) filter (where is_new) from {}"
        ).format(Identifier(target.differing))
    )
    deleted, updated, inserted = one_row(warehouse)
    counts.deleted += deleted
    counts.updated += updated
    counts.inserted += inserted
    if deleted or updated:
        warehouse.execute(_statement(DELETE_KEYS, target))
    if updated or inserted:
        warehouse.execute(_statement(INSERT_KEYS, target))


NOTHING = SQL("")
NEW_OR_CHANGED = """
select {expected} t.is_there is null as is_new, false as is_gone
  from ({query}) e
  left join (select t.*, true as is_there from {table} t) t on {same_key}
 where t.is_there is null
    or row({ours}) is distinct from row({theirs})
"""
GONE = """
select {there} false as is_new, true as is_gone
  from {table} t
 where {scope}
   and not exists (select from ({query}) e where {same_key})
"""
DELETE = "delete from {table} t using {differing} e where {same_key} and e.is_gone"
UPDATE = "update {table} t set {assignments} from {differing} e where {same_key} and not e.is_new and not e.is_gone"
INSERT = "insert into {table} ({columns}) select {columns} from {differing} e where e.is_new"
DELETE_KEYS = (
    "delete from {table} t where ({keys}) in (select {keys_of_differing} from {differing} e where not e.is_new)"
)
INSERT_KEYS = "insert into {table} ({columns}) select {columns} from {differing} e where not e.is_gone"


def _statement(text: str, target: Target, query: Composable = NOTHING) -> Composed:
    written = target.compared + target.stamped
    return SQL(text).format(
        table=Identifier(target.table),
        differing=Identifier(target.differing),
        query=query,
        scope=target.scope,
        columns=names(target.columns),
        expected=each("e.{0}, ", target.columns),
        there=each("t.{0}, ", target.key + target.compared) + each("null as {0}, ", target.stamped),
        same_key=SQL(" and ").join(SQL("t.{0} = e.{0}").format(Identifier(column)) for column in target.key),
        keys=names(target.key, "t"),
        keys_of_differing=names(target.key, "e"),
        ours=names(target.compared, "t"),
        theirs=names(target.compared, "e"),
        assignments=SQL(", ").join(SQL("{0} = e.{0}").format(Identifier(column)) for column in written),
    )
