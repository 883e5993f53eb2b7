"""The health checks: soon answered, whatever is the matter, and with no word too much for a stranger."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.db.backends.signals import connection_created
from django.test import Client
from django.utils import timezone

from analytics import health
from ingest.models import LoadState, PipelineRun
from tests.analytics.admin.pages import queries
from tests.conftest import Database, Source, Warehouse, connect
from tests.ingest.runs.test_failures import free_port

READY = {"databases": "ok", "migrations": "ok", "sources": "ok"}
DOWN = {"databases": "down", "migrations": "unknown", "sources": "unknown"}
UNKNOWN = {"databases": "unknown", "migrations": "unknown", "sources": "unknown"}


@pytest.fixture
def loaded(small_world: Source, covid_folder, settings, run) -> None:
    """Both sources, just loaded."""
    settings.COVID_API_URL = str(covid_folder)
    run("run_pipeline", "--only", "msk")
    run("run_pipeline", "--only", "covid")


@pytest.fixture(autouse=True)
def readiness(monkeypatch) -> health.SingleFlight[Any]:
    """What the site answers with; it keeps no answer, unless a test says so."""
    fresh = health.SingleFlight(health.check, max_age=0, wait=health.WAIT_SECONDS)
    monkeypatch.setattr(health, "readiness", fresh)
    return fresh


@pytest.fixture
def move(monkeypatch) -> Callable[[str, str, str], None]:
    """Return a function that says that a database is at another address."""

    def move(alias: str, host: str, port: str) -> None:
        connections[alias].close()
        elsewhere = connections[alias].settings_dict | {"HOST": host, "PORT": port}
        monkeypatch.setattr(connections[alias], "settings_dict", elsewhere)

    return move


def staff(permission: str = "view_pipelinerun") -> Client:
    """Return the browser of somebody who may look at one thing in the admin, by default the runs."""
    client = Client()
    nurse = User.objects.create_user(f"nurse who may {permission}", is_staff=True)
    nurse.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(nurse)
    return client


@contextmanager
def opened() -> Iterator[list[str]]:
    """Collect the aliases of the databases to which any thread opens a connection."""
    aliases: list[str] = []

    def note(connection: Any, **kwargs: Any) -> None:
        aliases.append(connection.alias)

    connection_created.connect(note)
    try:
        yield aliases
    finally:
        connection_created.disconnect(note)


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Let nobody read a table of the warehouse."""
    holder = connect("analytics")
    holder.autocommit = False
    holder.cursor().execute(f"lock table {table}")
    try:
        yield
    finally:
        holder.close()


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
        "delete from django_migrations where name = '0012_run_uuid' returning app, name, applied"
    )
    try:
        assert ask() == (503, READY | {"migrations": "pending"})
        assert ask(staff())[1]["details"]["migrations"] == "analytics: ingest.0012_run_uuid"
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
        assert time.monotonic() - start < 10  # as long as others wait for a server


def test_it_does_not_wait_for_a_table_that_somebody_has_locked(loaded: None) -> None:
    with locked("load_state"):
        start = time.monotonic()
        assert ask() == (503, READY | {"sources": "unknown"})
        assert time.monotonic() - start < 10  # as long as others wait for a server


def test_it_is_ready_though_the_source_is_down(loaded: None, move) -> None:
    move("msk_db", "127.0.0.1", free_port())
    assert ask() == (200, READY)


def test_it_tells_who_may_see_runs_and_nobody_else_what_is_the_matter(loaded: None) -> None:
    PipelineRun.objects.create(source="covid", command="run_pipeline", status="failed", error="Traceback\nit is ill")
    patient = Client()
    patient.force_login(User.objects.create_user("patient"))
    analyst = staff("view_stepresultfact")
    for stranger in (Client(), patient, analyst):
        assert ask(stranger) == (200, READY | {"sources": "failing"})
    details = ask(staff())[1]["details"]
    assert details["sources"].startswith("msk is fine. covid is failing: run ")
    assert details["sources"].endswith("failed: it is ill")


# --- What it costs, however many ask


def ask_at_once(times: int) -> list[tuple[int, Any]]:
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(lambda _: ask(), range(times)))


def test_it_opens_no_more_connections_for_many_who_ask_than_for_one(loaded: None, readiness) -> None:
    readiness.max_age = 60
    with opened() as connections_opened:
        assert ask_at_once(12) + [ask() for _ in range(20)] == [(200, READY)] * 32
    assert sorted(connections_opened) == ["analytics", "default"]


def test_it_opens_one_connection_more_for_who_is_logged_in(loaded: None, readiness) -> None:
    readiness.max_age = 60
    client = staff()
    ask()
    with opened() as connections_opened:
        assert ask(client)[1]["details"]["sources"] == "msk is fine. covid is fine"
    assert connections_opened == ["default"]


def test_it_looks_for_one_made_up_login_at_a_time(loaded: None, readiness) -> None:
    readiness.max_age = 60
    ask()
    nurse = staff()
    with opened() as connections_opened:
        with health.LOOK:
            assert Client(headers={"cookie": f"sessionid={'x' * 32}"}).get("/readyz").json() == READY
            assert ask(nurse) == (200, READY)
        assert "details" in ask(nurse)[1]
    assert connections_opened == ["default"]


def test_it_reads_the_migrations_of_the_code_once(loaded: None, monkeypatch) -> None:
    ask()
    monkeypatch.setattr("django.db.migrations.loader.MigrationLoader.build_graph", None)
    assert ask() == (200, READY)


def test_it_sees_a_change_once_its_answer_is_too_old(loaded: None, up_for_days: None, move, readiness) -> None:
    readiness.max_age = 60
    nurse = staff()
    assert ask() == (200, READY)
    LoadState.objects.filter(source="msk").update(loaded_at=timezone.now() - timedelta(hours=4))
    assert ask() == (200, READY)
    assert ask(nurse)[1]["details"]["sources"] == "msk is fine. covid is fine"
    readiness.max_age = 0
    code, answer = ask(nurse)
    assert (code, answer["sources"], answer["details"]["sources"][:12]) == (503, "stale", "msk is stale")
    move("analytics", "127.0.0.1", free_port())
    assert ask() == (503, DOWN)


def test_its_answer_is_a_few_seconds_old_at_most() -> None:
    assert health.MAX_AGE_SECONDS + health.WAIT_SECONDS <= 6
    assert health.WAIT_SECONDS < 4, "the container's health check gives up after 4"


def test_it_is_not_ready_while_the_work_is_stuck_though_it_was_before(loaded: None, readiness) -> None:
    assert ask() == (200, READY)
    at_work, go_on = Event(), Event()

    def stuck() -> tuple[health.Check, ...]:
        at_work.set()
        go_on.wait(30)
        return health.check()

    readiness.work, readiness.wait = stuck, 0.1
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(ask)
        assert at_work.wait(30)
        with opened() as connections_opened:
            assert ask_at_once(4) == [(503, UNKNOWN)] * 4
        assert connections_opened == []
        go_on.set()
        assert first.result() == (200, READY)
    readiness.work = health.check
    assert ask() == (200, READY)


def test_it_asks_anew_when_asking_failed(loaded: None, readiness) -> None:
    readiness.work = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        ask()
    readiness.work = health.check
    assert ask() == (200, READY)


def test_it_leaves_the_connections_as_they_were(loaded: None) -> None:
    ask()
    for alias in ("default", "analytics"):
        with connections[alias].cursor() as cursor:
            cursor.execute("show statement_timeout")
            assert cursor.fetchone() == ("1h",)
