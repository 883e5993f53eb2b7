"""check_warehouse: every promise of the star schema, proved in SQL."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db.models import DateField, DateTimeField
from psycopg2.sql import SQL, Composable, Identifier, Literal

from analytics.loads import rejects
from analytics.loads.statements import statement
from analytics.loads.tables import STAGED, STAR_TABLES, StarTable
from analytics.models import DateDimension
from analytics.models.links import parents
from ingest.cursors import one_row, raw_cursor
from ingest.reconcile import names


@dataclass(frozen=True)
class Check:
    """A promise and the query for the rows that break it."""

    promise: str
    violations: Composable


def run_checks() -> Iterator[tuple[str, int]]:
    """Prove each promise in turn, and yield it with the number of rows that break it."""
    with raw_cursor("analytics") as warehouse:
        for check in checks():
            warehouse.execute(SQL("select count(*) from ({}) violations").format(check.violations))
            (violations,) = one_row(warehouse)
            yield check.promise, violations


def checks() -> Iterator[Check]:
    """Yield every check: what all tables promise alike, then what is written in checks.sql."""
    for table in STAR_TABLES:
        if table.source:
            yield _is_complete(table)
            yield _lists_its_rejects(table)
    for table in STAR_TABLES:
        yield _is_current(table)
        yield from _keys_resolve(table)
    yield from _written_checks()


def _is_complete(table: StarTable) -> Check:
    """Each row that the source had is in its table or listed as rejected; an orphan that enters is both."""
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


def _lists_its_rejects(table: StarTable) -> Check:
    """Each entry about a row of the source is what its load would list now, and there is no other."""
    checked = SQL("({}) checked").format(statement(table.statement, everything=True))
    violations = SQL(
        """
        with expected as ({expected}),
             listed as (select source_key, reason, detail from rejected_row where source_table = {source})
        (select * from expected except all select * from listed)
         union all
        (select * from listed except all select * from expected)
        """
    ).format(expected=rejects.among(checked, STAGED[table.source].identity), source=Literal(table.source))
    return Check(f"every rejected row of {table.source} is as its load lists it", violations)


def _is_current(table: StarTable) -> Check:
    """Each row is what its load would make of the staging tables now, and there is no other."""
    violations = SQL(
        """
        (select {columns} from ({query}) expected where {enters} except all select {columns} from {table})
         union all
        (select {columns} from {table} where {goes} except all select {columns} from ({query}) expected where {enters})
        """
    ).format(
        columns=names(table.columns),
        query=statement(table.statement, everything=True),
        enters=SQL(table.enters if table.source else "true"),
        table=Identifier(table.name),
        goes=Literal(not table.keeps_rows),
    )
    return Check(f"every row of {table.name} is as its load makes it", violations)


def _keys_resolve(table: StarTable) -> Iterator[Check]:
    """Each key that is not null has its row, each day its place in the calendar."""
    dimensions = parents(table.model)
    for field in table.model._meta.concrete_fields:
        name = str(field.column)
        value = SQL("(t.{} at time zone 'UTC')::date" if isinstance(field, DateTimeField) else "t.{}")
        model = DateDimension if isinstance(field, DateField) else dimensions.get(name)
        if model in (None, table.model):
            continue
        dimension, key = model._meta.db_table, str(model._meta.pk.column)
        yield Check(
            f"every {table.name}.{name} is in {dimension}",
            SQL(
                "select {value} from {table} t where {value} is not null"
                " and not exists (select from {dimension} d where d.{key} = {value})"
            ).format(
                value=value.format(Identifier(name)),
                table=Identifier(table.name),
                dimension=Identifier(dimension),
                key=Identifier(key),
            ),
        )


def _written_checks() -> Iterator[Check]:
    """Yield the checks of checks.sql: a line that names the promise, then the query up to its semicolon."""
    text = Path(__file__).with_name("checks.sql").read_text(encoding="utf-8")
    for part in text.split("-- check: ")[1:]:
        promise, query = part.split("\n", 1)
        yield Check(promise, SQL(query.strip().removesuffix(";")))
