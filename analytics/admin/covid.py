"""The star of the COVID source, a row a day in each table, and the documents that it was read from."""

from django.contrib import admin

from analytics.admin.base import ReadOnlyAdmin
from analytics.admin.lists import one_of
from analytics.models import (
    CasesDimension,
    CasesFact,
    DeathFact,
    FieldDefinitionsDimension,
    HospitalizationFact,
    TestingFact,
)
from ingest.models import CovidDay, CovidDocument, SchemaChange


@admin.register(CasesDimension)
class CasesDimensionAdmin(ReadOnlyAdmin):
    list_display = ("cases_id", "last_update_at", "state_number")
    search_fields = ("cases_id",)


@admin.register(CasesFact)
class CasesAdmin(ReadOnlyAdmin):
    list_display = ("cases_id", "total_cases", "new_cases", "population_percent", "seven_day_change_percent")
    search_fields = ("cases_id",)


@admin.register(TestingFact)
class TestingAdmin(ReadOnlyAdmin):
    list_display = ("cases_id", "total_tests", "new_tests", "population_percent", "seven_day_change_percent")
    search_fields = ("cases_id",)


@admin.register(HospitalizationFact)
class HospitalizationAdmin(ReadOnlyAdmin):
    list_display = ("cases_id", "currently_hospitalized", "currently_in_icu", "currently_on_ventilator")
    search_fields = ("cases_id",)


@admin.register(DeathFact)
class DeathAdmin(ReadOnlyAdmin):
    list_display = ("cases_id", "total_deaths", "new_deaths", "population_percent", "seven_day_change_percent")
    search_fields = ("cases_id",)


@admin.register(FieldDefinitionsDimension)
class FieldDefinitionAdmin(ReadOnlyAdmin):
    list_display = ("field_definitions_dimension_id", "field_name", "field_path", "deprecated", "last_seen_at")
    search_fields = ("field_name",)


@admin.register(CovidDay)
class CovidDayAdmin(ReadOnlyAdmin):
    """Every version of every day as the API gave it."""

    list_display = ("id", "url", "position", "fetched_at", "sha256")
    search_fields = ("sha256",)
    ordering = ("-id",)


@admin.register(CovidDocument)
class CovidDocumentAdmin(ReadOnlyAdmin):
    list_display = ("url", "fetched_at", "etag", "last_modified")
    search_fields = ("url",)


@admin.register(SchemaChange)
class SchemaChangeAdmin(ReadOnlyAdmin):
    list_display = ("id", "field_name", "kind", "detected_at", "run_id")
    list_filter = (one_of("kind", SchemaChange.Kind.values),)
    search_fields = ("field_name",)
    ordering = ("-id",)
