"""The star of the MSK source, table by table.

Facts have an index on their key and on patient_id, none on a date or a status; the comments say what bounds the
filters that are there, and a filter that nothing bounds is not there.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics import models
from analytics.admin.base import Cell, ReadOnlyAdmin, address, column, link_to
from analytics.admin.lists import BoundedList, one_of, within
from ingest.models import ScheduleOverride
from ingest.slugs import MILESTONES, UNKNOWN_MILESTONE

# --- Dimensions and the bridge: all but the patients are small, so they can be searched and filtered by any column.


admin.site.register(models.PatientDimension, ReadOnlyAdmin)


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


@admin.register(models.PatientJourneyFact)
class PatientJourneyAdmin(ReadOnlyAdmin):
    # No index: a date that is rare costs one read of the table, which has about as many rows as there are patients.
    list_filter = (within("operation_date", 7, 30, 90, 365),)
    search_fields = ("patient_journey_id", "patient_id")


@admin.register(models.StepResultFact)
class StepResultAdmin(ReadOnlyAdmin):
    """The largest table. No filter by date: days that few rows have would cost a read of them all."""

    search_fields = ("patient_id", "id")


@admin.register(models.SurveyResultFact)
class SurveyResultAdmin(ReadOnlyAdmin):
    search_fields = ("survey_result_id", "patient_id")


WINDOW = ("id", "patient_id", "patient_journey_id", "activity_content_slug")
DAYS = ("window_start_date", "window_end_date")


@admin.register(models.PatientJourneyScheduleWindow)
class WindowAdmin(ReadOnlyAdmin):
    list_display = (*WINDOW, "schedule_slug", "milestone_date", *DAYS)
    search_fields = ("patient_id", "id")


@admin.register(models.AdherenceFact)
class AdherenceFactAdmin(ReadOnlyAdmin):
    """What was done about each window; how it stands today is in the list of the view."""


@admin.register(models.ActivityCompletionFact)
class CompletionAdmin(ReadOnlyAdmin):
    # No index: a page and a bounded count of a common status end early; a status that nobody has costs one read of
    # the table, which is a fraction of the steps.
    list_filter = (one_of("status", models.ActivityCompletionFact.Status.values),)
    search_fields = ("survey_result_id", "patient_id")


class AdherenceList(BoundedList):
    """The list of the view: finds a page of windows in their own table, then how these stand.

    Asked for a page in some order, the server would work out the view's rows for all windows, or sort all completions.
    """

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.root_queryset = models.PatientJourneyScheduleWindow.objects.all()
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        windows = list(self.result_list)
        standing = models.ActivityAdherence.objects.filter(
            pk__in=[window.pk for window in windows],
            patient_journey_id__in={window.patient_journey_id for window in windows},
            patient_id__in={window.patient_id for window in windows},
        ).in_bulk()
        # A run may end between the two: what is no longer there is not shown.
        self.result_list = [standing[window.pk] for window in windows if window.pk in standing]

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
    """How the windows stand today. No filter by status: the view works that out for each row it would have to read."""

    list_display = (*WINDOW, "status", *DAYS, "completions", "first_completed_date")
    search_fields = ("patient_id", "id")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        return AdherenceList
