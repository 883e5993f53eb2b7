"""check_warehouse proves the promises of the COVID star, too: each holds after a run, and fails when it is broken."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import pytest

from analytics.checks import checks, run_checks
from analytics.loads import covid
from tests.conftest import Warehouse
from tests.ingest.covid.documents import GONE, Publisher, day, days, history

FACTS = ("cases_fact", "testing_fact", "hospitalization_fact", "death_fact")
STAGED = "every staged day of the COVID API is in cases_dimension or in rejected_row, and in one of them alone"
COVID = [check.promise for check in checks() if check.source == "covid"]


def broken() -> set[str]:
    """Return the promises that do not hold."""
    return {proof.promise for proof in run_checks() if proof.violations}


@pytest.fixture
def untidy(publisher: Publisher, warehouse: Warehouse, load) -> None:
    """Days of which some are rejected, for each reason there is."""
    publisher.publish_history(
        history(
            *days(5),
            day("2021-02-01", {"cases.total.value": "many"}),
            day("2021-02-02", {"date": "2021-02-30"}),
            day("2021-02-03", {"date": None}),
            day("2021-02-04", {"date": GONE}),
            day("2021-02-05", {"date": "a#b"}),
            day("2021-03-07", {"states": 5}),
            day(str(datetime.now(UTC).date() + timedelta(1))),
        )
    )
    load()
    assert warehouse.value("select count(*) from rejected_row") == 7


def test_it_holds_before_the_first_run(databases: None) -> None:
    assert not broken() & set(COVID)


def test_it_holds_after_a_run_that_rejected_days(untidy: None) -> None:
    assert not broken() & set(COVID)


def test_it_holds_after_days_were_restated_and_withdrawn(publisher: Publisher, untidy: None, load) -> None:
    publisher.publish_history(history(*days(3), day("2021-03-04", {"cases.total.value": 5})))
    load()
    assert not broken() & set(COVID)


def test_a_day_that_was_yet_to_come_at_the_load_breaks_no_promise_on_the_next(
    untidy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(1)

    monkeypatch.setattr(covid, "datetime", Clock)
    assert covid.calendar()[-1]["day"] == str(datetime.now(UTC).date() + timedelta(1))
    assert not broken() & set(COVID)


DAMAGE = [
    ("delete from cases_dimension where last_update_at = '2021-03-07 00:00Z'", STAGED),
    ("delete from rejected_row where source_key = '2021-02-01'", STAGED),
    ("delete from rejected_row where source_key = 'a b'", STAGED),
    ("delete from staging_covid_day where document ->> 'date' = '2021-03-06'", STAGED),
    (
        "insert into rejected_row (run_id, source_table, source_key, reason, detail)"
        " values (1, 'covid_day', '2021-03-07', 'negative', '{}')",
        STAGED,
    ),
    ("delete from rejected_row where reason = 'duplicate'", "every rejected row of covid_day is as its load lists it"),
    (
        "update rejected_row set reason = 'negative' where source_key = '2021-02-01'",
        "every rejected row of covid_day is as its load lists it",
    ),
    ("update rejected_row set detail = '{}'", "every rejected row of covid_day is as its load lists it"),
    (
        "update cases_dimension set last_update_at = last_update_at + interval '1 second'",
        "every COVID day is there once, at midnight UTC",
    ),
    (
        "update cases_dimension set last_update_at = '2021-03-07 00:00Z' where last_update_at = '2021-03-06 00:00Z'",
        "every COVID day is there once, at midnight UTC",
    ),
    *((f"delete from {table}", f"every row of {table} is as its load makes it") for table in covid.TABLES),
    *(
        (
            f"delete from {table} where cases_id = (select cases_id from {table} limit 1)",
            "every COVID day has its cases, tests, patients in hospital and deaths",
        )
        for table in FACTS
    ),
    *(
        (f"update {table} set cases_id = gen_random_uuid()", f"every {table}.cases_id is in cases_dimension")
        for table in FACTS
    ),
    ("update cases_fact set new_cases = new_cases + 1", "every row of cases_fact is as its load makes it"),
    ("update death_fact set seven_day_change_avg = null", "every row of death_fact is as its load makes it"),
    (
        "update field_definitions_dimension set deprecated = not deprecated",
        "every row of field_definitions_dimension is as its load makes it",
    ),
    ("delete from load_state where source = 'covid'", "the warehouse says since when it holds COVID figures"),
]


@pytest.mark.parametrize(("damage", "promise"), DAMAGE)
def test_it_fails_when_a_promise_is_broken(damage: str, promise: str, untidy: None, warehouse: Warehouse) -> None:
    warehouse.execute(damage)
    assert promise in broken()


def test_there_is_a_damage_for_each_promise() -> None:
    assert {promise for _, promise in DAMAGE} == set(COVID)


def test_every_staged_day_is_there_once_in_the_star_of_ten_days(loaded: list[Any], warehouse: Warehouse) -> None:
    assert not broken() & set(COVID)
    assert warehouse.value("select min(last_update_at at time zone 'UTC')::date from cases_dimension") == date(
        2021, 2, 26
    )
