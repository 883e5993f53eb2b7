"""load_covid: the staged days of the COVID API into their star."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from uuid import uuid5

from psycopg2.extras import Json
from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

from analytics.loads.rejects import COVID_DAY, list_rejects
from analytics.loads.statements import statement
from ingest.covid.figures import FIGURES, FIGURES_AS_JSON, NAMESPACE, SCOPE
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.reconcile import reconcile
from ingest.runs.run import Run
from ingest.target import Target

STEP = "load_covid"
FIRST_DAY = date(2019, 12, 31)  # the first report to the WHO; no earlier day is one of the pandemic
TABLES = tuple(dict.fromkeys(figure.table for figure in FIGURES))
DEFINITIONS = Target(
    "field_definitions_dimension",
    ("field_definitions_dimension_id",),
    ("field_name", "field_path", "deprecated", "prior_names", "first_seen_at", "last_seen_at"),
)
REJECTS = SQL("select source_key, reason, detail from checked_covid_day where reason is not null")
CALENDAR_OF_LAST_LOAD = SQL(
    """
    (select coalesce(jsonb_agg(d), '[]')
       from jsonb_array_elements({}) d
      where (d ->> 'day')::date <= (select (s.loaded_at at time zone 'UTC')::date from load_state s
                                     where s.source = 'covid'))
    """
)


def load_covid(run: Run) -> None:
    """Bring the six COVID tables in step with the newest staged version of each day; list the days that do not fit."""
    with raw_cursor("analytics") as warehouse:
        with run.table(STEP, COVID_DAY) as counts:
            query = checked_days(Json(calendar()))
            warehouse.execute(SQL("create temp table checked_covid_day on commit drop as {}").format(query))
            counts.rows_read = warehouse.rowcount
            list_rejects(warehouse, COVID_DAY, REJECTS, run, counts)
        for table in TABLES:
            _load(warehouse, target(table), figures(table), run)
        _load(warehouse, DEFINITIONS, definitions(), run)
    run.loaded("covid")


def checked_days(days: object) -> Composed:
    """Return the query for checked_covid_day: the days in their newest version, each with what is wrong with it."""
    return statement("200_covid_day", calendar=days, figures=Json(FIGURES_AS_JSON))


def checked_days_of_last_load() -> Composed:
    """Return the query for checked_covid_day as the last load had it: a day that was yet to come was no day for it."""
    return checked_days(CALENDAR_OF_LAST_LOAD.format(Literal(Json(calendar()))))


def calendar() -> list[dict[str, str]]:
    """Return the days that there are so far, each with its key in the star."""
    return _days_to(datetime.now(UTC).date())


@lru_cache(maxsize=1)  # a page and each check ask for them
def _days_to(last: date) -> list[dict[str, str]]:
    days = (FIRST_DAY + timedelta(number) for number in range((last - FIRST_DAY).days + 1))
    return [{"day": str(day), "cases_id": str(uuid5(NAMESPACE, f"{SCOPE}/{day}"))} for day in days]


def definitions() -> Composed:
    """Return the query for the rows of field_definitions_dimension."""
    return statement("210_field_definitions_dimension")


def _load(warehouse: Cursor, target: Target, query: Composable, run: Run) -> None:
    with run.table(STEP, target.table) as counts:
        warehouse.execute(SQL("select count(*) from ({}) q").format(query))
        (counts.rows_read,) = one_row(warehouse)
        reconcile(warehouse, target, query, counts)


def target(table: str) -> Target:
    """Return a table of the COVID star as a target: its key, and the columns that are compared and written."""
    own = ("last_update_at",) if table == "cases_dimension" else ()
    return Target(table, ("cases_id",), own + tuple(f.column for f in FIGURES if f.table == table))


def figures(table: str) -> Composed:
    """Return the query for a table's rows: each figure as the document writes it, whole ones as integers."""
    columns: list[Composable] = [SQL("cases_id")]
    if table == "cases_dimension":
        columns.append(SQL("(document ->> 'date')::date::timestamp at time zone 'UTC' as last_update_at"))
    for figure in FIGURES:
        if figure.table == table:
            number = "(document #>> {})::numeric::bigint" if figure.kind.whole else "(document #>> {})::numeric"
            columns.append(SQL(f"{number} as {{}}").format(Literal(figure.keys), Identifier(figure.column)))
    return SQL("select {} from checked_covid_day where reason is null").format(SQL(", ").join(columns))
