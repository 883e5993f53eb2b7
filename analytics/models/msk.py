"""The star of the MSK source. Keys of the source stay the keys; the comments here are the database's as well.

No key is a foreign key of the database: the load guarantees that every one resolves, `check_warehouse` proves it,
and no trigger slows the bulk load. The three made ids are row_id(left key, right key), a function of the database, a
day being the number of days since 0001-01-01: a rebuild gives the same ids, and a link to a row lasts. In the database
the key of a fact is not its id but its grain with the patient, by which the load compares: `id >> 32` is its left half.
"""

from datetime import date
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from analytics.models.links import key_of, link
from ingest.models.staging import WarehouseModel


class MadeIdModel(WarehouseModel):
    """A table whose id is made: `made_of` are the columns of the left key and of the right one."""

    made_of: ClassVar[tuple[str, str]]

    class Meta:
        abstract = True

    @staticmethod
    def keys_of(made: int) -> tuple[int, int]:
        """Return the keys of which row_id, the function of the database, makes this id."""
        left = made >> 32
        right = (made - left * 2654435761) % 2**32
        return left, right - 2**32 if right >= 2**31 else right


def made_id(left: str, right: str) -> "models.BigIntegerField[int, int]":
    return models.BigIntegerField(primary_key=True, db_comment=f"Made of {left} and {right}")


def key(comment: str) -> "models.IntegerField[int, int]":
    """Return the primary key of a table whose key is the source's."""
    return models.IntegerField(primary_key=True, db_comment=comment)


def patient(*, index: bool = True) -> "models.ForeignKey[PatientDimension, PatientDimension]":
    """Return the link to the patient, which every fact has: it is what a distributed warehouse would be cut by."""
    return link(PatientDimension, "The patient, in patient_dimension", index=index)


def text(comment: str) -> "models.TextField[str | None, str | None]":
    return models.TextField(null=True, db_comment=comment)


def day(comment: str) -> "models.DateField[date | None, date | None]":
    return models.DateField(null=True, db_comment=comment)


def whole_number(comment: str) -> "models.IntegerField[int | None, int | None]":
    return models.IntegerField(null=True, db_comment=comment)


# --- Dimensions


class PatientDimension(WarehouseModel):
    patient_id = key("patient.id of the source")
    age_bracket = text("Age group, as the source writes it")
    sex = text("Sex, as the source writes it")
    hospital = text("Hospital that treats the patient")

    class Meta:
        verbose_name = "patient"
        verbose_name_plural = "patients"
        db_table = "patient_dimension"
        db_table_comment = "Patients"


class JourneyDimension(WarehouseModel):
    journey_id = key("journey.id of the source")
    abbreviation = text("Short name, such as THR")
    joint_slug = text("The joint that is treated")
    joint = text(
        "The joint: what joint_slug begins with, up to the first - or _, in small letters; null: joint_slug has none"
    )

    class Meta:
        verbose_name = "journey"
        verbose_name_plural = "journeys"
        db_table = "journey_dimension"
        db_table_comment = "Journeys: the care pathways that a patient can follow"


class DeviceDimension(WarehouseModel):
    device_id = key("device.id of the source")
    platform = text("Operating system")
    os_version = text("Its version")

    class Meta:
        verbose_name = "device"
        verbose_name_plural = "devices"
        db_table = "device_dimension"
        db_table_comment = "Devices on which surveys were answered"


class SurveyDimension(WarehouseModel):
    survey_id = key("survey.id of the source")
    slug = text("The survey's name")
    version = text("Its version")
    tags = ArrayField(models.TextField(), null=True, db_comment="Its tags, in the source's order")

    class Meta:
        verbose_name = "survey"
        verbose_name_plural = "surveys"
        db_table = "survey_dimension"
        db_table_comment = "Surveys"


class ScheduleDimension(WarehouseModel):
    class ParseStatus(models.TextChoices):
        PARSED = "parsed", "an offset and a milestone"
        PARTIAL = "partial", "an offset, but no milestone"
        UNPARSED = "unparsed", "not understood"
        OVERRIDE = "override", "a person said so"

    schedule_id = key("schedule.id of the source")
    slug = text("The rule as written, such as 7d-10d-post-op")
    parse_status = models.TextField(
        choices=ParseStatus,
        db_comment="parsed: offset and milestone; partial: milestone unknown; unparsed; override: set in admin",
    )
    milestone_slug = text(
        "The event that the offsets count from; unknown where the slug names none; null: the slug was not understood"
    )
    offset_start_days = whole_number("First day of the window, from the milestone; null: no start, or not understood")
    offset_end_days = whole_number("Last day of the window, from the milestone; null: no end, or not understood")
    qualifier = text("Words of the slug that are no part of the rule; null: it has none, or was not understood")
    parse_note = text("Why the slug was not understood, or the note of the override; null: neither")

    class Meta:
        verbose_name = "schedule"
        verbose_name_plural = "schedules"
        db_table = "schedule_dimension"
        db_table_comment = "Schedules: when an activity is due, read from the slug"


