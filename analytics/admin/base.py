"""How the admin shows a table that may hold a hundred million rows: read-only, and no page reads such a table through.

A list is sorted by its key alone, ends after REACH rows, is counted no further than that, and can be narrowed only
by what an index serves (or what a comment at the filter says is cheap). A row beyond is found by searching for it.

A made id has no index. Its list is in the order of the columns that it is made of, with which the key of the database
begins; a row is found by the left one of these, which the id says, and the id.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import router
from django.db.models import BigIntegerField, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from psycopg2.sql import SQL, Composable

from access.log import saw
from analytics.admin.filters import ListFilter, words
from analytics.admin.lists import BoundedList, BoundedPaginator, patience
from analytics.exports import lists as exports
from analytics.loads.tables import STAR_TABLES
from analytics.models import (
    ActivityCompletionFact,
    ActivityDimension,
    JourneyDimension,
    PatientDimension,
    PatientJourneyFact,
    ScheduleDimension,
    StepResultFact,
    SurveyDimension,
    SurveyResultFact,
)
from analytics.models.links import parents
from analytics.models.msk import ABOUT_A_WINDOW, MadeIdModel, PatientJourneyScheduleWindow
from analytics.pages.page import without_empty_fields
from ingest.cursors import Cursor, one_row
from ingest.models import PipelineRun, RejectedRow
from ingest.runs.errors import DATABASE_ERRORS

Cell = str | Callable[[Any], Any]
# The patients of the rows of a query, and how many rows there are.
OF_ROWS = SQL(
    """
    select coalesce(array_agg(p.patient_id), '{{}}'), coalesce(sum(p.rows), 0)::bigint
    from (select r.patient_id, count(*) as rows from ({}) as r group by r.patient_id) as p
    """
)

# What is shown beside the key of another table's row, by which people know it.
NAMES: dict[type[Model], str] = {
    PatientDimension: "hospital",
    PatientJourneyFact: "journey__abbreviation",
    JourneyDimension: "abbreviation",
    ActivityDimension: "content_slug",
    ScheduleDimension: "slug",
    SurveyDimension: "slug",
}
# What stands over a column of a list, where the name of the column says less or takes more room.
HEADINGS = {
    **{f"{name}_id": name for name in ("patient", "journey", "activity", "survey", "schedule", "device", "clinician")},
    "patient_journey_id": "patient journey",
    "survey_result_id": "survey result",
    "activity_content_slug": "activity",
    "schedule_slug": "schedule",
    "score_value": "score",
    "duration_seconds": "seconds",
    "first_completed_date": "first done",
}
# The table of the source that has a row for each of a table of the star.
SOURCES: dict[type[Model], str] = {table.model: table.source for table in STAR_TABLES if table.source}
SOURCES[ActivityCompletionFact] = SOURCES[SurveyResultFact]


class BoundedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Lists of bounded cost, by default of all columns.

    `search_fields`, by default the key, are searched for the very term, each by its index (what has none says what that
    costs): Django's own `=` compares upper(column::text), which no index serves. The list can also be asked for one of
    them, or any indexed column, by name (?patient_id=7), and within a patient for any link; so do the lists that a
    detail page leads to. All columns go by their own names, never by that of a link (patient), by which Django would
    fetch the row at its other end.
    """

    change_list_template = "analytics/change_list.html"
    list_per_page = 50
    list_select_related: ClassVar[Any] = ()
    paginator = BoundedPaginator
    show_facets = ShowFacets.NEVER  # they count every choice of every filter
    show_full_result_count = False
    list_display: tuple[str, ...] = ()
    list_filter: ClassVar[tuple[type[ListFilter], ...]] = ()
    search_fields: ClassVar[tuple[str, ...]] = ()
    leads = ""  # the column that leads to the row itself, by default the first
    counted: tuple[str, str] | None = None  # what a row is called, one and several, if not as the model
    gone = "Perhaps it was deleted."  # what is said of a row that is not there
    taken: ClassVar[dict[str, Any]] = {}  # columns that a file of the list has beside the table's, or in their place

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.columns: dict[str, Any] = {str(field.column): field for field in self.opts.concrete_fields}
        self.key = str(self.opts.pk.column)
        self.made_of: tuple[str, ...] = model.made_of if issubclass(model, MadeIdModel) else ()
        self.links = parents(model)
        if "run_id" in self.columns:  # the run log is in another database: no foreign key can say it
            self.links["run_id"] = PipelineRun
        self.list_display = self.list_display or tuple(self.columns)
        self.search_fields = self.search_fields or (self.key,)  # type: ignore[misc]
        self.search_help_text = f"Finds the exact {' or '.join(map(words, self.search_fields))}."  # type: ignore[misc]
        leads = self.leads = self.leads or self.list_display[0]
        # A link is shown by a function, and a function has to say by which column it can be sorted.
        is_shown = leads in self.links or leads in HEADINGS
        self.first = column(leads, lambda row: getattr(row, leads), leads) if is_shown else leads

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with status 400 where a part of the address was not understood: a script has to know."""
        if exports.PARAMETER in request.GET and request.method in ("GET", "HEAD"):
            return self._answered(request, exports.export, self, request)
        if "form" in request.GET:
            return without_empty_fields(request)
        return self._answered(request, self._shown, request, extra_context)

    def _shown(self, request: HttpRequest, extra_context: dict[str, Any] | None) -> HttpResponse:
        response: Any = super().changelist_view(request, extra_context)
        page = (getattr(response, "context_data", None) or {}).get("cl")
        for refusal in page.refusals if page else ():
            messages.error(request, refusal)
            response.status_code = 400
        if page and page.query and not page.refusals and (entry := self.rejected(request, page.query)):
            link = link_to(RejectedRow, entry.pk, entry.get_reason_display())
            message = "The source's {} {} was rejected: {}."
            messages.warning(request, format_html(message, words(entry.source_table), entry.source_key, link))
            if "patient_id" in self.columns:
                saw(request, unnamed=1)
        if page:
            response.context_data["offer"] = exports.offer(page)
            self.say(request, page.result_list)
        return _rendered(response)

    def say(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """Say which patients the rows of a list or a page are about, if the table is about patients."""
        if "patient_id" in self.columns:
            saw(request, (row.patient_id for row in rows), rows=len(rows))

    def say_taken(self, request: HttpRequest, cursor: Cursor, query: Composable) -> None:
        """Say the same of the rows of a query, which are taken away."""
        if "patient_id" in self.columns:
            cursor.execute(OF_ROWS.format(query))
            patients, rows = one_row(cursor)
            saw(request, patients, rows=rows)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._answered(request, self.changeform, request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self._answered(request, super().delete_view, request, object_id, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self._answered(request, super().history_view, request, object_id, extra_context)

    def _answered(self, request: HttpRequest, view: Callable[..., Any], *arguments: Any) -> HttpResponse:
        try:
            with patience(router.db_for_read(self.model)):
                return _rendered(view(*arguments))
        except DATABASE_ERRORS as error:
            return exports.not_shown(self, request, error)

    def changeform(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: Any
    ) -> HttpResponse:
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Lead to why the row was rejected or, if it was not, to the list, with a word on why the row may be gone.

        Django's own leads home and says "deleted".
        """
        key = Truncator(unquote(object_id).replace("\0", "\\0")).chars(40)
        if entry := self.rejected(request, unquote(object_id)):
            said = "There is no {} {} in the star: the source's row was rejected, as is said here."
            messages.warning(request, said.format(self.opts.verbose_name, key))
            return HttpResponseRedirect(address(RejectedRow, "change", entry.pk))
        messages.warning(request, f"There is no {self.opts.verbose_name} {key}. {self.gone}")
        return HttpResponseRedirect(address(self.model, "changelist"))

    def rejected(self, request: HttpRequest, key: str) -> RejectedRow | None:
        """Return the entry about the row of the source that would have this key; None for who may not see entries."""
        source = SOURCES.get(self.model)
        if source and self.may_see(RejectedRow, request):
            with suppress(ValidationError, ValueError, OverflowError):  # the text is no key, or no day
                return RejectedRow.objects.filter(source_table=source, source_key=self.source_key(key.strip())).first()
        return None

    def source_key(self, text: str) -> str:
        """Return the key of a row as rejected_row has it: that of a made id is what this is made of."""
        self.with_value(self.key, text)
        if not issubclass(self.model, MadeIdModel):
            return str(int(text))
        left, right = self.model.keys_of(int(text))
        return f"{left}/{date.fromordinal(right + 1) if self.model is StepResultFact else right}"

    def with_value(self, name: str, text: str) -> Q:
        """Return the condition that a column has a value; raise ValidationError for one that it cannot hold."""
        own = self.columns[name]
        field = getattr(own, "target_field", own)  # a link can hold what the key at its other end can
        value = field.to_python(text)
        field.run_validators(value)  # for a number too large the server would read every row, and find none
        found = Q((name, value))
        if self.made_of and name == self.key:
            found &= Q((self.made_of[0], value >> 32))
        return found

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.made_of or self.ordering or (self.key,)

    def get_sortable_by(self, request: HttpRequest) -> tuple[Cell, ...]:
        return () if self.made_of else (self.first,)

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> tuple[Cell, ...]:
        return (self.first,)

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
                found |= self.with_value(name, search_term.strip())
        return queryset.filter(found), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return not self.why_not_allowed(lookup, value, request)

    def narrows(self, name: str, others: Container[str]) -> bool:
        """Tell whether the list can be asked for a value of a column, beside those of `others`."""
        if name not in self.columns or (self.made_of and name == self.key):
            return False
        is_indexed = self.columns[name].primary_key or self.columns[name].db_index
        return name in self.search_fields or is_indexed or (name in self.links and "patient_id" in others)

    def why_not_allowed(self, lookup: str, value: str, request: HttpRequest) -> str:
        """Return why the list cannot be asked for this; "" if it can."""
        if "\0" in value:  # and the driver refuses to send it
            return "no text holds a null character"
        names = [name for each in self.list_filter for name in each.names]
        names += [name for name in self.columns if name not in names and self.narrows(name, request.GET)]
        if lookup in names:
            return ""
        if lookup in self.links and "patient_id" in self.columns:
            return "a patient_id has to stand beside it"
        return f"this list can be narrowed by {', '.join(names)}"

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self.headed(name, request) for name in self.list_display]

    def headed(self, name: str, request: HttpRequest) -> Cell:
        """Return what shows a column of the list, under its heading."""
        cell = self.first if name == self.leads else self.cell(name, request)
        if name not in HEADINGS:
            return cell
        shown = column(name, lambda row: getattr(row, name)) if isinstance(cell, str) else cell
        return admin.display(description=HEADINGS[name])(shown)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        """Explain each field with the comment that its column carries in the database."""
        comments = {name: escape(field.db_comment or "") for name, field in self.columns.items()}
        return super().get_form(request, obj, change, help_texts=comments, **kwargs)

    def cell(self, name: str, request: HttpRequest) -> Cell:
        """Return what shows the column `name`: a key of another table as a link, a choice as the table has it."""
        if name not in self.columns:
            return name
        if name in self.links and self.may_see(self.links[name], request):
            return column(name, lambda row: link_to(self.links[name], getattr(row, name), name_beside(row, name)))
        if self.is_count(name):
            return column(name, lambda row: thousands(getattr(row, name)))
        if name in self.links or self.columns[name].choices:
            return column(name, lambda row: getattr(row, name))
        return name

    def is_count(self, name: str) -> bool:
        """Tell whether a column has counts and not keys: only counts are written with a comma for thousands."""
        field = self.columns[name]
        is_key = name == self.key or name in self.links or name.endswith("_id")
        return name == "steps" or (isinstance(field, BigIntegerField) and not is_key)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row with this key, or None; rows are asked for by no other column."""
        with suppress(ValidationError, ObjectDoesNotExist, ValueError):
            row = self.get_queryset(request).get(self.with_value(self.key, object_id))
            self.say(request, [row])
            return self.with_names([row], self.columns, request)[0]
        return None

    def with_names(self, rows: list[Any], names: Iterable[str], request: HttpRequest) -> list[Any]:
        """Return the rows, each with the names of the rows that its links `names` lead to; one query for each table."""
        for row in rows:
            row.names_beside = {}
        for name in names:
            parent = self.links.get(name)
            if parent and parent in NAMES and self.may_see(parent, request):
                keys = {key for row in rows if (key := getattr(row, name)) is not None}
                found = dict(parent._default_manager.filter(pk__in=keys).values_list("pk", NAMES[parent]))
                for row in rows:
                    row.names_beside[name] = found.get(getattr(row, name))
        return rows

    def may_see(self, model: type[Model], request: HttpRequest) -> bool:
        """Tell whether who asks may see the rows of another table."""
        shown = self.admin_site._registry.get(model)
        return bool(shown and shown.has_view_permission(request))

    def children(self) -> dict[type[Model], dict[str, str]]:
        """Return the tables whose lists can be asked for what belongs to a row: by which columns, and the row's own."""
        found = {}
        for model, other in self.admin_site._registry.items():
            if model is self.model or not isinstance(other, BoundedAdmin):
                continue
            by = {name: self.key for name, parent in other.links.items() if parent is self.model}
            if not by and {model, self.model} <= set(ABOUT_A_WINDOW):
                by = {name: name for name in PatientJourneyScheduleWindow.made_of}
            if by and "patient_id" in self.columns.keys() & other.columns.keys():
                by["patient_id"] = "patient_id"
            if by and all(other.narrows(name, by) for name in by):
                found[model] = by
        return found

    def see_also(self, request: HttpRequest) -> Callable[[Model], SafeString]:
        """Return what shows links to the lists of what belongs to a row, as far as who asks may see them."""
        children = {model: by for model, by in self.children().items() if self.may_see(model, request)}

        def links(row: Model) -> SafeString:
            lists = []
            for model, by in children.items():
                values = {name: getattr(row, own) for name, own in by.items()}
                lists.append((address(model, "changelist", **values), model._meta.verbose_name_plural))
            return format_html_join(" · ", '<a href="{}">{}</a>', lists)

        return column("see_also", links)


