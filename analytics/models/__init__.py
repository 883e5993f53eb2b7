"""The star schema."""

from analytics.models.msk import (
    ActivityAdherence,
    ActivityCompletionFact,
    ActivityDimension,
    DateDimension,
    DeviceDimension,
    JourneyActivityBridge,
    JourneyDimension,
    PatientDimension,
    PatientJourneyFact,
    PatientJourneyScheduleWindow,
    ScheduleDimension,
    StepResultFact,
    SurveyDimension,
    SurveyResultFact,
)

__all__ = [
    "ActivityAdherence",
    "ActivityCompletionFact",
    "ActivityDimension",
    "DateDimension",
    "DeviceDimension",
    "JourneyActivityBridge",
    "JourneyDimension",
    "PatientDimension",
    "PatientJourneyFact",
    "PatientJourneyScheduleWindow",
    "ScheduleDimension",
    "StepResultFact",
    "SurveyDimension",
    "SurveyResultFact",
]
