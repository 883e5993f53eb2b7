"""The tasks of the template, with its variables and commands, on a server whose owner is no superuser, as on RDS."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connections
from psycopg2.sql import SQL, Identifier

from tests.conftest import Database, Source
from tests.deploy.template import ROOT, WRITABLE, container, environment, properties, schedules, secrets, template
from tests.ingest.runs.test_failures import own_port

OWN = os.getpid()
PASSWORD = "correct-horse-battery-staple-0123456789-of-ones-own"
DATABASES = [f"aws_{name}_{OWN}" for name in ("default", "analytics")]
SERVE = ["gunicorn", "pipeline_project.wsgi", "--config", "gunicorn.conf.py"]  # as entrypoint.sh without a command
NOT_GIVEN = {
    "ALERT_WEBHOOK_URL",
    "PING_URL",
    "OIDC_CLIENT_SECRET",
    "METRICS_TOKEN",
}  # by parameters that are empty by default
OWNER, READER, *ROLES = (f"aws_{name}_{OWN}" for name in ("owner", "reader", "loader", "web"))


@pytest.fixture(scope="module")
def rds(django_db_setup: None) -> Iterator[Database]:
    """A server as RDS gives it: its owner may make databases and roles, and is no superuser."""
    server = Database("default")
    server.execute(SQL("create role {} login createdb createrole password %s").format(Identifier(OWNER)), PASSWORD)
    server.execute(SQL("create role {} login password %s").format(Identifier(READER)), PASSWORD)
    yield server
    for name in DATABASES:
        server.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))
    for name in (*ROLES, OWNER, READER):
        server.execute(SQL("drop role if exists {}").format(Identifier(name)))
    server.connection.close()


def parameters() -> dict[str, Any]:
    """Return the values of the parameters: by default those of the template."""
    own = {
        "SourceDatabase": connections["msk_db"].settings_dict["NAME"],
        "SourceUser": READER,
        "CovidApiUrl": str(ROOT / "sample_data" / "covid" / "v2"),
        "SiteName": "warehouse.example.org",
    }
    return {name: each.get("Default", "") for name, each in template()["Parameters"].items()} | own


def given(task: str, folder: Path, **changes: str) -> dict[str, str]:
    """Return the environment of a task, on the tests' server."""
    said = parameters()
    known = {
        name: str(said[value["Ref"]] if isinstance(value, dict) and "Ref" in value else value)
        for name, value in environment(task).items()
    }
    held = dict.fromkeys(secrets(task).keys() - NOT_GIVEN, PASSWORD)
    server = connections["default"].settings_dict
    here = {
        **{name: str(server["HOST"]) for name in ("POSTGRES_HOST", "MSK_SOURCE_HOST") if name in known},
        **{name: str(server["PORT"] or 5432) for name in ("POSTGRES_PORT", "MSK_SOURCE_PORT") if name in known},
        **dict(zip(("POSTGRES_DB", "POSTGRES_ANALYTICS_DB"), DATABASES, strict=True)),
        **dict(zip(("LOADER_USER", "WEB_USER"), ROLES, strict=True)),
        **({"POSTGRES_USER": OWNER} if "POSTGRES_USER" in known else {}),
        "POSTGRES_SSLROOTCERT": str(folder / "authorities.pem"),
        "AUTHORITIES": "-----BEGIN CERTIFICATE-----\nof RDS",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHON_DOTENV_DISABLED": "1",
    }
    if not str(server["HOST"]).startswith("/"):  # a server of somebody's, without TLS
        here |= {name: "disable" for name in known if name.endswith("_SSLMODE")} | {"POSTGRES_SSLROOTCERT": ""}
    return known | held | here | changes


