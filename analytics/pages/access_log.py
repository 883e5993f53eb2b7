"""The access log, for auditors: who saw a patient, what a user did or took away, day by day."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from access.log import saw, sent
from access.models import AccessLog
from analytics.charts.scale import number
from analytics.pages.answers import Row
from analytics.pages.page import Content, RefusedError, asked, choice, page

SEES_LOG = "access.view_accesslog"
DAYS = 30  # that are shown, where none are asked for
MOST = 200  # lines that are shown
REACH = 10_000  # lines that are counted
MOST_TAKEN = 100_000  # lines of a CSV
NAMED = 3  # patients that a line names on the page; in the CSV are all
SHOWN = ("page", "list", "export")  # how an export ended is shown with its beginning
COLUMNS = (
    *("at", "user_id", "user_name", "address", "what", "path", "filter", "answered"),
    *("patient_count", "patients", "names_all", "rows", "all_sent", "rows_sent"),
)


@page("Access", SEES_LOG)
def access_log(request: HttpRequest) -> Content:
    """List who was shown which patients, the last first; for one patient also who may have seen it among others."""
    values = asked(request, ["patient", "user", "what", "from", "to"])
    saw(request)  # it shows whom others have looked at: that leaves a line, too
    last = _day(values, "to", datetime.now(UTC).date())
    if last < date(1970, 1, 1):
        raise RefusedError(f"to={last} is too long ago: there is no line from then.")
    first = _day(values, "from", last - timedelta(days=DAYS - 1))
    if first > last:
        raise RefusedError(f"from={first} is after to={last}: no day is both.")
    lines = _lines(values, first, last)
    patient = _patient(values["patient"]) if "patient" in values else None
    found = lines if patient is None else lines.filter(patients__contains=[patient], answered=True)
    shown = _first_lines(found)
    if patient is not None:
        shown["beside"] = _first_lines(lines.filter(names_all=False, answered=True))
    asks = {"values": values, "first": first, "last": last, "kinds": SHOWN, "patient": patient}
    return Content("pages/access_log.html", shown | asks, COLUMNS, _rows_of_csv(request, found))


def _day(values: Mapping[str, str], name: str, default: date) -> date:
    try:
        return date.fromisoformat(values[name]) if name in values else default
    except ValueError as error:
        raise RefusedError(f"{name}={values[name]} is no day: write it as 2024-03-31.") from error


def _patient(key: str) -> int:
    if not re.fullmatch("-?[0-9]{1,18}", key, re.ASCII):
        raise RefusedError(f"patient={key} is no key of a patient: it is a whole number.")
    return int(key)


def _lines(values: Mapping[str, str], first: date, last: date) -> QuerySet[AccessLog]:
    kinds = [choice(values, "what", SHOWN)] if "what" in values else SHOWN
    days = (datetime.combine(first, time.min, UTC), datetime.combine(last, time.max, UTC))
    lines = AccessLog.objects.filter(at__range=days, what__in=kinds)
    if kinds == ["export"]:
        lines = AccessLog.objects.filter(at__range=days, what="export")  # as its index has it
    if "user" in values:
        lines = lines.filter(user_name=values["user"])
    ends = AccessLog.objects.filter(begun=OuterRef("pk"))
    # An export ends by a line of its own, and is shown with its beginning.
    return lines.order_by("-at").annotate(
        all_sent=Subquery(ends.values("answered")[:1]), rows_sent=Subquery(ends.values("rows")[:1])
    )


def _first_lines(found: QuerySet[AccessLog]) -> dict[str, Any]:
    lines = list(found[: MOST + 1])
    count = len(lines) if len(lines) <= MOST else found.order_by()[: REACH + 1].count()
    of = f"more than {number(REACH)}" if count > REACH else number(count)
    return {"lines": [_cells(line) for line in lines[:MOST]], "of": of, "most": MOST if count > MOST else 0}


def _cells(line: Any) -> Row:
    return {
        "line": line,
        "patients": _patients_in_words(line),
        "rows": _rows_in_words(line),
        "state": "shown" if line.answered else "refused",
    }


def _patients_in_words(line: AccessLog) -> str:
    if line.patient_count is None:
        return "some, perhaps"
    if line.names_all and line.patients and line.patient_count <= NAMED:
        return ", ".join(map(str, line.patients))
    return f"{number(line.patient_count)} of them" if line.patient_count else ""


def _rows_in_words(line: Any) -> str:
    rows = "" if line.rows is None else number(line.rows)
    if line.what != AccessLog.What.EXPORT or not line.answered:
        return rows
    if line.all_sent is None:
        return f"{rows or 'some'}, no end on record"
    if line.all_sent:
        return f"{rows or number(line.rows_sent or 0)}, all sent"
    return f"{rows or 'some'}, broken off" + (f" after {number(line.rows_sent)}" if line.rows_sent is not None else "")


def _rows_of_csv(request: HttpRequest, found: QuerySet[Any]) -> Iterator[Row]:
    for line in found[:MOST_TAKEN].iterator(chunk_size=2000):
        yield {name: getattr(line, name) for name in COLUMNS} | {
            "at": line.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "patients": " ".join(map(str, line.patients or ())),
        }
        sent(request, 1)
