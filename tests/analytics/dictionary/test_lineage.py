"""Of which columns each column is made: as the SQL says today, and as a person reads it there."""

import pytest

from analytics.dictionary import trace
from analytics.dictionary.lineage import KEPT, Origin, lineage
from tests.conftest import Warehouse

MILESTONES = {
    f"msk_db.patient_journey.{name}_date"
    for name in ("invitation", "registration", "consent", "operation", "discharge")
}
WINDOW = {
    *MILESTONES,
    *("msk_db.schedule.slug", "schedule_override.milestone_slug", "schedule_override.offset_start_days"),
}
WINDOW_END = WINDOW - {"schedule_override.offset_start_days"} | {"schedule_override.offset_end_days"}

# Read from the SQL by hand: where the values of a column begin.
SOURCES = {
    "patient_dimension.hospital": {"msk_db.patient.hospital"},
    "journey_dimension.joint": {"msk_db.journey.joint_slug"},
    "activity_dimension.schedule_id": {"msk_db.activity.schedule_id", "msk_db.schedule.id"},
    "schedule_dimension.qualifier": {"msk_db.schedule.slug"},
    "schedule_dimension.offset_end_days": {
        *("msk_db.schedule.slug", "schedule_override.offset_end_days"),
    },
    "journey_activity_bridge.id": {"msk_db.journey_activity.journey_id", "msk_db.journey_activity.activity_id"},
    "patient_journey_fact.patient_id": {"msk_db.patient_journey.patient_id"},
    "patient_journey_fact.days_registration_to_operation": {
        *("msk_db.patient_journey.registration_date", "msk_db.patient_journey.operation_date"),
    },
    "step_result_fact.steps": {"msk_db.step_result.value"},
    "survey_result_fact.patient_id": {"msk_db.patient_journey.patient_id"},
    "survey_result_fact.duration_seconds": {"msk_db.survey_result.start_time", "msk_db.survey_result.end_time"},
    "patient_journey_schedule_window.activity_content_slug": {"msk_db.activity.content_slug"},
    "patient_journey_schedule_window.window_start_date": WINDOW,
    "patient_journey_schedule_window.window_end_date": WINDOW_END,
    "activity_completion_fact.completed_date": {"msk_db.survey_result.end_time"},
    "activity_completion_fact.days_from_window": WINDOW | WINDOW_END | {"msk_db.survey_result.end_time"},
    "adherence_fact.window_end_date": WINDOW_END,
    "activity_adherence.completions": {"msk_db.survey_result.id"},
    "window_detail.journey": {"msk_db.journey.abbreviation"},
    "date_dimension.is_weekend": {
        *(MILESTONES | WINDOW | WINDOW_END),
        *("msk_db.step_result.date", "msk_db.survey_result.start_time", "msk_db.survey_result.end_time"),
    },
    "cases_fact.new_cases": {"covid.data.cases.total.calculated.change_from_prior_day"},
    "hospitalization_fact.currently_in_icu": {"covid.data.outcomes.hospitalized.in_icu.currently.value"},
    "cases_dimension.last_update_at": {"covid.data.date"},
    "activity_completion_fact.status": WINDOW | WINDOW_END | {"msk_db.survey_result.end_time"},
    "adherence_fact.first_late_date": WINDOW | WINDOW_END | {"msk_db.survey_result.end_time"},
    "erased_patient.patient_id": {"msk_db.patient.id"},
    "schema_change.field_name": {"covid.meta.field_definitions.name"},
    "field_definitions_dimension.field_path": {"covid.meta.field_definitions.field"},
}


@pytest.mark.parametrize(("column", "sources"), SOURCES.items())
def test_it_leads_a_column_back_to_where_its_values_begin(column: str, sources: set[str]) -> None:
    assert {str(each) for each in lineage().sources(Origin.of(column))} == sources


def test_it_is_what_the_sql_says_today(warehouse: Warehouse) -> None:
    renew = "the SQL says otherwise than analytics/dictionary/lineage.json: renew it by `make lineage`"
    assert trace.as_text(trace.worked_out()) == KEPT.read_text(encoding="utf-8"), renew


SCHEMA = {"t": {"a": "int", "b": "int", "k": "int"}, "u": {"c": "int", "k": "int"}}


@pytest.mark.parametrize(
    ("sql", "made_of"),
    [
        ("select a + b as x from t", {"t.a", "t.b"}),
        ("select a as x from t where b > 0", {"t.a"}),
        ("select case when b > 0 then a else k end as x from t", {"t.a", "t.b", "t.k"}),
        ("select case when b > 0 then a end as x from t", {"t.a"}),
        ("select case b when 1 then a end as x from t", {"t.a"}),
        ("select case when b is null then 1 else 2 end as x from t", {"t.b"}),
        ("select case when b is null then a else k end as x from t", {"t.a", "t.b", "t.k"}),
        ("select case when u.k is null then a else u.c end as x from t left join u on u.k = t.k", {"t.a", "u.c"}),
        ("select case when u.k is null then a else 0 end as x from t left join u on u.k = t.k", {"t.a", "u.k"}),
        ("select b is null as x from t", {"t.b"}),
        ("select case b when 1 then a when 2 then k end as x from t", {"t.a", "t.b", "t.k"}),
        ("select min(a) filter (where b = 1) as x from t", {"t.a", "t.b"}),
        ("select u.c as x from t join u on u.k = t.k", {"u.c"}),
        ("select u.k as x from t join u on u.k = t.a", {"u.k", "t.a"}),
        ("with w as (select t.*, a * 2 as twice from t) select twice as x from w", {"t.a"}),
        ("select a as x from t union all select c from u", {"t.a", "u.c"}),
        ("select d.n as x from t cross join lateral (select generate_series(t.a, t.b) as n) as d", {"t.a", "t.b"}),
        ("select 1 as x from t", set()),
    ],
)
def test_it_follows_values_and_what_chooses_between_them(sql: str, made_of: set[str]) -> None:
    assert {str(each) for each in trace.lineage_of(sql, SCHEMA)["x"]} == made_of


@pytest.mark.parametrize(
    ("sql", "is_copy"),
    [
        ("select a as x from t", True),
        ("with w as (select t.* from t) select w.a as x from w", True),
        ("select u.c as x from t left join u on u.k = t.k", True),
        ("select nullif(a, 0) as x from t", False),
        ("with w as (select a + 1 as a from t) select w.a as x from w", False),
        ("select a as x from t union all select c from u", False),
    ],
)
def test_it_tells_a_column_that_is_another_one_as_it_is(sql: str, is_copy: bool) -> None:
    assert trace.copies(sql, SCHEMA) == ({"x"} if is_copy else set())


def test_it_refuses_a_column_of_no_table() -> None:
    with pytest.raises(LookupError, match=r"v\.a is of no table that the statement reads"):
        trace.lineage_of("select v.a as x from t", SCHEMA)


def test_it_refuses_a_name_without_a_table() -> None:
    with pytest.raises(ValueError, match="steps names no table and column"):
        Origin.of("steps")
