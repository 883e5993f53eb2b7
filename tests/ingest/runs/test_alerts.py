"""Alerts: told once when they begin and once when they are over, by real servers for mail and webhook."""

import logging
import signal
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.core.management import CommandError
from django.db import DataError, connections
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingest.models import Alert, LoadState, PipelineRun, SchemaChange, StepRun
from ingest.runs.alerts import update_alerts
from ingest.runs.channels import NotDeliveredError, send
from ingest.runs.deadline import deadline
from ingest.runs.errors import PipelineError
from ingest.runs.run import pipeline_run
from tests.conftest import COVID_SAMPLE, Source
from tests.ingest.covid.documents import GONE, Publisher, day, definition, meta
from tests.ingest.runs.test_failures import end, free_port, manage, only_line, own_port, process, wait_for

TOKEN, PASSWORD = "T0KEN", "passw0rd"
DATUM = "walked-4321"


class Hook:
    """What comes by the webhook, answered with `status` after `delay` seconds."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for(f"/hook/{TOKEN}")
        self.status, self.delay, self.asked = 200, 0.0, 0
        self.headers: dict[str, str] = {}
        self.received: list[Any] = []
        server.expect_request(f"/hook/{TOKEN}", method="POST").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked += 1
        time.sleep(self.delay)
        self.received.append(request.json)
        return Response("no", status=self.status, headers=self.headers)

    def texts(self) -> list[str]:
        """Return what came since this was last asked."""
        received, self.received = self.received, []
        return [message["text"] for message in received]


class Mails:
    """What comes by mail, to whom and as whom."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], str]] = []
        self.login: tuple[bytes, bytes] | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        self.received.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.login = (data.login, data.password)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    def subjects(self) -> list[str]:
        """Return the subjects of what came since this was last asked."""
        received, self.received = self.received, []
        return [
            line.removeprefix("Subject: ")
            for _, text in received
            for line in text.replace("\r\n ", " ").splitlines()
            if line.startswith("Subject: ")
        ]


@pytest.fixture
def hook(httpserver: HTTPServer, settings, monkeypatch) -> Hook:
    monkeypatch.setenv("NO_PROXY", "*")
    hook = Hook(httpserver)
    settings.ALERT_WEBHOOK_URL = hook.url
    return hook


@pytest.fixture
def mail_port() -> int:
    return int(own_port())


@pytest.fixture
def mails(settings, mail_port: int) -> Iterator[Mails]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.ALERT_MAIL_TO = ["ann@example.org", "bob@example.org"]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_port
    mails = Mails()
    server = Controller(
        mails, hostname="127.0.0.1", port=mail_port, authenticator=mails.authenticate, auth_require_tls=False
    )
    server.start()
    yield mails
    server.stop()


@pytest.fixture
def fail(small_world: Source, run) -> Callable[[], str]:
    """Return a function that lets a run of msk fail, and gives what its command says of it."""

    def fail() -> str:
        small_world.execute("alter table survey rename to lost")
        try:
            with pytest.raises(CommandError) as failure:
                run()
        finally:
            small_world.execute("alter table lost rename to survey")
        assert failure.value.returncode == 1
        return str(failure.value)

    return fail


def logged(caplog: Any, level: int) -> list[str]:
    """Return what was logged of alerts at this level since this was last asked, its kind last."""
    records = [r for r in caplog.records if r.name == "ingest.alerts" and r.levelno == level]
    for record in records:
        caplog.records.remove(record)
    return [" ".join((r.getMessage(), *(vars(r).get(name, "") for name in ("source", "alert")))) for r in records]


def open_alerts() -> list[tuple[str, str]]:
    return list(Alert.objects.filter(ended_at=None).order_by("pk").values_list("source", "kind"))


def load(source: str, **age: float) -> None:
    """Pretend that the source was loaded so long ago."""
    LoadState.objects.update_or_create(
        source=source, defaults={"run_id": 1, "loaded_at": timezone.now() - timedelta(**age)}
    )


# --- Once when it begins, once when it is over


