"""What the pipeline has on record, to look at: its runs, and what was rejected."""

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from psycopg2.sql import Composable

from access.log import saw
from analytics.admin.base import Cell, ReadOnlyAdmin, column, thousands
from analytics.admin.filters import one_of
from analytics.pages.quality_rejects import MENDS, OF_REJECTS, say_rejects
from analytics.pages.runs import ROLLED_BACK
from ingest.cursors import Cursor, one_row
from ingest.models import SOURCES, Alert, LoadState, PipelineRun, RejectedRow, StepRun
from ingest.msk.tables import TABLES
from ingest.runs.run import COUNTS
from ingest.runs.status import FAILURES, WRITTEN


class StepRunInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    """The steps of a run, for whoever may see the run."""

    model = StepRun
    fields = ("step", "table_name", "status", *COUNTS, "error")
    ordering = ("id",)
    verbose_name_plural = "steps"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StepRun]:
        return super().get_queryset(request).select_related("run")  # which says whether it was rolled back

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [SHOWN.get(field, field) for field in self.fields]

    get_readonly_fields = get_fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(PipelineRun)
class PipelineRunAdmin(ReadOnlyAdmin):
    """The run log, the last run first. It grows by a row an hour, and is filtered without an index."""

    list_display = ("id", "source", "command", "trigger", "started", "duration", "status", *COUNTS[:5])
    list_filter = (
        one_of("status", PipelineRun.Status.values),
        one_of("source", SOURCES),
        one_of("trigger", PipelineRun.Trigger.values),
    )
    ordering = ("-id",)
    inlines = (StepRunInline,)
    # What was rolled back is no row that was written.
    taken: ClassVar[dict[str, Any]] = {
        name: Case(When(status__in=FAILURES, then=Value(None)), default=F(name)) for name in WRITTEN
    }
    gone = f"A run is forgotten after RUN_HISTORY_DAYS={settings.RUN_HISTORY_DAYS} days."

    class Media:
        css: ClassVar = {"all": ["analytics/runs.css"]}

    def view_on_site(self, run: PipelineRun) -> str:
        """Return where the site shows the run, with its steps as bars."""
        return reverse("run", args=[run.pk])

    def cell(self, name: str, request: HttpRequest) -> Cell:
        if name in WRITTEN:
            return column(name, lambda run: None if run.status in FAILURES else thousands(getattr(run, name)))
        return status if name == "status" else super().cell(name, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Return the fields of a run's own page, which says of what was rolled back how far it had come."""
        return [SHOWN.get(name, self.cell(name, request)) for name in self.columns]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        note = ROLLED_BACK if obj and obj.status in FAILURES else ""
        fields = [field for field in self.get_fields(request, obj) if field != "error"]
        run = (None, {"fields": fields, "description": note})
        failure = ("Error, with the traceback", {"fields": [error], "classes": ["collapse"]})
        return [run, failure] if obj and obj.error else [run]

    @admin.display(description="duration")
    def duration(self, run: PipelineRun) -> str | None:
        return f"{run.seconds:,.1f} s" if run.seconds else None


def written(name: str) -> Callable[[Any], Any]:
    """Return what shows the count `name` of a run or a step; what it wrote is struck out if it was rolled back."""

    def show(row: PipelineRun | StepRun) -> Any:
        run = row.run if isinstance(row, StepRun) else row
        count = thousands(getattr(row, name))
        is_undone = name in WRITTEN and run.status in FAILURES and getattr(row, name)
        return format_html("<s>{}</s> rolled back", count) if is_undone else count

    return column(name, show)


# The names of these functions are those of the columns that they show, by which the admin finds label and help.


def status(row: PipelineRun | StepRun) -> SafeString:
    return format_html('<span class="run-status {0}">{0}</span>', row.status)


SHOWN = {"status": status} | {name: written(name) for name in COUNTS if name != "seconds"}


def error(run: PipelineRun) -> SafeString:
    return format_html("<pre>{}</pre>", run.error)


def detail(row: RejectedRow) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(row.detail, indent=2, ensure_ascii=False))


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """The alerts, the open ones first; they are few, and forgotten as the runs are."""

    list_display = ("id", "source", "kind", "message", "began_at", "ended_at", "pending")
    list_filter = (one_of("source", SOURCES), one_of("kind", Alert.Kind.values))
    gone = f"An alert is forgotten after RUN_HISTORY_DAYS={settings.RUN_HISTORY_DAYS} days."
    ordering = (F("ended_at").desc(nulls_first=True), "-id")


@admin.register(LoadState)
class LoadStateAdmin(ReadOnlyAdmin):
    gone = "Nothing was loaded from it yet."


@admin.register(RejectedRow)
class RejectedRowAdmin(ReadOnlyAdmin):
    """The rejected rows. The unique index serves the filter by table, and with it the search for a key. A search for a
    key alone, and the filter by reason, read all that was rejected, but never a fact.
    """

    list_display = ("id", "source_table", "source_key", "reason", "gist", "run_id")
    list_filter = (
        one_of("source_table", [*(table.name for table in TABLES), "covid_day"]),
        one_of("reason", RejectedRow.Reason.values),
    )
    search_fields = ("source_key",)
    gone = "What was wrong with its row was mended, or the row left the source. This is what is rejected today."

    def say(self, request: HttpRequest, rows: Sequence[RejectedRow]) -> None:
        say_rejects(request, rows)

    def say_taken(self, request: HttpRequest, cursor: Cursor, query: Composable) -> None:
        cursor.execute(OF_REJECTS.format(query))
        patients, unnamed, rows = one_row(cursor)
        saw(request, map(int, patients), unnamed=unnamed, rows=rows)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        *others, _ = super().get_fields(request, obj)
        return [*others, "what_is_wrong", "what_mends_it", detail]

    @admin.display(description="detail")
    def gist(self, row: RejectedRow) -> str:
        """Return what is wrong with the row, or the beginning of it where the reason says that."""
        return flaw(row) or Truncator(json.dumps(row.detail.get("row"), ensure_ascii=False)).chars(100)

    @admin.display(description="what is wrong")
    def what_is_wrong(self, row: RejectedRow) -> str:
        return flaw(row) or row.get_reason_display()

    @admin.display(description="what mends it")
    def what_mends_it(self, row: RejectedRow) -> str:
        return MENDS.get(row.reason, "")


# What a row must have beside what tells it from others; the SQL of the load asks for it, and the tests hold both
# against each other.
ALSO_REQUIRED = {
    "patient_journey": ("patient_id", "journey_id"),
    "survey_result": ("patient_journey_id", "survey_id", "activity_id", "start_time", "end_time"),
}
REQUIRED = {table.name: table.identity + ALSO_REQUIRED.get(table.name, ()) for table in TABLES}


def flaw(row: RejectedRow) -> str:
    """Return which key an orphan misses, which columns are null or which figure of a day is wrong, else ""."""
    if "column" in row.detail:
        return f"there is no {row.detail['column']} {row.detail['key']}"
    if "path" in row.detail:
        return Truncator(f"{row.detail['path']}: {json.dumps(row.detail['value'], ensure_ascii=False)}").chars(100)
    if row.reason != RejectedRow.Reason.MISSING_KEY:
        return ""
    came = row.detail["row"]
    return ", ".join(f"{name} is null" for name in REQUIRED.get(row.source_table, ()) if came.get(name) is None)
