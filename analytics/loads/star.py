"""load_msk: the staging tables into the star schema, table by table, each by the statement of its number."""

import hashlib
from functools import partial

from django.conf import settings
from psycopg2.sql import SQL, Composable, Identifier

from analytics.loads import rejects
from analytics.loads.changes import Changes
from analytics.loads.erasures import record_erasures
from analytics.loads.pseudonyms import check_key, load_pseudonyms
from analytics.loads.statements import statement
from analytics.loads.tables import STAGED, STAR_TABLES, StarTable
from analytics.models import PatientDimension
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.models import StepRun
from ingest.msk.extract import STEP as EXTRACTED
from ingest.msk.tables import TABLES
from ingest.placement import Placement, analyze_local, drop_work_table, make_work_table, placement
from ingest.reconcile import is_empty
from ingest.runs.errors import PipelineError
from ingest.runs.run import Run
from ingest.target import EVERY_ROW, Target, names

STEP = "load_msk"


def load_msk(run: Run, *, new_pseudonym_key: bool = False) -> None:
    """Bring the star in step with the staging tables, and rejected_row with what did not fit.

    Looks only at what a change can have reached, see changes.py. With `new_pseudonym_key` all pseudonyms are made anew.
    Raises PipelineError when the staging tables are not as the last extraction left them, when a staged slug has not
    been parsed, or when the pseudonyms have another key.
    """
    with raw_cursor("analytics") as warehouse:
        _check_staged(warehouse, run)
        check_key(warehouse, anew=new_pseudonym_key)
        changes = Changes(warehouse, _load_version(warehouse))
        if changes.everything:
            rejects.forget_unknown_tables(warehouse)
        for table in STAR_TABLES:
            with run.table(STEP, table.name) as counts:
                rows = changes.find(table)
                if table.model is PatientDimension and rows != 0:
                    record_erasures(warehouse, run, everything=rows is None)
                if table.source:
                    _load_checked(warehouse, table, rows, changes, run, counts)
                else:
                    _load_derived(warehouse, table, rows, changes, counts)
        load_pseudonyms(warehouse, changes, partial(run.table, STEP), anew=new_pseudonym_key)
        changes.done()
    run.loaded("msk")


def target(table: StarTable, *, everything: bool = True) -> Target:
    """Return how a table of the star is compared with its statement: all of it, or the rows that may have changed.

    A fact belongs to its patient: where that changes, the row is deleted and inserted, never updated, so that the
    table can be distributed by patient_id.
    """
    scope: Composable = EVERY_ROW
    if not everything:
        scope = SQL("({}) in (select {} from {})").format(
            names(table.picked_by, "t"), names(table.picked_by), Identifier(table.changes)
        )
    compared = tuple(column for column in table.columns if column not in table.grain)
    return Target(
        table.name,
        table.grain,
        compared,
        scope=scope,
        keeps_rows=table.keeps_rows,
        is_large=bool(table.changes),
        in_order=table.in_order,
    )


def _load_checked(
    warehouse: Cursor, table: StarTable, rows: int | None, changes: Changes, run: Run, counts: StepRun
) -> None:
    if rows == 0:
        rejects.count_rejects(warehouse, table.source, counts)
        return
    everything = rows is None
    checked, refused = f"checked_{table.source}", f"refused_{table.source}"
    counts.rows_read = make_work_table(warehouse, checked, statement(table.statement, everything=everything))
    if not is_empty(warehouse, table.name):  # into an empty one they are poured as they are
        analyze_local(warehouse, checked)
    entering = SQL("select * from {} where {}").format(Identifier(checked), SQL(table.enters))
    changes.reconcile(target(table, everything=everything), entering, counts)
    # What is refused goes to this server, where rejected_row is.
    make_work_table(warehouse, refused, rejects.among(Identifier(checked), STAGED[table.source].identity))
    part = EVERY_ROW if everything else rejects.of_changed_rows(table)
    rejects.list_rejects(warehouse, table.source, SQL("table {}").format(Identifier(refused)), run, counts, part)
    drop_work_table(warehouse, refused)
    drop_work_table(warehouse, checked)


def _load_derived(warehouse: Cursor, table: StarTable, rows: int | None, changes: Changes, counts: StepRun) -> None:
    counts.rows_read = rows or 0
    if rows == 0:
        return
    everything = rows is None
    # Which days to look at its statement finds in the changes of the others.
    query: Composable = statement(table.statement, everything=changes.everything if table.keeps_rows else everything)
    is_by_patient = placement(warehouse, table.name) is Placement.BY_PATIENT
    if table.keeps_rows or (is_by_patient and not is_empty(warehouse, table.name)):
        # The table has more than is looked at; or, by patient, the query would be worked out twice.
        expected = f"expected_{table.name}"
        rows, query = make_work_table(warehouse, expected, query), SQL("table {}").format(Identifier(expected))
        counts.rows_read = rows if table.keeps_rows else counts.rows_read
    changes.reconcile(target(table, everything=everything), query, counts)
    if everything and not table.keeps_rows:
        warehouse.execute(SQL("select count(*) from {}").format(Identifier(table.name)))
        (counts.rows_read,) = one_row(warehouse)


def _check_staged(warehouse: Cursor, run: Run) -> None:
    warehouse.execute("select source_table, row_count from staged_table")
    staged = warehouse.fetchall()
    if not staged:
        raise PipelineError("nothing has been extracted yet: run manage.py extract_msk first")
    has_extracted = any(counts.step == EXTRACTED for counts in run.steps)  # then they are there
    lost = [table for table, rows in staged if not has_extracted and _has_lost_rows(warehouse, table, rows)]
    if lost:
        raise PipelineError(
            f"the staging tables have lost rows, as after an upgrade or a crash of a server ({', '.join(lost)}): "
            "run manage.py extract_msk first"
        )
    warehouse.execute("select from staging_schedule where coalesce(slug, '') not in (select slug from staging_slug)")
    if unparsed := warehouse.rowcount:
        raise PipelineError(f"{unparsed} staged schedules have not been parsed: run manage.py parse_slugs first")


def _has_lost_rows(warehouse: Cursor, table: str, rows: int) -> bool:
    staging = f"staging_{table}"
    if placement(warehouse, staging) is Placement.LOCAL:
        return rows > 0 and is_empty(warehouse, staging)
    # A worker that has crashed has lost its own part of the rows alone: they are counted.
    warehouse.execute(SQL("select count(*) from {}").format(Identifier(staging)))
    return one_row(warehouse) != (rows,)


def _load_version(warehouse: Cursor) -> str:
    statements = [statement(table.statement, everything=True).as_string(warehouse) for table in STAR_TABLES]
    # With a key that was not there before, everybody has to be given a pseudonym.
    pseudonyms = ("pseudonyms",) if settings.PSEUDONYM_KEY else ()
    return hashlib.sha256(repr((statements, TABLES, STAR_TABLES, *pseudonyms)).encode()).hexdigest()