def test_it_tells_once_when_runs_fail_hour_after_hour_and_once_when_one_succeeds(
    fail, run, hook: Hook, mails: Mails, caplog
) -> None:
    fail()
    failed = PipelineRun.objects.get()
    began = f"{failed.finished:%Y-%m-%d %H:%M} UTC"
    (text,) = hook.texts()
    assert text.startswith(f"msk: failing runs since {began}. Run {failed.pk}, run_pipeline by manual, failed: ")
    assert "survey" in text
    assert text.endswith("manage.py pipeline_status says more.")
    ((to, _),) = mails.received
    assert to == ["ann@example.org", "bob@example.org"]
    assert mails.subjects() == [f"[msk-pipeline] msk: failing runs since {began}"]
    assert logged(caplog, logging.ERROR) == ["alert begins msk failed"]

    fail()
    fail()
    assert open_alerts() == [("msk", "failed")]
    run()
    (text,) = hook.texts()
    alert = Alert.objects.get()
    assert text.startswith(f"Over: msk: failing runs, from {began} to {alert.ended_at:%Y-%m-%d %H:%M} UTC. ")
    assert mails.subjects() == [text.split(". ")[0].join(["[msk-pipeline] ", ""])]
    assert logged(caplog, logging.WARNING) == ["alert is over msk failed"]

    run()
    assert (hook.texts(), mails.subjects(), logged(caplog, logging.ERROR)) == ([], [], [])
    fail()
    assert len(hook.texts()) == len(mails.subjects()) == 1
    assert Alert.objects.count() == 2


def test_it_tells_of_a_run_that_was_interrupted(databases, hook: Hook) -> None:
    with pytest.raises(KeyboardInterrupt), pipeline_run("run_pipeline", "msk"):
        raise KeyboardInterrupt
    update_alerts()
    (text,) = hook.texts()
    assert "run_pipeline by manual, interrupted: it was stopped. " in text


def test_it_tells_at_the_next_run_of_another_source_of_one_that_was_killed(
    small_world: Source, run, settings, hook: Hook
) -> None:
    settings.COVID_API_URL = str(COVID_SAMPLE)
    PipelineRun.objects.create(source="msk", command="run_pipeline")
    run("run_pipeline", "--only", "covid")
    (text,) = hook.texts()
    assert "interrupted: Its process is gone: killed, or cut off from the databases." in text


def test_it_has_nothing_to_tell_after_a_dry_run(small_world: Source, run, hook: Hook) -> None:
    load("covid", hours=36.1)
    run("run_pipeline", "--dry-run")
    small_world.execute("drop table survey")
    with pytest.raises(CommandError):
        run("run_pipeline", "--dry-run")
    assert (hook.texts(), Alert.objects.count()) == ([], 0)


def test_it_logs_alone_where_no_channel_is_configured(fail, caplog) -> None:
    fail()
    assert logged(caplog, logging.ERROR) == ["alert begins msk failed"]
    assert Alert.objects.get().pending == []


def test_it_forgets_an_alert_that_was_over_run_history_days_ago(databases, settings) -> None:
    settings.RUN_HISTORY_DAYS = 30
    now = timezone.now()
    for kind, days in (("stale", 31), ("rejects", 29)):
        ended_at = now - timedelta(days=days)
        Alert.objects.create(source="msk", kind=kind, message="", began_at=now - timedelta(days=40), ended_at=ended_at)
    update_alerts()
    assert [alert.kind for alert in Alert.objects.all()] == ["rejects"]


