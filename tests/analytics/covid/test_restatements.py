"""load_covid: what a restatement changes, and what it leaves alone."""

import re
from datetime import date
from functools import partial

import pytest

from tests.analytics.covid.star import COLUMNS, DESIGN, exact, expected, rewritten, star, versions, written
from tests.conftest import Warehouse
from tests.ingest.covid.documents import Json, Publisher, change, day, history


@pytest.mark.parametrize("table", COLUMNS)
def test_it_writes_only_the_row_whose_figure_was_restated(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load, table: str
) -> None:
    for path in COLUMNS[table].values():
        before = versions(warehouse)
        change(loaded[4], path, 7)
        publisher.publish(*loaded)
        load()
        assert rewritten(before, warehouse) == {table: {date(2021, 3, 3)}}
        assert written() == {"covid_day": 2, table: 1, "field_definitions_dimension": 3}
    assert star(warehouse) == expected(exact(history(*loaded))["data"])


def test_it_writes_only_the_rows_of_a_new_day(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    before = versions(warehouse)
    loaded.insert(0, day("2021-03-08"))
    publisher.publish(*loaded)
    load()
    assert rewritten(before, warehouse) == {table: {date(2021, 3, 8)} for table in COLUMNS}
    assert star(warehouse) == expected(exact(history(*loaded))["data"])


def test_it_writes_no_figure_when_only_the_order_or_what_is_not_read_changed(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    before = versions(warehouse)
    loaded.reverse()
    change(loaded[0], "cases.probable", {"value": 1})
    publisher.publish(*loaded)
    load()
    assert rewritten(before, warehouse) == {}


def test_it_follows_a_restatement_and_its_withdrawal(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    first = star(warehouse)
    for value in (7, loaded[4]["cases"]["total"]["value"], 7):
        change(loaded[4], "cases.total.value", value)
        publisher.publish(*loaded)
        load()
        assert star(warehouse) == expected(exact(history(*loaded))["data"])
        assert (star(warehouse) == first) == (value != 7)
    assert warehouse.value("select count(*) from staging_covid_day") == 11


def test_it_writes_nothing_when_it_loads_twice_and_says_so(loaded: list[Json], warehouse: Warehouse, load, run) -> None:
    before = versions(warehouse)
    for again in (load, partial(load, "--full-refresh"), partial(run, "load_covid")):
        summary = again()
        assert versions(warehouse) == before
        assert written() == {}
        for table in DESIGN:
            assert re.search(rf"^{table} +\d+ +0 +0 +0 +0 ", summary, re.MULTILINE), summary


@pytest.mark.parametrize("options", [["--date", "2021-03-03"], ["--from", "2021-03-02", "--to", "2021-03-04"]])
def test_it_follows_a_restatement_that_comes_in_a_day_s_own_document(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, run, load, options: list[str]
) -> None:
    before = versions(warehouse)
    old = history(*loaded)
    change(loaded[4], "testing.total.value", 7)
    publisher.publish(*loaded)
    publisher.publish_history(old)
    run("extract_covid", *options)
    run("load_covid")
    assert rewritten(before, warehouse) == {"testing_fact": {date(2021, 3, 3)}}
    assert star(warehouse) == expected(exact(history(*loaded))["data"])
    load()  # and the history that is still the same takes nothing back
    assert star(warehouse) == expected(exact(history(*loaded))["data"])
    run("extract_covid", "--all")  # but the history that is read anew does: what was read last counts
    run("load_covid")
    assert star(warehouse) == expected(exact(old)["data"])


def test_it_keeps_a_day_that_the_history_no_longer_holds(
    loaded: list[Json], publisher: Publisher, warehouse: Warehouse, load
) -> None:
    before = versions(warehouse)
    publisher.publish(*loaded[:3])
    load()
    assert rewritten(before, warehouse) == {}
    assert star(warehouse) == expected(exact(history(*loaded))["data"])
