"""What is rejected, by table and reason: how much, what mends it, examples, and how that went over the last loads."""

import sys
from collections.abc import Sequence

from django.db.models import Prefetch
from django.http import HttpRequest
from django.urls import reverse
from psycopg2.sql import SQL, Literal

from access.log import saw
from analytics.charts import Line, Lines, Point
from analytics.charts.scale import number
from analytics.pages.answers import Row, kept
from analytics.pages.home import REJECTED
from analytics.pages.page import SEES_PATIENTS
from analytics.pages.small_numbers import OF_PATIENTS, rounded
from ingest.cursors import one_row, raw_cursor
from ingest.models import RejectedRow, StepRun
from ingest.runs.status import current_rejects, loads

SEES_REJECTS = "ingest.view_rejectedrow"
RUNS = 30  # of a trend
EXAMPLES = 3  # of each reason
# What mends a row at the source; the next run then takes it in.
MENDS: dict[str, str] = {
    RejectedRow.Reason.ORPHAN: "Add the row that its key names, or correct the key; it then enters by itself.",
    RejectedRow.Reason.NOT_A_NUMBER: "Write a whole number, without unit, word or point.",
    RejectedRow.Reason.NEGATIVE: "Correct the number: what is counted is never below zero.",
    RejectedRow.Reason.OUT_OF_RANGE: "Correct the number or the day: there is none like that.",
    RejectedRow.Reason.DUPLICATE: "Delete the row that is too many, or give it a key of its own.",
    RejectedRow.Reason.MISSING_KEY: "Fill in the key, the day or the time that is empty.",
    RejectedRow.Reason.END_BEFORE_START: "Correct the start or the end of the answer.",
}
LABELS = dict(RejectedRow.Reason.choices)
# The patients of rejected rows of a query, as far as these name one, and how many rows about a patient name none.
OF_REJECTS = SQL(
    """
    select
        coalesce(array_agg(distinct r.patient) filter (where r.patient is not null), '{{}}'),
        count(*) filter (where r.patient is null and r.is_of_a_patient), count(*)
    from (
        select
            substring(
                e.detail -> 'row' ->> case e.source_table when 'patient' then 'id' else 'patient_id' end
                from '^-?[0-9]{{1,18}}$'
            ) as patient,
            e.source_table in ('patient', 'patient_journey', 'step_result', 'survey_result') as is_of_a_patient
        from ({}) as e
    ) as r
    """
)


def rejects_of(sums: list[Row], *, hides_rows: bool = False) -> list[Row]:
    """Return the rejected rows by table and reason, and their share of the rows of the table that were judged.

    With `hides_rows` those about patients are counted as patients are.
    """
    judged = {row["source_table"]: row["judged"] for row in sums}
    return [
        {
            "source_table": each.source_table,
            "reason": each.reason,
            "rows": (rows := rounded(each.rows) if hides_rows and each.source_table in OF_PATIENTS else each.rows),
            "share": rows / (judged.get(each.source_table) or each.rows),
        }
        for each in current_rejects()
    ]


def shown(rejects: list[Row], request: HttpRequest) -> list[Row]:
    """Return the rejects as the page shows them; their rows are for those who may see patients."""
    sees = request.user.has_perm
    lists = sees(SEES_PATIENTS) and sees(SEES_REJECTS)
    examples = _examples() if lists and "format" not in request.GET else {}  # a CSV has none
    if examples:
        say_rejects(request, [row for rows in examples.values() for row in rows])
    return [
        {
            "table": row["source_table"],
            "reason": row["reason"],
            "meaning": LABELS.get(row["reason"], ""),
            "rows": number(row["rows"]),
            "share": f"{percent(row['share'])} %",
            "mends": MENDS.get(row["reason"], ""),
            "url": reverse(
                "admin:ingest_rejectedrow_changelist",
                query={"source_table": row["source_table"], "reason": row["reason"]},
            )
            if lists
            else "",
            "examples": examples.get((row["source_table"], row["reason"]), []),
        }
        for row in rejects
    ]


def first_rejects() -> list[int]:
    """Return which entries come first of each table and reason: where many rows are rejected, that takes a second."""
    return [row["entry"] for row in kept("quality_examples", examples=EXAMPLES)]


def _examples() -> dict[tuple[str, str], list[RejectedRow]]:
    found: dict[tuple[str, str], list[RejectedRow]] = {}
    # What comes first is kept: a run may have taken some of it off the list since.
    for row in RejectedRow.objects.filter(pk__in=first_rejects()).defer("detail").order_by("pk"):
        found.setdefault((row.source_table, row.reason), []).append(row)
    return found


def say_rejects(request: HttpRequest, rows: Sequence[RejectedRow]) -> None:
    """Say which patients rejected rows are about."""
    entries = SQL("select * from rejected_row where id = any({})").format(Literal([row.pk for row in rows]))
    with raw_cursor("analytics") as warehouse:
        warehouse.execute(OF_REJECTS.format(entries if rows else SQL("select * from rejected_row limit 0")))
        patients, unnamed, _ = one_row(warehouse)
    saw(request, map(int, patients), unnamed=unnamed, rows=len(rows))


def percent(share: float) -> str:
    """Return a share in percent, for people to read; a small one is not shown as none."""
    return number(100 * share, 2) if share == 0 or share >= 0.0001 else "less than 0.01"


def trend(source: str, *, sees_runs: bool, hides_rows: bool = False) -> Lines:
    """Return the share of each table that the last loads of a source rejected."""
    counted = StepRun.objects.filter(step__startswith="load_", checked__gt=0).order_by("pk")
    runs = loads(source).prefetch_related(Prefetch("steps", counted))[:RUNS]
    shares: dict[str, list[Point]] = {}
    for run in reversed(list(runs)):
        url = reverse("run", args=[run.pk]) if sees_runs else ""
        for step in run.steps.all():
            table = REJECTED.get(step.table_name, step.table_name)
            counts = (step.rejected, step.checked)
            rejected, checked = map(rounded, counts) if hides_rows and table in OF_PATIENTS else counts
            if checked:
                shares.setdefault(table, []).append(Point(run.pk, 100 * rejected / checked, url=url))
    return Lines(
        key=f"trend-{source}",
        title=f"{source.upper()}: what the last {RUNS} loads rejected of each table",
        unit="% of the rows of the table",
        x_title="run",
        lines=[Line(table, points) for table, points in shares.items() if any(point.value for point in points)],
        gap=sys.maxsize,  # other runs lie between two loads
        places=3,
        empty="These loads rejected no row.",
    )
