"""What manage.py makes of its environment: each test is a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from pipeline_project.settings import EXAMPLE_PASSWORD, EXAMPLE_SECRET_KEY

Process = subprocess.CompletedProcess[str]


def manage(
    environment: dict[str, str], *arguments: str, folder: Path = settings.BASE_DIR
) -> subprocess.CompletedProcess[str]:
    """Run manage.py of `folder`, from another folder, with nothing in its environment but `environment`."""
    return subprocess.run(
        [sys.executable, str(folder / "manage.py"), *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


EXAMPLE_PASSWORD_REFUSED = (
    "POSTGRES_PASSWORD is the one of .env.example and DEBUG is off: give the database user a password of your own"
)

# A server is named, so that the embedded one is not wanted, and no .env of the project's user is read.
SERVER = {"POSTGRES_HOST": "localhost", "PYTHON_DOTENV_DISABLED": "1"}


def refusal(process: Process) -> str:
    """Return the one line with which a process ended that did nothing."""
    assert process.returncode == 1
    assert process.stdout == ""
    (line,) = process.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"POSTGRES_PORT": "abc"}, "POSTGRES_PORT=abc must be a whole number from 1 to 65535"),
        ({"POSTGRES_PORT": "65536"}, "POSTGRES_PORT=65536 must be a whole number from 1 to 65535"),
        ({"MSK_SOURCE_PORT": "abc"}, "MSK_SOURCE_PORT=abc must be a whole number from 1 to 65535"),
        ({"DEBUG": "maybe"}, "DEBUG=maybe must be one of 1, true, yes, on or 0, false, no, off"),
        ({"MSK_ORPHANS": "perhaps"}, "MSK_ORPHANS=perhaps must be one of reject, keep"),
        (
            {"MSK_CRON": "61 * * * *"},
            "MSK_CRON=61 * * * * must be off or five fields such as 30 5 * * *: "
            "minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6",
        ),
        (
            {"COVID_CRON": "daily"},
            "COVID_CRON=daily must be off or five fields such as 30 5 * * *: "
            "minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6",
        ),
        (
            {"SECRET_KEY": EXAMPLE_SECRET_KEY, "DEBUG": "0"},
            "SECRET_KEY is the one of .env.example and DEBUG is off: set SECRET_KEY to a long random text of your own",
        ),
        (
            {"SECRET_KEY": EXAMPLE_SECRET_KEY},
            "SECRET_KEY is the one of .env.example and DEBUG is off: set SECRET_KEY to a long random text of your own",
        ),
        ({"POSTGRES_PASSWORD": EXAMPLE_PASSWORD, "DEBUG": "0"}, EXAMPLE_PASSWORD_REFUSED),
        ({"POSTGRES_PASSWORD": EXAMPLE_PASSWORD}, EXAMPLE_PASSWORD_REFUSED),
        (
            {"POSTGRES_PASSWORD": "s3cret", "POSTGRES_PASSWORD_FILE": "/nowhere"},
            "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set: remove one of them",
        ),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE=/nowhere cannot be read: No such file or directory"),
        (
            {"SECRET_KEY_FILE": "/dev/null"},
            "SECRET_KEY_FILE=/dev/null is empty: write the secret into it, or remove SECRET_KEY_FILE",
        ),
        ({"BEHIND_TLS_PROXY": "nginx"}, "BEHIND_TLS_PROXY=nginx must be one of 1, true, yes, on or 0, false, no, off"),
    ],
)
def test_it_refuses_a_wrong_setting_in_one_line_that_names_it(environment, line) -> None:
    assert refusal(manage(SERVER | environment, "run_pipeline")) == f"error: {line}"


def test_it_refuses_the_password_of_the_example_from_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(f"{EXAMPLE_PASSWORD}\n")
    process = manage(SERVER | {"POSTGRES_PASSWORD_FILE": str(path)}, "run_pipeline")
    assert refusal(process) == f"error: {EXAMPLE_PASSWORD_REFUSED}"


@pytest.mark.parametrize(
    "proxy", [{}, {"BEHIND_TLS_PROXY": "1", "CSRF_TRUSTED_ORIGINS": "https://a.org, https://b.org"}]
)
def test_it_passes_djangos_check_for_production(proxy) -> None:
    own = {"SECRET_KEY": "a-key-of-ones-own-as-long-as-a-key-has-to-be-0123456789", "POSTGRES_PASSWORD": "of one's own"}
    process = manage(SERVER | own | proxy, "check", "--deploy", "--fail-level", "WARNING")
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize(("name", "value"), [("POSTGRES_PORT", "6000"), ("POSTGRES_USER", "analyst")])
def test_it_refuses_a_port_or_a_user_without_a_server(name: str, value: str) -> None:
    line = refusal(manage({name: value, "PYTHON_DOTENV_DISABLED": "1"}, "check"))
    assert line == f"error: {name}={value} is set but POSTGRES_HOST is not: name the server too, or remove {name}"


def test_it_shows_a_traceback_only_when_asked() -> None:
    process = manage(SERVER | {"POSTGRES_PORT": "abc"}, "check", "--traceback")
    assert process.returncode == 1
    assert process.stderr.startswith("Traceback (most recent call last):\n")
    assert process.stderr.rstrip().endswith("POSTGRES_PORT=abc must be a whole number from 1 to 65535")


@pytest.mark.parametrize(
    "environment",
    [
        {"SECRET_KEY": EXAMPLE_SECRET_KEY, "POSTGRES_PASSWORD": EXAMPLE_PASSWORD, "DEBUG": "1"},
        {"SECRET_KEY": "a long one of my own", "POSTGRES_PASSWORD": "likewise", "DEBUG": "0"},
        {},
    ],
    ids=["the example's secrets while developing", "secrets of one's own in production", "no secrets"],
)
def test_it_accepts(environment) -> None:
    process = manage(SERVER | environment, "check")
    assert (process.returncode, process.stderr) == (0, "")


def test_it_knows_the_secrets_of_the_example() -> None:
    example = settings.BASE_DIR / ".env.example"
    if not example.exists():
        pytest.skip(".env.example is not part of the image")
    lines = example.read_text().splitlines()
    assert {f"SECRET_KEY={EXAMPLE_SECRET_KEY}", f"POSTGRES_PASSWORD={EXAMPLE_PASSWORD}"} <= set(lines)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's code, in a folder that can have a .env of its own."""
    folder = tmp_path / "project"
    for package in ("pipeline_project", "ingest", "analytics"):
        shutil.copytree(settings.BASE_DIR / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(settings.BASE_DIR / "manage.py", folder)
    return folder


def test_it_reads_the_env_file_beside_manage_py(project: Path) -> None:
    (project / ".env").write_text("POSTGRES_HOST=localhost\nPOSTGRES_PORT=abc # a slip\n")
    assert refusal(manage({}, "check", folder=project)).startswith("error: POSTGRES_PORT=abc must be ")


def test_it_prefers_the_environment_to_the_env_file(project: Path) -> None:
    (project / ".env").write_text("POSTGRES_HOST=localhost\nPOSTGRES_PORT=abc\nDEBUG=maybe\n")
    process = manage({"POSTGRES_PORT": "5432", "DEBUG": "1"}, "check", folder=project)
    assert (process.returncode, process.stderr) == (0, "")


def test_it_leaves_the_env_file_of_another_project_alone(project: Path) -> None:
    (project.parent / ".env").write_text("POSTGRES_PORT=abc\n")
    process = manage({"POSTGRES_HOST": "localhost"}, "check", folder=project)
    assert (process.returncode, process.stderr) == (0, "")
