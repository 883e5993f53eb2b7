"""How the admin shows a table that may hold a hundred million rows: read-only, and no page reads such a table through.

A list is sorted by its key alone, ends after REACH rows, is counted no further than that, and can be narrowed only
by what an index serves (or what a comment at the filter says is cheap). A row beyond is found by searching for it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from analytics import models
from analytics.admin.lists import BoundedList, BoundedPaginator, PresetFilter
from ingest.models import PipelineRun

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

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


class BoundedAdmin(ModelAdmin):
    """Lists of bounded cost.

    `search_fields` are searched for the very term, each by its index: Django's own `=` compares upper(column::text),
    which no index serves. The list can also be asked for one of them, or any indexed column, by name (?patient_id=7),
    and within a patient for any key; that is what `lists` makes use of: the lists that a detail page leads to.
    """

    change_list_template = "analytics/change_list.html"
    list_per_page = 50
    list_select_related = ()
    paginator = BoundedPaginator
    show_facets = ShowFacets.NEVER  # they count every choice of every filter
    show_full_result_count = False
    list_display: tuple[str, ...]
    list_filter: ClassVar[tuple[type[PresetFilter], ...]] = ()
    search_fields: ClassVar[tuple[str, ...]] = ()
    lists: ClassVar[tuple[type[Model], ...]] = ()
    gone = "Perhaps it was deleted."  # what is said of a row that is not there

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.columns: dict[str, Any] = {field.name: field for field in self.opts.concrete_fields}

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page: Any = super().get_changelist_instance(request)
        names = (self.columns[name].verbose_name for name in self.search_fields)
        page.search_help_text = f"Finds the exact {' or '.join(names)}."
        for refusal in page.refusals:
            messages.error(request, refusal)
        return page

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with status 400 where a part of the address was not understood: a script has to know."""
        response = super().changelist_view(request, extra_context)
        page = (getattr(response, "context_data", None) or {}).get("cl")
        if page and page.refusals:
            response.status_code = 400
        return response

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Lead to the list, with a word on why the row may be gone; Django's own leads home and says "deleted"."""
        key = Truncator(unquote(object_id).replace("\0", "\\0")).chars(40)
        messages.warning(request, f"There is no {self.opts.verbose_name} {key}. {self.gone}")
        return HttpResponseRedirect(changelist(self.model))

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.ordering or (self.opts.pk.name,)

    def get_sortable_by(self, request: HttpRequest) -> tuple[str]:
        return (self.opts.pk.name,)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        return BoundedList

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

    def why_not_allowed(self, lookup: str, value: str, request: HttpRequest) -> str:
        """Return why `lookup_allowed` says no."""
        if "\0" in value:
            return "no text holds a null character"
        if lookup in KEYS and {lookup, "patient_id"} <= self.columns.keys():
            return "a patient_id has to stand beside it"
        names = [preset.parameter_name for preset in self.list_filter if preset.parameter_name]
        names += [name for name in self.columns if name not in names and self.lookup_allowed(name, "", request)]
        return f"this list can be narrowed by {', '.join(names)}"

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
            return column(name, lambda row: link_to(KEYS[name], getattr(row, name)))
        return column(name, lambda row: getattr(row, name)) if self.columns[name].choices else name

    @admin.display(description="See also")
    def see_also(self, row: Model) -> SafeString:
        """Return links to the lists of what belongs to the row, found by its key and, if it has one, its patient."""
        keys = {
            name: getattr(row, name) for name in dict.fromkeys((self.opts.pk.name, "patient_id")) if hasattr(row, name)
        }
        return format_html_join(
            " · ",
            '<a href="{}?{}">{}</a>',
            ((changelist(model), urlencode(keys), model._meta.verbose_name_plural) for model in self.lists),
        )


class ReadOnlyAdmin(BoundedAdmin):
    """A table that the pipeline writes and people read, superusers included; the detail page shows every column."""

    actions = None
    gone = "Its row has left the source or is among the rejected rows, or never was."

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


def column(name: str, show: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `show` under the name of a column, by which the admin finds its label and its help."""
    show.__name__ = name
    return admin.display(description=name.replace("_", " "))(show)
