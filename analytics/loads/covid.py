"""load_covid: the staged days of the COVID API into their star."""

from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid5

from psycopg2.extras import execute_values
from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

from analytics.loads.rejects import COVID_DAY, list_rejects
from ingest.covid.figures import FIGURES, NAMESPACE, SCOPE
from ingest.cursors import Cursor, raw_cursor
from ingest.reconcile import Target, reconcile
from ingest.runs.run import Run

STEP = "load_covid"
FIRST_DAY = date(2019, 12, 31)  # the first report to the WHO; no earlier day is one of the pandemic
TABLES = tuple(dict.fromkeys(figure.table for figure in FIGURES))


def load_covid(run: Run) -> None:
    """Bring the six COVID tables in step with the newest staged version of each day; list the days that do not fit."""
    with raw_cursor("analytics") as warehouse:
        with run.table(STEP, COVID_DAY) as counts:
            counts.rows_read = _judge(warehouse)
            rejects = SQL("select source_key, reason, detail from judged_covid_day where reason is not null")
            list_rejects(warehouse, COVID_DAY, rejects, run, counts)
        for table in TABLES:
            with run.table(STEP, table) as counts:
                counts.rows_read = reconcile(warehouse, _target(table), _days_query(table), counts)
        with run.table(STEP, DEFINITIONS.table) as counts:
            counts.rows_read = reconcile(warehouse, DEFINITIONS, DEFINITIONS_QUERY, counts)
    run.loaded("covid")


def _judge(warehouse: Cursor) -> int:
    """Leave the judged days in judged_covid_day and return their number."""
    warehouse.execute(
        """
        create temp table covid_calendar (day date, cases_id uuid) on commit drop;
        create temp table covid_figure (number integer, path text, keys text[], whole boolean, signed boolean,
                                        optional boolean, maximum bigint) on commit drop
        """
    )
    days = (FIRST_DAY + timedelta(number) for number in range((datetime.now(UTC).date() - FIRST_DAY).days + 1))
    execute_values(
        warehouse,
        "insert into covid_calendar values %s",
        [(day, uuid5(NAMESPACE, f"{SCOPE}/{day}")) for day in days],
    )
    execute_values(
        warehouse,
        "insert into covid_figure values %s",
        [(number, f.path, f.keys, *astuple(f.kind)) for number, f in enumerate(FIGURES)],
    )
    query = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    warehouse.execute("create temp table judged_covid_day on commit drop as " + query)
    return warehouse.rowcount


def _target(table: str) -> Target:
    own = ("last_update_at",) if table == "cases_dimension" else ()
    return Target(table, ("cases_id",), own + tuple(f.column for f in FIGURES if f.table == table))


def _days_query(table: str) -> Composed:
    """Return the query for a table's rows: each figure as the document writes it, whole ones as integers."""
    columns: list[Composable] = [SQL("cases_id")]
    if table == "cases_dimension":
        columns.append(SQL("(document ->> 'date')::date::timestamp at time zone 'UTC' as last_update_at"))
    for figure in FIGURES:
        if figure.table == table:
            number = SQL("(document #>> {})::numeric").format(Literal(figure.keys))
            whole = SQL("::bigint") if figure.kind.whole else SQL("")
            columns.append(SQL("{}{} as {}").format(number, whole, Identifier(figure.column)))
    return SQL("select {} from judged_covid_day where reason is null").format(SQL(", ").join(columns))


DEFINITIONS = Target(
    "field_definitions_dimension",
    ("field_definitions_dimension_id",),
    ("field_name", "field_path", "deprecated", "prior_names", "first_seen_at", "last_seen_at"),
)
DEFINITIONS_QUERY = SQL(
    """
    select id as field_definitions_dimension_id, name as field_name, field as field_path, deprecated, prior_names,
           first_seen_at, last_seen_at
      from staging_covid_definition
    """
)