def run(task: str, folder: Path, command: list[str], **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the container of a task does; entrypoint.sh, which needs the image, is left out."""
    return subprocess.run(
        [*container(task)["EntryPoint"][:-1], *command],
        cwd=ROOT,
        env=given(task, folder, **changes),
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def migrated(rds: Database, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = run("Migrate", tmp_path_factory.mktemp("migrate"), container("Migrate")["Command"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"created database {name}" for name in DATABASES]


def test_a_task_writes_the_authorities_where_libpq_looks_for_them(tmp_path: Path) -> None:
    assert properties("Migrate")["ContainerDefinitions"][0]["EntryPoint"][-1] == "./entrypoint.sh"
    for task in ("Migrate", "Loader", "Web"):
        told = run(task, tmp_path, ["sh", "-c", 'cat "$POSTGRES_SSLROOTCERT"'])
        assert told.stdout == "-----BEGIN CERTIFICATE-----\nof RDS\n"
        assert container(task)["EntryPoint"] == container("Migrate")["EntryPoint"]
        file = environment(task)["POSTGRES_SSLROOTCERT"]
        assert file.startswith(f"{WRITABLE}/")
        assert environment(task).get("MSK_SOURCE_SSLROOTCERT", file) == file


@pytest.mark.parametrize("schedule", ["RunMsk", "RunCovid"])
def test_a_schedule_runs_its_source_and_says_so_as_the_alarm_hears_it(
    migrated: None, small_world: Source, tmp_path: Path, schedule: str
) -> None:
    source = Database("msk_db")
    for right in ("usage on schema public", "select on all tables in schema public"):
        source.execute(SQL(f"grant {right} to {{}}").format(Identifier(READER)))
    source.connection.close()
    overrides = schedules()[schedule]
    changes = {each["name"]: each["value"] for each in overrides["environment"]}
    try:
        done = run("Loader", tmp_path, overrides["command"], **changes)
    finally:
        source = Database("msk_db")
        source.execute(SQL("drop owned by {}").format(Identifier(READER)))
        source.connection.close()
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    events = [json.loads(line) for line in done.stderr.splitlines()]
    filters = {name: properties(f"{name}Succeeded")["FilterPattern"] for name in ("Msk", "Covid")}
    heard = {name for name, pattern in filters.items() if any(is_heard(pattern, event) for event in events)}
    assert heard == {schedule.removeprefix("Run")}


def is_heard(pattern: str, event: dict[str, Any]) -> bool:
    """Tell whether a filter of CloudWatch takes a line: one that asks for some values, all of them."""
    wanted = dict(re.findall(r'\$\.(\w+) = "([^"]*)"', pattern))
    assert pattern == "{ " + " && ".join(f'$.{key} = "{value}"' for key, value in wanted.items()) + " }"
    return wanted.items() <= event.items()


def test_the_first_user_is_made_with_the_password_that_the_manager_has(migrated: None, tmp_path: Path) -> None:
    made = run("Migrate", tmp_path, first_user())
    assert (made.returncode, made.stderr) == (0, "")
    again = run("Migrate", tmp_path, first_user())
    assert again.returncode == 1
    assert "already taken" in again.stderr


def first_user() -> list[str]:
    """Return the command by which docs/deploy-aws.md makes a user."""
    guide = (ROOT / "docs" / "deploy-aws.md").read_text(encoding="utf-8")
    (command,) = re.findall(r'"command": (\["python", "manage.py", "createsuperuser".*?\])', guide)
    return list(json.loads(command))


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the site as the task does; give its address, and what it has logged once it has ended."""
    site, log = f"127.0.0.1:{own_port()}", list[str]()
    own = {
        "GUNICORN_CMD_ARGS": f"{environment('Web')['GUNICORN_CMD_ARGS']} --bind {site}",
        "WEB_CONCURRENCY": "1",
        "PYTHONWARNINGS": "ignore:No directory at",  # the image has the static files
    }
    process = subprocess.Popen(
        [*container("Web")["EntryPoint"][:-1], *SERVE],
        cwd=ROOT,
        env=given("Web", folder, **own),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            log.append(line)
            if "Listening at" in line:  # from then on a request waits for a worker, and is not refused
                break
        yield f"http://{site}", log
    finally:
        process.terminate()
        log += process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 0


def test_the_site_is_alive_by_whatever_name_it_is_asked_and_logs_json_alone(migrated: None, tmp_path: Path) -> None:
    health_check = properties("Targets")["HealthCheckPath"]
    answers = {}
    with serving(tmp_path) as (site, log):
        for host in ("10.0.3.7:8000", "warehouse.example.org"):
            headers = {"Host": host, "X-Forwarded-For": "192.0.2.1, 203.0.113.9", "X-Forwarded-Proto": "https"}
            for page in (health_check, "/admin/login/"):
                answers[host, page] = requests.get(site + page, headers=headers, timeout=60).status_code
    assert answers == {
        ("10.0.3.7:8000", "/healthz"): 200,
        ("10.0.3.7:8000", "/admin/login/"): 400,
        ("warehouse.example.org", "/healthz"): 200,
        ("warehouse.example.org", "/admin/login/"): 200,
    }
    events = [json.loads(line) for line in log]
    requested = [event["message"] for event in events if event["logger"] == "gunicorn.access"]
    pages = [message.split('"')[1].split()[1] for message in requested]
    assert pages == ["/healthz", "/admin/login/", "/healthz", "/admin/login/"]
    assert all(message.startswith("192.0.2.1, 203.0.113.9 127.0.0.1 ") for message in requested)
