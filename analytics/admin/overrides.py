"""What a schedule means, as a person says: the one thing that is edited here, with a preview and what became of it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from access.log import saw, saw_none
from analytics.admin.base import BoundedAdmin, Cell, address, column
from analytics.admin.lists import BoundedList
from analytics.models import ScheduleDimension
from analytics.overrides import State, states, with_star
from analytics.pages import preview, small_numbers
from analytics.pages.page import SEES_PATIENTS
from ingest.models import PipelineRun, ScheduleOverride

PREVIEW = "_preview"  # the button
PREVIEWED = "_previewed"  # the values that the preview on the page is of
# As a form says it, in which there is no null.
OFFSETS = {
    "offset_start_days": "First day of the window: 7 is a week after the milestone, -7 a week before; empty: no start",
    "offset_end_days": "Last day of the window, counted so, too; empty: no end",
}


class ScheduleOverrideForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """The form of an override: for a schedule that exists, and with what the star says of it today in view."""

    schedule: ScheduleDimension | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "schedule_id" in self.fields:  # it is not for those who may only look
            # The schedule is the key: changed, it would be another override.
            self.fields["schedule_id"].disabled = not self.instance._state.adding
            choice = self["schedule_id"]
            with suppress(ValidationError):
                self.schedule = ScheduleDimension.objects.filter(pk=choice.field.clean(choice.value())).first()
            choice.help_text = reading(self.schedule)
            for name, help_text in OFFSETS.items():
                self.fields[name].help_text = help_text
                if self.schedule and self.instance._state.adding:
                    # What the slug says of days holds; of a partial one it is the milestone that a person adds.
                    self.initial.setdefault(name, getattr(self.schedule, name))

    def clean_schedule_id(self) -> int:
        schedule_id: int = self.cleaned_data["schedule_id"]
        # The schedule of an old override may have left the source: that is no reason to refuse a change of its note.
        if self.instance._state.adding and not ScheduleDimension.objects.filter(pk=schedule_id).exists():
            raise ValidationError(f"There is no schedule {schedule_id} in the star.")
        return schedule_id

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        previewed = self.data.get(PREVIEWED)
        if previewed is not None and PREVIEW not in self.data and previewed != self.meaning:
            raise ValidationError(
                "The preview was of other values than these, and nothing is saved. Preview these, or save once more."
            )
        return values

    @property
    def meaning(self) -> str:
        """What a preview is of: the values without the note, which changes no window."""
        names = ("schedule_id", "milestone_slug", "offset_start_days", "offset_end_days")
        return " ".join(str(self.cleaned_data.get(name)) for name in names)

    def is_valid(self) -> bool:
        """Tell whether it can be saved: not while it was sent to be previewed."""
        return super().is_valid() and PREVIEW not in self.data

    @property
    def wants_preview(self) -> bool:
        return PREVIEW in self.data and not self.errors


def reading(schedule: ScheduleDimension | None) -> SafeString:
    """Return what the star says of a schedule today or, while none is chosen, where to choose one."""
    if schedule:
        window = (schedule.milestone_slug, schedule.offset_start_days, schedule.offset_end_days)
        return format_html(
            "{}: {}, milestone {}, start {}, end {}. {}",
            schedule.slug,
            schedule.parse_status,
            *("none" if value is None else value for value in window),
            schedule.parse_note or "",
        )
    return format_html(
        'Choose it in the <a href="{}">list of schedules</a>: "add" leads back here.',
        address(ScheduleDimension, "changelist", parse_status="unparsed"),
    )


class OverrideList(BoundedList):
    """The list of the overrides, each with how it stands."""

    def rows_of_page(self) -> list[Any]:
        rows = super().rows_of_page()
        found = states(rows)
        for row in rows:
            row.stands = found[row.schedule_id]
        return rows


@admin.register(ScheduleOverride)
class ScheduleOverrideAdmin(BoundedAdmin):
    """The one table that people write. The choice of a schedule is made in the list of schedules, by slug or by what
    was not understood: a drop-down of thousands would show neither.

    Its templates are found by their names, in templates/admin/ingest/scheduleoverride.
    """

    form = ScheduleOverrideForm
    asked = ("schedule_id", "milestone_slug", "offset_start_days", "offset_end_days", "note")
    description = (
        "It wins over the slug from the next run of the pipeline on, until it is deleted. "
        "Preview says which windows it would change; it can be saved without."
    )
    fieldsets = ((None, {"fields": asked, "description": description}),)
    list_display = ("schedule_id", "slug", *asked[1:], "changed_at", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_star(super().get_queryset(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        return OverrideList

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        saw_none(request)
        return super().delete_view(request, object_id, extra_context)

    @admin.display(description="slug")
    def slug(self, row: Any) -> Any:
        return row.star and row.star["slug"]

    def cell(self, name: str, request: HttpRequest) -> Cell:
        return column(name, self.state(request)) if name == "state" else super().cell(name, request)

    def state(self, request: HttpRequest) -> Callable[[Any], Any]:
        """Return what shows how an override stands; its run as a link for who may see runs."""
        sees_runs = self.may_see(PipelineRun, request)

        def state(row: Any) -> Any:
            stands: State = row.stands
            if stands.run is None or not sees_runs:
                return str(stands)
            return format_html('<a href="{}">{}</a>', reverse("run", args=[stands.run.pk]), stands)

        return state

    def changeform(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: Any
    ) -> HttpResponse:
        saw_none(request)
        if PREVIEW in request.POST:
            # Nothing is saved, and the preview takes a transaction of its own, for one snapshot.
            shown: HttpResponse = self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]
            return shown
        return super().changeform(request, object_id, form_url, extra_context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        form = context["adminform"].form
        if isinstance(form, ScheduleOverrideForm) and form.wants_preview:
            context |= self.preview(request, form.schedule, form.instance)
            context |= {"previewed": form.meaning, "previewed_name": PREVIEWED}
        if obj is not None and not form.is_bound:
            context["state"] = states([obj])[obj.pk]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        if request.method == "GET":
            schedule = ScheduleDimension.objects.filter(pk=context["object"].pk).first()
            context |= self.preview(request, schedule, None)
        return super().render_delete_form(request, context)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        messages.info(request, "From the next run on the schedule means what its slug says.")
        return super().response_delete(request, obj_display, obj_id)

    def preview(
        self, request: HttpRequest, schedule: ScheduleDimension | None, override: ScheduleOverride | None
    ) -> dict[str, Any]:
        """Return what the template shows of a preview: counts, and examples for who may see patients."""
        sees_patients = request.user.has_perm(SEES_PATIENTS)
        with small_numbers.seen(exactly=sees_patients):
            found = preview.shown(schedule, override, with_examples=sees_patients)
        if "preview" in found and found["preview"].examples:
            examples = found["preview"].examples
            saw(request, (example["patient_id"] for example in examples), rows=len(examples))
        return found
