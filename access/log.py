"""What was looked at: an answer that may show a patient leaves a line in access_log before it goes out, or does not go.

A view says by `saw` which patients it shows. No view can forget it: an answer that neither says it nor is listed in
addresses.py is refused.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.http.request import QueryDict
from django.shortcuts import render
from django.urls import ResolverMatch

from access.addresses import shows_no_patient
from access.models import AccessLog
from ingest.runs.errors import DATABASE_ERRORS, explain
from pipeline_project.clients import address

logger = logging.getLogger(__name__)

MOST_PATIENTS = 200  # that a line names: as many as a list of the admin shows at once
LONGEST = 500  # characters of an address, and of what is behind its question mark
KEY = re.compile(r"[-#/0-9]{1,40}", re.ASCII)
OF_A_ROW = ("_change", "_history", "_delete")  # endings of the views whose path already says what is shown

NOT_SAID = (
    "This page did not say which patients it shows, and is not shown: nobody sees a patient without a line in the "
    "access log. Tell the engineer on call."
)
NOT_WRITTEN = (
    "The access log does not take a line, and nobody sees a patient without one. Try again in a few minutes, and tell "
    "the engineer on call if it lasts."
)


@dataclass
class Look:
    """What the answer to a request shows of patients."""

    patients: set[int] = field(default_factory=set)
    unnamed: int | None = 0  # patients beside these; None: nobody knows how many
    rows: int | None = None
    sent: int | None = None  # rows that have gone out, where they are counted as they go
    is_none: bool = True

    @property
    def names_all(self) -> bool:
        """Whether each patient that was shown can be named in one line of the log."""
        return self.unnamed == 0 and len(self.patients) <= MOST_PATIENTS

    @property
    def count(self) -> int | None:
        """How many patients were shown; None: nobody knows."""
        return None if self.unnamed is None else len(self.patients) + self.unnamed


def saw(
    request: HttpRequest, patients: Iterable[int | None] = (), *, unnamed: int | None = 0, rows: int | None = None
) -> Look:
    """Note that the answer shows `patients`, and `unnamed` more whose keys are not known, in `rows` rows.

    `unnamed` is None where the answer may show patients and nobody knows how many. Several notes of one answer add up.
    """
    look = _look(request)
    look.is_none = False
    look.patients.update(patient for patient in patients if patient is not None)
    look.unnamed = None if look.unnamed is None or unnamed is None else look.unnamed + unnamed
    look.rows = look.rows if rows is None else (look.rows or 0) + rows
    return look


def saw_none(request: HttpRequest) -> None:
    """Note that the answer shows no patient but those that `saw` notes; if there are none it leaves no line.

    For a page that shows patients only to some users, or only at times.
    """
    _look(request)


def sent(request: HttpRequest, rows: int) -> None:
    """Count rows of an export that have gone out, for the line that says how it ended."""
    look: Look | None = getattr(request, "look", None)
    if look is not None:
        look.sent = (look.sent or 0) + rows


def _look(request: HttpRequest) -> Look:
    look: Look | None = getattr(request, "look", None)
    if look is None:
        look = request.look = Look()  # type: ignore[attr-defined]
    return look


class AccessLogMiddleware:
    """Write the line of an answer; refuse an answer that did not say what it shows, or whose line cannot be written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        match = request.resolver_match
        look: Look | None = getattr(request, "look", None)
        if match is None or response.status_code // 100 == 3:  # there is no such page, or it leads to another
            return response
        if look is None:
            if shows_no_patient(match):
                return response
            if response.status_code < 300:
                logger.error("page did not say whom it shows", extra={"page": match.route})
                return _refused(request, response, NOT_SAID, 500)
            if not request.user.is_authenticated:
                return response  # a stranger, who was refused
        elif look.is_none:
            return response
        try:
            line = _write_line(request, response, match, look)
        except DATABASE_ERRORS as error:
            logger.error("access log not written", extra={"page": match.route, "error": explain(error)})  # noqa: TRY400
            return _refused(request, response, NOT_WRITTEN, 503)
        if isinstance(response, StreamingHttpResponse):
            parts = cast("Iterator[bytes]", response.streaming_content)
            response.streaming_content = _StreamWithEnd(parts, line, look or Look())
        return response


