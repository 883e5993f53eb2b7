"""Home: is it well, what is new, what wants a person."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from analytics.analyst import star
from analytics.charts.scale import number
from analytics.loads.tables import STAR_TABLES
from analytics.overrides import Waiting, waiting
from analytics.pages import small_numbers
from analytics.pages.adherence import Question, by_week, percent
from analytics.pages.answers import as_day, kept
from analytics.pages.page import SEES_QUALITY, SEES_RUNS, SEES_TOTALS, Content, asked, page
from analytics.proofs import last_proofs
from ingest.models import SOURCES, Alert
from ingest.runs.status import State, current_rejects, loads, source_statuses

SEES_ALERTS = "ingest.view_alert"
SEES_SLUGS = "analytics.view_scheduledimension"
SAYS_WHAT_SLUGS_MEAN = "ingest.add_scheduleoverride"
SEES_OVERRIDES = "ingest.view_scheduleoverride"
SLUGS = 10  # that are shown
Reasons = dict[tuple[str, str], int]  # rejected rows by source table and reason
# The load's steps are named by the tables of the star, rejected rows by those of the source.
REJECTED = {table.name: table.source for table in STAR_TABLES if table.source}
REMEDIES = {
    Alert.Kind.FAILED: "Mend what the error of the run names; the next run catches up by itself.",
    Alert.Kind.STALE: "Start one on the page of the runs, and look whether cron is at work.",
    Alert.Kind.SCHEMA_CHANGE: "Look at what changed; nothing is to be done while figures still arrive.",
    Alert.Kind.REJECTS: "Look at the rejected rows of the table: their reason says what to mend at the source.",
}
ADVICE = {
    State.FINE: "",
    State.NEVER: "Nothing was loaded yet.",
    State.STALE: "Numbers are of that time: what came since is not in them.",
    State.FAILING: "Numbers are of the last load that succeeded.",
}


@page("Home")
def home(request: HttpRequest) -> Content:
    """Show how the sources stand, and of the rest what who asks may see."""
    asked(request, [])
    values: dict[str, Any] = {"sources": _sources(), "rows": _rows_of_facts()}
    sees = request.user.has_perm
    if any(map(sees, SEES_QUALITY)):
        values["proofs"] = _last_check()
    if sees(SEES_ALERTS):
        values["alerts"] = [(alert, REMEDIES[Alert.Kind(alert.kind)]) for alert in Alert.objects.filter(ended_at=None)]
    if sees(SEES_RUNS) or sees(SEES_TOTALS):
        values["rejects"] = _rejects_with_change(sees)
    if sees(SEES_SLUGS):
        values["slugs"] = _slugs(sees)
    if sees(SEES_TOTALS):
        values["weeks"] = _last_two_weeks()
    return Content("pages/home.html", values)


def _sources() -> list[dict[str, Any]]:
    last_loads = {source: loads(source).first() for source in SOURCES}
    return [
        {
            "status": status,
            "word": status.state.value,
            "style": status.state.value.split()[0],
            "advice": ADVICE[status.state],
            "seconds": number(last.seconds, 1) if (last := last_loads[status.source]) else "",
        }
        for status in source_statuses()
    ]


def _last_check() -> dict[str, Any]:
    proofs = last_proofs()
    return {
        "all": len(proofs),
        "checked_at": proofs[0].checked_at if proofs else None,
        "broken": sum(bool(proof.violations) for proof in proofs),
        "unproved": sum(proof.violations is None for proof in proofs),
    }


def _rows_of_facts() -> list[dict[str, Any]]:
    found = {row["table_name"]: row["rows"] for row in kept("tables", tables=star("analytics"))}
    return [{"table": name, "rows": number(rows)} for name, rows in found.items() if rows and name.endswith("_fact")]


def _rejects_with_change(sees: Callable[[str], bool]) -> list[dict[str, Any]]:
    lists = sees("ingest.view_rejectedrow")
    now = {(each.source_table, each.reason): each.rows for each in current_rejects()}
    before = _rejects_before()
    if small_numbers.hides_rows(sees):
        now, before = map(_protected, (now, before))
    return [
        {
            "table": table,
            "reason": reason,
            "rows": number(now.get((table, reason), 0)),
            "change": f"{change:+,}" if (change := _change(now, before, table, reason)) else "",
            "url": reverse("admin:ingest_rejectedrow_changelist", query={"source_table": table, "reason": reason})
            if lists
            else "",
        }
        for table, reason in sorted(now.keys() | {key for key, rows in before.items() if rows})
    ]


def _protected(rejects: Reasons) -> Reasons:
    return {
        (table, reason): small_numbers.rounded(rows) if table in small_numbers.OF_PATIENTS else rows
        for (table, reason), rows in rejects.items()
    }


def _change(now: Reasons, before: Reasons, table: str, reason: str) -> int:
    if table not in {counted for counted, _ in before}:  # nobody counted its reasons then
        return 0
    return now.get((table, reason), 0) - before.get((table, reason), 0)


def _rejects_before() -> Reasons:
    before: Reasons = {}
    for source in SOURCES:
        for run in loads(source)[1:2]:  # the last but one
            for step in run.steps.filter(step__startswith="load_"):
                table = REJECTED.get(step.table_name, step.table_name)
                if step.reasons or not step.rejected:  # an older release counted no reasons
                    before[table, ""] = 0
                    before |= {(table, reason): rows for reason, rows in step.reasons.items()}
    return before


def _slugs(sees: Callable[[str], bool]) -> dict[str, Any]:
    found = sorted(kept("home_slugs"), key=lambda row: (-row["windows"], row["schedule_id"]))
    may_say = sees(SAYS_WHAT_SLUGS_MEAN)
    waits = waiting()  # not kept: who saved an override a moment ago looks for it here
    saved = {each.schedule_id for each in waits if not each.is_deleted}
    for row in found:
        row["url"] = (
            reverse("admin:ingest_scheduleoverride_add", query={"schedule_id": row["schedule_id"]}) if may_say else ""
        )
        row["windows"] = number(row["windows"])
        row["waits"] = row["schedule_id"] in saved
    by_status = Counter(row["parse_status"] for row in found)
    lists = [
        (
            f"{number(rows)} {status}",
            reverse("admin:analytics_scheduledimension_changelist", query={"parse_status": status}),
        )
        for status, rows in sorted(by_status.items())
    ]
    links = [(each, _override_address(each) if sees(SEES_OVERRIDES) else "") for each in waits[:SLUGS]]
    return {"first": found[:SLUGS], "lists": lists, "waiting": len(waits), "links": links}


def _override_address(waits: Waiting) -> str:
    # An override that was deleted has no page: its schedule stands for it.
    page = "analytics_scheduledimension" if waits.is_deleted else "ingest_scheduleoverride"
    return reverse(f"admin:{page}_change", args=[waits.schedule_id])


def _last_two_weeks() -> list[dict[str, Any]]:
    today = Question.of({})
    monday = today.day - timedelta(days=today.day.weekday())
    statuses = by_week(today, 2)
    counted = {row["name"]: row for row in kept("home_weeks", monday=as_day(monday))}
    last, before = counted["last"], counted["before"]
    return [
        {"what": "Patients who registered", "last": number(last["patients"]), "before": number(before["patients"])},
        {"what": "Operations", "last": number(last["operations"]), "before": number(before["operations"])},
        {
            "what": "Adherence",
            "last": percent(statuses.get(last["first_day"], Counter())) or "not told",
            "before": percent(statuses.get(before["first_day"], Counter())) or "not told",
        },
    ]


def prepare() -> None:
    """Work out what the page shows to anybody."""
    _rows_of_facts()
    _last_two_weeks()
    kept("home_slugs")
