"""Plausibility: what the star holds that is hardly right, by rule, how much of it, and which rows."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest
from django.urls import reverse
from psycopg2.sql import Composable

from access.log import saw
from analytics.charts.scale import number
from analytics.pages.answers import Row, as_day, kept, part, read
from analytics.pages.page import SEES_PATIENTS, Content, asked, choice, page

FENCES = 3  # interquartile ranges beyond the quartiles, as Tukey's outer fences
MOST_STEPS = 100_000  # a day
SILENT_DAYS = 14
WEEKS = 4
ROWS = 1000  # that are listed


@dataclass(frozen=True)
class Rule:
    """What is hardly right, from which threshold, in words, and the model whose rows break the rule, if any."""

    title: str
    threshold: str
    model: str = ""


RULES = {
    "score": Rule(
        "A score outside the usual range of its survey",
        f"below 0, or more than {FENCES} interquartile ranges below or above the quartiles of the survey",
        "surveyresultfact",
    ),
    "steps": Rule("More steps than a person walks in a day", f"more than {MOST_STEPS:,}", "stepresultfact"),
    "operation": Rule("An operation before its registration", "by a day or more", "patientjourneyfact"),
    "discharge": Rule("A discharge before the operation", "by a day or more", "patientjourneyfact"),
    "hospital": Rule(
        "A hospital that fell silent",
        f"steps or survey results in each of {WEEKS} weeks, then none in the last {SILENT_DAYS} days of the data",
    ),
}


def counts() -> dict[str, int]:
    """Return how many rows, or hospitals, there are by rule."""
    found = {row["rule"]: row["rows"] for row in kept("plausibility_counts", implausible=_implausible())}
    return {name: found.get(name, 0) for name in RULES}


def _implausible() -> Composable:
    today = datetime.now(UTC).date()
    return part(
        "plausibility",
        fences=FENCES,
        most_steps=MOST_STEPS,
        silent_days=SILENT_DAYS,
        weeks=WEEKS,
        day=as_day(today),
    )


@page("Hardly right", SEES_PATIENTS)
def implausible(request: HttpRequest) -> Content:
    """List what breaks a rule, the last day first."""
    name = choice(asked(request, ["rule"]), "rule", RULES)
    rule = RULES[name]
    rows = read("plausibility_rows", implausible=_implausible(), rule=name, rows=ROWS)
    saw(request, (row["patient_id"] for row in rows), rows=len(rows))
    may_open = rule.model and request.user.has_perm(f"analytics.view_{rule.model}")
    for row in rows:
        row["url"] = _address(rule, row) if may_open or not rule.model else ""
    total = counts()[name]
    values = {"rule": rule, "rows": rows, "total": number(total), "most": number(ROWS) if total > ROWS else ""}
    return Content("pages/implausible.html", values)


def _address(rule: Rule, row: Row) -> str:
    if rule.model:
        return reverse(f"admin:analytics_{rule.model}_change", args=[row["key"]])
    # A hospital has no page of its own: its windows stand for it.
    return reverse("windows", query={"hospital": row["odd"]})