def _write_line(request: HttpRequest, response: HttpResponseBase, match: ResolverMatch, look: Look | None) -> AccessLog:
    # Status 400 shows patients, too: a list that lacks the page that was asked for shows its first one.
    if response.status_code > 400:
        look = None
    shown = look or Look()
    user: Any = request.user
    what = AccessLog.What.LIST if match.view_name.endswith("_changelist") else AccessLog.What.PAGE
    return AccessLog.objects.create(
        user_id=user.pk,
        user_name=user.get_username(),
        address=address(request),
        what=AccessLog.What.EXPORT if response.streaming else what,
        path=request.path[:LONGEST],
        filter=asked(request, match, is_understood=response.status_code < 300),
        patients=sorted(shown.patients) if len(shown.patients) <= MOST_PATIENTS else None,
        patient_count=shown.count,
        names_all=shown.names_all,
        rows=shown.rows,
        answered=look is not None,
    )


def asked(request: HttpRequest, match: ResolverMatch, *, is_understood: bool) -> str:
    """Return the query of an address as the log keeps it, cut to LONGEST; an ellipsis stands for what is left out.

    People may type a person's name into a search or a form: of these only keys are kept. Of a query that was not
    understood only the names of its parameters are kept.
    """
    if match.view_name.endswith(OF_A_ROW):
        return ""
    kept = QueryDict(mutable=True)
    for name, values in QueryDict(request.META.get("QUERY_STRING", "")).lists():
        is_free = name == "q" or (name.startswith("_") and name != "_export") or match.view_name.endswith("_add")
        for value in values:
            is_kept = is_understood and (not is_free or KEY.fullmatch(value))
            kept.appendlist(name if re.fullmatch(r"\w{1,40}", name, re.ASCII) else "…", value if is_kept else "…")
    return kept.urlencode(safe="/:").replace("%E2%80%A6", "…")[:LONGEST]


# The line of an export is written before its first byte: only a second one, its end, can say whether all was sent.
class _StreamWithEnd:
    def __init__(self, parts: Iterator[bytes], line: AccessLog, look: Look) -> None:
        self.parts, self.line, self.look = parts, line, look
        self.is_over = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self.parts)
        except StopIteration:
            self._end(all_sent=True)
            raise

    def close(self) -> None:
        """Say that it broke off, unless all was sent: Django calls this in any case."""
        self._end(all_sent=False)

    def _end(self, *, all_sent: bool) -> None:
        if self.is_over:
            return
        self.is_over = True
        line = self.line
        whole = self.look.rows if all_sent else None
        try:
            AccessLog.objects.create(
                user_id=line.user_id,
                user_name=line.user_name,
                address=line.address,
                what=AccessLog.What.END,
                path=line.path,
                filter=line.filter,
                patients=[],
                patient_count=0,
                rows=whole if self.look.sent is None else self.look.sent,
                answered=all_sent,
                begun=line.pk,
            )
        except DATABASE_ERRORS as error:  # that it began is on record, and that no end of it is says enough
            logger.error("end of an export not written", extra={"page": line.path, "error": explain(error)})  # noqa: TRY400


def _refused(request: HttpRequest, response: HttpResponseBase, refusal: str, status: int) -> HttpResponse:
    response.close()
    values = {"title": "Not shown", "refusal": refusal}
    try:
        return render(request, "pages/refused.html", admin.site.each_context(request) | values, status=status)
    except DATABASE_ERRORS:  # the frame of the site asks the database who is logged in
        return HttpResponse(refusal, content_type="text/plain; charset=utf-8", status=status)
