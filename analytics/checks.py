"""check_warehouse: every promise of the star schema, proved in SQL on one state of the warehouse."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from django.db import transaction
from django.db.models import DateField, DateTimeField, Model
from django.utils import timezone
from psycopg2.sql import SQL, Composable, Identifier, Literal

from analytics import models
from analytics.loads import covid, rejects
from analytics.loads.statements import statement
from analytics.loads.tables import STAGED, STAR_TABLES, StarTable
from analytics.models import DateDimension
from analytics.models.links import parents
from analytics.overrides import waiting
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.models import WarehouseCheck
from ingest.runs.errors import PipelineError, explain
from ingest.runs.run import give_room
from ingest.target import names

COVID_FACTS = (models.CasesFact, models.TestingFact, models.HospitalizationFact, models.DeathFact)


# The promises that hold only for the overrides that a load has read.
ABOUT_OVERRIDES = (
    "every row of schedule_dimension is as its load makes it",
    "every schedule says what its override or else its slug says, but one that waits for the next run",
)


class NotProvedError(PipelineError):
    """A promise whose query did not come to its end."""


@dataclass(frozen=True)
class Check:
    """A promise about the star of a source, and the query for the rows that break it."""

    promise: str
    violations: Composable
    source: str = "msk"


def run_checks() -> Generator[WarehouseCheck, None, None]:
    """Prove each promise in turn, and yield the outcome, which is not on record yet.

    All read one state of the warehouse: a load that ends meanwhile is not seen. Raises NotProvedError where the query
    of a promise fails.
    """
    began = timezone.now()
    with transaction.atomic(using="analytics"), raw_cursor("analytics") as warehouse:
        _take_snapshot(warehouse)
        warehouse.execute("select source, run_id from load_state")
        runs = dict(warehouse.fetchall())
        for check in checks(waiting=[each.schedule_id for each in waiting()]):
            start = time.monotonic()
            try:
                warehouse.execute(SQL("select count(*) from ({}) violations").format(check.violations))
            except psycopg2.Error as error:
                if (error.pgcode or "08").startswith(("08", "57P")):  # the server is down: no fault of the query's
                    raise
                raise NotProvedError(f"it cannot be proved that {check.promise}: {_fault(error)}") from error
            (violations,) = one_row(warehouse)
            yield WarehouseCheck(
                checked_at=began,
                promise=check.promise,
                source=check.source,
                run_id=runs.get(check.source),
                violations=violations,
                seconds=round(time.monotonic() - start, 3),
            )


def _fault(error: psycopg2.Error) -> str:
    if not (error.pgcode or "").startswith("42"):
        return explain(error)
    # What the server says of a statement quotes the statement alone, and who wrote it has to see that.
    return f"{error.diag.message_primary}: correct its query, or bring the databases up to date with make migrate"


def _take_snapshot(warehouse: Cursor) -> None:
    """Let the transaction see the warehouse as it is now, to its end.

    A table that somebody truncates would be empty in it all the same, so none can be from here on: all are locked as
    by their readers, in the order in which a load comes to them, and before anything is read.
    """
    warehouse.execute("set transaction isolation level repeatable read, read only")
    tables = [*(table.staging for table in STAGED.values()), *(Identifier(table.name) for table in STAR_TABLES)]
    warehouse.execute(SQL("lock table {} in access share mode").format(SQL(", ").join(tables)))
    give_room()


def checks(waiting: Sequence[int] = ()) -> Iterator[Check]:
    """Yield every check: what all tables promise alike, then what is written in SQL; of the COVID figures likewise.

    The schedules in `waiting` have an override, or had one, that no load has read: the star says what held before.
    """
    for check in _msk_checks():
        yield _without_schedules(waiting, check) if check.promise in ABOUT_OVERRIDES else check
    for check in _covid_checks():
        yield Check(check.promise, check.violations, "covid")


def _msk_checks() -> Iterator[Check]:
    for table in STAR_TABLES:
        if table.source:
            yield _is_complete(table)
            checked = SQL("({}) checked").format(statement(table.statement, everything=True))
            yield _lists_its_rejects(table.source, rejects.among(checked, STAGED[table.source].identity))
    for table in STAR_TABLES:
        query = statement(table.statement, everything=True)
        enters = table.enters if table.source else "true"
        yield _is_current(table.name, table.columns, query, enters, keeps_rows=table.keeps_rows)
        yield from _keys_resolve(table.model)
        yield from _days_resolve(table.model)
    yield from _written_checks("checks.sql")


def _without_schedules(schedules: Sequence[int], check: Check) -> Check:
    violations = SQL("select * from ({}) violations where schedule_id is null or schedule_id <> all({}::int[])").format(
        check.violations, Literal(list(schedules))
    )
    return Check(check.promise, violations)


def _covid_checks() -> Iterator[Check]:
    def of_days(query: Composable) -> Composable:
        return SQL("with checked_covid_day as ({}) {}").format(covid.checked_days_of_last_load(), query)

    yield _lists_its_rejects(rejects.COVID_DAY, of_days(covid.REJECTS))
    for name in covid.TABLES:
        yield _is_current(name, covid.target(name).columns, of_days(covid.figures(name)))
    yield _is_current(covid.DEFINITIONS.table, covid.DEFINITIONS.columns, covid.definitions())
    for model in COVID_FACTS:
        yield from _keys_resolve(model)
    yield from _written_checks("checks_covid.sql")


def _is_complete(table: StarTable) -> Check:
    # An orphan that enters is listed all the same, and counts once.
    violations = SQL(
        """
        select source, staged, loaded, rejected
          from (select coalesce(sum(row_count), 0) as source from staged_bucket where source_table = {source}) a,
               (select count(*) as staged from {staging}) b,
               (select count(*) as loaded from {table}) c,
               (select count(*) as rejected
                  from rejected_row
                 where source_table = {source} and not (reason = 'orphan' and {orphans_enter})) d
         where source <> staged or source <> loaded + rejected
        """
    ).format(
        source=Literal(table.source),
        staging=Identifier(f"staging_{table.source}"),
        table=Identifier(table.name),
        orphans_enter=Literal(table.orphans_enter),
    )
    return Check(f"every row of {table.source} is in {table.name} or in rejected_row", violations)


def _lists_its_rejects(source: str, expected: Composable) -> Check:
    violations = SQL(
        """
        with expected as ({expected}),
             listed as (select source_key, reason, detail from rejected_row where source_table = {source})
        (select * from expected except all select * from listed)
         union all
        (select * from listed except all select * from expected)
        """
    ).format(expected=expected, source=Literal(source))
    return Check(f"every rejected row of {source} is as its load lists it", violations)


def _is_current(
    table: str, columns: tuple[str, ...], query: Composable, enters: str = "true", *, keeps_rows: bool = False
) -> Check:
    violations = SQL(
        """
        (select {columns} from ({query}) expected where {enters} except all select {columns} from {table})
         union all
        (select {columns} from {table} where {goes} except all select {columns} from ({query}) expected where {enters})
        """
    ).format(
        columns=names(columns),
        query=query,
        enters=SQL(enters),
        table=Identifier(table),
        goes=Literal(not keeps_rows),
    )
    return Check(f"every row of {table} is as its load makes it", violations)


def _keys_resolve(model: type[Model]) -> Iterator[Check]:
    for column, dimension in parents(model).items():
        yield _resolves(model, column, SQL("t.{}").format(Identifier(column)), dimension)


def _days_resolve(model: type[Model]) -> Iterator[Check]:
    for field in model._meta.concrete_fields:
        if isinstance(field, DateField) and model is not DateDimension:
            value = SQL("(t.{} at time zone 'UTC')::date" if isinstance(field, DateTimeField) else "t.{}")
            column = str(field.column)
            yield _resolves(model, column, value.format(Identifier(column)), DateDimension)


def _resolves(model: type[Model], column: str, value: Composable, dimension: type[Model]) -> Check:
    table, other = model._meta.db_table, dimension._meta.db_table
    return Check(
        f"every {table}.{column} is in {other}",
        SQL(
            "select {value} from {table} t where {value} is not null"
            " and not exists (select from {dimension} d where d.{key} = {value}{of_patient})"
        ).format(
            value=value,
            table=Identifier(table),
            dimension=Identifier(other),
            key=Identifier(str(dimension._meta.pk.column)),
            # A fact's rows are where its patient's are.
            of_patient=SQL(" and d.patient_id = t.patient_id" if "patient_id" in parents(dimension) else ""),
        ),
    )


def _written_checks(file: str) -> Iterator[Check]:
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    # A line names the promise; its query follows, up to the semicolon.
    for part in text.split("\n-- check: ")[1:]:
        promise, query = part.rstrip().split("\n", 1)
        if query.find(";") != len(query) - 1:
            raise NotProvedError(
                f"it cannot be proved that {promise}: in analytics/{file} its query has to end with a semicolon, after "
                "which the next one begins with -- check:"
            )
        yield Check(promise, SQL(query.removesuffix(";")))
