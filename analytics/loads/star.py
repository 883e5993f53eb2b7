"""load_msk: the staging tables into the star schema, subject by subject, each by the query in the file of its name."""

import hashlib
from dataclasses import dataclass

from django.db.models import Model
from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

from analytics import models
from analytics.loads.rejects import count_rejects, forget_unknown_tables, list_rejects
from analytics.loads.scope import EVERYTHING, NOTHING, Scope, read_sql
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.models import StepRun
from ingest.msk.tables import TABLES
from ingest.reconcile import Target, reconcile
from ingest.runs.errors import PipelineError
from ingest.runs.run import Run

STEP = "load_msk"

# The days that Python, too, can write; -infinity, infinity and the year 10000 are out of range.
FIRST_DAY, LAST_DAY = SQL("date '0001-01-01'"), SQL("date '9999-12-31'")

# What a judged query ends with: the row for the table, whether it enters it, and what rejected_row says of it.
VERDICT = SQL(
    """
       {columns},
       reason is null or (reason = 'orphan' and {orphans_enter}) as enters,
       reason,
       case when reason is not null
            then coalesce(source_key, 'null') || case when place > 1 then '#' || place else '' end
        end as source_key,
       case when reason is not null
            then jsonb_build_object('row', source_row)
                 || case when reason = 'orphan' then orphan else jsonb_build_object() end
        end as detail
    """
)


# A text that is longer is quoted in part: jsonb takes none of more than 256 MB, and nobody reads it there.
QUOTED_CHARACTERS = 1000
QUOTES = {
    "text": "case when length({column}) > {limit} then {in_part} else {column} end",
    "text[]": "case when length({column}::text) > {limit} then array[{in_part}] else {column} end",
}
IN_PART = "left({column}::text, {limit}) || '… (' || length({column}::text) || ' characters)'"


@dataclass(frozen=True)
class Subject:
    """A table of the star and the query that says what it holds; `source` is the staged table, if it is judged by row.

    The query of a judged table gives, beside the table's columns: source_key and place, which name the row; reason,
    null when nothing is wrong with it; orphan, the column and key that resolve to nothing; and source_row, as
    `_source_row` makes it of the staged row s.
    """

    model: type[Model]
    query: str
    source: str = ""
    orphans_enter: bool = False  # without the link that resolves to nothing, beside being listed

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(str(field.column) for field in self.model._meta.concrete_fields)


SUBJECTS = (
    Subject(models.PatientDimension, "dimension", "patient"),
    Subject(models.JourneyDimension, "dimension", "journey"),
    Subject(models.DeviceDimension, "dimension", "device"),
    Subject(models.SurveyDimension, "dimension", "survey"),
    Subject(models.ScheduleDimension, "schedule", "schedule"),
    Subject(models.ActivityDimension, "activity", "activity", orphans_enter=True),
    Subject(models.JourneyActivityBridge, "journey_activity", "journey_activity"),
    Subject(models.PatientJourneyFact, "patient_journey", "patient_journey"),
    Subject(models.StepResultFact, "step_result", "step_result"),
    Subject(models.SurveyResultFact, "survey_result", "survey_result"),
    Subject(models.PatientJourneyScheduleWindow, "window"),
    Subject(models.ActivityCompletionFact, "completion"),
    Subject(models.DateDimension, "date"),
)


def load_msk(run: Run) -> None:
    """Bring the star in step with the staging tables, and rejected_row with what did not fit.

    Looks only at what a change can have reached, see scope.py. Raises PipelineError when nothing is staged, or when a
    staged slug has not been parsed.
    """
    with raw_cursor("analytics") as warehouse:
        _check_staged(warehouse)
        scope = Scope(warehouse, _rules(warehouse))
        if scope.everything:
            forget_unknown_tables(warehouse)
        for subject in SUBJECTS:
            with run.table(STEP, subject.table) as counts:
                if subject.source:
                    _load_judged(warehouse, subject, scope, run, counts)
                else:
                    LOAD_DERIVED[subject.query](warehouse, subject, scope, counts)
        scope.done()
    run.loaded("msk")


def _check_staged(warehouse: Cursor) -> None:
    warehouse.execute("select exists (select from staged_table)")
    (extracted,) = one_row(warehouse)
    if not extracted:
        raise PipelineError("nothing has been extracted yet: run manage.py extract_msk first")
    warehouse.execute(
        """
        select count(*)
          from staging_schedule s
         where not exists (select from staging_slug p where p.slug = coalesce(s.slug, ''))
        """
    )
    (unparsed,) = one_row(warehouse)
    if unparsed:
        raise PipelineError(f"{unparsed} staged schedules have not been parsed: run manage.py parse_slugs first")


