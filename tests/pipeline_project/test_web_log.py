"""What the web server logs of a request: a line of what it refuses, the whole story of what fails."""

import io
import json
import logging.config
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from analytics import health
from ingest.models import PipelineRun
from tests.conftest import Database


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest, settings: Settings) -> Iterator[tuple[str, io.StringIO]]:
    """The format, and what the site's own handler writes in it."""
    stream = io.StringIO()
    configured = deepcopy(settings.LOGGING)
    configured["handlers"]["stderr"] |= {"formatter": request.param, "stream": stream}
    logging.config.dictConfig(configured)
    yield request.param, stream
    logging.config.dictConfig(settings.LOGGING)


def level_of(line: str, format_: str) -> str:
    return json.loads(line)["level"] if format_ == "json" else line.split()[1]


def read(client: Client, **headers: Any) -> int:
    return client.get("/admin/analytics/stepresultfact/", **headers).status_code


def reader() -> Client:
    """Return the browser of somebody who may log in to the admin and see nothing there."""
    client = Client()
    client.force_login(User.objects.create_user("reader", is_staff=True))
    return client


def too_many_fields(client: Client) -> int:
    return client.post("/admin/login/", {f"field{number}": "" for number in range(1001)}).status_code


REFUSED: dict[str, tuple[int, str, Callable[[Client], int]]] = {
    "without permission": (403, "Forbidden (Permission denied): /admin/analytics/stepresultfact/", read),
    "for another host": (
        400,
        "Invalid HTTP_HOST header: 'evil.example.org'",
        lambda c: read(c, HTTP_HOST="evil.example.org"),
    ),
    "with too many fields": (400, "The number of GET/POST parameters exceeded", too_many_fields),
    "that is torn": (
        400,
        "Bad request (Unable to parse request body): /admin/login/",
        lambda c: c.post("/admin/login/", b"x", content_type="multipart/form-data; boundary=").status_code,
    ),
    "from another site": (
        403,
        "Forbidden (CSRF cookie not set.): /admin/login/",
        lambda c: Client(enforce_csrf_checks=True).post("/admin/login/").status_code,
    ),
    "for no page": (404, "Not Found: /nowhere", lambda c: c.get("/nowhere").status_code),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_logs_what_it_refuses_in_a_line(databases: None, log: tuple[str, io.StringIO], case: str) -> None:
    status, said, ask = REFUSED[case]
    assert ask(reader()) == status
    format_, stream = log
    (line,) = stream.getvalue().splitlines()
    assert level_of(line, format_) == "WARNING"
    assert said in line
    assert "Traceback" not in line


def test_it_logs_what_a_monitor_is_told_of_a_failing_source_as_a_warning(
    databases: None, log: tuple[str, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "readiness", health.SingleFlight(health.check, max_age=0, wait=health.WAIT_SECONDS))
    PipelineRun.objects.create(source="msk", command="run_pipeline", status="failed", finished=timezone.now())
    assert Client().get("/readyz").status_code == 503
    format_, stream = log
    (line,) = stream.getvalue().splitlines()
    assert level_of(line, format_) == "WARNING"
    assert "Service Unavailable: /readyz" in line


def test_it_logs_the_whole_story_of_a_page_that_fails(databases: None, log: tuple[str, io.StringIO]) -> None:
    client = reader()
    client.raise_request_exception = False
    with lost("default", "django_session"):
        assert read(client) == 500
    format_, stream = log
    first, *_ = stream.getvalue().splitlines()
    assert level_of(first, format_) == "ERROR"
    assert "Internal Server Error: /admin/analytics/stepresultfact/" in first
    assert "Traceback (most recent call last)" in stream.getvalue()
    assert "django_session" in stream.getvalue()


@contextmanager
def lost(alias: str, table: str) -> Iterator[None]:
    """Let a table be lost in the block."""
    database = Database(alias)
    database.execute(f"alter table {table} rename to lost")
    try:
        yield
    finally:
        connections[alias].close()
        database.execute(f"alter table lost rename to {table}")
        database.connection.close()