class ActivityDimension(WarehouseModel):
    activity_id = key("activity.id of the source")
    content_slug = text("What the patient is to do")
    schedule = link(
        ScheduleDimension,
        "When it is due, in schedule_dimension; null: no schedule, or one that does not exist",
        null=True,
    )

    class Meta:
        verbose_name = "activity"
        verbose_name_plural = "activities"
        db_table = "activity_dimension"
        db_table_comment = "Activities"


class DateDimension(WarehouseModel):
    date = models.DateField(primary_key=True, db_comment="The day")
    year = models.IntegerField(db_comment="Year")
    quarter = models.IntegerField(db_comment="Quarter, 1 to 4")
    month = models.IntegerField(db_comment="Month, 1 to 12")
    month_name = models.TextField(db_comment="Month's name in English")
    iso_year = models.IntegerField(db_comment="Year that the ISO 8601 week belongs to")
    iso_week = models.IntegerField(db_comment="ISO 8601 week, 1 to 53")
    day_of_month = models.IntegerField(db_comment="Day of the month, 1 to 31")
    day_of_week = models.IntegerField(db_comment="ISO 8601 day of the week, 1 Monday to 7 Sunday")
    is_weekend = models.BooleanField(db_comment="Saturday or Sunday")

    class Meta:
        verbose_name = "day of the calendar"
        verbose_name_plural = "days of the calendar"
        db_table = "date_dimension"
        db_table_comment = "Days: every day of each year in which a fact or a window has a date"


class JourneyActivityBridge(MadeIdModel):
    made_of = ("journey_id", "activity_id")
    id = made_id(*made_of)
    journey = link(JourneyDimension, "The journey, in journey_dimension")
    activity = link(ActivityDimension, "The activity, in activity_dimension")

    class Meta:
        verbose_name = "activity of a journey"
        verbose_name_plural = "activities of journeys"
        db_table = "journey_activity_bridge"
        db_table_comment = "Which activities a journey asks for; one row a journey and activity"


# --- Facts


class PatientJourneyFact(WarehouseModel):
    patient_journey_id = key("patient_journey.id of the source")
    patient = patient()
    journey = link(JourneyDimension, "The journey followed, in journey_dimension")
    clinician_id = whole_number("The clinician, a key of the source without a table")
    invitation_date = day("Milestone: invited")
    registration_date = day("Milestone: registered")
    consent_date = day("Milestone: consented")
    operation_date = day("Milestone: operated")
    discharge_date = day("Milestone: discharged")
    days_invitation_to_registration = whole_number(
        "Days from invitation to registration; null: one of these is not known"
    )
    days_registration_to_operation = whole_number(
        "Days from registration to operation; null: one of these is not known"
    )
    days_operation_to_discharge = whole_number("Days from operation to discharge; null: one of these is not known")

    class Meta:
        verbose_name = "patient journey"
        verbose_name_plural = "patient journeys"
        db_table = "patient_journey_fact"
        db_table_comment = "Journeys that patients follow, with their milestones; one row a patient journey"


class StepResultFact(MadeIdModel):
    made_of = ("patient_id", "date")
    id = made_id(*made_of)
    patient = patient(index=False)
    date = models.DateField(db_comment="The day, in date_dimension")
    steps = models.IntegerField(db_comment="Steps walked that day; the highest where the source has several")

    class Meta:
        verbose_name = "step result"
        verbose_name_plural = "step results"
        db_table = "step_result_fact"
        db_table_comment = "Steps walked; one row a patient and day"


class SurveyResultFact(WarehouseModel):
    survey_result_id = key("survey_result.id of the source")
    patient_journey = link(PatientJourneyFact, "The patient journey, in patient_journey_fact")
    patient = patient()
    survey = link(SurveyDimension, "The survey, in survey_dimension")
    activity = link(ActivityDimension, "The activity that asked for it, in activity_dimension")
    device = link(DeviceDimension, "The device, in device_dimension; null: not known", null=True)
    score_value = whole_number("Score; null: none was given")
    start_time = models.DateTimeField(db_comment="When the answer began, UTC")
    end_time = models.DateTimeField(db_comment="When the answer ended, UTC")
    duration_seconds = models.BigIntegerField(db_comment="Whole seconds from start to end")

    class Meta:
        verbose_name = "survey result"
        verbose_name_plural = "survey results"
        db_table = "survey_result_fact"
        db_table_comment = "Surveys answered; one row a survey result"