def _load_judged(warehouse: Cursor, subject: Subject, scope: Scope, run: Run, counts: StepRun) -> None:
    """Load a table whose staged rows enter it or are listed as rejected; an orphan activity is both."""
    if scope.is_partial(subject.source):
        scope.widen(subject.source)
    if scope.is_empty(subject.source):
        count_rejects(warehouse, subject.source, counts)
        return
    judged = Identifier(f"judged_{subject.source}")
    query = query_of(subject, staged=scope.staged(subject.source))
    warehouse.execute(SQL("create temp table {} on commit drop as {}").format(judged, query))
    counts.rows_read = warehouse.rowcount
    target = _target(subject, scope.loaded(subject.source, subject.columns[0]))
    enters = SQL("select * from {} where enters").format(judged)
    reconcile(warehouse, target, enters, counts, scope.touched(subject.table))
    rejects = SQL("select source_key, reason, detail from {} where reason is not null").format(judged)
    list_rejects(warehouse, subject.source, rejects, run, counts, scope.rejected(subject.source))
    warehouse.execute(SQL("drop table {}").format(judged))


def _load_windows(warehouse: Cursor, subject: Subject, scope: Scope, counts: StepRun) -> None:
    scope.find_windows()
    if scope.has("window"):
        query = query_of(subject, in_scope=scope.windows("f.patient_journey_id", "a.activity_id"))
        counts.rows_read = reconcile(warehouse, _target(subject, scope.windows("t.id")), query, counts)


def _load_completions(warehouse: Cursor, subject: Subject, scope: Scope, counts: StepRun) -> None:
    scope.find_completions()
    if scope.has("completion"):
        query = query_of(subject, in_scope=scope.completions("r.survey_result_id"))
        target = _target(subject, scope.completions("t.survey_result_id"))
        counts.rows_read = reconcile(warehouse, target, query, counts)


def _load_dates(warehouse: Cursor, subject: Subject, scope: Scope, counts: StepRun) -> None:
    query = query_of(
        subject,
        in_scope=scope.windows("w.id"),
        steps=scope.changed("s.id", "step_result_fact"),
        results=scope.changed("r.survey_result_id", "survey_result_fact"),
        journeys=scope.changed("f.patient_journey_id", "patient_journey_fact"),
        calendar=EVERYTHING if scope.everything else NOTHING,
    )
    counts.rows_read = reconcile(warehouse, _target(subject, NOTHING), query, counts)


# What is worked out from other tables of the star, by its query.
LOAD_DERIVED = {"window": _load_windows, "completion": _load_completions, "date": _load_dates}


def _target(subject: Subject, scope: Composable) -> Target:
    """Return how the subject's table is compared.

    A fact belongs to its patient: where that changes, the row is deleted and inserted, never updated, so that the
    table can be distributed by patient_id.
    """
    key = [subject.columns[0]]
    if "patient_id" in subject.columns and subject.model is not models.PatientDimension:
        key.append("patient_id")
    compared = tuple(column for column in subject.columns if column not in key)
    return Target(subject.table, tuple(key), compared, order=tuple(reversed(key)), scope=scope)


def query_of(subject: Subject, staged: Composable | None = None, **conditions: Composable) -> Composed:
    """Return the subject's query, its placeholders filled in: for all rows, or only those of a scope."""
    staged = staged or Identifier(f"staging_{subject.source}")
    conditions = dict.fromkeys(("in_scope", "steps", "results", "journeys", "calendar"), EVERYTHING) | conditions
    numbered = SQL(
        """(
            select t.*, row_number() over (partition by t.id order by t::text collate "C") as place
              from {} t
        )"""
    ).format(staged)
    return SQL(read_sql(subject.query)).format(
        verdict=VERDICT.format(columns=identifiers(subject.columns), orphans_enter=Literal(subject.orphans_enter)),
        numbered=numbered,
        staged=staged,
        **conditions,
        key=Identifier(subject.columns[0]),
        columns=identifiers(subject.columns[1:]),
        source_row=_source_row(subject.source),
        first_day=FIRST_DAY,
        last_day=LAST_DAY,
    )


def _source_row(source: str) -> Composed:
    """Return the expression by which rejected_row quotes a staged row s of `source`: as it came, long texts in part.

    Its keys are whole: by them scope.py finds the entry again. Nothing for a table that is not judged by row.
    """
    columns = next((table.own_columns() for table in TABLES if table.name == source), {})
    pairs = (
        SQL("{name}, " + QUOTES.get(kind, "{column}").replace("{in_part}", IN_PART)).format(
            name=Literal(name), column=Identifier("s", name), limit=Literal(QUOTED_CHARACTERS)
        )
        for name, kind in columns.items()
    )
    return SQL("jsonb_build_object({})").format(SQL(", ").join(pairs))


def identifiers(columns: tuple[str, ...]) -> Composed:
    """Return a list of columns for a statement."""
    return SQL(", ").join(map(Identifier, columns))


def _rules(warehouse: Cursor) -> str:
    """Return a digest of what decides what the star holds, other than its inputs."""
    queries = [query_of(subject).as_string(warehouse) for subject in SUBJECTS]
    return hashlib.sha256(repr((queries, TABLES)).encode()).hexdigest()
