"""The tables of the star that load_msk fills, in the order of loading."""

from dataclasses import dataclass

from django.db.models import Model

from analytics import models
from ingest.msk.tables import TABLES

STAGED = {table.name: table for table in TABLES}


@dataclass(frozen=True)
class StarTable:
    """A table of the star, and how it is filled: by the statement sql/<number>_<its name>.sql.

    `source` is the staged table whose rows the statement checks one by one; it is empty where rows are worked out from
    other tables of the star. `changes` is the table that says which rows to look at (changes.py); without it all of
    them are, each time, but for one that `keeps_rows`: its statement picks from the changes of the others. All of them
    are, too, where most of a table differed that it `follows`.
    """

    model: type[Model]
    number: int
    source: str = ""
    changes: str = ""
    follows: tuple[str, ...] = ()
    orphans_enter: bool = False
    keeps_rows: bool = False  # a row that its statement no longer gives stays
    in_order: bool = False  # its first rows are put in the order of its grain, in which a list reads them

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

    @property
    def grain(self) -> tuple[str, ...]:
        """The columns by which rows are compared: what the key is made of and, in a fact, the patient."""
        key = self.model.made_of if issubclass(self.model, models.MadeIdModel) else (str(self.model._meta.pk.column),)
        return tuple(dict.fromkeys((*key, "patient_id"))) if "patient_id" in self.columns else key

    @property
    def work_tables(self) -> tuple[str, str]:
        """What a load finds first: the rows that the statement gives, and those that differ."""
        return f"checked_{self.source}" if self.source else f"expected_{self.name}", f"differing_{self.name}"

    @property
    def picked_by(self) -> tuple[str, ...]:
        """The columns of `changes`, which say which rows to look at: the patient and the key of a staged row."""
        return tuple(STAGED[self.source].changes_columns()) if self.source else self.grain


# From which it follows what was done about each window.
DUE_AND_DONE = ("patient_journey_schedule_window", "survey_result_fact")

STAR_TABLES = (
    StarTable(models.PatientDimension, 10, "patient", "changed_patient"),
    StarTable(models.JourneyDimension, 20, "journey"),
    StarTable(models.DeviceDimension, 30, "device"),
    StarTable(models.SurveyDimension, 40, "survey"),
    StarTable(models.ScheduleDimension, 50, "schedule"),
    StarTable(models.ActivityDimension, 60, "activity", orphans_enter=True),
    StarTable(models.JourneyActivityBridge, 70, "journey_activity"),
    StarTable(models.PatientJourneyFact, 80, "patient_journey", "changed_patient_journey"),
    StarTable(models.StepResultFact, 90, "step_result", "changed_step_result"),
    StarTable(models.SurveyResultFact, 100, "survey_result", "changed_survey_result"),
    StarTable(models.PatientJourneyScheduleWindow, 110, changes="changed_window"),
    StarTable(models.ActivityCompletionFact, 120, changes="changed_completion", follows=DUE_AND_DONE),
    StarTable(models.AdherenceFact, 125, changes="changed_adherence", follows=DUE_AND_DONE, in_order=True),
    StarTable(models.DateDimension, 130, keeps_rows=True),
)
