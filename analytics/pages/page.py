"""What every page has: who may see it, its table as CSV, and how it refuses what it does not understand."""

import csv
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from psycopg2.errors import QueryCanceled

from analytics.charts import name_of
from analytics.pages import small_numbers
from analytics.pages.answers import PATIENCE_SECONDS, Row
from ingest.quoting import no_formula
from ingest.runs.errors import DATABASE_ERRORS, explain

logger = logging.getLogger(__name__)

SEES_TOTALS = "access.view_totals"
SEES_PATIENTS = "analytics.view_patientdimension"
SEES_RUNS = "ingest.view_pipelinerun"
# Each group has one of these: whether the data can be trusted is everybody's concern, and names no patient.
SEES_QUALITY = (SEES_TOTALS, SEES_RUNS, "ingest.view_scheduleoverride")
TOO_LONG = (
    f"This was not worked out within {PATIENCE_SECONDS} seconds: the database is busy, or it is too much at once. "
    "Try again in a few minutes, or ask for less."
)
NO_ANSWER = (
    "The warehouse does not answer. What it holds is not lost: try again in a few minutes, and tell the engineer on "
    "call if it lasts."
)
BLANK = name_of("")  # stands for an empty text in a form, which sends one where nothing is chosen
FEWEST = 5  # patients behind a point of a chart of steps or scores


class RefusedError(Exception):
    """The address asks for what the page does not have; the message says what it takes instead."""


@dataclass(frozen=True)
class Content:
    """What a page shows: its template with the values in it, and the columns and rows of its table as CSV, if any."""

    template: str
    values: Mapping[str, Any]
    columns: Sequence[str] = ()
    rows: Iterable[Row] = field(default=())


View = Callable[..., Content]


def page(title: str, *permissions: str) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Make a view of a function that returns the content of a page; for who has one of `permissions`.

    Without any it is for everybody who may log in.

    Who is not logged in is asked to be; who may not see the page gets 403; an address that is not understood is
    answered with 400 and the reason; what takes longer than the patience of answers.py, or a warehouse that does not
    answer, with 503. `?format=csv` gives the page's table.
    """

    def decorate(content_of: View) -> Callable[..., HttpResponseBase]:
        @require_safe
        @never_cache
        @wraps(content_of)
        def view(request: HttpRequest, **parts: Any) -> HttpResponseBase:
            if not _may(request, *permissions):
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
            if "form" in request.GET:
                return without_empty_fields(request)
            with small_numbers.seen(exactly=request.user.has_perm(SEES_PATIENTS)):
                try:
                    content = content_of(request, **parts)
                    if "format" in request.GET:
                        return as_csv(content_of.__name__, content, request.GET["format"])
                except RefusedError as refusal:
                    return _shown(request, title, "pages/refused.html", {"refusal": str(refusal)}, status=400)
                except DATABASE_ERRORS as error:
                    return _not_answered(request, title, error)
                return _shown(request, title, content.template, content.values)

        return view

    return decorate


def action(
    title: str, permission: str, back: str
) -> Callable[[Callable[[HttpRequest], None]], Callable[[HttpRequest], HttpResponse]]:
    """Make a view of a function that does what a form of the page named `back` asks for, and then leads there.

    Who may not, and a form that is not understood, are answered as a page answers them.
    """

    def decorate(act: Callable[[HttpRequest], None]) -> Callable[[HttpRequest], HttpResponse]:
        @require_POST
        @never_cache
        @wraps(act)
        def view(request: HttpRequest) -> HttpResponse:
            address = reverse(back)
            if not _may(request, permission):
                return redirect_to_login(address, reverse("admin:login"))
            try:
                act(request)
            except RefusedError as refusal:
                said = {"refusal": str(refusal), "address": address}
                return _shown(request, title, "pages/refused.html", said, status=400)
            except DATABASE_ERRORS as error:
                return _not_answered(request, title, error, address)
            return HttpResponseRedirect(address)

        return view

    return decorate


def _may(request: HttpRequest, *permissions: str) -> bool:
    if not admin.site.has_permission(request):
        return False  # and is led to the login
    if permissions and not any(map(request.user.has_perm, permissions)):
        raise PermissionDenied
    return True


def _shown(
    request: HttpRequest, title: str, template: str, values: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    shown = admin.site.each_context(request) | {"title": title, "small_numbers": small_numbers.note(), **values}
    return render(request, template, shown, status=status)


def _not_answered(request: HttpRequest, title: str, error: Exception, address: str = "") -> HttpResponse:
    logger.error("page not shown", extra={"page": request.path, "error": explain(error)})
    is_late = isinstance(error.__cause__ or error, QueryCanceled)
    said = {"refusal": TOO_LONG if is_late else NO_ANSWER, "address": address}
    return _shown(request, title, "pages/refused.html", said, status=503)


def without_empty_fields(request: HttpRequest) -> HttpResponse:
    """Lead from what a form sent, which has a field for each choice, to the address that says what was chosen."""
    sent = [(name, value) for name, values in request.GET.lists() for value in values if value and name != "form"]
    # A browser sends each line break of a value as two characters.
    chosen = [(name, "" if value == BLANK else value.replace("\r\n", "\n")) for name, value in sent]
    return HttpResponseRedirect(request.path + (f"?{urlencode(chosen)}" if chosen else ""))


def asked(request: HttpRequest, known: Collection[str]) -> dict[str, str]:
    """Return the parameters of an address by name, `format` aside; raise RefusedError for one that is not `known`.

    No part of an address is passed over in silence: a page that looks filtered and is not would be believed.
    """
    for name, values in request.GET.lists():
        if name not in known and name != "format":
            raise RefusedError(f"This page knows no {name}: it takes {', '.join(known) or 'nothing'}.")
        if len(values) > 1:
            raise RefusedError(f"{name} is given {len(values)} times: once is enough.")
        if "\0" in values[0]:
            raise RefusedError(f"No {name} holds a null character.")
    return {name: values[0] for name, values in request.GET.lists() if name != "format"}


def choice(values: Mapping[str, str], name: str, of: Collection[str], default: str = "") -> str:
    """Return the parameter `name`, one `of` a few words, by default the first; raise RefusedError for another."""
    value = values.get(name, default or next(iter(of), ""))
    if value not in of:
        raise RefusedError(f"{name}={value} is not known: {name} is one of {', '.join(of)}.")
    return value


# csv.writer returns what the write of its file returns: here the line itself.
class _Echo:
    def write(self, line: str) -> str:
        return line


def as_csv(name: str, content: Content, form: str) -> StreamingHttpResponse:
    """Answer with a page's table as a file, named after the page and the day it is taken on, in UTC.

    The first row names the columns. That small numbers are protected is said where it harms no row: in the name. Raises
    RefusedError if the page has no such table.
    """
    if not content.columns or form != "csv":
        raise RefusedError(
            f"There is no format {form} of this page{': csv is the one there is' if content.columns else ''}."
        )
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(content.columns)
        for row in content.rows:
            yield writer.writerow([no_formula(row[column]) for column in content.columns])

    name = f"{name}-{datetime.now(UTC):%Y-%m-%d}{'-small-numbers-protected' if small_numbers.note() else ''}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8", headers=headers)
