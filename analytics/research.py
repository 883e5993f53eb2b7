"""The schema research: views of the star in which patients, patient journeys and clinicians have pseudonyms and a
patient's dates are shifted, all by the same days. They run with their owner's rights; pseudonyms and shifts stand in
tables that no analyst reads (loads/pseudonyms.py).

research.sql names what is shown. LEFT_OUT is the rest of the star, and why; a test holds both against the star.
"""

from pathlib import Path

from django.conf import settings

from analytics.loads.covid import TABLES as COVID_FIGURES
from analytics.loads.pseudonyms import KEY_PRINTER, has_place
from ingest.cursors import Cursor
from ingest.runs.errors import PipelineError

SCHEMA = "research"
VIEWS_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
# National figures, about no person: shown as they are.
COVID = (*COVID_FIGURES, "field_definitions_dimension")
VIEWS = (
    *("patient_dimension", "patient_journey_fact", "step_result_fact", "survey_result_fact"),
    *("patient_journey_schedule_window", "activity_completion_fact", "adherence_fact"),
    *("journey_dimension", "survey_dimension", "schedule_dimension", "activity_dimension"),
    *("journey_activity_bridge", "date_dimension", *COVID),
)
MADE_OF_KEYS = "the key is made of the source's keys of patient and day, or of patient journey and activity"
AS_OF_TODAY = "how a window stands today says between which days today is, from which the shift follows"
# Columns, or all of a table.
LEFT_OUT = {
    "patient_dimension.hospital": "a place; with age, sex and joint it can leave few patients to choose from",
    "device_dimension": "devices are people's own, and may be known by their keys at the source",
    "survey_result_fact.device_id": "see device_dimension",
    "survey_result_fact.survey_result_id": "the source's key; what was done about its window stands in the row",
    "activity_completion_fact.survey_result_id": "the source's key",
    "step_result_fact.id": MADE_OF_KEYS,
    "patient_journey_schedule_window.id": MADE_OF_KEYS,
    "adherence_fact.id": MADE_OF_KEYS,
    "schedule_dimension.parse_note": "what people wrote about an override, who they are included",
    "activity_adherence": AS_OF_TODAY,
    "window_detail": "joins of what is there; it has the hospital",
}


def make_views(warehouse: Cursor) -> None:
    """Make the views, or bring those that are there up to date; raise PipelineError where there are no pseudonyms."""
    if not settings.PSEUDONYM_KEY:
        raise PipelineError(f"PSEUDONYM_KEY is not set: set it to what this prints, for runs as well: {KEY_PRINTER}")
    if not has_place(warehouse):
        raise PipelineError("the warehouse is distributed, where there are no pseudonyms: give no --pseudonymous")
    warehouse.execute(VIEWS_SQL)
    for table in COVID:
        warehouse.execute(f"create or replace view {SCHEMA}.{table} as select * from public.{table}")
