"""adherence_fact: what was done about each window follows every change, and a run looks at what the change is about."""

import datetime as dt
from typing import Any

import pytest

from tests.conftest import Source, Warehouse, last_steps

DONE = "first_in_window_date, first_late_date, first_early_date"
MARCH_8 = dt.date(2024, 3, 8)


@pytest.fixture
def world(small_world: Source, run) -> Source:
    """The small world with another activity, and 20 more patients: so many that a run looks at what changed alone."""
    small_world.insert("activity", id=2, content_slug="walk", schedule_id=1)
    small_world.insert("journey_activity", journey_id=1, activity_id=2)
    for number in range(2, 22):
        small_world.insert("patient", id=number, hospital="South")
        small_world.insert(
            "patient_journey", id=number, patient_id=number, journey_id=1, operation_date=f"2024-03-{number:02}"
        )
        small_world.insert_survey_result(id=100 + number, patient_journey_id=number)
    small_world.insert_survey_result()
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="100")
    run()
    return small_world


def done(warehouse: Warehouse, journey: int = 1, activity: int = 1) -> list[tuple[Any, ...]]:
    """Return when a window was first done in time, late and early; nothing where there is no such window."""
    return warehouse.execute(
        f"select {DONE} from adherence_fact where patient_journey_id = %s and activity_id = %s", journey, activity
    )


def written() -> tuple[int, int, int]:
    """Return how many rows the last run inserted, updated and deleted, once sure that it looked at few of the 42."""
    (step,) = last_steps(table_name="adherence_fact")
    assert step.rows_read < 10
    return step.inserted, step.updated, step.deleted


def test_it_writes_its_first_rows_in_the_order_in_which_a_list_reads_them(world: Source, warehouse: Warehouse) -> None:
    written = warehouse.execute("select patient_journey_id, activity_id from adherence_fact order by ctid")
    assert len(written) == 42
    assert written == sorted(written)


NOTHING = (None, None, None)


@pytest.mark.parametrize(
    ("column", "key", "journey", "activity", "done_there"),
    [
        ("activity_id", 2, 1, 2, (MARCH_8, None, None)),
        ("patient_journey_id", 50, 50, 1, (None, MARCH_8, None)),  # of the same patient, operated on in February
        ("patient_journey_id", 2, 2, 1, (None, None, MARCH_8)),  # of another patient, operated on a day later
    ],
)
def test_it_takes_a_completion_from_the_window_it_leaves_to_the_one_it_enters(
    world: Source, warehouse: Warehouse, run, column: str, key: int, journey: int, activity: int, done_there: Any
) -> None:
    world.insert("patient_journey", id=50, patient_id=1, journey_id=1, operation_date="2024-02-01")
    world.execute("delete from survey_result where id = 102")
    run()
    assert (done(warehouse), done(warehouse, journey, activity)) == ([(MARCH_8, None, None)], [NOTHING])
    world.execute(f"update survey_result set {column} = %s where id = 1", key)
    run()
    assert (done(warehouse), done(warehouse, journey, activity)) == ([NOTHING], [done_there])
    assert written() == (0, 2, 0)


def test_it_forgets_a_completion_that_is_deleted(world: Source, warehouse: Warehouse, run) -> None:
    world.execute("delete from survey_result where id = 1")
    run()
    assert done(warehouse) == [NOTHING]
    assert written() == (0, 1, 0)


def test_it_keeps_the_next_completion_of_its_kind_where_the_first_is_deleted(
    world: Source, warehouse: Warehouse, run
) -> None:
    world.insert_survey_result(id=2, start_time="2024-03-10", end_time="2024-03-10")
    run()
    assert done(warehouse) == [(MARCH_8, None, None)]
    world.execute("delete from survey_result where id = 1")
    run()
    assert done(warehouse) == [(dt.date(2024, 3, 10), None, None)]


def test_it_follows_a_completion_to_another_day(world: Source, warehouse: Warehouse, run) -> None:
    world.execute("update survey_result set end_time = '2024-03-20' where id = 1")
    run()
    assert done(warehouse) == [(None, dt.date(2024, 3, 20), None)]
    assert written() == (0, 1, 0)


