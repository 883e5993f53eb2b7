"""What manage.py makes of its environment: each test is a process of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
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
        timeout=60,
        check=False,
    )


OWN_KEY = "a-key-of-ones-own-as-long-as-a-key-has-to-be-0123456789"
MAKE_KEY = "set it to what this prints: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
WEAK_KEY_REFUSED = (
    "SECRET_KEY is weak and DEBUG is off: it takes 50 characters, 5 of them different, and another beginning than "
    f"django-insecure-; {MAKE_KEY}"
)
EXAMPLE_PASSWORD_REFUSED = (
    "POSTGRES_PASSWORD is the one of .env.example and DEBUG is off: give the database user one of your own, "
    "in Docker with docker compose exec db psql -U postgres -d postgres -c '\\password', and set it in .env"
)
LOGIN = (
    "COVID_API_URL has a user or a password in it, which logs and tables would keep: leave out what stands before "
    "the @, or copy documents that need a login into a folder and name that"
)
RETIRED = (
    "is retired: remove MSK_ORPHANS; orphans do not enter the star, "
    "and the table rejected_row lists each with its whole row"
)

# A server is named, so that the embedded one is not wanted, and no .env of the project's user is read.
SERVER = {"POSTGRES_HOST": "localhost", "POSTGRES_SSLMODE": "disable", "PYTHON_DOTENV_DISABLED": "1"}


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
        ({"SECRET_KEY": "x"}, WEAK_KEY_REFUSED),
        ({"COVID_API_URL": "https://ann:s3cret@covid.example.org/v2"}, LOGIN),
        ({"MSK_ORPHANS": "keep"}, f"MSK_ORPHANS=keep {RETIRED}"),
    ],
)
def test_it_runs_nothing_with_a_wrong_setting(environment, line) -> None:
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
    own = {"SECRET_KEY": OWN_KEY, "POSTGRES_PASSWORD": "of one's own"}
    own |= dict.fromkeys(("LOADER_PASSWORD", "WEB_PASSWORD", "READER_PASSWORD"), "theirs")
    process = manage(SERVER | own | proxy, "check", "--deploy", "--fail-level", "WARNING")
    assert process.returncode == 0, process.stderr
    # Here is no server that could be asked who may read the star.
    assert re.findall(r"^\?: \((.*?)\)", process.stderr, re.MULTILINE) == ["access.I001"]


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
        {"SECRET_KEY": OWN_KEY, "POSTGRES_PASSWORD": "one of my own", "DEBUG": "0"},
        {"SECRET_KEY": "x", "DEBUG": "1"},
        {},
        {
            "POSTGRES_ANALYTICS_DB": "msk_db",
            "MSK_SOURCE_HOST": "source.example.org",
            "MSK_SOURCE_SSLMODE": "disable",
        },
    ],
    ids=[
        "the example's secrets while developing",
        "secrets of one's own in production",
        "a weak key while developing",
        "no secrets",
        "a source of the same name on another server",
    ],
)
def test_it_accepts(environment) -> None:
    process = manage(SERVER | environment, "check")
    assert (process.returncode, process.stderr) == (0, "")


def test_it_accepts_the_key_that_the_remedy_makes() -> None:
    line = refusal(manage(SERVER | {"SECRET_KEY": "x"}, "check"))
    command = line.partition("what this prints: ")[2]
    key = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.strip()
    process = manage(SERVER | {"SECRET_KEY": key}, "check")
    assert (process.returncode, process.stderr) == (0, "")


def test_it_accepts_every_line_of_the_example_while_developing(project: Path) -> None:
    example = settings.BASE_DIR / ".env.example"
    every = re.sub(r"^#(?=[A-Z_]+=)", "", example.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (project / ".env").write_text(re.sub(r"^\w+_(FILE|SSL\w+)=.*\n", "", every, flags=re.MULTILINE), encoding="utf-8")
    process = manage({}, "check", folder=project)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize("traceback", [[], ["--traceback"]])
def test_it_repeats_no_secret_of_an_address(traceback: list[str]) -> None:
    for name in ("COVID_API_URL", "ALERT_WEBHOOK_URL", "PING_URL"):
        process = manage(SERVER | {name: "https://ann:s3cret@ho\u2100st/v2"}, "check", *traceback)
        assert process.returncode == 1
        assert name in process.stderr
        assert "s3cret" not in process.stderr


def test_it_knows_the_secrets_of_the_example() -> None:
    example = settings.BASE_DIR / ".env.example"
    if not example.exists():
        pytest.skip(".env.example is not part of the image")
    lines = example.read_text().splitlines()
    assert {f"SECRET_KEY={EXAMPLE_SECRET_KEY}", f"POSTGRES_PASSWORD={EXAMPLE_PASSWORD}"} <= set(lines)


def test_its_apps_go_into_the_image() -> None:
    ignored = settings.BASE_DIR / ".dockerignore"
    if not ignored.exists():
        pytest.skip(".dockerignore is not part of the image")
    ours = {app.name for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR}
    assert {"access", "analytics", "ingest"} <= ours
    assert {f"!{name}" for name in ours} <= set(ignored.read_text().splitlines())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's code, in a folder that can have a .env of its own."""
    folder = tmp_path / "project"
    for package in ("pipeline_project", "access", "ingest", "analytics"):
        shutil.copytree(settings.BASE_DIR / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("manage.py", "pyproject.toml"):  # which has the version
        shutil.copy(settings.BASE_DIR / file, folder)
    return folder


def test_it_reads_the_env_file_beside_manage_py(project: Path) -> None:
    (project / ".env").write_text("POSTGRES_HOST=localhost\nPOSTGRES_PORT=abc # a slip\n")
    assert refusal(manage({}, "check", folder=project)).startswith("error: POSTGRES_PORT=abc must be ")


@pytest.mark.parametrize("content", ["POSTGRES_USER=Zoë".encode("latin-1"), "DEBUG=1".encode("utf-16-le")])
def test_it_refuses_an_env_file_that_is_no_text(project: Path, content: bytes) -> None:
    (project / ".env").write_bytes(content)
    line = refusal(manage({}, "check", folder=project))
    assert line == f"error: {project / '.env'} cannot be read: it is no text in UTF-8"


def test_it_prefers_the_environment_to_the_env_file(project: Path) -> None:
    (project / ".env").write_text("POSTGRES_HOST=localhost\nPOSTGRES_PORT=abc\nDEBUG=maybe\n")
    process = manage({"POSTGRES_PORT": "5432", "DEBUG": "1"}, "check", folder=project)
    assert (process.returncode, process.stderr) == (0, "")


def test_it_leaves_the_env_file_of_another_project_alone(project: Path) -> None:
    (project.parent / ".env").write_text("POSTGRES_PORT=abc\n")
    process = manage({"POSTGRES_HOST": "localhost", "POSTGRES_SSLMODE": "disable"}, "check", folder=project)
    assert (process.returncode, process.stderr) == (0, "")
