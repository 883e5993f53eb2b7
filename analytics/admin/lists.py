"""A list of the admin that ends after REACH rows and is counted no further, and that says what it leaves out.

No part of its address is passed over in silence: a list that looks filtered and is not would be believed.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from math import ceil
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import Truncator, capfirst

from analytics.admin.filters import Field, words
from analytics.pages import answers
from ingest.cursors import raw_cursor
from ingest.placement import rows_known
from ingest.runs.errors import DATABASE_ERRORS

# Rows that a list shows or counts; the offset of the last page takes a few milliseconds.
REACH = 10_000


class Roughly(int):
    """A number of rows that nobody counted to the end, and that says so where a page prints it."""

    word: str

    def __new__(cls, rows: int, word: str) -> "Roughly":
        self = super().__new__(cls, rows)
        self.word = word
        return self

    def __str__(self) -> str:
        return f"{self.word} {int(self):,}"


@contextmanager
def patience(alias: str) -> Iterator[None]:
    """Give up each statement in the block when a page gives up its own.

    It is set for the session, as the block has transactions of its own, some with a snapshot.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute("set statement_timeout = %s", [int(1000 * answers.PATIENCE_SECONDS)])
    try:
        yield
    finally:
        with suppress(*DATABASE_ERRORS), connections[alias].cursor() as cursor:  # one that is gone has no session
            cursor.execute("reset statement_timeout")


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Count a whole table by the server's own estimate, anything else up to REACH, and end after REACH rows."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Model] = self.object_list  # type: ignore[assignment]  # the stubs know only a sequence
        estimate = -1 if rows.query.where else estimated_rows(self.counted_by(rows), rows.db)
        if estimate > REACH:
            return Roughly(estimate, "about")
        counted = rows.order_by()[: REACH + 1].count()
        return Roughly(REACH, "more than") if counted > REACH else counted

    def counted_by(self, rows: QuerySet[Model]) -> type[Model]:
        """Return the model whose table has a row for each that is listed."""
        return rows.model

    @cached_property
    def num_pages(self) -> int:
        return max(1, ceil(min(self.count, REACH) / self.per_page))


def estimated_rows(model: type[Model], alias: str) -> int:
    """Return the rows of a model's table as its last vacuum or analyze found them; -1 if there was none."""
    with raw_cursor(alias) as database:
        return rows_known(database, model._meta.db_table)