class ReadOnlyAdmin(BoundedAdmin):
    """A table that the pipeline writes and people read, superusers included; the detail page shows every column."""

    actions = None
    gone = "Its row has left the source or is among the rejected rows, or never was."

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        columns = [self.cell(name, request) for name in self.columns]
        return [*columns, self.see_also(request)] if self.children() else columns


def _rendered(response: Any) -> HttpResponse:
    # Now, while _answered can still answer for what the template asks the database.
    shown: HttpResponse = response.render() if hasattr(response, "render") else response
    return shown


def address(model: type[Model], page: str, *keys: Any, **query: Any) -> str:
    """Return the address of a model's `page`: its changelist, add, or the change of a key."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=[quote(key) for key in keys], query=query)


def link_to(model: type[Model], key: Any, text: str | None = None) -> SafeString | None:
    """Return a link to the page of the row with this key, by another text if one is given."""
    return None if key is None else format_html('<a href="{}">{}</a>', address(model, "change", key), text or key)


def name_beside(row: Any, name: str) -> str | None:
    """Return the key that a row has in a column, with what it is called; None if that is not known."""
    called = getattr(row, "names_beside", {}).get(name)
    return f"{getattr(row, name)} · {called}" if called else None


def thousands(number: int | None) -> str | None:
    return None if number is None else f"{number:,}"


def column(name: str, show: Callable[[Any], Any], order: str | None = None) -> Callable[[Any], Any]:
    """Return `show` under the name of a column, by which the admin finds its label and its help."""
    show.__name__ = name
    return admin.display(description=words(name), ordering=order)(show)
