"""The answers of pages: worked out once for each load and day, in bounded time, and nothing of single patients kept."""

import pickle
import re
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from analytics.pages import adherence, answers
from analytics.pages.prepare import prepare_pages
from tests.analytics.pages.conftest import Reader, table
from tests.conftest import Database, Source, Warehouse

PAGES = (
    *("/", "/adherence/", "/adherence/?by=month&colour=clinician&day=2024-05-15", "/adherence/windows/", "/steps/"),
    *("/scores/", "/covid/", "/patients/1/", "/tables/", "/tables/step_result_fact/"),
    *("/quality/", "/quality/rows/?rule=steps"),
)
ABOUT_PATIENTS = {"id", "patient_id", "patient_journey_id", "survey_result_id", "age_bracket", "sex"}


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries of pages that the database was asked."""
    asked = []
    rows = answers.rows_of

    def note(warehouse: Any, query: Any) -> list[answers.Row]:
        asked.append(query.as_string(warehouse))
        return rows(warehouse, query)

    monkeypatch.setattr(answers, "rows_of", note)
    return asked


def test_it_works_an_answer_out_once_for_each_load(
    star: None, manager: Client, reader: Reader, worked_out: list[str], run
) -> None:
    pages = [page for page in PAGES if not re.search("windows|patients|rows", page)]
    analyst = reader("analyst")  # of whose windows more has to be known
    for page in pages:
        manager.get(page)
        analyst.get(page)
    assert len(worked_out) == len(set(worked_out)) > 10
    worked_out.clear()
    for client in (manager, analyst):
        for page in pages:
            client.get(page)
    assert not worked_out
    run("run_pipeline", "--only", "covid")  # which changes nothing
    manager.get("/steps/")
    assert len(worked_out) == 1


def test_it_shows_what_the_last_load_left_until_the_next(
    small_world: Source, manager: Client, warehouse: Warehouse, run
) -> None:
    run()
    assert table(manager, "/adherence/")[0]["hospital"] == "North"
    # Nobody but a load changes the star: an answer is not looked at again before.
    warehouse.execute("update patient_dimension set hospital = 'Behind the back of the load'")
    assert table(manager, "/adherence/")[0]["hospital"] == "North"
    small_world.execute("update patient set hospital = 'South'")
    run()
    assert table(manager, "/adherence/")[0]["hospital"] == "South"


def test_it_forgets_what_was_kept_of_earlier_loads_when_it_prepares_the_next(
    small_world: Source, manager: Client, run
) -> None:
    def loads() -> dict[str, int]:
        database = Database("default")
        counted = database.execute("select split_part(cache_key, ':', 3), count(*) from kept_answer group by 1")
        database.connection.close()
        return dict(counted)

    run()
    prepare_pages()
    ((first, answers_of_a_load),) = loads().items()
    run()
    manager.get("/adherence/?sex=f&joint=hip&journey=THR")  # which nobody prepares
    prepare_pages()
    ((second, kept_now),) = loads().items()
    assert second != first
    assert kept_now > answers_of_a_load


def test_it_works_the_answer_of_another_day_out_anew(
    small_world: Source, manager: Client, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        days = 0

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(cls.days)

    small_world.execute("update patient_journey set operation_date = current_date - 10")
    run()
    monkeypatch.setattr(adherence, "datetime", Clock)
    assert table(manager, "/adherence/")[0]["status"] == "open"
    Clock.days = 1  # the window's last day is over
    assert table(manager, "/adherence/")[0]["status"] == "missed"


def test_it_tells_filters_and_groups_apart(star: None, manager: Client) -> None:
    pages = ("/steps/?by=sex", "/steps/?by=joint", "/scores/?by=sex&survey=1", "/scores/?by=sex&survey=2")
    first = [table(manager, page) for page in pages]
    assert all(rows not in first[:place] for place, rows in enumerate(first))
    assert [table(manager, page) for page in pages] == first


def kept() -> dict[str, list[answers.Row]]:
    """Return the rows that are kept in the database of the run log, by their query."""
    database = Database("default")
    rows = database.execute("select cache_key, value from kept_answer")
    database.connection.close()
    found: dict[str, list[answers.Row]] = {}
    for key, value in rows:
        found.setdefault(key.split(":")[3], []).extend(pickle.loads(b64decode(value)))  # noqa: S301  (our own)
    return found


def test_it_keeps_nothing_of_single_patients(star: None, manager: Client, reader: Reader) -> None:
    for page in PAGES:
        assert manager.get(page).status_code == 200
    assert reader("analyst").get("/adherence/").status_code == 200
    sources = "".join(file.read_text(encoding="utf-8") for file in answers.FOLDER.glob("*.py"))
    found = kept()
    assert set(found) == set(re.findall(r'\bkept\(\s*"(\w+)"', sources))  # no query has escaped the pages
    assert {name: sorted(rows[0]) for name, rows in found.items() if rows and set(rows[0]) & ABOUT_PATIENTS} == {}
    assert {"adherence", "steps", "tables"} < {name for name, rows in found.items() if rows}


@contextmanager
def closed(name: str) -> Iterator[None]:
    """Hold a table of the warehouse against its readers."""
    holder = Warehouse("analytics")
    holder.execute(f"begin; lock table {name} in access exclusive mode")
    try:
        yield
    finally:
        holder.execute("rollback")
        holder.connection.close()


@pytest.mark.parametrize(
    ("page", "closed_table"),
    [
        ("/", "adherence_fact"),
        ("/adherence/", "adherence_fact"),
        ("/adherence/?format=csv", "adherence_fact"),
        ("/adherence/windows/", "adherence_fact"),
        ("/steps/", "step_result_fact"),
        ("/scores/", "survey_result_fact"),
        ("/covid/", "cases_fact"),
        ("/quality/", "step_result_fact"),
        ("/quality/rows/?rule=steps", "step_result_fact"),
        ("/patients/1/", "step_result_fact"),
    ],
)
def test_it_says_so_where_an_answer_takes_longer_than_its_patience(
    small_world: Source, manager: Client, run, monkeypatch: pytest.MonkeyPatch, page: str, closed_table: str
) -> None:
    run()
    monkeypatch.setattr(answers, "PATIENCE_SECONDS", 0.2)
    with closed(closed_table):
        response = manager.get(page)
    assert response.status_code == 503
    assert "was not worked out within" in response.content.decode()
    assert "Try again" in response.content.decode()
    assert manager.get(page).status_code == 200  # what was not worked out is not kept


def test_it_waits_for_half_a_minute_at_most(manager: Client, warehouse: Warehouse) -> None:
    with answers.snapshot() as cursor:
        cursor.execute("show statement_timeout")
        assert cursor.fetchall() == [("30s",)]
        cursor.execute("show transaction_read_only")
        assert cursor.fetchall() == [("on",)]


@pytest.mark.parametrize("page", PAGES)
def test_it_says_so_where_the_warehouse_is_gone(
    manager: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, page: str
) -> None:
    connections["analytics"].close()
    monkeypatch.setitem(connections["analytics"].settings_dict, "NAME", "gone")
    response = manager.get(page)
    assert response.status_code == 503
    assert "The warehouse does not answer" in response.content.decode()
    assert [record.message for record in caplog.records if record.name == "analytics.pages.page"] == ["page not shown"]


def test_it_waits_for_a_table_that_is_written_anew_rather_than_find_it_empty(
    small_world: Source, manager: Client, run
) -> None:
    run()
    writer, pages = Warehouse("analytics"), []

    def look() -> None:
        pages.append(manager.get("/quality/").content.decode())
        connections.close_all()

    writer.execute("begin; create temp table rows on commit drop as table staging_patient; truncate staging_patient")
    reader = threading.Thread(target=look)
    reader.start()
    try:
        while not writer.value("select count(*) from pg_locks where not granted"):
            assert reader.is_alive()
        writer.execute("insert into staging_patient table rows; commit")
    finally:
        writer.connection.close()
        reader.join()
    assert "too many" not in pages[0]


def test_it_works_the_sums_out_anew_after_an_extraction_alone(small_world: Source, manager: Client, run) -> None:
    run()
    assert "nowhere" not in manager.get("/quality/").content.decode()
    small_world.insert("patient", id=2, hospital="South")
    run("extract_msk")
    assert "no, 1 nowhere" in manager.get("/quality/").content.decode()
