"""The star of the COVID source: the national figures of each day. Small tables, so they stay on one server."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.checks import CheckMessage
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from analytics.models.links import key_of
from ingest.models.staging import WarehouseModel


class ExactDecimalField(models.DecimalField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A number of any length, kept digit by digit: `numeric` without a scale to round or to fill up to."""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Accept what Django's own field refuses, to have neither max_digits nor decimal_places."""
        return models.Field.check(self, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "numeric"


def cases() -> "models.OneToOneField[CasesDimension, CasesDimension]":
    return key_of(CasesDimension, "The day, in cases_dimension")


def count(comment: str) -> "models.BigIntegerField[int | None, int | None]":
    return models.BigIntegerField(null=True, db_comment=comment)


def share(comment: str) -> ExactDecimalField:
    return ExactDecimalField(null=True, db_comment=comment)


class CasesDimension(WarehouseModel):
    cases_id = models.UUIDField(primary_key=True, db_comment="UUIDv5 of scope and date: the same at every load")
    last_update_at = models.DateTimeField(db_comment="The day, at midnight UTC")
    state_number = models.IntegerField(null=True, db_comment="States and territories that reported")

    class Meta:
        verbose_name = "COVID day"
        verbose_name_plural = "COVID days"
        db_table = "cases_dimension"
        db_table_comment = "Days of the national COVID figures"


class CasesFact(WarehouseModel):
    cases = cases()
    total_cases = count("Cases so far")
    population_percent = share("Of the population, in percent")
    new_cases = count("How much the total grew since the day before; below zero where it was corrected")
    seven_day_change_percent = share("Change over seven days, in percent")

    class Meta:
        verbose_name = "COVID cases of a day"
        verbose_name_plural = "COVID cases"
        db_table = "cases_fact"
        db_table_comment = "Cases; one row a day"


class TestingFact(WarehouseModel):
    cases = cases()
    total_tests = count("Tests so far")
    population_percent = share("Of the population, in percent")
    new_tests = count("How much the total grew since the day before; below zero where it was corrected")
    seven_day_change_percent = share("Change over seven days, in percent")

    class Meta:
        verbose_name = "COVID tests of a day"
        verbose_name_plural = "COVID tests"
        db_table = "testing_fact"
        db_table_comment = "Tests; one row a day"


class HospitalizationFact(WarehouseModel):
    cases = cases()
    currently_hospitalized = count("In hospital that day")
    population_percent_hospitalized = share("Of the population, in percent")
    change_in_hospitalized = count("Change of currently_hospitalized from the day before")
    seven_day_change_percent_hospitalized = share("Change over seven days, in percent")
    seven_day_change_avg_hospitalized = share("Average of seven days")
    currently_in_icu = count("In intensive care that day")
    population_percent_icu = share("Of the population, in percent")
    change_in_icu = count("Change of currently_in_icu from the day before")
    seven_day_change_percent_icu = share("Change over seven days, in percent")
    seven_day_change_avg_icu = share("Average of seven days")
    currently_on_ventilator = count("On a ventilator that day")
    population_percent_ventilator = share("Of the population, in percent")
    change_in_ventilator = count("Change of currently_on_ventilator from the day before")
    seven_day_change_percent_ventilator = share("Change over seven days, in percent")
    seven_day_change_avg_ventilator = share("Average of seven days")

    class Meta:
        verbose_name = "COVID patients in hospital on a day"
        verbose_name_plural = "COVID patients in hospital"
        db_table = "hospitalization_fact"
        db_table_comment = "Patients in hospital, intensive care and on ventilators; one row a day"


class DeathFact(WarehouseModel):
    cases = cases()
    total_deaths = count("Deaths so far")
    population_percent = share("Of the population, in percent")
    new_deaths = count("How much the total grew since the day before; below zero where it was corrected")
    seven_day_change_percent = share("Change over seven days, in percent")
    seven_day_change_avg = share("Average of seven days")

    class Meta:
        verbose_name = "COVID deaths of a day"
        verbose_name_plural = "COVID deaths"
        db_table = "death_fact"
        db_table_comment = "Deaths; one row a day"


class FieldDefinitionsDimension(WarehouseModel):
    field_definitions_dimension_id = models.UUIDField(primary_key=True, db_comment="UUIDv5 of the field's name")
    field_name = models.TextField(db_comment="The field's name")
    field_path = models.TextField(
        null=True, db_comment="Where it stands in a document; null: the publisher says nothing"
    )
    deprecated = models.BooleanField(null=True, db_comment="Whether it is no longer to be used")
    prior_names = ArrayField(models.TextField(), null=True, db_comment="What it was called before")
    first_seen_at = models.DateTimeField(db_comment="When the first document that defines it was fetched")
    last_seen_at = models.DateTimeField(db_comment="When the last document that defines it was fetched")

    class Meta:
        verbose_name = "COVID field definition"
        verbose_name_plural = "COVID field definitions"
        db_table = "field_definitions_dimension"
        db_table_comment = "What the publisher says that the fields of its documents mean"
