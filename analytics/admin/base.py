"""How the admin shows a table that may hold a hundred million rows: read-only, and no page reads such a table through.

A list is sorted by its key alone, ends after REACH rows, is counted no further than that, and can be narrowed only
by what an index serves (or what a comment at the filter says is cheap). A row beyond is found by searching for it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.core import paginator
from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import escape, format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from analytics import models
from ingest.models import PipelineRun

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    Paginator = paginator.Paginator[Any]
else:
    ModelAdmin, Paginator = admin.ModelAdmin, paginator.Paginator

# Rows that a list shows or counts; the offset of the last page takes a few milliseconds.
REACH = 10_000

# A key is a link to the row that it names. No foreign key says so: see analytics/models/msk.py.
KEYS: dict[str, type[Model]] = {
    "patient_id": models.PatientDimension,
    "journey_id": models.JourneyDimension,
    "device_id": models.DeviceDimension,
    "survey_id": models.SurveyDimension,
    "schedule_id": models.ScheduleDimension,
    "activity_id": models.ActivityDimension,
    "patient_journey_id": models.PatientJourneyFact,
    "survey_result_id": models.SurveyResultFact,
    "run_id": PipelineRun,
}

Cell = str | Callable[[Any], Any]


class Roughly(int):
    """A number of rows that nobody counted to the end, and that says so where a page prints it."""

    word: str

    def __new__(cls, rows: int, word: str) -> "Roughly":
        self = super().__new__(cls, rows)
        self.word = word
        return self

    def __str__(self) -> str:
        return f"{self.word} {int(self):,}"


class BoundedPaginator(Paginator):
    """Count a whole table by the server's own estimate, anything else up to REACH, and end after REACH rows."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Model] = self.object_list  # type: ignore[assignment]  # the stubs know only a sequence
        estimate = -1 if rows.query.where else self.estimate(rows)
        if estimate > REACH:
            return Roughly(estimate, "about")
        counted = rows.order_by()[: REACH + 1].count()
        return Roughly(REACH, "more than") if counted > REACH else counted

    @cached_property
    def num_pages(self) -> int:
        return max(1, ceil(min(self.count, REACH) / self.per_page))

    def estimate(self, rows: QuerySet[Model]) -> int:
        """Return the table's rows as of its last vacuum or analyze; -1 before the first."""
        return estimated_rows(rows.model, rows.db)