def test_it_tells_once_when_runs_end_together(fail, hook: Hook, settings, caplog) -> None:
    settings.ALERT_WEBHOOK_URL = ""
    fail()
    Alert.objects.all().delete()
    settings.ALERT_WEBHOOK_URL, hook.delay = hook.url, 0.5
    caplog.clear()

    def end_a_run() -> None:
        update_alerts()
        connections.close_all()

    threads = [Thread(target=end_a_run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hook.texts()) == 1
    assert Alert.objects.get().pending == []
    assert logged(caplog, logging.ERROR) == ["alert begins msk failed"]


# --- A channel that is out of order


@pytest.fixture(params=["answers 500", "redirects", "hangs", "refuses", "has no address"])
def broken(request, hook: Hook, httpserver: HTTPServer, settings, monkeypatch) -> str:
    """The webhook out of order; gives what is said of that."""
    if request.param == "answers 500":
        hook.status = 500
        return "localhost: answered 500"
    if request.param == "redirects":
        httpserver.expect_request("/elsewhere").respond_with_json({})
        hook.status, hook.headers = 307, {"Location": httpserver.url_for("/elsewhere")}
        return "localhost: answered 307"
    if request.param == "hangs":
        hook.delay, settings.ALERT_TIMEOUT_SECONDS = 1.0, 0.2
        return "localhost: TimeoutError"
    if request.param == "refuses":
        settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{free_port()}/hook/{TOKEN}"
        return "127.0.0.1: ConnectionRefusedError"
    settings.ALERT_WEBHOOK_URL = f"hook/{TOKEN}"
    return "an address without a host: MissingSchema"


def test_it_tries_a_broken_channel_again_after_the_next_run(
    fail, hook: Hook, mails: Mails, broken: str, settings, caplog
) -> None:
    first = fail()
    assert first.endswith("The warehouse is as it was.")
    assert PipelineRun.objects.get().status == "failed"
    (warning,) = (r for r in caplog.records if r.getMessage() == "alert not delivered")
    assert (warning.levelname, vars(warning)["channel"], vars(warning)["reason"]) == ("WARNING", "webhook", broken)
    assert TOKEN not in str([vars(r) for r in caplog.records if r.name != "werkzeug"])  # that is the server's
    assert Alert.objects.get().pending == ["webhook"]
    assert len(mails.subjects()) == 1

    if hook.delay:
        wait_for(lambda: hook.received)
        settings.ALERT_TIMEOUT_SECONDS = PATIENCE_SECONDS
    hook.received.clear()
    hook.status, hook.headers, hook.delay = 200, {}, 0
    settings.ALERT_WEBHOOK_URL = hook.url
    fail()
    (text,) = hook.texts()
    assert text.startswith("msk: failing runs since ")
    assert mails.subjects() == []  # it had got there
    assert Alert.objects.get().pending == []
    fail()
    assert hook.texts() == []


def test_it_leaves_a_run_that_succeeded_as_it_is_when_a_channel_is_broken(fail, run, hook: Hook, caplog) -> None:
    hook.status = 500
    fail()
    run()  # it would raise CommandError for any exit code but 0
    assert PipelineRun.objects.latest("pk").status == "succeeded"
    assert Alert.objects.get().pending == ["webhook"]
    hook.texts()
    hook.status = 200
    run()
    (text,) = hook.texts()
    assert text.startswith("Over: msk: failing runs")


def test_it_tries_a_broken_channel_once_though_there_are_many_alerts(databases, hook: Hook) -> None:
    hook.status = 500
    for number in range(5):
        now = timezone.now()
        Alert.objects.create(
            source="msk", kind="stale", message=str(number), began_at=now, ended_at=now, pending=["webhook"]
        )
    update_alerts()
    assert len(hook.texts()) == 1
    hook.status = 200
    update_alerts()
    assert [text.split(". ")[1] for text in hook.texts()] == list("01234")


def test_it_warns_of_a_mail_server_that_is_down(fail, settings, mail_port: int, caplog) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.ALERT_MAIL_TO = ["ann@example.org"]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_port
    fail()
    (warning,) = (r for r in caplog.records if r.getMessage() == "alert not delivered")
    assert vars(warning)["reason"] == f"127.0.0.1:{mail_port}: ConnectionRefusedError"


LIMIT_SECONDS, SOON_SECONDS, PATIENCE_SECONDS = 0.3, 30, 60


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes, bytes], int]]:
    """Return a function that starts a server, which says the one and then the other for ever, and gives its port."""
    listeners: list[socket.socket] = []

    def answer(listener: socket.socket, beginning: bytes, for_ever: bytes, pause_seconds: float) -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.sendall(beginning)
            end = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < end:
                connection.sendall(for_ever)
                time.sleep(pause_seconds)

    def serve(beginning: bytes, for_ever: bytes, pause_seconds: float = 0.02) -> int:
        listeners.append(socket.create_server(("127.0.0.1", 0)))
        arguments = (listeners[-1], beginning, for_ever, pause_seconds)
        Thread(target=answer, args=arguments, daemon=True).start()
        return int(listeners[-1].getsockname()[1])

    yield serve
    for listener in listeners:
        listener.close()


