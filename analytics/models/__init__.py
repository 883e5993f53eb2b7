"""The star schema."""

from analytics.models.covid import (
    CasesDimension,
    CasesFact,
    DeathFact,
    FieldDefinitionsDimension,
    HospitalizationFact,
    TestingFact,
)
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
