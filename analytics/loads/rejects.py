"""rejected_row kept in step: the current list of what does not fit, one part a source table."""

import json

from psycopg2.sql import SQL, Composable, Identifier, Literal

from analytics.loads.tables import STAGED, StarTable
from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.reconcile import reconcile
from ingest.runs.run import Run
from ingest.target import EVERY_ROW, Target, names

COVID_DAY = "covid_day"  # as rejected_row names a day of the COVID documents
# What stands for a null in the tables of changed keys, for each type that a key has.
NULLS = {"integer": "-1", "date": "'-infinity'"}


def list_rejects(
    warehouse: Cursor, source: str, rejects: Composable, run: Run, counts: StepRun, part: Composable = EVERY_ROW
) -> None:
    """Make `rejects`, a query for source_key, reason and detail, the list of the rejected rows of `source`.

    With `part`, a condition on rejected_row aliased t, only that part of the list. An entry that stays as it
    is keeps the run that first listed it. Counts the rejects in `counts`.
    """
    target = Target(
        "rejected_row",
        key=("source_table", "source_key"),
        compared=("reason", "detail"),
        stamped=("run_id",),
        is_shared=True,
        scope=SQL("t.source_table = {} and {}").format(Literal(source), part),
    )
    query = SQL("select {}::text as source_table, {} as run_id, source_key, reason, detail from ({}) r").format(
        Literal(source), Literal(run.id), rejects
    )
    # The entries written are no rows of the step's own table: they are counted apart, and not shown.
    reconcile(warehouse, target, query, StepRun())
    count_rejects(warehouse, source, counts)


def among(checked: Composable, key: tuple[str, ...]) -> Composable:
    """Return the query for the entries about the rows in `checked`, what a statement gave, that did not pass.

    A row is named by the columns `key` that it had in the source.
    """
    columns = SQL(", ").join(SQL("coalesce(rejected ->> {}, 'null')").format(Literal(column)) for column in key)
    return SQL(
        """
        select concat_ws('/', {columns}) || case when occurrence > 1 then '#' || occurrence else '' end as source_key,
               reason,
               case when reason = 'orphan'
                    then jsonb_build_object('row', rejected, 'column', orphan, 'key', rejected -> orphan)
                    else jsonb_build_object('row', rejected) end as detail
          from {checked}
         where reason is not null
        """
    ).format(columns=columns, checked=checked)


def of_changed_rows(table: StarTable) -> Composable:
    """Return the condition for the entries, aliased t, about the rows of a source that may have changed."""
    staged = STAGED[table.source]
    keys = (
        # No entry about another table is read as a key of this one.
        SQL("case when t.source_table = {} then coalesce((t.detail #>> {})::{}, {}) end").format(
            Literal(table.source),
            Literal(["row", column]),
            SQL(staged.columns[column]),
            SQL(NULLS[staged.columns[column]]),
        )
        for column in staged.identity
    )
    return SQL("({}) in (select {} from {})").format(
        SQL(", ").join(keys), names(tuple(staged.key)), Identifier(table.changes)
    )


def count_rejects(warehouse: Cursor, source: str, counts: StepRun) -> None:
    """Set in `counts` how many rows of `source` are listed, also by reason, and of how many that it has."""
    warehouse.execute(
        """
        select coalesce(jsonb_object_agg(reason, rows), '{}'), coalesce(sum(rows), 0)::bigint,
               (select row_count from staged_table where source_table = %(source)s)
          from (select reason, count(*) as rows from rejected_row where source_table = %(source)s group by reason) r
        """,
        {"source": source},
    )
    reasons, counts.rejected, staged = one_row(warehouse)
    counts.reasons = json.loads(reasons)  # Django has the driver leave jsonb as it is
    counts.checked = counts.rows_read if staged is None else staged  # COVID days are all looked at each time


def forget_unknown_tables(warehouse: Cursor) -> None:
    """Remove the entries about tables that no source has: no load would ever come to them."""
    warehouse.execute("delete from rejected_row where source_table <> all (%s)", [[*STAGED, COVID_DAY]])
