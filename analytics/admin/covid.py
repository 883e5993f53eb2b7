"""The star of the COVID source, a row a day in each table, and the documents that it was read from."""

from django.contrib import admin

from analytics import models
from analytics.admin.base import ReadOnlyAdmin
from analytics.admin.lists import one_of
from ingest.models import CovidDay, CovidDocument, SchemaChange

admin.site.register(
    (models.CasesDimension, models.CasesFact, models.TestingFact, models.DeathFact, CovidDocument), ReadOnlyAdmin
)


@admin.register(models.HospitalizationFact)
class HospitalizationAdmin(ReadOnlyAdmin):
    list_display = ("cases_id", "currently_hospitalized", "currently_in_icu", "currently_on_ventilator")


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
