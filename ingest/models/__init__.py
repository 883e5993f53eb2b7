"""The models of the sources: what is read, where it lands, and what is on record about it."""

from ingest.models.alerts import Alert
from ingest.models.covid import CovidDay, CovidDefinition, CovidDocument, SchemaChange
from ingest.models.runs import SOURCES, PipelineRun, StepRun
from ingest.models.source import (
    Activity,
    Device,
    Journey,
    JourneyActivity,
    Patient,
    PatientJourney,
    Schedule,
    StepResult,
    Survey,
    SurveyResult,
)
from ingest.models.staging import LoadState, RejectedRow, ScheduleOverride, StagedBucket

__all__ = [
    "SOURCES",
    "Activity",
    "Alert",
    "CovidDay",
    "CovidDefinition",
    "CovidDocument",
    "Device",
    "Journey",
    "JourneyActivity",
    "LoadState",
    "Patient",
    "PatientJourney",
    "PipelineRun",
    "RejectedRow",
    "Schedule",
    "ScheduleOverride",
    "SchemaChange",
    "StagedBucket",
    "StepResult",
    "StepRun",
    "Survey",
    "SurveyResult",
]
