"""The star of the MSK source, table by table.

Facts have an index on their key and on patient_id, none on a date or a status; the comments say what bounds the
filters that are there, and a filter that nothing bounds is not there.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics import models
from analytics.admin.base import Cell, ReadOnlyAdmin, address, column, link_to
from analytics.admin.filters import BySchedule, ByStatusToday, BySurvey, between, by, one_of, within
from analytics.admin.lists import BoundedList, BoundedPaginator
from analytics.pages.dimensions import DIMENSIONS
from analytics.pages.page import SEES_PATIENTS, SEES_TOTALS
from ingest.models import ScheduleOverride
from ingest.slugs import MILESTONES, UNKNOWN_MILESTONE

# --- Dimensions and the bridge: all but the patients are small, so they can be searched and filtered by any column.


@admin.register(models.PatientDimension)
class PatientAdmin(ReadOnlyAdmin):
    # No index: a value that few have costs one read of the patients, each of whom has some ninety rows of facts.
    list_filter = (by("hospital", "sex", "age_bracket"),)


@admin.register(models.JourneyDimension)
class JourneyAdmin(ReadOnlyAdmin):
    search_fields = ("journey_id", "abbreviation")


@admin.register(models.DeviceDimension)
class DeviceAdmin(ReadOnlyAdmin):
    search_fields = ("device_id", "platform")


@admin.register(models.SurveyDimension)
class SurveyAdmin(ReadOnlyAdmin):
    search_fields = ("survey_id", "slug")


@admin.register(models.ScheduleDimension)
class ScheduleAdmin(ReadOnlyAdmin):
    """Schedules, each with the way to override it: here is where one sees that a slug was not understood."""

    list_display = (
        "schedule_id",
        "slug",
        "parse_status",
        "override",
        "milestone_slug",
        "offset_start_days",
        "offset_end_days",
        "parse_note",
    )
    list_filter = (
        one_of("parse_status", models.ScheduleDimension.ParseStatus.values),
        one_of("milestone_slug", (*MILESTONES, UNKNOWN_MILESTONE)),
    )
    search_fields = ("schedule_id", "slug")

    def get_queryset(self, request: HttpRequest) -> Any:
        overrides = ScheduleOverride.objects.filter(schedule_id=OuterRef("schedule_id"))
        return super().get_queryset(request).annotate(overridden=Exists(overrides))

    @admin.display(description="override")
    def override(self, row: Any) -> SafeString | None:
        if row.overridden:
            return link_to(ScheduleOverride, row.schedule_id)
        return format_html('<a href="{}">add</a>', address(ScheduleOverride, "add", schedule_id=row.schedule_id))

    def cell(self, name: str, request: HttpRequest) -> Cell:
        if name == "override" and not request.user.has_perm("ingest.add_scheduleoverride"):
            return column(name, lambda row: "yes" if row.overridden else "")
        return super().cell(name, request)


@admin.register(models.ActivityDimension)
class ActivityAdmin(ReadOnlyAdmin):
    search_fields = ("activity_id", "content_slug", "schedule_id")


@admin.register(models.DateDimension)
class DateAdmin(ReadOnlyAdmin):
    ordering = ("-date",)


@admin.register(models.JourneyActivityBridge)
class JourneyActivityAdmin(ReadOnlyAdmin):
    search_fields = ("id", "journey_id", "activity_id")


# --- Facts

OF_A_PATIENT_JOURNEY = ("hospital", "joint", "journey", "clinician", "sex", "age_bracket")


@admin.register(models.PatientJourneyFact)
class PatientJourneyAdmin(ReadOnlyAdmin):
    # No index: what is rare costs one read of the table, which has about as many rows as there are patients.
    list_display = (
        *("patient_journey_id", "patient_id", "journey_id", "clinician_id", "invitation_date", "registration_date"),
        *("consent_date", "operation_date", "discharge_date"),
    )
    list_filter = (by(*OF_A_PATIENT_JOURNEY, "month"), within("operation_date", 7, 30, 90, 365))
    search_fields = ("patient_journey_id", "patient_id")


@admin.register(models.StepResultFact)
class StepResultAdmin(ReadOnlyAdmin):
    """The largest table. No filter by date: days that few rows have would cost a read of them all."""

    search_fields = ("patient_id", "id")


@admin.register(models.SurveyResultFact)
class SurveyResultAdmin(ReadOnlyAdmin):
    # No index: a survey or a day that few rows have costs one read of the table, a seventh of the steps.
    list_display = (
        *("survey_result_id", "patient_id", "survey_id", "score_value", "activity_id", "end_time", "duration_seconds"),
        "patient_journey_id",
    )
    list_filter = (BySurvey, by("activity", *OF_A_PATIENT_JOURNEY), between("end_time", "answered"))
    search_fields = ("survey_result_id", "patient_id")


WINDOW = ("patient_id", "patient_journey_id", "activity_content_slug", "schedule_slug")
# No index: what few windows have costs one read of them, which are a quarter of the steps.
OF_A_WINDOW = (
    by(*OF_A_PATIENT_JOURNEY, "activity", "schedule", "milestone", "month"),
    between("window_end_date", "window ends"),
)


@admin.register(models.PatientJourneyScheduleWindow)
class WindowAdmin(ReadOnlyAdmin):
    list_display = (*WINDOW, "milestone_date", "window_start_date", "window_end_date")
    list_filter = OF_A_WINDOW
    search_fields = ("patient_id", "id")
    leads = "activity_content_slug"


@admin.register(models.AdherenceFact)
class AdherenceFactAdmin(ReadOnlyAdmin):
    """What was done about each window; how it stands today is in the list of the view."""

    list_filter = OF_A_WINDOW
    search_fields = ("patient_id", "id")


@admin.register(models.ActivityCompletionFact)
class CompletionAdmin(ReadOnlyAdmin):
    # No index: a page and a bounded count of what is common end early; what nobody has costs one read of the table,
    # which is a fraction of the steps.
    list_display = (
        *("status", "survey_result_id", "patient_id", "activity_id", "completed_date", "days_from_window"),
        "patient_journey_id",
    )
    list_filter = (
        one_of("status", models.ActivityCompletionFact.Status.values),
        by("activity", *OF_A_PATIENT_JOURNEY),
        between("completed_date", "completed"),
    )
    search_fields = ("survey_result_id", "patient_id")
    leads = "survey_result_id"


class AdherencePaginator(BoundedPaginator):
    """Estimates the rows of window_detail by its table: the server knows of no view how many it has."""

    def counted_by(self, rows: QuerySet[Any]) -> type[models.AdherenceFact]:
        return models.AdherenceFact


class AdherenceList(BoundedList):
    """The list of the view: finds a page of windows where it is kept what was done about each, then how these stand.

    Asked for a page in some order, the server would work out the view's rows for all windows, or sort all completions.
    """

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.root_queryset = models.WindowDetail.objects.all()
        return super().get_queryset(request, exclude_parameters)

    def rows_of_page(self) -> list[Any]:
        windows = list(self.result_list)
        standing = models.ActivityAdherence.objects.filter(
            pk__in=[window.pk for window in windows],
            patient_journey_id__in={window.patient_journey_id for window in windows},
            patient_id__in={window.patient_id for window in windows},
        ).in_bulk()
        # A run may end between the two: what is no longer there is not shown.
        return [standing[window.pk] for window in windows if window.pk in standing]

    def beside(self, request: HttpRequest) -> Iterator[tuple[str, str]]:
        """Yield the pages that say of the same windows how many they are and list them, those that ended last first."""
        filters = {name: value for name, value in self.params.items() if name in DIMENSIONS}
        if self.refusals or len(filters) < len(self.params):
            return
        asked = f"?{urlencode(filters)}" if filters else ""
        if request.user.has_perm(SEES_TOTALS):
            yield reverse("adherence") + asked, "Their numbers"
        if request.user.has_perm(SEES_PATIENTS):
            yield reverse("windows") + asked, "Those that ended last first"

    def all_rows(self) -> QuerySet[Any]:
        standing = models.ActivityAdherence.objects.order_by(*self.model_admin.made_of)
        if not self.queryset.query.where:
            return standing
        windows = self.queryset.order_by()
        # By all of their key, as a page is: one has an index, and the server need not work out the whole view.
        return standing.filter(
            pk__in=windows.values("pk"),
            patient_journey_id__in=windows.values("patient_journey_id"),
            patient_id__in=windows.values("patient_id"),
        )


@admin.register(models.ActivityAdherence)
class AdherenceAdmin(ReadOnlyAdmin):
    """How the windows stand today. A status that no window has costs one read of adherence_fact."""

    list_display = (
        *("status", "patient_id", "activity_content_slug", "window", "first_completed_date", "completions"),
        *("schedule_slug", "patient_journey_id"),
    )
    list_filter = (ByStatusToday, *OF_A_WINDOW, BySchedule)
    search_fields = ("patient_id", "id")
    leads = "activity_content_slug"
    counted = ("window", "windows")
    paginator = AdherencePaginator

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        return AdherenceList

    @admin.display(description="window")
    def window(self, row: Any) -> SafeString | None:
        days = (row.window_start_date, row.window_end_date)
        if days == (None, None):
            return None
        # In two lines, if need be: a day is not cut.
        return format_html(
            '<span class="site-nowrap">{} …</span> <span class="site-nowrap">{}</span>', *(day or "" for day in days)
        )

    def cell(self, name: str, request: HttpRequest) -> Cell:
        return column("status", status) if name == "status" else super().cell(name, request)


def status(row: models.ActivityAdherence) -> SafeString:
    return format_html('<span class="window-status chart-status-{0}">{0}</span>', row.status)
