"""Who gets in, and over what: the web server as it runs in production, and the lock on the admin's door."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import requests
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from psycopg2.sql import SQL, Identifier
from pytest_django import Settings

from tests.conftest import connect
from tests.ingest.runs.test_failures import own_port

LOGIN = "/admin/login/"
PASSWORD = "correct horse battery staple"
BY_TLS = {"X-Forwarded-Proto": "https"}


# --- The web server in production


@pytest.fixture(scope="module")
def user(django_db_setup: None) -> Iterator[str]:
    """A database user whose password is not the example's, which the tests themselves may use."""
    name = f"site_{os.getpid()}"
    server = connect("default")
    with server.cursor() as cursor:
        cursor.execute(SQL("create role {} superuser login password %s").format(Identifier(name)), [PASSWORD])
        yield name
        cursor.execute(SQL("drop role {}").format(Identifier(name)))
    server.close()


def gunicorn() -> list[str]:
    """Return the command with which the container starts the web server."""
    script = (settings.BASE_DIR / "entrypoint.sh").read_text(encoding="utf-8")
    (command,) = re.findall(r'^serve=\(.*"\$\{as_web\[@\]\}" (gunicorn .*)\)$', script, re.MULTILINE)
    return shlex.split(command)


def production(user: str) -> dict[str, str]:
    """Return the environment of a site on the test databases with DEBUG off."""
    database = connections["default"].settings_dict
    return {
        "PATH": os.environ["PATH"],
        "PYTHON_DOTENV_DISABLED": "1",
        "DEBUG": "0",
        "SECRET_KEY": "a-key-of-ones-own-as-long-as-a-key-has-to-be-0123456789",
        "POSTGRES_DB": database["NAME"],
        "POSTGRES_HOST": database["HOST"],
        "POSTGRES_PORT": str(database["PORT"]),
        "POSTGRES_SSLMODE": "disable",
        "POSTGRES_USER": user,
        "POSTGRES_PASSWORD": PASSWORD,
    }


@contextmanager
def serve(user: str, **environment: str) -> Iterator[str]:
    """Serve the site in production, with `environment` as well; give its address."""
    site = f"127.0.0.1:{own_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", *gunicorn(), "--bind", site],
        cwd=settings.BASE_DIR,
        env=production(user) | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", int(site.partition(":")[2]))) == 0:
                    break
            time.sleep(0.1)
        yield f"http://{site}"
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="module")
def site(user: str) -> Iterator[str]:
    with serve(user, BEHIND_TLS_PROXY="1") as address:
        yield address


def get(address: str, **headers: str) -> requests.Response:
    return requests.get(address, headers=headers, allow_redirects=False, timeout=60)


