"""What a list of the admin as a file costs the database and the site."""

import gc
import re
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from analytics.exports import formats, lists
from analytics.models import ActivityAdherence, StepResultFact
from analytics.pages import answers
from ingest.models import ScheduleOverride
from tests.analytics.admin.pages import address
from tests.analytics.exports.taken import FORMATS, name_of, named, said, take
from tests.conftest import Warehouse
from tests.ingest.runs.test_failures import wait_for

# --- What it costs the database


def holding(warehouse: Warehouse) -> int:
    """Return how many other connections hold a snapshot, for which the server keeps every row that it shows."""
    return int(
        warehouse.value(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and backend_type = 'client backend' and backend_xmin is not null and pid <> pg_backend_pid()"
        )
    )


@pytest.fixture
def reading(client: Client, many_steps: None) -> Iterator[Any]:
    """An answer of which a reader has the beginning."""
    response = take(client, StepResultFact, "csv")
    beginning = iter(response)
    next(beginning)
    yield response
    response.close()


def test_it_lets_go_of_the_database_when_the_reader_goes_away(reading: Any, warehouse: Warehouse) -> None:
    assert holding(warehouse) == 1
    reading.close()
    wait_for(lambda: holding(warehouse) == 0)


def test_it_lets_go_of_the_database_when_the_reader_has_it_all(
    client: Client, many_steps: None, warehouse: Warehouse
) -> None:
    assert len(take(client, StepResultFact, "csv").getvalue().splitlines()) == 12_001
    wait_for(lambda: holding(warehouse) == 0)


def test_it_waits_for_no_reader_who_does_not_read_on(
    client: Client, many_steps: None, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "IDLE_SECONDS", 0.1)
    stream = iter(take(client, StepResultFact, "csv"))
    next(stream)
    for _ in range(100):
        if not holding(warehouse):
            break
        warehouse.execute("select pg_sleep(0.1)")
    # And what comes then is no file that looks complete.
    with pytest.raises(Exception, match=r"terminating connection|closed"):
        list(stream)


def test_it_breaks_off_what_takes_too_long_to_read_however_often_somebody_reads_on(
    client: Client, many_steps: None, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "DEADLINE_SECONDS", 0.5)
    stream = iter(take(client, StepResultFact, "csv"))
    next(stream)
    warehouse.execute("select pg_sleep(0.6)")
    with pytest.raises(lists.TooSlowError, match="was not read within"):
        list(stream)
    wait_for(lambda: holding(warehouse) == 0)


