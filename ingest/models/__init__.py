"""The models of the sources: what is read, where it lands, and what is on record about it."""

from ingest.models import source
from ingest.models.alerts import Alert
from ingest.models.checks import WarehouseCheck
from ingest.models.covid import CovidDay, CovidDefinition, CovidDocument, SchemaChange
from ingest.models.erasure import ErasedPatient
from ingest.models.requests import RunRequest
from ingest.models.runs import SOURCES, PipelineRun, StepRun
from ingest.models.staging import LoadState, RejectedRow, ScheduleOverride, StagedBucket
