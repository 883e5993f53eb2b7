"""The dead man's switch: a real server hears of each run that is to load the star, and fails none by what it does."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingest.models import PipelineRun
from tests.analytics.test_health import move
from tests.conftest import Source
from tests.ingest.runs.test_failures import end, free_port, held_up

__all__ = ["move"]  # a fixture

KEY = "s3cret-key"
Run = Callable[..., str]


class Switch:
    """What is pinged, answered with `status` after `delay` seconds."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for(f"/{KEY}")
        self.status, self.delay = 200, 0.0
        self.heard: list[tuple[str, str, str]] = []  # path behind the key, rid and body
        server.expect_request("/elsewhere").respond_with_data("OK")
        for check in ("msk", "covid"):
            for event in ("", "/start", "/fail"):
                server.expect_request(f"/{KEY}/{check}{event}", method="POST").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        path, said = request.path.removeprefix(f"/{KEY}/"), request.get_data(as_text=True)
        self.heard.append((path, request.args.get("rid", ""), said))
        time.sleep(self.delay)
        return Response("no", status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
def switch(httpserver: HTTPServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Switch:
    monkeypatch.setenv("NO_PROXY", "*")
    switch = Switch(httpserver)
    settings.PING_URL = switch.url
    return switch


def last_run() -> str:
    return str(PipelineRun.objects.latest("pk").uuid)


def warnings(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Any, Any]]:
    """Return the message, the ping and the reason of each warning."""
    found = [record for record in caplog.records if record.name == "ingest.pings"]
    assert all(record.levelno == logging.WARNING for record in found)
    assert KEY not in str([vars(record) for record in found])
    return [(record.getMessage(), vars(record)["ping"], vars(record)["reason"]) for record in found]


def test_it_hears_that_a_run_begins_and_that_it_has_loaded_the_star(
    small_world: Source, switch: Switch, run: Run
) -> None:
    run()
    assert switch.heard == [("msk/start", last_run(), ""), ("msk", last_run(), "exit code 0")]


def test_it_hears_that_a_run_has_failed_and_no_word_of_its_error(small_world: Source, switch: Switch, run: Run) -> None:
    small_world.execute("alter table survey rename to lost")
    with pytest.raises(CommandError, match="survey is missing"):
        run()
    assert switch.heard == [("msk/start", last_run(), ""), ("msk/fail", last_run(), "exit code 1")]


def test_it_hears_of_a_run_that_could_not_even_begin(databases: None, switch: Switch, run: Run, move) -> None:
    move("analytics", "127.0.0.1", free_port())
    with pytest.raises(CommandError):
        run()
    assert switch.heard == [("msk/fail", "", "exit code 1")]


def test_it_hears_that_a_run_was_interrupted(small_world: Source, switch: Switch) -> None:
    with held_up("msk_db", "patient", PING_URL=switch.url) as (running, _):
        running.terminate()
        assert end(running)[0] == 130
    assert switch.heard == [("msk/start", last_run(), ""), ("msk/fail", last_run(), "exit code 130")]


def test_it_hears_nothing_of_a_run_that_is_skipped(small_world: Source, switch: Switch, run: Run) -> None:
    with held_up("msk_db", "patient"), pytest.raises(CommandError) as skipped:
        run()
    assert skipped.value.returncode == 75
    assert switch.heard == []


@pytest.mark.parametrize("command", ["extract_msk", "run_pipeline --skip-analytics", "run_pipeline --dry-run"])
def test_it_hears_nothing_of_what_does_not_load_the_star(
    small_world: Source, switch: Switch, run: Run, command: str
) -> None:
    run(*command.split())
    assert switch.heard == []


def test_it_hears_of_each_source_by_itself(
    databases: None, switch: Switch, settings: Settings, run: Run, tmp_path: Path
) -> None:
    settings.COVID_API_URL = str(tmp_path)
    with pytest.raises(CommandError):
        run("run_pipeline", "--only", "covid")
    assert switch.heard == [("covid/start", last_run(), ""), ("covid/fail", last_run(), "exit code 1")]


@pytest.mark.parametrize("status", [404, 500, 302])
def test_no_run_fails_by_what_it_answers(small_world: Source, switch: Switch, run: Run, caplog, status: int) -> None:
    switch.status = status
    run()
    assert PipelineRun.objects.latest("pk").status == "succeeded"
    said = f"localhost: answered {status}"
    assert warnings(caplog) == [("ping not delivered", "start", said), ("ping not delivered", "success", said)]


def test_no_run_waits_for_it_longer_than_the_limit(
    small_world: Source, switch: Switch, settings: Settings, run: Run, caplog
) -> None:
    settings.PING_TIMEOUT_SECONDS, switch.delay = 0.2, 1
    run()
    assert PipelineRun.objects.latest("pk").status == "succeeded"
    assert [reason for _, _, reason in warnings(caplog)] == ["localhost: TimeoutError"] * 2


def test_no_run_fails_where_nobody_listens(small_world: Source, settings: Settings, run: Run, caplog) -> None:
    settings.PING_URL = f"http://127.0.0.1:{free_port()}/{KEY}"
    run()
    assert PipelineRun.objects.latest("pk").status == "succeeded"
    assert [reason for _, _, reason in warnings(caplog)] == ["127.0.0.1: ConnectionRefusedError"] * 2