def estimated_rows(model: type[Model], alias: str) -> int:
    """Return the rows of a model's table as its last vacuum or analyze found them; -1 if there was none."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(
            "select reltuples::bigint from pg_class where oid = %s::regclass",
            [connection.ops.quote_name(model._meta.db_table)],
        )
        (rows,) = cursor.fetchone()
    return int(rows)


class KeySortedList(ChangeList):
    """A list that the address, too, cannot have sorted by a column without an index (?o=3)."""

    def get_ordering_field(self, field_name: Any) -> Any:
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None


class BoundedAdmin(ModelAdmin):
    """Lists of bounded cost.

    `search_fields` are searched for the very term, each by its index: Django's own `=` compares upper(column::text),
    which no index serves. The list can also be asked for one of them, or any indexed column, by name (?patient_id=7),
    and within a patient for any key; that is what `lists` makes use of: the lists that a detail page leads to.
    """

    list_per_page = 50
    list_select_related = ()
    paginator = BoundedPaginator
    show_facets = ShowFacets.NEVER  # they count every choice of every filter
    show_full_result_count = False
    list_display: tuple[str, ...]
    list_filter: ClassVar[tuple[type[admin.SimpleListFilter], ...]] = ()
    search_fields: ClassVar[tuple[str, ...]] = ()
    lists: ClassVar[tuple[type[Model], ...]] = ()

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.columns: dict[str, Any] = {field.name: field for field in self.opts.concrete_fields}

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page = super().get_changelist_instance(request)
        names = (self.columns[name].verbose_name for name in self.search_fields)
        page.search_help_text = f"Finds the exact {' or '.join(names)}."
        return page

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.ordering or (self.opts.pk.name,)

    def get_sortable_by(self, request: HttpRequest) -> tuple[str]:
        return (self.opts.pk.name,)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeySortedList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        found = Q(pk__in=())
        for name in self.search_fields:
            # What the column cannot hold, a word or a number too large, is in no row of it.
            with suppress(ValidationError):
                found |= Q((name, self.columns[name].clean(search_term.strip(), None)))
        return queryset.filter(found), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        if "\0" in value:  # no text of the database holds it, and the driver refuses to send it
            return False
        if lookup in self.search_fields or lookup in (preset.parameter_name for preset in self.list_filter):
            return True
        column = self.columns.get(lookup)
        indexed = column and (column.primary_key or column.db_index)
        return bool(indexed) or (column is not None and lookup in KEYS and "patient_id" in request.GET)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        first, *others = self.list_display  # the first leads to the row itself
        return [first, *map(self.cell, others)]

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        """Explain each field with the comment that its column carries in the database."""
        comments = {field.name: escape(field.db_comment or "") for field in self.columns.values()}
        return super().get_form(request, obj, change, help_texts=comments, **kwargs)

    def cell(self, name: str) -> Cell:
        """Return what shows the column `name`: a key as a link, a choice as the word that stands in the table."""
        if name not in self.columns:
            return name
        if KEYS.get(name, self.model) is not self.model:
            return _column(name, lambda row: link_to(KEYS[name], getattr(row, name)))
        return _column(name, lambda row: getattr(row, name)) if self.columns[name].choices else name

    @admin.display(description="See also")
    def see_also(self, row: Model) -> SafeString:
        """Return links to the lists of what belongs to the row, found by its key and, if it has one, its patient."""
        keys = {
            name: getattr(row, name) for name in dict.fromkeys((self.opts.pk.name, "patient_id")) if hasattr(row, name)
        }
        if None in keys.values():
            return SafeString()  # a kept orphan: nothing bounds the search for what belongs to it
        return format_html_join(
            " · ",
            '<a href="{}?{}">{}</a>',
            ((changelist(model), urlencode(keys), model._meta.verbose_name_plural) for model in self.lists),
        )


class ReadOnlyAdmin(BoundedAdmin):
    """A table that the pipeline writes and people read, superusers included; the detail page shows every column."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        columns = [self.cell(name) for name in self.columns]
        return [*columns, "see_also"] if self.lists else columns


def link_to(model: type[Model], key: Any) -> SafeString | None:
    """Return a link to the page of the row with this key."""
    if key is None:
        return None
    opts = model._meta
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[quote(key)]), key
    )


def changelist(model: type[Model]) -> str:
    """Return the address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _column(name: str, show: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `show` under the name of a column, by which the admin finds its label and its help."""
    show.__name__ = name
    return admin.display(description=name.replace("_", " "))(show)


def one_of(column: str, values: Sequence[str]) -> type[admin.SimpleListFilter]:
    """Return a filter of a column by values known beforehand; Django's own would read them from the table."""

    class OneOf(admin.SimpleListFilter):
        title = column.replace("_", " ")
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, value) for value in values]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{column: self.value()}) if self.value() in values else queryset

    return OneOf


def within(column: str, *spans: int) -> type[admin.SimpleListFilter]:
    """Return a filter of a date column by the last so many days up to today, UTC."""

    class Within(admin.SimpleListFilter):
        title = column.replace("_", " ")
        parameter_name = f"{column}_within"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(str(days), f"last {days} days") for days in spans]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            days = next((days for days in spans if str(days) == self.value()), None)
            if days is None:
                return queryset
            today = datetime.now(UTC).date()
            return queryset.filter(**{f"{column}__range": (today - timedelta(days=days), today)})

    return Within
