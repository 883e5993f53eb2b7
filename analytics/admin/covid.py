"""The star of the COVID source, a row a day in each table, and the documents that it was read from."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Model

from analytics import models
from analytics.admin.base import ReadOnlyAdmin
from analytics.admin.filters import one_of
from ingest.models import CovidDay, CovidDocument, SchemaChange

admin.site.register(CovidDocument, ReadOnlyAdmin)


@admin.register(models.CasesDimension)
class DayAdmin(ReadOnlyAdmin):
    """The days, the newest first."""

    list_display = ("day", "state_number", "cases_id")
    ordering = ("-last_update_at",)

    @admin.display(ordering="last_update_at")
    def day(self, row: models.CasesDimension) -> str:
        return f"{row.last_update_at:%Y-%m-%d}"


@admin.register(models.CasesFact, models.TestingFact, models.DeathFact)
class FigureAdmin(ReadOnlyAdmin):
    """Figures of the days, the newest first: a list begins with the day, of which the row has the key alone."""

    list_select_related: ClassVar[Any] = ("cases",)
    ordering = ("-cases__last_update_at",)
    taken: ClassVar[dict[str, Any]] = {"last_update_at": F("cases__last_update_at")}

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        columns = (str(field.column) for field in model._meta.concrete_fields if not field.primary_key)
        self.list_display = ("day", *(self.list_display or columns))
        super().__init__(model, admin_site)

    @admin.display(ordering="cases__last_update_at")
    def day(self, row: models.CasesFact) -> str:
        return f"{row.cases.last_update_at:%Y-%m-%d}"


@admin.register(models.HospitalizationFact)
class HospitalizationAdmin(FigureAdmin):
    list_display = ("currently_hospitalized", "currently_in_icu", "currently_on_ventilator")


@admin.register(models.FieldDefinitionsDimension)
class FieldDefinitionAdmin(ReadOnlyAdmin):
    search_fields = ("field_name",)


@admin.register(CovidDay)
class CovidDayAdmin(ReadOnlyAdmin):
    """Every version of every day as the API gave it."""

    list_display = ("id", "url", "position", "fetched_at", "sha256")
    search_fields = ("sha256",)
    ordering = ("-id",)


@admin.register(SchemaChange)
class SchemaChangeAdmin(ReadOnlyAdmin):
    list_display = ("id", "field_name", "kind", "detected_at", "run_id")
    list_filter = (one_of("kind", SchemaChange.Kind.values),)
    search_fields = ("field_name",)
    ordering = ("-id",)
