"""The rows of a list of the admin as a file: all that its filters leave, in its order, with the columns of its table.

A file for a spreadsheet holds no formula: in CSV an apostrophe goes before what begins as one; in XLSX it is a text,
marked as if one had been typed. Parquet knows types, and nothing calculates there: its texts are as they are.

A list that is longer than a file may be is cut. That is said where it harms no row: beside the links that lead to the
file, in the file's name, and in XLSX on a second sheet as well. A last row that says so would be counted as one.
"""

import csv
import io
import logging
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR
from django.contrib.auth import get_permission_codename
from django.core.exceptions import EmptyResultSet, PermissionDenied
from django.db import connections
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html_join
from psycopg2.errors import QueryCanceled
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class, for all its small letter)
from psycopg2.sql import SQL, Composable, Identifier

from access.groups import is_about_patients
from access.log import sent
from access.login import ask_again, has_proved_lately
from analytics.exports import folders
from analytics.exports.formats import columns_of, duck, feed, measured, text, written
from analytics.exports.sheets import write_book
from analytics.pages.page import NO_ANSWER
from analytics.pages.page import TOO_LONG as PAGE_TOO_LONG
from ingest.cursors import Cursor
from ingest.quoting import no_formula
from ingest.runs.errors import DATABASE_ERRORS, explain

if TYPE_CHECKING:
    from analytics.admin.base import BoundedAdmin
    from analytics.admin.lists import BoundedList

logger = logging.getLogger(__name__)