class BoundedList(ChangeList):
    """A list of a BoundedAdmin: sorted by its key alone, as no other column need have an index.

    `refusals` are messages on what of the address was not understood. Of a filter that is not understood no row is
    listed; of a page that is not there, the first one is.
    """

    model_admin: Any  # a BoundedAdmin
    list_filter: Any  # its filters, of the kind of ListFilter
    filter_specs: list[Any]  # those of this request
    queryset: QuerySet[Any]
    refusals: tuple[str, ...] = ()

    def __init__(self, request: HttpRequest, *parts: Any, **named: Any) -> None:
        super().__init__(request, *parts, **named)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        flaws = dict(self._flaws(request))
        for name in flaws:
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        rows = super().get_queryset(request, exclude_parameters)
        if not flaws:
            return rows
        everything = format_html('<a href="{}">Show the whole list</a>', request.path)
        self.refusals = tuple(
            format_html(
                "Nothing is listed, because {} is not understood: {}. {}.", _asked(request, name), flaw, everything
            )
            for name, flaw in flaws.items()
        )
        return rows.none()

    def _flaws(self, request: HttpRequest) -> Iterator[tuple[str, str]]:
        if "\0" in request.GET.get(SEARCH_VAR, ""):
            yield SEARCH_VAR, "no text holds a null character"
        given = dict(request.GET.lists())
        for name in (name for name in self.get_filters_params(given) if name not in (PAGE_VAR, ERROR_FLAG)):
            for flaw in filter(None, (self._flaw(request, name, value) for value in given[name])):
                yield name, flaw

    def _flaw(self, request: HttpRequest, name: str, value: str) -> str:
        if refusal := self.model_admin.why_not_allowed(name, value, request):
            return str(refusal)
        for each in self.list_filter:
            if name in each.names:
                is_once = request.GET.getlist(name) == [request.GET[name]]
                return str(each.flaw(name, value)) if is_once else "it is given more than once"
        try:
            self.model_admin.with_value(name, value)
        except ValidationError as error:
            return Truncator(" ".join(error.messages).rstrip(".")).chars(100)
        return ""  # the list can be narrowed so

    def get_results(self, request: HttpRequest) -> None:
        self.page_num = 1
        super().get_results(request)
        if not self.result_count:
            self.result_list = self.queryset.none()  # to look for it once more would cost as much as to count it
        if not self.sorts_so(request):
            messages.warning(request, f"The list is sorted by its key: it has no order {_asked(request, ORDER_VAR)}.")
        if not (self.refusals or (self.show_all and self.can_show_all)):
            self._turn_to_page(request)
        self.pages_beside = list(self.beside(request))
        self.result_list = self.model_admin.with_names(self.rows_of_page(), self.model_admin.list_display, request)

    def _turn_to_page(self, request: HttpRequest) -> None:
        pages = self.paginator.num_pages
        if not 1 <= (number := _number(request.GET.get(PAGE_VAR, "1"))) <= pages:
            wrong = f"There is no page {_asked(request, PAGE_VAR)}: the pages go from 1 to {pages}. This is page 1."
            self.refusals = (wrong,)
        elif number > 1:
            self.page_num = number
            self.result_list = self.paginator.page(number).object_list

    def all_rows(self) -> QuerySet[Any]:
        """Return the rows of all pages, in the order of the list, as the table or the view has them."""
        return self.queryset

    def sorts_so(self, request: HttpRequest) -> bool:
        """Tell whether the list has the order that the address asks for."""
        return all(map(self._can_sort_by, filter(None, request.GET.get(ORDER_VAR, "").split("."))))

    def rows_of_page(self) -> list[Any]:
        """Return the rows of the page, with all that the columns show of them but names."""
        return list(self.result_list)

    @cached_property
    def fields(self) -> list[Field]:
        """Return the fields of the form by which the list is narrowed."""
        return [field for spec in self.filter_specs for field in spec.fields()]

    def kept(self) -> list[tuple[str, str]]:
        """Return what the form sends on: what the address asks for beside the filters, but for the page."""
        names = {field.name for field in self.fields}
        return [(name, value) for name, values in self.filter_params.items() if name not in names for value in values]

    def beside(self, request: HttpRequest) -> Iterable[tuple[str, str]]:
        """Return the addresses of pages about the same rows, each with what its link says."""
        return ()

    def _can_sort_by(self, part: str) -> bool:
        number = _number(part.removeprefix("-"))
        return 0 <= number < len(self.list_display) and bool(self.get_ordering_field(self.list_display[number]))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Return the order of the list; a list of made ids has no other, as no index would serve that."""
        return list(self.model_admin.made_of) or super().get_ordering(request, queryset)

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return the column to sort by, if it is the key: the address, too, cannot ask for another (?o=3)."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def counted(self) -> str:
        """Return how many rows there are of what."""
        count = self.result_count
        noun, nouns = self.model_admin.counted or (self.opts.verbose_name, self.opts.verbose_name_plural)
        return f"{count if isinstance(count, Roughly) else format(count, ',')} {noun if count == 1 else nouns}"

    def reach(self) -> str:
        """Return what a list that ends before its rows do says of that; "" of one that does not."""
        if not isinstance(self.result_count, Roughly):
            return ""
        is_last = self.page_num == self.paginator.num_pages
        end = f"The list ends here, at row {REACH:,}." if is_last else f"Only the first {REACH:,} are listed."
        names = " or ".join(map(words, self.search_fields))
        filters = " or choose a filter" if self.has_filters else ""
        return f"{end} To see others, search for the exact {names}{filters}."


# -1 is no page and no column: for what is not a number, or is longer than any that a list has.
def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _asked(request: HttpRequest, name: str) -> str:
    text = "&".join(f"{name}={value}" for value in request.GET.getlist(name))
    return Truncator(text.replace("\0", "\\0")).chars(60)
