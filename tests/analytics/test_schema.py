"""The star schema's outside: its tables, their columns and what the database itself says about them."""

import pytest

from tests.conftest import Warehouse
from tests.recompute import STAR_TABLES, row_id

TABLES = STAR_TABLES | {
    "date_dimension": "date, year, quarter, month, month_name, iso_year, iso_week, day_of_month, "
    "day_of_week, is_weekend",
    "activity_adherence": STAR_TABLES["patient_journey_schedule_window"]
    + ", completions, first_completed_date, status",
    "window_detail": STAR_TABLES["adherence_fact"]
    + ", hospital, age_bracket, sex, joint, journey, clinician_id, operation_date, activity, milestone, schedule",
    "rejected_row": "id, run_id, source_table, source_key, reason, detail",
    "load_state": "source, run_id, loaded_at, run_uuid",
    "cases_dimension": "cases_id, last_update_at, state_number",
    "cases_fact": "cases_id, total_cases, population_percent, new_cases, seven_day_change_percent",
    "testing_fact": "cases_id, total_tests, population_percent, new_tests, seven_day_change_percent",
    "hospitalization_fact": "cases_id, currently_hospitalized, population_percent_hospitalized, "
    "change_in_hospitalized, seven_day_change_percent_hospitalized, seven_day_change_avg_hospitalized, "
    "currently_in_icu, "
    "population_percent_icu, change_in_icu, seven_day_change_percent_icu, seven_day_change_avg_icu, "
    "currently_on_ventilator, population_percent_ventilator, change_in_ventilator, "
    "seven_day_change_percent_ventilator, seven_day_change_avg_ventilator",
    "death_fact": "cases_id, total_deaths, population_percent, new_deaths, seven_day_change_percent, "
    "seven_day_change_avg",
    "field_definitions_dimension": "field_definitions_dimension_id, field_name, field_path, deprecated, prior_names, "
    "first_seen_at, last_seen_at",
}


@pytest.mark.parametrize(("table", "columns"), TABLES.items())
def test_it_has_the_columns_of_the_design_each_with_a_comment(table: str, columns: str, warehouse: Warehouse) -> None:
    described = warehouse.execute(
        "select attname, col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 order by attnum",
        table,
    )
    assert [name for name, _ in described] == columns.split(", ")
    assert all(comment for _, comment in described)
    assert warehouse.value("select obj_description(%s::regclass)", table)


def test_it_has_no_trigger_and_no_foreign_key(warehouse: Warehouse) -> None:
    assert warehouse.value("select count(*) from pg_trigger") == 0
    assert warehouse.value("select count(*) from pg_constraint where contype = 'f'") == 0


def test_it_makes_no_ids_for_facts_in_the_database(warehouse: Warehouse) -> None:
    owners = warehouse.execute("select attrelid::regclass::text from pg_attribute where attidentity <> ''")
    assert {owner for (owner,) in owners} == {"rejected_row", "schema_change", "staging_covid_day", "django_migrations"}


FIRST_DAY = "date '2024-01-01' - date '0001-01-01'"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(
            "generate_series(1, 20000)", f"generate_series({FIRST_DAY}, {FIRST_DAY} + 89)", id="step_result_fact"
        ),
        pytest.param("generate_series(1, 25000)", "generate_series(1, 72)", id="patient_journey_schedule_window"),
        pytest.param("generate_series(1, 1200)", "generate_series(1, 1500)", id="journey_activity_bridge"),
    ],
)
def test_it_makes_ids_of_which_99_in_100_have_a_hash_of_their_own(left: str, right: str, warehouse: Warehouse) -> None:
    ids, alone = warehouse.execute(
        f"""
        select sum(ids), count(*) filter (where ids = 1)
          from (select count(*) as ids from {left} l, {right} r group by hashint8(row_id(l, r))) hashes
        """
    )[0]
    assert ids == 1_800_000
    assert alone / int(ids) >= 0.99


KEYS = (-(2**31), -(2**31) + 1, -7, -1, 0, 1, 7, 738_886, 2**31 - 2, 2**31 - 1)


def test_it_makes_an_id_as_the_design_writes_it_of_negative_and_the_largest_keys_too(warehouse: Warehouse) -> None:
    made = warehouse.execute(
        """
        select l, r, row_id(l, r), (l::bigint << 32) | ((r::bigint + l::bigint * 2654435761) & 4294967295),
               row_id(l, r) >> 32
          from unnest(%s) l, unnest(%s) r
        """,
        list(KEYS),
        list(KEYS),
    )
    assert len(made) == len(KEYS) ** 2
    for left, right, made_id, as_designed, left_half in made:
        assert made_id == as_designed == row_id(left, right), (left, right)
        assert left_half == left
