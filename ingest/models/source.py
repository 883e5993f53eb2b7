"""The ten tables of msk_db as delivered, for reading only: Django neither creates nor changes them.

`step_result` and `journey_activity` have no key, and a key may point nowhere, so no model here promises a relation.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class SourceModel(models.Model):
    """A table of the operational database, whose connection refuses every write."""

    database = "msk_db"

    class Meta:
        abstract = True
        managed = False


class Schedule(SourceModel):
    slug = models.TextField(null=True)

    class Meta(SourceModel.Meta):
        db_table = "schedule"


class Activity(SourceModel):
    content_slug = models.TextField(null=True)
    schedule_id = models.IntegerField(null=True)

    class Meta(SourceModel.Meta):
        db_table = "activity"


class Journey(SourceModel):
    abbreviation = models.TextField(null=True)
    joint_slug = models.TextField(null=True)

    class Meta(SourceModel.Meta):
        db_table = "journey"


class JourneyActivity(SourceModel):
    pk = models.CompositePrimaryKey("journey_id", "activity_id")
    journey_id = models.IntegerField()
    activity_id = models.IntegerField()

    class Meta(SourceModel.Meta):
        db_table = "journey_activity"


class Patient(SourceModel):
    age_bracket = models.TextField(null=True)
    sex = models.TextField(null=True)
    hospital = models.TextField(null=True)

    class Meta(SourceModel.Meta):
        db_table = "patient"


class PatientJourney(SourceModel):
    patient_id = models.IntegerField(null=True)
    journey_id = models.IntegerField(null=True)
    invitation_date = models.DateField(null=True)
    registration_date = models.DateField(null=True)
    operation_date = models.DateField(null=True)
    discharge_date = models.DateField(null=True)
    consent_date = models.DateField(null=True)
    clinician_id = models.IntegerField(null=True)

    class Meta(SourceModel.Meta):
        db_table = "patient_journey"


class Device(SourceModel):
    platform = models.TextField(null=True)
    os_version = models.TextField(null=True)

    class Meta(SourceModel.Meta):
        db_table = "device"


class Survey(SourceModel):
    slug = models.TextField(null=True)
    version = models.TextField(null=True)
    tags = ArrayField(models.TextField(), null=True)

    class Meta(SourceModel.Meta):
        db_table = "survey"


class StepResult(SourceModel):
    pk = models.CompositePrimaryKey("patient_id", "date")
    patient_id = models.IntegerField()
    date = models.DateField()
    value = models.TextField(null=True)

    class Meta(SourceModel.Meta):
        db_table = "step_result"


class SurveyResult(SourceModel):
    patient_journey_id = models.IntegerField(null=True)
    survey_id = models.IntegerField(null=True)
    activity_id = models.IntegerField(null=True)
    device_id = models.IntegerField(null=True)
    score_value = models.IntegerField(null=True)
    start_time = models.DateTimeField(null=True)
    end_time = models.DateTimeField(null=True)

    class Meta(SourceModel.Meta):
        db_table = "survey_result"
