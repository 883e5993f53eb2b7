"""MSK_ORPHANS=keep: an orphan enters the star with its broken link null, and is listed all the same."""

import pytest
from pytest_django import Settings

from tests.conftest import Source, Warehouse


@pytest.fixture(autouse=True)
def keep_orphans(settings: Settings) -> None:
    settings.MSK_ORPHANS = "keep"


def test_it_equals_an_independent_recomputation(source: Source, warehouse: Warehouse, run) -> None:
    source.load_sample()
    run()
    star = warehouse.star()
    assert star == source.star(keep_orphans=True)
    assert any(row[0] is None for row in star["step_result_fact"].values())
    assert "orphan" in star["rejected_row"].values()


def test_it_keeps_the_promises_that_check_warehouse_proves(source: Source, run) -> None:
    source.load_sample()
    run()
    assert "FAIL" not in run("check_warehouse")


def test_it_makes_ids_of_the_keys_as_delivered(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.insert("step_result", patient_id=7, date="0001-01-03", value="100")
    run()
    assert warehouse.execute("select id, patient_id, steps from step_result_fact") == [(7 * 2**32 + 2, None, 100)]
    assert warehouse.rejects("step_result") == [("7/0001-01-03", "orphan")]


def test_it_lists_the_second_row_of_an_unknown_patients_day_as_a_duplicate(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    for value in ("100", "200"):
        small_world.insert("step_result", patient_id=7, date="2024-03-02", value=value)
    run()
    assert warehouse.execute("select steps from step_result_fact") == [(200,)]
    assert warehouse.rejects("step_result") == [("7/2024-03-02", "orphan"), ("7/2024-03-02#2", "duplicate")]


def test_it_can_be_turned_on_and_off(settings: Settings, source: Source, warehouse: Warehouse, run) -> None:
    source.load_sample()
    run()
    settings.MSK_ORPHANS = "reject"
    run()
    assert warehouse.star() == source.star()
    settings.MSK_ORPHANS = "keep"
    run()
    assert warehouse.star() == source.star(keep_orphans=True)