DRIPS = {
    "webhook": [
        (b"HTTP/1.1 200 O", b"K"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    "mail": [
        (b"220 ", b"x"),
        (b"", b"220-x\r\n"),
        (b"220 x\r\n250 x\r\n250 x\r\n250 x\r\n", b"354-x\r\n"),  # it drips as the message comes, and is quit
    ],
}


@pytest.mark.parametrize(
    ("channel", "beginning", "for_ever"),
    [(channel, *pieces) for channel, several in DRIPS.items() for pieces in several],
)
def test_it_waits_for_a_channel_that_drips_no_longer_than_it_says(
    dripping, settings, monkeypatch, channel: str, beginning: bytes, for_ever: bytes
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    port = dripping(beginning, for_ever)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.ALERT_MAIL_TO = "127.0.0.1", port, ["ann@example.org"]
    settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{port}/{TOKEN}"
    settings.ALERT_TIMEOUT_SECONDS = LIMIT_SECONDS
    start = time.monotonic()
    with pytest.raises(NotDeliveredError, match=r"^127\.0\.0\.1.*: TimeoutError$"):
        send(channel, "a title", "a text")
    assert LIMIT_SECONDS <= time.monotonic() - start < SOON_SECONDS


def test_it_says_that_it_was_late_whatever_fails_after_that() -> None:
    def clean_up_of_a_library() -> None:
        try:
            time.sleep(SOON_SECONDS)
        finally:
            raise ConnectionError

    with pytest.raises(TimeoutError, match=r"took longer than 0\.1 s"), deadline(0.1):
        clean_up_of_a_library()
    with pytest.raises(ConnectionError), deadline(SOON_SECONDS):
        raise ConnectionError


def test_it_does_not_read_what_comes_with_a_redirect_of_the_webhook(dripping, settings, monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    port = dripping(b"HTTP/1.1 307 x\r\nLocation: /\r\n\r\n", b" " * 65536, 0)
    settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{port}/{TOKEN}"
    tracemalloc.start()
    try:
        with pytest.raises(NotDeliveredError, match="answered 307"):
            send("webhook", "a title", "a text")
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_it_sends_what_came_from_outside_visibly(hook: Hook, mails: Mails) -> None:
    for channel in ("webhook", "mail"):
        send(channel, "a\nSubject: b", "c\x1b[2J\u202e\r\nd")
    assert hook.texts() == [r"a\nSubject: b. c\x1b[2J\u202e\r\nd"]
    ((_, text),) = mails.received
    assert r"c\x1b[2J\u202e\r\nd" in text
    assert mails.subjects() == [r"[msk-pipeline] a\nSubject: b"]


# --- Configured from the environment, without a word of the secrets


def test_it_takes_its_channels_from_the_environment_and_logs_no_secret(
    small_world: Source, hook: Hook, mails: Mails, mail_port: int, tmp_path: Path
) -> None:
    small_world.execute("drop table survey")
    (tmp_path / "hook").write_text(f"{hook.url}\n")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    code, _, stderr = manage(
        *("run_pipeline", "--print-logs"),
        ALERT_WEBHOOK_URL_FILE=str(tmp_path / "hook"),
        ADMINS="ann@example.org, bob@example.org",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(mail_port),
        EMAIL_HOST_USER="pipeline",
        EMAIL_HOST_PASSWORD_FILE=str(tmp_path / "password"),
        SERVER_EMAIL="warehouse@example.org",
    )
    assert code == 1
    assert len(hook.texts()) == 1
    ((to, text),) = mails.received
    assert to == ["ann@example.org", "bob@example.org"]
    assert "From: warehouse@example.org" in text
    assert mails.login == (b"pipeline", PASSWORD.encode())
    assert " ERROR ingest.alerts: alert begins source=msk alert=failed " in stderr
    assert TOKEN not in stderr
    assert PASSWORD not in stderr


def test_it_logs_no_secret_of_channels_that_are_out_of_order(small_world: Source, mails: Mails, mail_port: int) -> None:
    small_world.execute("drop table survey")
    ended = manage(
        "run_pipeline",
        ALERT_WEBHOOK_URL=f"http://user:{TOKEN}@127.0.0.1:{free_port()}/{TOKEN}",
        ADMINS="ann@example.org",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(mail_port),
        EMAIL_HOST_USER="pipeline",
        EMAIL_HOST_PASSWORD=f"not-{PASSWORD}",
    )
    only_line(ended)
    assert f'channel=mail reason="127.0.0.1:{mail_port}: SMTPAuthenticationError"' in ended[2]
    assert 'channel=webhook reason="127.0.0.1: ConnectionRefusedError"' in ended[2]
    assert TOKEN not in ended[2]
    assert PASSWORD not in ended[2]


def test_it_sends_a_card_to_a_workflow_of_teams(fail, httpserver: HTTPServer, settings, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", httpserver.url_for("").rstrip("/"))  # by which the host is this machine
    monkeypatch.setenv("no_proxy", "")
    httpserver.expect_request("/workflows/1/triggers").respond_with_data("", status=202)
    settings.ALERT_WEBHOOK_URL = f"http://prod-1.westeurope.logic.azure.com/workflows/1/triggers?sig={TOKEN}"
    fail()
    ((request, _),) = httpserver.log
    (attachment,) = request.json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["body"][0]["text"].startswith("msk: failing runs since ")
    assert Alert.objects.get().pending == []


def test_it_calls_nobody_by_what_a_publisher_writes(databases, hook: Hook) -> None:
    with pytest.raises(PipelineError), pipeline_run("run_pipeline", "covid"):
        raise PipelineError("the path <!channel> & more is gone")
    update_alerts()
    (text,) = hook.texts()
    assert "the path &lt;!channel&gt; &amp; more is gone" in text


# --- No row


def test_it_quotes_no_row_in_an_alert(databases, hook: Hook, caplog) -> None:
    with pytest.raises(ValueError, match=DATUM), pipeline_run("run_pipeline", "msk"):
        raise ValueError(f"invalid: {DATUM}")
    caplog.clear()
    update_alerts()
    assert "failed: the run log has the error. " in hook.texts()[0]
    (record,) = (r for r in caplog.records if r.name == "ingest.alerts")
    assert DATUM not in str(vars(record))


def test_it_quotes_no_value_that_a_server_refused(databases, hook: Hook) -> None:
    def run() -> None:
        with pipeline_run("run_pipeline", "msk"), connections["analytics"].cursor() as cursor:
            cursor.execute("select %s::integer", [DATUM])

    with pytest.raises(DataError, match=DATUM):
        run()
    update_alerts()
    assert "failed: the run log has the error. " in hook.texts()[0]


# --- Databases that do not answer


def test_it_tells_of_a_run_that_failed_because_the_warehouse_is_gone(small_world: Source, run, hook: Hook) -> None:
    Alert.objects.create(source="covid", kind="stale", message="It was never loaded", began_at=timezone.now())
    line = only_line(manage("run_pipeline", POSTGRES_ANALYTICS_DB="no_such", ALERT_WEBHOOK_URL=hook.url))
    assert 'database "no_such" does not exist' in line
    (text,) = hook.texts()
    assert 'database "no_such" does not exist' in text
    assert open_alerts() == [("covid", "stale"), ("msk", "failed")]  # of the first nothing is known


def test_it_logs_that_alerts_cannot_be_kept_without_the_run_log(small_world: Source) -> None:
    ended = manage("run_pipeline", POSTGRES_DB="no_such")
    only_line(ended)
    assert ' ERROR ingest.alerts: alerts cannot be kept error="' in ended[2]


# --- Stale


def test_it_notices_after_a_run_of_msk_that_covid_is_stale(small_world: Source, run, settings, hook: Hook) -> None:
    settings.COVID_API_URL = str(COVID_SAMPLE)
    load("covid", hours=35.9)
    run()
    assert hook.texts() == []
    load("covid", hours=36.1)
    run()
    (text,) = hook.texts()
    loaded = LoadState.objects.get(source="covid").loaded_at
    assert text.startswith(
        f"covid: stale data since {loaded + timedelta(hours=36):%Y-%m-%d %H:%M} UTC. "
        f"It was last loaded at {loaded:%Y-%m-%d %H:%M} UTC; COVID_MAX_AGE_HOURS=36. "
    )
    run()
    assert hook.texts() == []
    run("run_pipeline", "--only", "covid")
    (text,) = hook.texts()
    assert text.startswith("Over: covid: stale data, from ")


def test_it_calls_a_source_that_was_never_loaded_stale_only_if_somebody_tried(
    small_world: Source, run, hook: Hook
) -> None:
    run()
    assert hook.texts() == []
    PipelineRun.objects.create(
        source="covid",
        command="run_pipeline",
        status="skipped",
        started=timezone.now() - timedelta(hours=36.1),
        finished=timezone.now(),
    )
    run()
    (text,) = hook.texts()
    assert text.startswith("covid: stale data since ")
    assert "It was never loaded; " in text


# --- Schema changes


@pytest.fixture
def publisher(httpserver: HTTPServer, settings, monkeypatch) -> Publisher:
    monkeypatch.setenv("NO_PROXY", "*")
    publisher = Publisher(httpserver)
    settings.COVID_API_URL = publisher.url
    return publisher


def test_it_tells_of_each_new_schema_change(publisher: Publisher, databases, run, hook: Hook) -> None:
    def publish(number: int, *names: str) -> list[str]:
        publisher.publish(day(f"2021-03-0{number}"), meta=meta(*map(definition, names)))
        run("run_pipeline", "--only", "covid")
        return hook.texts()

    assert publish(1, "Cases") == []
    (text,) = publish(2, "Cases", "Deaths", "Tests")
    (change, _) = SchemaChange.objects.order_by("pk")
    assert text.startswith("covid: schema change since ")
    assert f". Run {change.run_id} saw fields of the COVID API change: Deaths appeared, Tests appeared. " in text
    (text,) = publish(3, "Cases")
    assert "Deaths disappeared, Tests disappeared. " in text
    assert Alert.objects.count() == 1
    (text,) = publish(4, "Cases")
    assert text.startswith("Over: covid: schema change, from ")
    assert publish(5, "Cases") == []


def test_it_keeps_a_schema_change_open_while_the_next_runs_fail(
    publisher: Publisher, databases, run, hook: Hook
) -> None:
    for number, names in ((1, ["Cases"]), (2, ["Cases", "Deaths"])):
        publisher.publish(day(f"2021-03-0{number}"), meta=meta(*map(definition, names)))
        run("run_pipeline", "--only", "covid")
    publisher.publish_history(b"{")
    with pytest.raises(CommandError):
        run("run_pipeline", "--only", "covid")
    assert open_alerts() == [("covid", "schema_change"), ("covid", "failed")]


def test_it_names_the_path_of_a_change_that_breaks(publisher: Publisher, databases, run, hook: Hook) -> None:
    publisher.publish(day(changes={"outcomes.death": GONE}))
    with pytest.raises(CommandError):
        run("run_pipeline", "--only", "covid")
    (text,) = hook.texts()
    assert text.startswith("covid: failing runs since ")
    assert "outcomes.death" in text


def test_it_takes_no_schema_change_for_its_own_of_a_run_whose_number_it_has(
    publisher: Publisher, databases, run, hook: Hook
) -> None:
    for number, names in ((1, ["Cases"]), (2, ["Cases", "Deaths"])):
        publisher.publish(day(f"2021-03-0{number}"), meta=meta(*map(definition, names)))
        run("run_pipeline", "--only", "covid")
    PipelineRun.objects.latest("pk").delete()
    Alert.objects.all().delete()
    with connections["default"].cursor() as cursor:  # as a run log is that was restored from a backup
        cursor.execute("select setval(pg_get_serial_sequence('pipeline_run', 'id'), max(id)) from pipeline_run")
    hook.texts()
    run("run_pipeline", "--only", "covid")
    assert PipelineRun.objects.latest("pk").pk == SchemaChange.objects.latest("pk").run_id
    assert (open_alerts(), hook.texts()) == ([], [])


# --- Rejects


@pytest.fixture
def reject(small_world: Source, run, hook: Hook) -> Callable[..., list[str]]:
    """Return a function that runs with so many rows that do not fit, of so many, and gives what is told of that."""

    def reject(rejected: int, rows: int = 1000, options: tuple[str, ...] = ("--allow-deletes",)) -> list[str]:
        small_world.execute("delete from step_result")
        small_world.execute(
            "insert into step_result"
            " select 1, date '2000-01-01' + n, case when n > %s then '100' else 'many' end"
            "   from generate_series(1, %s) n",
            rejected,
            rows,
        )
        run("run_pipeline", *options)
        return hook.texts()

    return reject


def test_it_tells_of_a_jump_in_rejects_until_it_is_over(reject) -> None:
    assert reject(100) == []  # the first load has nothing to compare with
    assert reject(120) == []
    assert reject(144) == []
    (text,) = reject(174)
    first, _, _, jump = PipelineRun.objects.order_by("pk")
    assert text.startswith(f"msk: jump in rejects since {jump.started:%Y-%m-%d %H:%M} UTC. ")
    assert f"Run {jump.pk} rejected 174 of 1,000 rows of step_result_fact, 144 of 1,000 rows before. " in text
    assert first.pk < jump.pk
    assert reject(174) == []
    assert reject(190) == []
    assert open_alerts() == [("msk", "rejects")]
    (text,) = reject(150)
    assert text.startswith("Over: msk: jump in rejects, from ")


def test_it_takes_a_few_rejects_more_for_no_jump(reject) -> None:
    assert reject(0) == []
    assert reject(9) == []
    assert reject(18) == []
    (text,) = reject(28)
    assert "rejected 28 of 1,000 rows of step_result_fact, 18 of 1,000 rows before. " in text


def test_it_takes_no_source_that_grows_or_shrinks_for_a_jump(reject) -> None:
    assert reject(6, 250) == []
    assert reject(170, 6000) == []
    assert reject(9, 300) == []


def test_it_tells_of_a_larger_share_though_the_source_grows_or_shrinks(reject) -> None:
    reject(6, 250)
    (text,) = reject(600, 6000)
    assert "rejected 600 of 6,000 rows of step_result_fact, 6 of 250 rows before" in text
    reject(6, 300)
    (text,) = reject(50, 100)
    assert "rejected 50 of 100 rows of step_result_fact, 6 of 300 rows before" in text


def test_it_compares_each_table_with_itself(reject, small_world: Source) -> None:
    small_world.execute("insert into device select n, 'iOS', '17' from generate_series(2, 100) n")
    reject(500, 1000)
    small_world.execute("alter table device drop constraint device_pkey; update device set id = 1 where id <= 20")
    (text,) = reject(100, 1000)
    assert "rejected 19 of 100 rows of device_dimension, 0 of 100 rows before" in text


def test_it_compares_with_no_load_that_did_not_count_what_it_checked(reject) -> None:
    reject(0)
    StepRun.objects.update(checked=0)  # as those of an older release
    assert reject(500) == []
    (text,) = reject(900)
    assert "rejected 900 of 1,000 rows" in text


def test_it_keeps_an_alert_open_that_an_older_release_has_begun(reject, run) -> None:
    reject(0)
    reject(500)
    StepRun.objects.update(checked=0)
    run()
    assert open_alerts() == [("msk", "rejects")]


def test_it_compares_what_loads_did_though_an_extract_names_the_same_table(databases, hook: Hook) -> None:
    for rejected in (5, 300):
        run = PipelineRun.objects.create(source="covid", command="run_pipeline", status="succeeded")
        run.steps.create(step="load_covid", table_name="covid_day", rejected=rejected, checked=365)
        run.steps.create(step="extract_covid", table_name="covid_day")
    load("covid")
    update_alerts()
    assert open_alerts() == [("covid", "rejects")]


def test_it_compares_loads_alone(reject, fail, run) -> None:
    reject(100)
    run("extract_msk")
    fail()
    run("load_msk")
    assert open_alerts() == []


def test_its_limit_for_rejects_is_a_setting(reject, settings) -> None:
    settings.REJECTS_ALERT_PERCENT = 100
    reject(100)
    assert reject(200) == []
    assert len(reject(401)) == 1


def test_it_takes_a_level_for_usual_when_the_run_log_has_forgotten_the_one_before(reject, run) -> None:
    reject(0)
    reject(50)
    assert open_alerts() == [("msk", "rejects")]
    PipelineRun.objects.earliest("pk").delete()
    run()
    assert open_alerts() == []


# --- A run that is stopped while an alert is on its way


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_one_line_when_it_is_stopped_while_an_alert_is_sent(
    small_world: Source, run, hook: Hook, stop: signal.Signals
) -> None:
    load("covid", hours=40)
    hook.delay = 3
    with process("run_pipeline", ALERT_WEBHOOK_URL=hook.url, NO_PROXY="*") as running:
        wait_for(lambda: hook.asked)
        running.send_signal(stop)
        code, _, stderr = end(running)
    *_, line = stderr.splitlines()
    assert (code, "Traceback" in stderr) == (130, False)
    assert line == "CommandError: succeeded. Interrupted while alerts were sent: the next run goes on with that."
    assert PipelineRun.objects.get().status == "succeeded"
    hook.delay = 0
    run()
    assert any("covid: stale data since " in text for text in hook.texts())
