"""Rows with one id, or with none, that belong to several patients: each is loaded or listed, whichever of them changes.

A warehouse that is distributed by patient never has them side by side.
"""

import pytest

from tests.analytics.test_star import assert_same
from tests.conftest import Source, Warehouse


@pytest.fixture
def loose(small_world: Source) -> Source:
    """A source without keys, and with so many patients and journeys that a load picks rows instead of taking all."""
    for table in ("patient_journey", "survey_result"):
        small_world.execute(f"alter table {table} drop constraint {table}_pkey, alter id drop not null")
    small_world.execute("insert into patient select n from generate_series(2, 40) n")
    small_world.execute(
        "insert into patient_journey (id, patient_id, journey_id) select 100 + n, n, 1 from generate_series(2, 40) n"
    )
    return small_world


def assert_it_follows(source: Source, warehouse: Warehouse, run, change: str) -> None:
    """Assert that the star is right before a change and after it."""
    run()
    assert_same(warehouse.star(), source.star())
    source.execute(change)
    run("run_pipeline", "--allow-deletes")
    assert_same(warehouse.star(), source.star())


def test_one_of_two_rows_without_an_id_goes(loose: Source, warehouse: Warehouse, run) -> None:
    loose.insert("patient_journey", id=None, patient_id=1, journey_id=1)
    loose.insert("patient_journey", id=None, patient_id=2, journey_id=1)
    assert_it_follows(loose, warehouse, run, "delete from patient_journey where id is null and patient_id = 2")


def test_the_double_of_an_orphan_goes(loose: Source, warehouse: Warehouse, run) -> None:
    loose.insert("patient_journey", id=5, patient_id=1, journey_id=999)
    loose.insert("patient_journey", id=5, patient_id=2, journey_id=1)
    assert_it_follows(loose, warehouse, run, "delete from patient_journey where id = 5 and patient_id = 2")


def test_the_patient_of_the_first_of_two_goes(loose: Source, warehouse: Warehouse, run) -> None:
    loose.insert("patient_journey", id=5, patient_id=1, journey_id=1)
    loose.insert("patient_journey", id=5, patient_id=2, journey_id=1)
    assert_it_follows(loose, warehouse, run, "delete from patient where id = 1")


def test_the_patient_of_one_without_an_id_comes(loose: Source, warehouse: Warehouse, run) -> None:
    loose.insert("patient_journey", id=None, patient_id=1, journey_id=1)
    loose.insert("patient_journey", id=None, patient_id=70, journey_id=1)
    assert_it_follows(loose, warehouse, run, "insert into patient (id) values (70)")


def test_the_patient_journey_of_the_first_of_two_survey_results_goes(loose: Source, warehouse: Warehouse, run) -> None:
    loose.insert_survey_result(id=9, patient_journey_id=1)
    loose.insert_survey_result(id=9, patient_journey_id=102)
    assert_it_follows(loose, warehouse, run, "update patient_journey set journey_id = 999 where id = 1")


def test_an_id_stands_beside_none_that_has_its_number(loose: Source, warehouse: Warehouse, run) -> None:
    loose.insert("patient_journey", id=None, patient_id=1, journey_id=1)
    loose.insert("patient_journey", id=-1, patient_id=2, journey_id=1)
    assert_it_follows(loose, warehouse, run, "update patient_journey set clinician_id = 7 where id = -1")


def test_the_first_becomes_another_patients(loose: Source, warehouse: Warehouse, run) -> None:
    for patient in (1, 2, 3):
        loose.insert("patient_journey", id=5, patient_id=patient, journey_id=1)
    loose.insert_survey_result(id=9, patient_journey_id=5)
    assert_it_follows(
        loose, warehouse, run, "update patient_journey set patient_id = 40 where patient_id = 1 and id = 5"
    )


def test_a_full_refresh_mends_which_of_several_is_the_first(loose: Source, warehouse: Warehouse, run) -> None:
    loose.insert("patient_journey", id=5, patient_id=1, journey_id=1)
    loose.insert("patient_journey", id=5, patient_id=2, journey_id=1)
    run()
    warehouse.execute("update staging_patient_journey set occurrence = 3 - occurrence")
    run("run_pipeline", "--full-refresh")
    assert_same(warehouse.star(), loose.star())


def test_a_run_leaves_tables_alone_that_are_called_as_its_own_might_be(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    warehouse.execute(
        "create table expected_revenue as select 1 as x; create table checked_step_result as select 2 as x"
    )
    try:
        run()
        run("run_pipeline", "--full-refresh")
        assert warehouse.execute("select e.x, c.x from expected_revenue e, checked_step_result c") == [(1, 2)]
    finally:
        warehouse.execute("drop table expected_revenue, checked_step_result")