def test_it_has_no_row_of_a_window_that_disappears(world: Source, warehouse: Warehouse, run) -> None:
    world.execute("delete from patient_journey where id = 1")
    run()
    assert (done(warehouse), done(warehouse, activity=2)) == ([], [])
    assert written() == (0, 0, 2)


def test_it_has_no_row_of_an_activity_that_a_journey_no_longer_asks_for(
    world: Source, warehouse: Warehouse, run
) -> None:
    world.execute("delete from journey_activity where activity_id = 2")
    run()
    assert (len(done(warehouse)), len(done(warehouse, activity=2))) == (1, 0)
    assert warehouse.star() == world.star()


def test_it_has_a_row_of_a_window_that_appears_and_of_what_was_already_done(
    world: Source, warehouse: Warehouse, run
) -> None:
    world.insert("activity", id=3, content_slug="extra", schedule_id=1)
    world.insert_survey_result(id=3, activity_id=3)
    run()
    assert done(warehouse, activity=3) == []
    world.insert("journey", id=2, abbreviation="TKR", joint_slug="knee")
    world.insert("journey_activity", journey_id=2, activity_id=3)
    world.execute("update patient_journey set journey_id = 2 where id = 1")
    run()
    assert (done(warehouse), done(warehouse, activity=3)) == ([], [(MARCH_8, None, None)])
    assert written() == (1, 0, 2)


def test_it_follows_a_patient_journey_to_another_patient(world: Source, warehouse: Warehouse, run) -> None:
    world.execute("update patient_journey set patient_id = 2 where id = 1")
    run()
    assert warehouse.execute(
        f"select patient_id, activity_id, {DONE} from adherence_fact where patient_journey_id = 1 order by 2"
    ) == [(2, 1, MARCH_8, None, None), (2, 2, *NOTHING)]
    assert written() == (2, 0, 2)


def test_it_judges_again_what_was_done_where_an_override_moves_the_window(
    world: Source, warehouse: Warehouse, run
) -> None:
    world.insert("schedule", id=2, slug="7d-10d-post-op")
    world.execute("update activity set schedule_id = 2 where id = 2")
    world.insert_survey_result(id=2, activity_id=2)
    run()
    assert done(warehouse, activity=2) == [(MARCH_8, None, None)]
    warehouse.execute(
        "insert into schedule_override (schedule_id, milestone_slug, offset_start_days, offset_end_days)"
        " values (2, 'operation', 1, 3)"
    )
    run()
    assert warehouse.execute(
        f"select window_start_date, window_end_date, {DONE} from adherence_fact"
        " where patient_journey_id = 1 and activity_id = 2"
    ) == [(dt.date(2024, 3, 2), dt.date(2024, 3, 4), None, MARCH_8, None)]
    assert done(warehouse) == [(MARCH_8, None, None)]
    warehouse.execute("delete from schedule_override")
    run()
    assert warehouse.star() == world.star()


def test_it_notes_what_was_done_in_undated_windows_nowhere(world: Source, warehouse: Warehouse, run) -> None:
    world.execute("update patient_journey set operation_date = null where id = 1")
    run()
    assert (
        warehouse.execute(
            f"select window_start_date, window_end_date, {DONE} from adherence_fact where patient_journey_id = 1"
        )
        == [(None, None, *NOTHING)] * 2
    )


def test_it_looks_at_no_window_where_nothing_about_one_has_changed(world: Source, warehouse: Warehouse, run) -> None:
    world.insert("step_result", patient_id=1, date="2024-03-03", value="100")
    run()
    assert written() == (0, 0, 0)
    assert last_steps(table_name="adherence_fact")[0].rows_read == 0
    assert warehouse.value("select count(*) from changed_adherence") == 0
    assert warehouse.value("select count(*) from adherence_fact") == 42


def test_it_takes_a_completion_to_another_window_where_most_results_differ(world, warehouse, run) -> None:
    world.execute("update survey_result set score_value = score_value + 1")
    world.execute("update survey_result set activity_id = 2 where id = 1")
    run()
    assert (done(warehouse), done(warehouse, activity=2)) == ([NOTHING], [(MARCH_8, None, None)])
    assert warehouse.star() == world.star()