def test_its_csv_has_a_length_for_who_could_not_tell_that_it_broke_off(
    client: Client, many_steps: None, warehouse: Warehouse
) -> None:
    expected = take(client, StepResultFact, "csv").getvalue()
    response = client.get(address(StepResultFact), {"_export": "csv"}, SERVER_PROTOCOL="HTTP/1.0")
    assert int(response["Content-Length"]) == len(expected)
    assert name_of(response) == named("step_result_fact", "csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.getvalue() == expected
    with no_file_beyond(20_000):
        response = client.get(address(StepResultFact), {"_export": "csv"}, SERVER_PROTOCOL="HTTP/1.0")
    assert response.status_code == 503
    assert "Take fewer rows away" in said(response)
    wait_for(lambda: holding(warehouse) == 0)


@pytest.mark.parametrize("form", FORMATS)
def test_it_says_that_the_database_was_too_slow(
    client: Client, warehouse: Warehouse, many_steps: None, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    warehouse.execute(
        "insert into patient_journey_schedule_window (id, patient_id, patient_journey_id, activity_id)"
        " select row_id(n, 1), n, n, 1 from generate_series(1, 50000) n"
    )
    monkeypatch.setattr(lists, "PATIENCE_SECONDS", 0.005)
    response = client.get(address(ActivityAdherence), {"_export": form})
    assert (response.status_code, "Content-Disposition" in response) == (503, False)
    assert "Try again in a few minutes, or take fewer away." in said(response)
    wait_for(lambda: holding(warehouse) == 0)


# --- What it costs the site


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("form", "size"), [("xlsx", 1_000), ("xlsx", 20_000), ("parquet", 1_000)])
def test_it_says_that_it_could_not_be_written(
    client: Client, warehouse: Warehouse, many_steps: None, caplog: pytest.LogCaptureFixture, form: str, size: int
) -> None:
    with no_file_beyond(size):
        response = client.get(address(StepResultFact), {"_export": form})
    assert (response.status_code, "Content-Disposition" in response) == (503, False)
    assert "most likely it has no room for it. Take fewer rows away" in said(response)
    (error,) = [vars(record)["error"] for record in caplog.records if record.message == "list not written"]
    assert re.fullmatch(r"\w+", error)  # its name alone: what it says may quote a row
    gc.collect()  # nothing that was left open
    wait_for(lambda: holding(warehouse) == 0)


def test_it_says_so_too_when_memory_does_not_suffice(
    client: Client, many_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MEMORY", "30MB")
    response = client.get(address(StepResultFact), {"_export": "parquet"})
    assert response.status_code == 503
    assert "Take fewer rows away" in said(response)


BUSY = "Others are being made at the moment"


@pytest.mark.parametrize("form", FORMATS)
def test_it_makes_two_files_at_a_time_and_asks_others_to_wait(client: Client, many_steps: None, form: str) -> None:
    streams = [take(client, StepResultFact, "csv") for _ in range(2)]
    response = client.get(address(StepResultFact), {"_export": form})
    assert (response.status_code, response["Retry-After"], "Content-Disposition" in response) == (503, "60", False)
    assert BUSY in said(response)
    assert client.get(address(StepResultFact)).status_code == client.get("/healthz").status_code == 200
    assert client.get(address(StepResultFact), {"_export": form, "p": "x"}).status_code == 400
    streams[0].close()  # before its first byte is read
    take(client, StepResultFact, form).close()
    assert len(streams[1].getvalue().splitlines()) == 12_001
    for response in [take(client, StepResultFact, form) for _ in range(2)]:
        response.close()


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_fails_keeps_no_other_waiting(
    client: Client, many_steps: None, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    with monkeypatch.context() as without_patience:
        without_patience.setattr(lists, "PATIENCE_SECONDS", 0.001)
        for _ in range(3):
            response = client.get(address(StepResultFact), {"_export": form})
            assert response.status_code == 503
            assert "take fewer away" in said(response)
    take(client, StepResultFact, form).close()


def test_a_reader_who_goes_away_without_a_word_keeps_no_other_waiting(client: Client, many_steps: None) -> None:
    for _ in range(3):
        response = take(client, StepResultFact, "csv")
        next(iter(response))
        del response
        gc.collect()


@pytest.mark.parametrize("query", [{}, {"_export": "csv"}, {"patient_id": "7"}, {"patient_id": "7", "_export": "csv"}])
def test_neither_a_list_nor_its_file_waits_longer_than_a_page_does(
    client: Client, many_steps: None, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    monkeypatch.setattr(lists, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(answers, "PATIENCE_SECONDS", 0.2)
    client.raise_request_exception = False
    holder = Warehouse("analytics")
    holder.execute("begin; lock table step_result_fact in access exclusive mode")
    freed = threading.Timer(4, holder.execute, ["rollback"])
    freed.start()
    try:
        response = client.get(address(StepResultFact), query)
        assert freed.is_alive()
    finally:
        freed.join()
        holder.connection.close()
    assert response.status_code == 503
    assert "Try again in a few minutes" in said(response)


def test_a_list_and_a_row_say_that_the_warehouse_is_gone(
    client: Client, many_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ScheduleOverride.objects.create(schedule_id=1, milestone_slug="consent", offset_start_days=1)
    connections["analytics"].close()
    client.raise_request_exception = False
    with monkeypatch.context() as gone:
        gone.setitem(connections["analytics"].settings_dict, "NAME", "gone")
        pages = [address(StepResultFact), address(StepResultFact, "change", 7), address(ScheduleOverride)]
        answered = [client.get(page) for page in pages]
    for response in answered:
        assert response.status_code == 503
        assert "The warehouse does not answer." in said(response)
