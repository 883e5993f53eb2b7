"""rejected_row kept in step: the current list of what does not fit, one part a source table."""

from psycopg2.sql import SQL, Composable, Identifier, Literal

from analytics.loads.tables import StarTable
from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.msk.tables import TABLES
from ingest.reconcile import EVERY_ROW, Target, names, reconcile
from ingest.runs.run import Run

COVID_DAY = "covid_day"  # as rejected_row names a day of the COVID documents

# How an entry's source_key says which row it is about, in the terms of the tables of changed keys.
ID = ("coalesce(nullif(split_part(t.source_key, '#', 1), 'null')::integer, -1)",)
PATIENT_AND_DAY = (
    "coalesce(nullif(split_part(t.source_key, '/', 1), 'null')::integer, -1)",
    "coalesce(nullif(split_part(split_part(t.source_key, '#', 1), '/', 2), 'null')::date, '-infinity')",
)
ROWS_LISTED = {"patient": ID, "patient_journey": ID, "step_result": PATIENT_AND_DAY, "survey_result": ID}


def list_rejects(
    warehouse: Cursor,
    source: str,
    rejects: Composable,
    run: Run,
    counts: StepRun,
    part: Composable = EVERY_ROW,
) -> None:
    """Make `rejects`, a query for source_key, reason and detail, the list of the rejected rows of `source`.

    With `part`, a condition on rejected_row aliased t, only that part of the list.

    An entry that stays as it is keeps the run that first listed it. Counts the rejects in `counts`.
    """
    target = Target(
        "rejected_row",
        key=("source_table", "source_key"),
        compared=("reason", "detail"),
        stamped=("run_id",),
        scope=SQL("t.source_table = {} and {}").format(Literal(source), part),
    )
    query = SQL("select {}::text as source_table, {} as run_id, source_key, reason, detail from ({}) r").format(
        Literal(source), Literal(run.id), rejects
    )
    # The entries written are no rows of the step's own table: they are counted apart, and not shown.
    reconcile(warehouse, target, query, StepRun())
    count_rejects(warehouse, source, counts)


def rejects_of_changed_rows(table: StarTable) -> Composable:
    """Return the condition for the entries, aliased t, about the rows of a source that may have changed."""
    keys = (
        # No entry about another table is read as a key of this one.
        SQL("case when t.source_table = {} then {} end").format(Literal(table.source), SQL(key))
        for key in ROWS_LISTED[table.source]
    )
    return SQL("({}) in (select {} from {})").format(
        SQL(", ").join(keys), names(table.changed_by), Identifier(table.changes)
    )


def count_rejects(warehouse: Cursor, source: str, counts: StepRun) -> None:
    """Set in `counts` how many rows of `source` are listed, and of how many that it has."""
    warehouse.execute(
        """
        select (select count(*) from rejected_row where source_table = %(source)s),
               (select row_count from staged_table where source_table = %(source)s)
        """,
        {"source": source},
    )
    counts.rejected, staged = one_row(warehouse)
    counts.checked = counts.rows_read if staged is None else staged  # COVID days are all looked at each time


def forget_unknown_tables(warehouse: Cursor) -> None:
    """Remove the entries about tables that no source has: no load would ever come to them."""
    known = [*(table.name for table in TABLES), COVID_DAY]
    warehouse.execute("delete from rejected_row where source_table <> all (%s)", [known])
