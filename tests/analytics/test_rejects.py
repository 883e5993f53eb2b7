"""What becomes of a row that does not fit: it is listed with one stable reason, and nothing is dropped in silence."""

from typing import Any

import pytest

from tests.conftest import Source, Warehouse
from tests.recompute import row_id

UNKNOWN = 999


@pytest.mark.parametrize(
    ("value", "steps"),
    [("0", 0), ("7500", 7500), (" 7500\t\n", 7500), ("007", 7), ("+5", 5), ("-0", 0), ("2147483647", 2147483647)],
)
def test_it_loads_a_whole_number_of_steps(value, steps, small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value=value)
    run()
    assert warehouse.execute("select patient_id, date::text, steps from step_result_fact") == [(1, "2024-03-02", steps)]
    assert warehouse.rejects("step_result") == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"value": "n/a"}, "not_a_number"),
        ({"value": ""}, "not_a_number"),
        ({"value": None}, "not_a_number"),
        ({"value": "12.5"}, "not_a_number"),
        ({"value": "1,024"}, "not_a_number"),
        ({"value": "1e3"}, "not_a_number"),
        ({"value": "12\n34"}, "not_a_number"),
        ({"value": "٣"}, "not_a_number"),
        ({"value": "-40"}, "negative"),
        ({"value": "-99999999999"}, "negative"),
        ({"value": "2147483648"}, "out_of_range"),
        ({"value": "10000000000"}, "out_of_range"),
        ({"value": "9" * 200_000}, "out_of_range"),
        ({"date": "infinity"}, "out_of_range"),
        ({"date": "-infinity"}, "out_of_range"),
        ({"date": "10000-01-01"}, "out_of_range"),
        ({"date": "0044-03-15 BC"}, "out_of_range"),
        ({"date": None}, "missing_key"),
        ({"patient_id": None}, "missing_key"),
        ({"patient_id": UNKNOWN}, "orphan"),
    ],
)
def test_it_rejects_a_step_result(
    row: dict[str, Any], reason: str, small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("step_result", **{"patient_id": 1, "date": "2024-03-02", "value": "100"} | row)
    run()
    assert warehouse.value("select count(*) from step_result_fact") == 0
    assert [reason for _, reason in warehouse.rejects("step_result")] == [reason]


def test_it_counts_the_highest_valid_value_of_a_day_and_lists_the_others(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    for value in ("900", "2000", " 2000", "n/a", "-5000"):
        small_world.insert("step_result", patient_id=1, date="2024-03-02", value=value)
    run()
    assert warehouse.execute("select steps from step_result_fact") == [(2000,)]
    reasons = sorted(reason for _, reason in warehouse.rejects("step_result"))
    assert reasons == ["duplicate", "duplicate", "negative", "not_a_number"]


def test_it_lists_each_row_of_an_unknown_patients_day_as_an_orphan(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    for value in ("100", "200"):
        small_world.insert("step_result", patient_id=UNKNOWN, date="2024-03-02", value=value)
    run()
    assert warehouse.rejects("step_result") == [("999/2024-03-02", "orphan"), ("999/2024-03-02#2", "orphan")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"patient_journey_id": UNKNOWN}, "orphan"),
        ({"survey_id": UNKNOWN}, "orphan"),
        ({"activity_id": UNKNOWN}, "orphan"),
        ({"device_id": UNKNOWN}, "orphan"),
        ({"patient_journey_id": None}, "missing_key"),
        ({"survey_id": None}, "missing_key"),
        ({"activity_id": None}, "missing_key"),
        ({"start_time": None}, "missing_key"),
        ({"end_time": None}, "missing_key"),
        ({"end_time": "2024-03-08 08:59:59"}, "end_before_start"),
        ({"end_time": "infinity"}, "out_of_range"),
        ({"start_time": "-infinity"}, "out_of_range"),
        ({"end_time": "10000-01-01"}, "out_of_range"),
    ],
)
def test_it_rejects_a_survey_result(
    row: dict[str, Any], reason: str, small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert_survey_result(**row)
    run()
    assert warehouse.value("select count(*) from survey_result_fact") == 0
    assert warehouse.rejects("survey_result") == [("1", reason)]


def test_it_loads_a_survey_result_without_device_and_score(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.insert_survey_result(device_id=None, score_value=None)
    run()
    assert warehouse.execute("select device_id, score_value, patient_id from survey_result_fact") == [(None, None, 1)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"patient_id": UNKNOWN}, "orphan"),
        ({"journey_id": UNKNOWN}, "orphan"),
        ({"patient_id": None}, "missing_key"),
        ({"journey_id": None}, "missing_key"),
        ({"discharge_date": "infinity"}, "out_of_range"),
    ],
)
def test_it_rejects_a_patient_journey_and_with_it_its_survey_results(
    row: dict[str, Any], reason: str, small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("patient_journey", **{"id": 2, "patient_id": 1, "journey_id": 1} | row)
    small_world.insert_survey_result(patient_journey_id=2)
    run()
    assert warehouse.execute("select patient_journey_id from patient_journey_fact") == [(1,)]
    assert warehouse.rejects("patient_journey") == [("2", reason)]
    assert warehouse.rejects("survey_result") == [("1", "orphan")]


def test_it_rejects_links_of_journeys_and_activities_that_do_not_fit(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    for journey, activity in ((1, 1), (1, 1), (UNKNOWN, 1), (UNKNOWN, 1), (1, UNKNOWN), (None, 1), (1, None)):
        small_world.insert("journey_activity", journey_id=journey, activity_id=activity)
    run()
    assert warehouse.execute("select id, journey_id, activity_id from journey_activity_bridge") == [
        (row_id(1, 1), 1, 1)
    ]
    assert warehouse.rejects("journey_activity") == [
        ("1/1#2", "duplicate"),
        ("1/1#3", "duplicate"),
        ("1/999", "orphan"),
        ("1/null", "missing_key"),
        ("999/1", "orphan"),
        ("999/1#2", "orphan"),
        ("null/1", "missing_key"),
    ]


def test_it_keeps_an_activity_whose_schedule_does_not_exist_and_lists_it(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("activity", id=2, content_slug="walk", schedule_id=UNKNOWN)
    small_world.insert("activity", id=3, content_slug="rest", schedule_id=None)
    run()
    assert warehouse.execute("select * from activity_dimension where activity_id > 1 order by 1") == [
        (2, "walk", None),
        (3, "rest", None),
    ]
    assert warehouse.rejects("activity") == [("2", "orphan")]


@pytest.mark.parametrize(
    "table", ["patient", "journey", "device", "survey", "schedule", "activity", "patient_journey", "survey_result"]
)
def test_it_keeps_the_first_of_several_rows_with_one_id_by_their_text(
    table: str, small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert_survey_result()
    small_world.execute(f"alter table {table} drop constraint {table}_pkey, alter id drop not null")
    small_world.execute(f"insert into {table} select * from {table}")
    small_world.execute(f"insert into {table} (id) values (null)")
    run()
    assert (("1#2", "duplicate")) in warehouse.rejects(table)
    assert (("null", "missing_key")) in warehouse.rejects(table)
    assert warehouse.star() == small_world.star()


def test_it_says_of_an_orphan_which_key_is_missing_and_shows_the_row(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("step_result", patient_id=UNKNOWN, date="2024-03-02", value="100")
    run()
    assert warehouse.value("select detail from rejected_row") == {
        "column": "patient_id",
        "key": UNKNOWN,
        "row": {"patient_id": UNKNOWN, "date": "2024-03-02", "value": "100"},
    }


def test_it_lets_an_orphan_in_when_its_parent_arrives_and_out_when_it_leaves(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("step_result", patient_id=2, date="2024-03-02", value="100")
    run()
    assert warehouse.rejects("step_result") == [("2/2024-03-02", "orphan")]

    small_world.insert("patient", id=2)
    run()
    assert warehouse.rejects("step_result") == []
    assert warehouse.execute("select patient_id, steps from step_result_fact") == [(2, 100)]

    small_world.execute("delete from patient where id = 2")
    run()
    assert warehouse.rejects("step_result") == [("2/2024-03-02", "orphan")]
    assert warehouse.value("select count(*) from step_result_fact") == 0


def test_it_names_the_run_that_first_listed_a_row(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="n/a")
    run()
    first = warehouse.value("select run_id from rejected_row")
    small_world.insert("step_result", patient_id=1, date="2024-03-03", value="n/a")
    run()
    assert warehouse.execute("select source_key, run_id - %s from rejected_row order by 1", first) == [
        ("1/2024-03-02", 0),
        ("1/2024-03-03", 1),
    ]