PARAMETER = "_export"
FORMATS = {
    "csv": ("CSV", "text/csv; charset=utf-8"),
    "xlsx": ("XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}
ROWS = 1_000_000  # of a file; a sheet of XLSX has room for 1,048,576
FETCHED = 2_000  # rows at a time
PATIENCE_SECONDS = 120  # for the server to find the rows
IDLE_SECONDS = 300  # for a reader who does not read on; then the server ends the transaction
# Files that a process makes at a time, or sends as it makes them: each keeps one of its threads, a core and a
# connection busy, and the site has to be there for others.
AT_ONCE = 2
RETRY_SECONDS = 60
SLOTS = threading.BoundedSemaphore(AT_ONCE)
DEADLINE_SECONDS = 1800  # for a whole CSV, whose reader would else hold the snapshot by reading on now and then
TOO_LONG = (
    f"These rows were not found within {PATIENCE_SECONDS} seconds: the database is busy, or they are too many at once. "
    "Try again in a few minutes, or take fewer away."
)


BUSY = "Others are being made at the moment, as many as the site makes at once: try again in a minute."
NOT_WRITTEN = (
    "The server could not write this file: most likely it has no room for it. Take fewer rows away, and tell the "
    "engineer on call if it lasts."
)


class RefusedError(Exception):
    """The address asks for what is not there to be taken away; the message, in HTML, says what is."""


class TooSlowError(Exception):
    """A CSV has taken too long to read; what has been sent ends without the end that a complete file has."""


class BusyError(Exception):
    """As many files are being made as may be at a time."""


class NotWrittenError(Exception):
    """The file could not be written; the cause says why."""


@dataclass(frozen=True)
class Offer:
    """What a list offers: how much of it, and the address of each format."""

    says: str
    links: list[tuple[str, str]]


def offer(listed: "BoundedList") -> Offer | None:
    """Return what there is to be taken away of a list; None for one that is not understood, or only to choose from."""
    if listed.refusals or listed.is_popup:
        return None
    links = [
        (title, listed.get_query_string({PARAMETER: form, PAGE_VAR: None, ALL_VAR: None}))
        for form, (title, _) in FORMATS.items()
    ]
    count = listed.result_count
    if _is_counted(count):
        much = f"the first {ROWS:,} of {count:,}" if count > ROWS else f"all {count:,}"
    elif count > ROWS:
        much = f"the first {ROWS:,} of {count}"
    else:
        much = f"all, but no more than the first {ROWS:,}"
    return Offer(f"Rows to take away, {much}", links)


def _is_counted(count: int) -> bool:
    return type(count) is int  # a Roughly is another kind of one


def export(admin: "BoundedAdmin", request: HttpRequest) -> HttpResponseBase:
    """Answer with the rows of a list as a file, for who may see the list.

    Who asks for rows about patients, and has not logged in lately, is led to do so and back.
    An address that is not understood is answered with 400 and the reason; a database that does not answer, a file
    that cannot be written, and one too many at a time, with 503.
    """
    if not admin.has_view_or_change_permission(request):
        raise PermissionDenied
    permission = f"{admin.opts.app_label}.{get_permission_codename('view', admin.opts)}"
    if is_about_patients(permission) and not has_proved_lately(request):
        return ask_again(request)
    try:
        return _file(admin, request)
    except RefusedError as refusal:
        return _refused(admin, request, refusal.args[0], 400)
    except DATABASE_ERRORS as error:
        return _not_answered(admin, request, error)
    except BusyError:
        answer = _refused(admin, request, BUSY, 503)
        answer["Retry-After"] = str(RETRY_SECONDS)
        return answer
    except NotWrittenError as error:
        # Its name alone: what it says may quote a row.
        name = type(error.__cause__).__name__
        logger.error("list not written", extra={"page": request.path, "error": name})  # noqa: TRY400  (no traceback either)
        return _refused(admin, request, NOT_WRITTEN, 503)


def _refused(admin: "BoundedAdmin", request: HttpRequest, refusal: str, status: int) -> HttpResponse:
    values = {"title": f"{admin.opts.verbose_name_plural}".capitalize(), "refusal": refusal}
    return render(request, "pages/refused.html", admin.admin_site.each_context(request) | values, status=status)


def _not_answered(admin: "BoundedAdmin", request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("list not taken away", extra={"page": request.path, "error": explain(error)})
    is_late = isinstance(error.__cause__ or error, QueryCanceled)
    return _refused(admin, request, TOO_LONG if is_late else NO_ANSWER, 503)


def not_shown(admin: "BoundedAdmin", request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer for a list or a row that the database did not give."""
    logger.error("page not shown", extra={"page": request.path, "error": explain(error)})
    is_late = isinstance(error.__cause__ or error, QueryCanceled)
    return _refused(admin, request, PAGE_TOO_LONG if is_late else NO_ANSWER, 503)


def _file(admin: "BoundedAdmin", request: HttpRequest) -> HttpResponseBase:
    forms = request.GET.getlist(PARAMETER)
    if forms not in [[form] for form in FORMATS]:
        raise RefusedError(f"This list can be taken away as one of {', '.join(FORMATS)}: {PARAMETER}=csv.")
    taken = Taken(admin, request, _list_asked_for(admin, request))
    return WRITERS[forms[0]](taken)


def _list_asked_for(admin: "BoundedAdmin", request: HttpRequest) -> "BoundedList":
    rest = request.GET.copy()
    del rest[PARAMETER]
    request.GET = rest  # type: ignore[assignment]  # as the admin itself does it
    try:
        listed: Any = admin.get_changelist_instance(request)  # a BoundedList
    except IncorrectLookupParameters as error:
        raise RefusedError("This list cannot be narrowed so.") from error
    if listed.refusals:
        raise RefusedError(format_html_join(" ", "{}", ((refusal,) for refusal in listed.refusals)))
    if not listed.sorts_so(request):
        raise RefusedError(f"This list has no such order: leave out {ORDER_VAR}.")
    return cast("BoundedList", listed)


@contextmanager
def _slot() -> Iterator[None]:
    if not SLOTS.acquire(blocking=False):
        raise BusyError
    try:
        yield
    finally:
        SLOTS.release()


class Taken:
    """What is taken away of a list: how the database is asked for it, its columns, and what the file is called."""

    def __init__(self, admin: "BoundedAdmin", request: HttpRequest, listed: "BoundedList") -> None:
        self.admin = admin
        self.request = request
        self.listed = listed
        query = request.GET.urlencode()
        self.address = request.build_absolute_uri(request.path + (f"?{query}" if query else ""))
        self.alias = listed.queryset.db
        self.columns: dict[str, Any] = {name: name for name in admin.columns} | admin.taken
        # To a reader of HTTP/1.0, as nginx is by default, an answer without a length that breaks off looks complete.
        self.needs_length = request.META.get("SERVER_PROTOCOL") == "HTTP/1.0"
        self.taken_at = timezone.now().astimezone(UTC)
        self.is_cut = False

    @contextmanager
    def snapshot(self) -> Iterator[Cursor]:
        """Give a cursor on a connection of its own, in a transaction that sees the database as it is now.

        Of its own, as it is in use as long as somebody reads, and is closed when nobody does any more.
        """
        shared = connections[self.alias]
        with closing(shared.get_new_connection(shared.get_connection_params())) as connection:
            connection.set_session("REPEATABLE READ", readonly=True)
            with connection.cursor() as cursor:
                cursor.execute(SETTINGS, [int(1000 * PATIENCE_SECONDS), int(1000 * IDLE_SECONDS)])
                self.is_cut = self._is_cut(cursor)
                self.admin.say_taken(self.request, cursor, self._as_listed(cursor))
                yield cursor

    def _is_cut(self, cursor: Cursor) -> bool:
        if _is_counted(self.listed.result_count):
            return self.listed.result_count > ROWS
        beyond = self._sql(self.listed.queryset.order_by().values_list("pk")[ROWS : ROWS + 1], cursor)
        cursor.execute(beyond)
        return cursor.rowcount > 0

    def _as_listed(self, cursor: Cursor) -> Composable:
        if not self.is_cut:  # then this finds the same rows, and reads less than the file's query
            with suppress(EmptyResultSet):
                return self._sql(self.listed.queryset.order_by(), cursor)
        return self.query(cursor)

    def query(self, cursor: Cursor) -> Composable:
        """Return the query for the rows, its columns named as they are in the file."""
        rows = self.listed.all_rows()
        names = SQL(", ").join(map(Identifier, self.columns))
        try:
            found = self._sql(rows.values_list(*self.columns.values())[:ROWS], cursor)
        except EmptyResultSet:  # Django knows without asking that there is none
            everything = rows.model._default_manager.using(self.alias)
            found = self._sql(everything.values_list(*self.columns.values()), cursor) + SQL(" limit 0")
        return SQL("select * from ({}) as listed ({})").format(found, names)

    def _sql(self, rows: QuerySet[Any, Any], cursor: Cursor) -> Composable:
        statement, values = rows.query.get_compiler(using=self.alias).as_sql()
        return SQL(cursor.mogrify(statement, values).decode())

    @property
    def name(self) -> str:
        """Return the file's name, without the format: the table, the day in UTC, and whether there are more rows."""
        count = self.listed.result_count
        of = f"-of-{'' if _is_counted(count) else 'about-'}{int(count)}" if count > ROWS else ""
        cut = f"-first-{ROWS}{of}" if self.is_cut else ""
        return f"{self.admin.opts.db_table}-{self.taken_at:%Y-%m-%d}{cut}"

    def about(self, rows: int) -> list[tuple[str, str]]:
        """Return what is to be known about the file, beside its rows."""
        count = self.listed.result_count
        of = f" of {count if count > ROWS else 'more'}"
        return [
            ("table", self.admin.opts.db_table),
            ("list", self.address),
            ("taken at", f"{self.taken_at:%Y-%m-%dT%H:%M:%S+00:00}"),
            ("rows", f"the first {rows:,}{of}: the others are not in this file" if self.is_cut else f"{rows:,}, all"),
        ]


SETTINGS = """
set local jit = off;
set local work_mem = '64MB';
set local cursor_tuple_fraction = 1; -- all rows are wanted, not the first ones soon
set local statement_timeout = %s;
set local idle_in_transaction_session_timeout = %s
"""


def _as_csv(taken: Taken) -> HttpResponseBase:
    if taken.needs_length:
        with _folder_to_write_in() as folder, closing(_lines(taken)) as lines:
            path = folder / "taken.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
            return _answer_with(path, taken)
    lines = _lines(taken)
    next(lines)  # what cannot be read at all is said on a page, not in a file
    headers = {"Content-Disposition": f'attachment; filename="{taken.name}.csv"'}
    return StreamingHttpResponse(lines, content_type=FORMATS["csv"][1], headers=headers)


def _lines(taken: Taken) -> Generator[str]:
    """Yield an empty text once the first rows are there, then the file as CSV.

    Django closes this generator when all is sent or the reader is gone, maybe before the first byte. One that had not
    begun would not let go of what it holds: the empty text has it begin.
    """
    with _slot(), taken.snapshot() as cursor:
        query = taken.query(cursor)
        columns = columns_of(cursor, query)
        texts = [place for place, column in enumerate(columns) if column.is_text]
        chunks = _rows(cursor.connection, written(query, columns, as_texts=True))
        chunk: Sequence[Sequence[Any]] = next(chunks, ())
        yield ""
        ends = monotonic() + DEADLINE_SECONDS
        line = io.StringIO()
        writer = csv.writer(line)
        writer.writerow([column.name for column in columns])
        while chunk:
            rows = [list(row) for row in chunk]
            for row in rows:
                for place in texts:
                    row[place] = no_formula(row[place])
            writer.writerows(rows)
            yield line.getvalue()
            if not taken.needs_length:  # then all are written before one is sent
                sent(taken.request, len(rows))
            if monotonic() > ends:
                raise TooSlowError(f"{taken.name}.csv was not read within {DEADLINE_SECONDS} seconds")
            line.seek(0)
            line.truncate()
            chunk = next(chunks, ())
        yield line.getvalue()


def _rows(connection: Connection, query: Composable) -> Iterator[Sequence[Sequence[Any]]]:
    cursor = connection.cursor(name="taken")  # of the server; it ends with the connection
    cursor.execute(query)
    return iter(lambda: cursor.fetchmany(FETCHED), [])


@contextmanager
def _folder_to_write_in() -> Iterator[Path]:
    try:
        with folders.temporary() as folder:
            yield folder
    except _writing_errors() as error:
        raise NotWrittenError from error


def _writing_errors() -> tuple[type[Exception], ...]:
    import duckdb  # here, as in formats.py, and this too: nobody waits for them unless something fails
    from xlsxwriter.exceptions import XlsxWriterException

    return OSError, duckdb.Error, XlsxWriterException


def _as_xlsx(taken: Taken) -> HttpResponseBase:
    with _slot(), _folder_to_write_in() as folder, taken.snapshot() as cursor:
        query = taken.query(cursor)
        columns = columns_of(cursor, query)
        path = folder / "taken.xlsx"
        write_book(path, columns, chain.from_iterable(_rows(cursor.connection, query)), taken.about)
        return _answer_with(path, taken)


def _as_parquet(taken: Taken) -> HttpResponseBase:
    with _slot(), _folder_to_write_in() as folder, taken.snapshot() as cursor:
        query = taken.query(cursor)
        columns = measured(cursor, query, columns_of(cursor, query))
        path = folder / "taken.parquet"
        with duck(None, folder / "spill", threads=1, in_order=True) as writer:
            to = f"to {text(str(path))} (format parquet, compression zstd)"
            feed(writer, lambda rows: f"copy ({rows}) {to}", cursor, query, columns)
        return _answer_with(path, taken)


def _answer_with(path: Path, taken: Taken) -> HttpResponseBase:
    # The folder goes before the file is read: what is open stays until it is closed.
    form = path.suffix.removeprefix(".")
    name = f"{taken.name}.{form}"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=FORMATS[form][1])


WRITERS = {"csv": _as_csv, "xlsx": _as_xlsx, "parquet": _as_parquet}