def test_it_refuses_a_wrong_setting_in_one_line(user: str) -> None:
    wrong = production(user) | {"SECRET_KEY": "x"}
    command = [sys.executable, "-m", *gunicorn(), "--bind", f"127.0.0.1:{own_port()}"]
    process = subprocess.run(
        command, cwd=settings.BASE_DIR, env=wrong, capture_output=True, text=True, timeout=60, check=False
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith("error: SECRET_KEY is weak and DEBUG is off: ")
    assert process.stderr.count("\n") == 1


def test_it_sends_a_browser_to_https(site: str) -> None:
    response = get(site + LOGIN)
    assert (response.status_code, response.headers["Location"]) == (301, site.replace("http", "https") + LOGIN)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_it_answers_a_monitor_by_plain_http_and_by_whatever_name(site: str, path: str) -> None:
    for host in ("127.0.0.1", "10.0.3.7:8000"):
        # 404: there is no token of metrics here.
        assert get(site + path, Host=host).status_code in ((404,) if path == "/metrics" else (200, 503))
    assert get(site + LOGIN, Host="10.0.3.7:8000", **BY_TLS).status_code == 400


def test_it_lets_nothing_foreign_into_a_page(site: str) -> None:
    response = get(site + LOGIN, **BY_TLS)
    assert response.status_code == 200
    headers = response.headers
    assert set(headers["Content-Security-Policy"].split("; ")) == {
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    }
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_it_keeps_cookies_from_scripts_and_from_plain_http(site: str, databases: None) -> None:
    User.objects.create_superuser("boss", password=PASSWORD)
    response = log_in_over_http(site)
    assert response.status_code == 302
    cookies = response.raw.headers.getlist("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {"csrftoken", "sessionid"}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    (session,) = (cookie for cookie in cookies if cookie.startswith("sessionid"))
    assert "Max-Age=43200" in session


def test_it_refuses_a_form_from_another_site(site: str, databases: None) -> None:
    User.objects.create_superuser("boss", password=PASSWORD)
    assert log_in_over_http(site, Origin="https://elsewhere.example.org").status_code == 403


def test_it_takes_a_form_from_a_trusted_origin(user: str, databases: None) -> None:
    User.objects.create_superuser("boss", password=PASSWORD)
    origin = "https://warehouse.example.org"
    with serve(user, BEHIND_TLS_PROXY="1", CSRF_TRUSTED_ORIGINS=origin) as site:
        assert log_in_over_http(site, Origin=origin).status_code == 302


@pytest.mark.parametrize("environment", [{}, {"FORWARDED_ALLOW_IPS": "*"}])
def test_it_does_not_believe_a_proxy_that_nobody_announced(user: str, environment: dict[str, str]) -> None:
    with serve(user, **environment) as site:
        for name, value in [*BY_TLS.items(), ("X-Forwarded-Protocol", "ssl"), ("X-Forwarded-Ssl", "on")]:
            assert get(site + LOGIN, **{name: value}).status_code == 301
        assert "SCRIPT" not in get(site + LOGIN, SCRIPT_NAME="/SCRIPT").headers["Location"]


@pytest.mark.parametrize("header", [{"X-Forwarded-Protocol": "ssl"}, {"X-Forwarded-Ssl": "on"}])
def test_it_believes_the_announced_proxy_by_one_header_alone(site: str, header: dict[str, str]) -> None:
    assert get(site + LOGIN, **header).status_code == 301


def log_in_over_http(site: str, **headers: str) -> requests.Response:
    """Log in as a browser behind the proxy does; the cookie is secure, so that it has to be carried by hand."""
    form = get(site + LOGIN, **BY_TLS)
    token = form.cookies["csrftoken"]
    return requests.post(
        site + LOGIN,
        data={"username": "boss", "password": PASSWORD, "csrfmiddlewaretoken": token},
        headers=BY_TLS | {"Cookie": f"csrftoken={token}", "Referer": site.replace("http", "https") + LOGIN} | headers,
        allow_redirects=False,
        timeout=60,
    )


# --- The lock


@pytest.fixture
def boss(databases: None, settings: Settings) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a slow one is not the matter here
    return User.objects.create_superuser("boss", password=PASSWORD)


def log_in(password: str = PASSWORD, name: str = "boss", address: str = "192.0.2.1") -> int:
    """Try to log in from `address`; return the status: 302 is in, 200 the form once more, 429 locked."""
    response = Client(REMOTE_ADDR=address).post(reverse("admin:login"), {"username": name, "password": password})
    return response.status_code


def fail(times: int = 5) -> list[int]:
    return [log_in("a wrong one") for _ in range(times)]


def test_it_locks_a_name_after_five_failures_even_to_the_right_password(boss: User) -> None:
    assert fail() == [200, 200, 200, 200, 429]
    assert log_in() == 429


def test_it_locks_neither_the_name_elsewhere_nor_its_neighbours(boss: User) -> None:
    User.objects.create_superuser("deputy", password=PASSWORD)
    fail()
    assert log_in(address="192.0.2.2") == 302
    assert log_in(name="deputy") == 302


def test_it_forgets_failures_once_the_password_was_right(boss: User) -> None:
    fail(4)
    assert log_in() == 302
    assert fail(4) == [200] * 4


def test_it_opens_by_itself_after_a_quarter_of_an_hour(boss: User) -> None:
    fail()
    for minutes, status in ((14, 429), (16, 302)):
        AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=minutes))
        assert log_in() == status


@pytest.mark.parametrize("command", [("axes_reset",), ("axes_reset_username", "boss")])
def test_it_is_opened_by_a_command(boss: User, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    fail()
    call_command(*command)
    assert capsys.readouterr().out == "1 attempts removed.\n"
    assert log_in() == 302


def test_it_refuses_a_name_of_any_length(boss: User) -> None:
    for length in (255, 256, 100_000):
        assert log_in("a wrong one", name="x" * length) == 200


def test_it_shows_the_admins_readers_no_failed_login() -> None:
    assert "axes" not in {model._meta.app_label for model in admin.site._registry}


def test_it_keeps_no_password(boss: User, caplog: pytest.LogCaptureFixture) -> None:
    log_in("s3cret-one")
    log_in(name="s3cret-two", password="boss")  # in the wrong field
    fail()
    assert "192.0.2.1" in caplog.text
    assert "Locking out" in caplog.text
    assert "s3cret" not in caplog.text
    assert "s3cret-one" not in str(list(AccessAttempt.objects.values()))