class WindowModel(MadeIdModel):
    """The columns of a window."""

    made_of = ("patient_journey_id", "activity_id")
    id = made_id(*made_of)
    patient = patient()
    patient_journey = link(PatientJourneyFact, "The patient journey, in patient_journey_fact")
    activity = link(ActivityDimension, "The activity, in activity_dimension")
    activity_content_slug = text("What the patient is to do")
    schedule = link(
        ScheduleDimension,
        "The schedule, in schedule_dimension; null: no schedule, or one that does not exist",
        null=True,
    )
    schedule_slug = text("The rule as written; null: no schedule, or one that does not exist")
    schedule_start_offset_days = whole_number(
        "First day of the window, from the milestone; null: no start, no schedule, or not understood"
    )
    schedule_end_offset_days = whole_number(
        "Last day of the window, from the milestone; null: no end, no schedule, or not understood"
    )
    schedule_milestone_slug = text(
        "The event that the offsets count from; unknown where the slug names none; null: no schedule, or not understood"
    )
    milestone_date = day("That event's day in this patient journey; null: not known")
    window_start_date = day("First day on which the activity is due; null: no start, or undated")
    window_end_date = day("Last day on which the activity is due; null: no end, or undated")

    class Meta:
        abstract = True


class PatientJourneyScheduleWindow(WindowModel):
    class Meta:
        verbose_name = "window"
        verbose_name_plural = "windows"
        db_table = "patient_journey_schedule_window"
        db_table_comment = "When each activity is due for each patient; one row a patient journey and activity"


class ActivityCompletionFact(WarehouseModel):
    class Status(models.TextChoices):
        IN_WINDOW = "in_window"
        EARLY = "early"
        LATE = "late"
        UNDATED = "undated"
        NOT_SCHEDULED = "not_scheduled"

    survey_result = key_of(SurveyResultFact, "The survey result, in survey_result_fact")
    patient_journey = link(PatientJourneyFact, "The patient journey, in patient_journey_fact")
    patient = patient()
    activity = link(ActivityDimension, "The activity done, in activity_dimension")
    completed_date = models.DateField(db_comment="The UTC day on which it was done, in date_dimension")
    status = models.TextField(
        choices=Status,
        db_comment="in_window, early or late; undated: the window has no date; not_scheduled: there is no window",
    )
    days_from_window = whole_number(
        "Days between the window and completed_date: 0 inside, negative before it opens, positive after it has closed; "
        "null: there is no window, or it has no dates"
    )

    class Meta:
        verbose_name = "completion"
        verbose_name_plural = "completions"
        db_table = "activity_completion_fact"
        db_table_comment = "Activities done, against the window in which they were due; one row a survey result"


class AdherenceFact(MadeIdModel):
    made_of = ("patient_journey_id", "activity_id")
    id = made_id(*made_of)
    patient = patient()
    patient_journey = link(PatientJourneyFact, "The patient journey, in patient_journey_fact")
    activity = link(ActivityDimension, "The activity, in activity_dimension")
    window_start_date = day("First day on which the activity is due; null: no start, or undated")
    window_end_date = day("Last day on which the activity is due; null: no end, or undated")
    first_in_window_date = day("The earliest day on which it was done within its window; null: it was not")
    first_late_date = day("The earliest day on which it was done after its window; null: it was not")
    first_early_date = day("The earliest day on which it was done before its window; null: it was not")

    class Meta:
        verbose_name = "window with first completions"
        verbose_name_plural = "windows with first completions"
        db_table = "adherence_fact"
        db_table_comment = "What was done about each window, and when first; one row a patient journey and activity"


class WindowDetail(WarehouseModel):
    """A view, created in SQL by the migration: a window with what it can be told apart by; for pages and analysts.

    Here are the columns of it that are read without a join.
    """

    id = models.BigIntegerField(primary_key=True)
    patient_id = models.IntegerField()
    patient_journey_id = models.IntegerField()
    activity_id = models.IntegerField()
    window_start_date = models.DateField(null=True)
    window_end_date = models.DateField(null=True)

    class Meta:
        verbose_name = "window in detail"
        verbose_name_plural = "windows in detail"
        managed = False
        db_table = "window_detail"


class ActivityAdherence(WindowModel):
    """A view, created in SQL by the migration: the windows and what was done about each, as of today."""

    class Status(models.TextChoices):
        COMPLETED = "completed"
        COMPLETED_LATE = "completed_late"
        COMPLETED_EARLY = "completed_early"
        MISSED = "missed"
        OPEN = "open"
        UPCOMING = "upcoming"
        UNDATED = "undated"

    completions = models.BigIntegerField()
    first_completed_date = models.DateField(null=True)
    status = models.TextField(choices=Status)

    class Meta:
        verbose_name = "adherence of a window"
        verbose_name_plural = "adherence"
        managed = False
        db_table = "activity_adherence"


# The link that no foreign key can say, as it takes two columns, those of which a window's id is made: rows of these
# tables with the same patient journey and activity are about one window, if there is one.
ABOUT_A_WINDOW: tuple[type[WarehouseModel], ...] = (
    PatientJourneyScheduleWindow,
    AdherenceFact,
    ActivityAdherence,
    SurveyResultFact,
    ActivityCompletionFact,
)
