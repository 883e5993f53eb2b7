"""The health checks: soon answered, whatever is the matter, and with no word too much for a stranger."""

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone

from analytics import health
from ingest.models import LoadState, PipelineRun
from tests.analytics.test_admin import queries
from tests.conftest import COVID_SAMPLE, Database, Source, Warehouse, connect
from tests.ingest.test_failures import free_port

READY = {"databases": "ok", "migrations": "ok", "sources": "ok"}
DOWN = {"databases": "down", "migrations": "unknown", "sources": "unknown"}

# The site is made when its settings are read, and whitenoise warns while `collectstatic` has not run.
pytestmark = pytest.mark.filterwarnings("ignore:No directory at:UserWarning")


@pytest.fixture
def loaded(small_world: Source, settings, run) -> None:
    """Both sources, just loaded."""
    settings.COVID_API_URL = str(COVID_SAMPLE)
    run("run_pipeline", "--only", "msk")
    run("run_pipeline", "--only", "covid")


@pytest.fixture
def move(monkeypatch) -> Callable[[str, str, str], None]:
    """Return a function that says that a database is at another address."""

    def move(alias: str, host: str, port: str) -> None:
        connections[alias].close()
        elsewhere = connections[alias].settings_dict | {"HOST": host, "PORT": port}
        monkeypatch.setattr(connections[alias], "settings_dict", elsewhere)

    return move


def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("nurse", is_staff=True))
    return client


def ask(client: Client | None = None) -> tuple[int, Any]:
    response = (client or Client()).get("/readyz")
    assert not response.cookies
    return response.status_code, response.json()


def test_it_is_alive_whatever_the_databases_are() -> None:
    # Without the fixture `databases` any use of one fails.
    client = Client()
    client.cookies["sessionid"] = "somebody"
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert "no-cache" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_is_only_asked(databases: None, path: str) -> None:
    assert Client().post(path).status_code == 405
    assert Client().head(path).status_code == 200


def test_a_new_installation_is_ready_before_its_first_run(databases: None) -> None:
    assert ask() == (200, READY)


def test_it_is_ready_when_all_is_fine_and_writes_nothing(loaded: None) -> None:
    with queries() as sent:
        assert ask() == (200, READY)
    assert not [sql for sql in sent if sql.split()[0].lower() in ("insert", "update", "delete")]


@pytest.fixture
def up_for_days(monkeypatch) -> None:
    """The process has been there for so long that all trouble is its own."""
    monkeypatch.setattr(health, "STARTED", timezone.now() - timedelta(days=3))


def test_it_is_ready_after_a_start_whatever_happened_before(loaded: None) -> None:
    LoadState.objects.filter(source="msk").update(loaded_at=timezone.now() - timedelta(days=4))
    before = timezone.now() - timedelta(days=4)
    PipelineRun.objects.create(source="covid", command="run_pipeline", status="interrupted", finished=before)
    assert ask() == (200, READY | {"sources": "failing"})


def test_it_is_not_ready_when_a_source_is_stale(loaded: None, up_for_days: None) -> None:
    LoadState.objects.filter(source="msk").update(loaded_at=timezone.now() - timedelta(hours=4))
    assert ask() == (503, READY | {"sources": "stale"})


def test_it_is_not_ready_when_a_source_is_failing(loaded: None, up_for_days: None) -> None:
    LoadState.objects.filter(source="msk").update(loaded_at=timezone.now() - timedelta(hours=4))
    PipelineRun.objects.create(source="covid", command="run_pipeline", status="failed", error="Traceback\nit is ill")
    assert ask() == (503, READY | {"sources": "failing"})


def test_it_is_not_ready_when_a_migration_is_missing(loaded: None, warehouse: Warehouse) -> None:
    ((app, name, applied),) = warehouse.execute(
        "delete from django_migrations where name = '0004_fingerprints' returning app, name, applied"
    )
    try:
        assert ask() == (503, READY | {"migrations": "pending"})
        assert ask(staff())[1]["details"]["migrations"] == "analytics: analytics.0004_fingerprints"
    finally:
        warehouse.execute("insert into django_migrations (app, name, applied) values (%s, %s, %s)", app, name, applied)


def test_it_answers_though_no_table_is_there_yet(loaded: None, warehouse: Warehouse) -> None:
    client = staff()
    default = Database("default")
    default.execute("alter table django_session rename to lost; delete from django_migrations where app = 'sessions'")
    try:
        assert ask(client) == (503, READY | {"migrations": "pending"})
    finally:
        default.execute(
            "alter table lost rename to django_session;"
            "insert into django_migrations (app, name, applied) values ('sessions', '0001_initial', now())"
        )
        default.connection.close()


@pytest.mark.parametrize("alias", ["default", "analytics"])
def test_it_is_not_ready_when_a_database_is_down(loaded: None, move, alias: str) -> None:
    client = staff()
    move(alias, "127.0.0.1", free_port())
    assert ask(client) == (503, DOWN)


def test_it_does_not_wait_for_a_server_that_does_not_answer(loaded: None, move) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        move("analytics", "127.0.0.1", str(silent.getsockname()[1]))
        start = time.monotonic()
        assert ask() == (503, DOWN)
        assert time.monotonic() - start < 4


def test_it_does_not_wait_for_a_table_that_somebody_has_locked(loaded: None) -> None:
    holder = connect("analytics")
    holder.autocommit = False
    holder.cursor().execute("lock table load_state")
    try:
        start = time.monotonic()
        assert ask() == (503, READY | {"sources": "unknown"})
        assert time.monotonic() - start < 4
    finally:
        holder.close()


def test_it_is_ready_though_the_source_is_down(loaded: None, move) -> None:
    move("msk_db", "127.0.0.1", free_port())
    assert ask() == (200, READY)


def test_it_tells_staff_and_nobody_else_what_is_the_matter(loaded: None) -> None:
    PipelineRun.objects.create(source="covid", command="run_pipeline", status="failed", error="Traceback\nit is ill")
    patient = Client()
    patient.force_login(User.objects.create_user("patient"))
    for stranger in (Client(), patient):
        assert "details" not in ask(stranger)[1]
    details = ask(staff())[1]["details"]
    assert details["sources"].startswith("msk is fine. covid is failing: run ")
    assert details["sources"].endswith("failed: it is ill")


def test_it_leaves_the_connections_as_they_were(loaded: None) -> None:
    ask()
    for alias in ("default", "analytics"):
        with connections[alias].cursor() as cursor:
            cursor.execute("show statement_timeout")
            assert cursor.fetchone() == ("1h",)
