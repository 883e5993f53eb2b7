"""Quality: whether the data of this morning is there, and whether it can be trusted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from access.log import saw_none
from analytics.charts.scale import number
from analytics.pages import plausibility, small_numbers
from analytics.pages.answers import Row
from analytics.pages.home import ADVICE
from analytics.pages.page import SEES_PATIENTS, SEES_QUALITY, SEES_RUNS, Content, asked, page
from analytics.pages.quality_days import by_kind, days_of, fell_silent, newest_of
from analytics.pages.quality_rejects import first_rejects, percent, rejects_of, shown, trend
from analytics.pages.quality_sums import sums
from analytics.proofs import last_proofs
from ingest.models import SOURCES, WarehouseCheck
from ingest.runs.status import SourceStatus, State, source_statuses

COLUMNS = ("source_table", "reason", "rows", "share")
CHECK_DAYS = 2  # cron checks each day: a check that is older says little of today


@page("Quality", *SEES_QUALITY)
def quality(request: HttpRequest) -> Content:
    """Show whether the data is there and can be trusted, and what is the matter with it."""
    asked(request, [])
    sees = request.user.has_perm
    hides_rows = small_numbers.hides_rows(sees)
    found, proofs, days = sums(hides_rows=hides_rows), last_proofs(), by_kind()
    saw_none(request)  # but for the examples of what is rejected
    rejects = rejects_of(found, hides_rows=hides_rows)
    broken = [proof for proof in proofs if proof.violations]
    unproved = [proof for proof in proofs if proof.violations is None]
    values = {
        "answers": [_answer(status, found, proofs, days) for status in source_statuses()],
        "proofs": proofs,
        "broken": broken,
        "hides_rows": hides_rows,
        "unproved": unproved,
        "kept": len(proofs) - len(broken) - len(unproved),
        "error": next((proof.error for proof in unproved), "") if sees(SEES_RUNS) else "",
        "seconds": number(sum(proof.seconds for proof in proofs), 1),
        "sums": found,
        "rejects": shown(rejects, request),
        "trends": [trend(source, sees_runs=sees(SEES_RUNS), hides_rows=hides_rows) for source in SOURCES],
        "days": [days_of(kind, rows) for kind, rows in days.items()],
        "rules": _rules_with_counts(sees),
    }
    return Content("pages/quality.html", values, COLUMNS, rejects)


def _answer(
    status: SourceStatus, found: list[Row], proofs: list[WarehouseCheck], days: dict[str, list[Row]]
) -> dict[str, Any]:
    own = [proof for proof in proofs if proof.source == status.source]
    are_kept = [proof for proof in own if proof.violations == 0]
    is_old = bool(own) and timezone.now() - own[0].checked_at > timedelta(days=CHECK_DAYS)
    tables = [row for row in found if row["source"] == status.source]
    judged, rejected = (sum(row[name] for row in tables) for name in ("judged", "rejected"))
    if status.state != State.FINE:
        word = "No"
    elif fell_silent(status.source, days):
        word = "Not wholly"
    elif not own or is_old:
        word = "Perhaps"
    else:
        word = "Yes" if len(are_kept) == len(own) and all(row["verdict"] == "yes" for row in tables) else "Not wholly"
    return {
        "status": status,
        "style": status.state.value.split()[0],
        "word": word,
        "is_of_today": status.loaded_at is not None and status.loaded_at.date() == datetime.now(UTC).date(),
        "newest": newest_of(status.source, days),
        "advice": ADVICE[status.state],
        "checked_at": own[0].checked_at if own else None,
        "is_old": is_old,
        "kept": len(are_kept),
        "promises": len(own),
        "rows": number(judged),
        "share": f"{percent(rejected / judged)} %" if judged else "",
    }


def _rules_with_counts(sees: Callable[[str], bool]) -> list[dict[str, Any]]:
    return [
        {
            "rule": plausibility.RULES[name],
            "rows": number(rows),
            "url": reverse("implausible", query={"rule": name}) if rows and sees(SEES_PATIENTS) else "",
        }
        for name, rows in plausibility.counts().items()
    ]


def prepare() -> None:
    """Work out what takes longest."""
    sums()
    by_kind()
    first_rejects()
    plausibility.counts()
