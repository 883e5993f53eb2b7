"""The warehouse spread over the workers of Citus, and brought back: distribute_warehouse.

Facts, what is staged of them and the work tables of a run are cut by patient, so that all rows of one are on one
worker; dimensions and the bridge are whole on each. The rest is small and stays where it is, on the coordinator: what
is staged of dimensions, digests, the run's state, rejected rows, COVID.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg2.sql import SQL, Composable, Identifier

from analytics.loads.pseudonyms import NAMED
from analytics.loads.star import target
from analytics.loads.statements import statement
from analytics.loads.tables import STAR_TABLES, StarTable
from analytics.models import PatientDimension
from analytics.models.links import parents
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.models import SOURCES
from ingest.msk.tables import TABLES
from ingest.placement import Placement, placement
from ingest.runs import lock
from ingest.runs.errors import PipelineError
from ingest.runs.run import give_room
from ingest.target import names

DEFINITIONS = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
LEAST_WORK_MEM = 16 << 20  # bytes: with less a worker sorts on disk what a page asks of it
# Workers know neither the roles' passwords nor their rights.
ONE_USER = "a distributed warehouse has one user, so remove LOADER_PASSWORD, WEB_PASSWORD and READER_PASSWORD"
FIRST = "patient_journey_fact"  # the others by patient go where its rows are
# Into how many parts rows are cut for each worker: each statement costs some milliseconds a part, and with few of them
# workers that are added later cannot be given even shares.
PARTS_A_WORKER = 4
DEFAULT_STATISTICS = 100  # of PostgreSQL: values of a column that it keeps of a table


@dataclass(frozen=True)
class Placed:
    """A table that is on workers: by patient, whose column is `by`, or whole on each without one."""

    table: str
    by: str = ""
    query: Composable | None = None  # of a work table: one for its columns

    @property
    def placement(self) -> Placement:
        return Placement.BY_PATIENT if self.by else Placement.REFERENCE

    def __str__(self) -> str:
        return f"{self.table} by {self.by}" if self.by else f"{self.table} whole on each worker"


def placed() -> Iterator[Placed]:
    """Yield all tables that are on workers in a distributed warehouse, in the order in which they go there."""
    facts = [table for table in STAR_TABLES if PatientDimension in parents(table.model).values()]
    yield from (Placed(table.name) for table in STAR_TABLES if table not in facts)
    yield from (Placed(table.name, "patient_id") for table in facts)
    yield from (Placed(table.changes, "patient_id") for table in facts)
    for table in TABLES:
        if "owner_id" in table.columns:
            rows = SQL("select * from {}").format(table.staging)
            compared = SQL("select {}, 1 as surplus from {}").format(names(tuple(table.columns)), table.staging)
            yield Placed(f"staging_{table.name}", "owner_id")
            yield Placed(f"incoming_{table.name}", "owner_id", rows)
            yield Placed(f"differing_{table.name}", "owner_id", compared)
    for fact in facts:
        yield from _work_tables(fact)


def _work_tables(fact: StarTable) -> Iterator[Placed]:
    found = target(fact)
    differing = SQL("select {}, false as is_new, false as is_gone from {}").format(
        names(found.columns), Identifier(fact.name)
    )
    for name, query in zip(fact.work_tables, (statement(fact.statement, everything=True), differing), strict=True):
        yield Placed(name, "patient_id", query)


def distribute(*, parts: int | None = None, is_dry: bool = False) -> list[Placed]:
    """Bring every table to where it belongs, all in one transaction, and return those that were not there.

    The rows of patients are cut into `parts`, by default PARTS_A_WORKER for each worker that is there now. Work tables
    are made anew each time, as an upgrade may have changed their columns. With `is_dry` nothing is done.
    Raises PipelineError where the server is not fit for it, and SkippedError when a run is in progress.
    """
    tables = list(placed())
    with transaction.atomic(using="analytics"), raw_cursor("analytics") as warehouse:
        _refuse_unfit(warehouse)
        _keep_runs_out()
        _refuse_other_parts(warehouse, parts)
        parts = parts or PARTS_A_WORKER * _count_workers(warehouse)
        to_do = [table for table in tables if placement(warehouse, table.table) is not table.placement]
        if not is_dry:
            give_room()
            for table in tables:
                if table.query or table in to_do:
                    _place(warehouse, table, parts)
            _place_functions(warehouse)
            for named in NAMED:  # which no run keeps in step there; with the same key they are the same again
                warehouse.execute(SQL("delete from {}").format(Identifier(named.table)))
    if not is_dry:
        _free_room_and_analyze(tables)
    return to_do


def bring_back(*, is_dry: bool = False) -> list[Placed]:
    """Bring every table that is on workers back to the one server, all in one transaction, and return these.

    With `is_dry` nothing is done. Raises SkippedError when a run is in progress.
    """
    with transaction.atomic(using="analytics"), raw_cursor("analytics") as warehouse:
        _keep_runs_out()
        to_do = [table for table in placed() if placement(warehouse, table.table) is not Placement.LOCAL]
        if to_do and not is_dry:
            give_room()
            warehouse.execute(DEFINITIONS)
            definitions = warehouse.fetchall()
            for table in to_do:
                if table.query:
                    warehouse.execute(SQL("drop table {}").format(Identifier(table.table)))
                else:
                    warehouse.execute("select undistribute_table(%s)", [table.table])
                    if table.by:
                        _set_statistics(warehouse, table.table, -1)
            for view, definition in definitions:
                warehouse.execute("select %s::text is null or to_regclass(%s) is null", [view, view])
                if one_row(warehouse) == (True,):
                    warehouse.execute(SQL(definition))
            for table in to_do:
                if not table.query:
                    warehouse.execute(SQL("analyze {}").format(Identifier(table.table)))
    return to_do


def rows_by_worker(table: str) -> dict[str, int]:
    """Return how many rows of a table each worker has, by its address."""
    with raw_cursor("analytics") as warehouse:
        warehouse.execute(
            "select format('%%s:%%s', nodename, nodeport), sum(result::bigint)"
            " from run_command_on_placements(%s, 'select count(*) from %%s') group by 1 order by 1",
            [table],
        )
        return {worker: int(rows) for worker, rows in warehouse.fetchall()}


def _refuse_unfit(warehouse: Cursor) -> None:
    database = connections["analytics"].settings_dict["NAME"]
    if settings.DATABASE_ROLES:
        raise PipelineError(f"{database} cannot be distributed with roles of its own: {ONE_USER}")
    warehouse.execute("select to_regclass('research.patient_dimension') is not null")
    if one_row(warehouse) == (True,) or settings.PSEUDONYM_KEY:
        raise PipelineError(
            f"{database} cannot be distributed with pseudonyms: remove PSEUDONYM_KEY, and drop schema research cascade"
        )
    warehouse.execute("select from pg_extension where extname = 'citus'")
    if not warehouse.rowcount:
        raise PipelineError(
            f"{database} has no extension citus: install Citus on its server, run `create extension citus` in "
            f"{database} there and on each worker, and add the workers by citus_add_node (docs/scale-out.md)"
        )
    executor = MigrationExecutor(connections["analytics"])
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        migration, _ = plan[0]
        raise PipelineError(
            f"{database} is not up to date ({migration.app_label}.{migration.name}): run manage.py prepare_databases"
        )
    if not _count_workers(warehouse):
        raise PipelineError(f"{database} has no active worker: add one by citus_add_node (docs/scale-out.md)")
    warehouse.execute(
        "select nodename, nodeport, success, result from run_command_on_workers($$select setting from pg_settings"
        " where name = 'work_mem' and setting::bigint * 1024 < %s$$) where result <> '' or not success",
        [LEAST_WORK_MEM],
    )
    for name, port, has_answered, kilobytes in warehouse.fetchall():
        if not has_answered:
            raise PipelineError(f"the worker {name}:{port} does not answer: {kilobytes}; see that its server is up")
        raise PipelineError(
            f"the worker {name}:{port} has a work_mem of {kilobytes} kB: set it to {LEAST_WORK_MEM >> 20} MB or more "
            "there, in postgresql.conf or by alter system"
        )


def _refuse_other_parts(warehouse: Cursor, parts: int | None) -> None:
    warehouse.execute("select shard_count from citus_tables where table_name = to_regclass(%s)", [FIRST])
    cut = [count for (count,) in warehouse.fetchall()]
    if parts and cut not in ([], [parts]):
        raise PipelineError(
            f"the rows of patients are already cut into {cut[0]} parts: distribute_warehouse --undo brings them back, "
            f"to be cut into {parts}"
        )


def _count_workers(warehouse: Cursor) -> int:
    warehouse.execute("select from pg_dist_node where isactive and shouldhaveshards and noderole = 'primary'")
    return warehouse.rowcount


def _keep_runs_out() -> None:
    for source in SOURCES:
        lock.take(source)


def _place_functions(warehouse: Cursor) -> None:
    # The statements call them on the workers.
    warehouse.execute(
        "select create_distributed_function(p.oid::regprocedure) from pg_proc p"
        " where p.pronamespace = 'public'::regnamespace and not p.prosecdef"
        " and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')"
    )


def _place(warehouse: Cursor, table: Placed, parts: int) -> None:
    if table.query:
        warehouse.execute(SQL("drop table if exists {}").format(Identifier(table.table)))
        create = SQL("create unlogged table {} as {} with no data")
        warehouse.execute(create.format(Identifier(table.table), table.query))
    if not table.by:
        warehouse.execute("select create_reference_table(%s)", [table.table])
        return
    if not table.query:
        # So that to analyse all parts reads about as many rows as to analyse the one table that they are made of.
        _set_statistics(warehouse, table.table, max(DEFAULT_STATISTICS // parts, 10))
    beside, count = ("none", parts) if table.table == FIRST else (FIRST, None)
    cut = "select create_distributed_table(%s, %s, colocate_with => %s, shard_count => %s)"
    warehouse.execute(cut, [table.table, table.by, beside, count])


def _set_statistics(warehouse: Cursor, table: str, statistics: int) -> None:
    # How many values of each column are kept when the table is analysed; -1 stands for as many as of other tables.
    warehouse.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped", [table]
    )
    column = SQL("alter column {} set statistics {}")
    columns = [column.format(Identifier(name), SQL(str(statistics))) for (name,) in warehouse.fetchall()]
    warehouse.execute(SQL("alter table {} {}").format(Identifier(table), SQL(", ").join(columns)))


def _free_room_and_analyze(tables: list[Placed]) -> None:
    with raw_cursor("analytics") as warehouse:
        for table in tables:
            warehouse.execute("select truncate_local_data_after_distributing_table(%s)", [table.table])
            if not table.query:
                warehouse.execute(SQL("analyze {}").format(Identifier(table.table)))
