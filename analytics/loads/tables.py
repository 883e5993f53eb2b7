"""The tables of the star that load_msk fills, in the order of loading."""

from dataclasses import dataclass

from django.db.models import Model

from analytics import models


@dataclass(frozen=True)
class StarTable:
    """A table of the star, and how it is filled: by the statement sql/<number>_<its name>.sql.

    `grain` are the columns by which its rows are compared. `source` is the staged table whose rows the statement checks
    one by one; it is empty where rows are worked out from other tables of the star. `changes` is the table that says
    which rows to look at (changes.py), and `changed_by` its columns that say so; without it all of them are, each time.
    """

    model: type[Model]
    number: int
    grain: tuple[str, ...]
    source: str = ""
    changes: str = ""
    changed_by: tuple[str, ...] = ()
    orphans_enter: bool = False
    keeps_rows: bool = False  # a row that its statement no longer gives stays

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def statement(self) -> str:
        return f"{self.number:03}_{self.name}"

    @property
    def enters(self) -> str:
        """The condition for the checked rows of the source that enter the table."""
        return "reason is null or reason = 'orphan'" if self.orphans_enter else "reason is null"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(str(field.column) for field in self.model._meta.concrete_fields)


STAR_TABLES = (
    StarTable(models.PatientDimension, 10, ("patient_id",), "patient", "changed_patient", ("patient_id",)),
    StarTable(models.JourneyDimension, 20, ("journey_id",), "journey"),
    StarTable(models.DeviceDimension, 30, ("device_id",), "device"),
    StarTable(models.SurveyDimension, 40, ("survey_id",), "survey"),
    StarTable(models.ScheduleDimension, 50, ("schedule_id",), "schedule"),
    StarTable(models.ActivityDimension, 60, ("activity_id",), "activity", orphans_enter=True),
    StarTable(models.JourneyActivityBridge, 70, ("journey_id", "activity_id"), "journey_activity"),
    StarTable(
        models.PatientJourneyFact,
        80,
        ("patient_journey_id", "patient_id"),
        "patient_journey",
        "changed_patient_journey",
        ("patient_journey_id",),
    ),
    StarTable(
        models.StepResultFact,
        90,
        ("patient_id", "date"),
        "step_result",
        "changed_step_result",
        ("patient_id", "date"),
    ),
    StarTable(
        models.SurveyResultFact,
        100,
        ("survey_result_id", "patient_id"),
        "survey_result",
        "changed_survey_result",
        ("survey_result_id",),
    ),
    StarTable(
        models.PatientJourneyScheduleWindow,
        110,
        ("patient_journey_id", "activity_id", "patient_id"),
        changes="changed_window",
        changed_by=("patient_journey_id", "activity_id", "patient_id"),
    ),
    StarTable(
        models.ActivityCompletionFact,
        120,
        ("survey_result_id", "patient_id"),
        changes="changed_completion",
        changed_by=("survey_result_id", "patient_id"),
    ),
    StarTable(models.DateDimension, 130, ("date",), keeps_rows=True),
)
