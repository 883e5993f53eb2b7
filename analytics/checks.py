"""check_warehouse: every promise of the star schema, proved in SQL."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db.models import DateField, DateTimeField
from psycopg2.sql import SQL, Composable, Identifier, Literal

from analytics.loads.star import SUBJECTS, Subject, identifiers, query_of
from ingest.cursors import one_row, raw_cursor

DIMENSIONS = {
    "patient_id": "patient_dimension",
    "journey_id": "journey_dimension",
    "activity_id": "activity_dimension",
    "schedule_id": "schedule_dimension",
    "survey_id": "survey_dimension",
    "device_id": "device_dimension",
    "patient_journey_id": "patient_journey_fact",
    "survey_result_id": "survey_result_fact",
}


@dataclass(frozen=True)
class Check:
    """A promise and the query for the rows that break it."""

    promise: str
    violations: Composable


@dataclass(frozen=True)
class Result:
    """How many rows break a promise."""

    promise: str
    violations: int


def run_checks() -> Iterator[Result]:
    """Prove each promise in turn and yield the result."""
    with raw_cursor("analytics") as warehouse:
        for check in checks():
            warehouse.execute(SQL("select count(*) from ({}) violations").format(check.violations))
            (violations,) = one_row(warehouse)
            yield Result(check.promise, violations)


def checks() -> Iterator[Check]:
    """Yield every check: what all tables promise alike, then what is written in checks.sql."""
    for subject in SUBJECTS:
        if subject.source:
            yield _is_complete(subject)
    for subject in SUBJECTS:
        yield _is_current(subject)
        yield from _keys_resolve(subject)
    yield from _written_checks()


def _is_complete(subject: Subject) -> Check:
    """Each row that the source had is in its table or listed as rejected; an orphan activity is both."""
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
        source=Literal(subject.source),
        staging=Identifier(f"staging_{subject.source}"),
        table=Identifier(subject.table),
        orphans_enter=Literal(subject.orphans_enter),
    )
    return Check(f"every row of {subject.source} is in {subject.table} or in rejected_row", violations)


def _is_current(subject: Subject) -> Check:
    """Each row is what its load would make of the staging tables now, and there is no other."""
    violations = SQL(
        """
        (select {columns} from ({query}) expected where {enters} except all select {columns} from {table})
         union all
        (select {columns} from {table} where {goes} except all select {columns} from ({query}) expected where {enters})
        """
    ).format(
        columns=identifiers(subject.columns),
        query=query_of(subject),
        enters=SQL("enters") if subject.source else SQL("true"),
        table=Identifier(subject.table),
        goes=Literal(subject.query != "date"),  # a day stays, once it is there
    )
    return Check(f"every row of {subject.table} is as its load makes it", violations)


def _keys_resolve(subject: Subject) -> Iterator[Check]:
    """Each key that is not null has its row, each day its place in the calendar, each fact its patient."""
    table = Identifier(subject.table)
    for field in subject.model._meta.concrete_fields:
        name = str(field.column)
        column, value = Identifier(name), SQL("t.{}").format(Identifier(name))
        dimension, key = DIMENSIONS.get(name), column
        if isinstance(field, DateTimeField):
            value = SQL("(t.{} at time zone 'UTC')::date").format(column)
        if isinstance(field, DateField):
            dimension, key = "date_dimension", Identifier("date")
        if dimension in (None, subject.table):
            continue
        yield Check(
            f"every {subject.table}.{name} is in {dimension}",
            SQL(
                "select {value} from {table} t where {value} is not null"
                " and not exists (select from {dimension} d where d.{key} = {value})"
            ).format(value=value, table=table, dimension=Identifier(dimension), key=key),
        )
    if "patient_id" in subject.columns[1:]:
        yield Check(
            f"every row of {subject.table} has a patient",
            SQL("select from {} where patient_id is null").format(table),
        )


def _written_checks() -> Iterator[Check]:
    """Yield the checks of checks.sql: a line that names the promise, then the query up to its semicolon."""
    text = Path(__file__).with_name("checks.sql").read_text(encoding="utf-8")
    for part in text.split("-- check: ")[1:]:
        promise, query = part.split("\n", 1)
        yield Check(promise, SQL(query.strip().removesuffix(";")))
