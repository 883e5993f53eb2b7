"""TLS to the databases: a real server with a certificate of an authority made here, and what the settings refuse."""

import os
import re
import runpy
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bench.server import use_server
from tests.conftest import Warehouse
from tests.ingest.runs.test_failures import (
    RIGHT,
    Server,
    guarded,
    last_status,
    loaded,
    manage,
    only_line,
    own_port,
    variables,
)
from tests.ingest.test_source import Contents, contents
from tests.pipeline_project.test_settings import OWN_KEY

__all__ = ["guarded", "loaded"]  # fixtures

NAMES = [f"{prefix}_SSL{part}" for prefix in ("POSTGRES", "MSK_SOURCE") for part in ("MODE", "ROOTCERT", "CERT", "KEY")]
PRODUCTION = {"DEBUG": "0", "SECRET_KEY": OWN_KEY, "POSTGRES_PASSWORD": "one of my own"}
# Which of the three connections are encrypted, as their servers see it.
LOOK = """
from django.db import connections
for alias in connections:
    with connections[alias].cursor() as cursor:
        cursor.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        print(alias, *cursor.fetchone())
"""


# --- A server with a certificate


def certify(folder: Path, name: str, authority: str = "") -> None:
    """Make name.pem and name.key: an authority of that name, or a certificate for it from `authority`."""
    of = ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-addext", f"subjectAltName=DNS:{name}"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
    subprocess.run(
        ["openssl", "req", "-x509", *key, "-out", f"{name}.pem", "-subj", f"/CN={name}", *(of if authority else [])],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two authorities, and certificates of theirs for the server and for clients."""
    if not shutil.which("openssl"):
        pytest.skip("certificates need openssl")
    folder = tmp_path_factory.mktemp("certificates")
    for name, authority in {
        "ours": "",
        "other": "",
        "localhost": "ours",
        "carded": "ours",
        "stranger": "other",
    }.items():
        certify(folder, name, authority)
    shutil.copy(folder / "carded.key", folder / "open.key")
    (folder / "open.key").chmod(0o644)
    return folder


@pytest.fixture(scope="module")
def binaries() -> Path:
    """The folder of a PostgreSQL that speaks TLS: the embedded one is built without."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("a server with TLS needs Debian's package postgresql, which is not installed")
    return found[-1].parent


@pytest.fixture(scope="module")
def server(certificates: Path, binaries: Path) -> Iterator[Server]:
    """A server that is localhost, lets nobody in without TLS, and asks the user carded for a certificate."""
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root

    def run(program: str, *arguments: str) -> None:
        subprocess.run([binaries / program, *arguments], user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), own_port()
        for file in ("localhost.pem", "localhost.key", "ours.pem"):
            shutil.copy(certificates / file, folder)
        if user:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user)
        data = ["-D", str(folder / "data")]
        run("initdb", *data, "--auth=trust", "--username=postgres", "--no-sync")
        (folder / "data" / "pg_hba.conf").write_text("hostssl all carded all cert\nhostssl all all all trust\n")
        files = {"ssl_cert_file": "localhost.pem", "ssl_key_file": "localhost.key", "ssl_ca_file": "ours.pem"}
        tls = "".join(f" -c {setting}={folder / file}" for setting, file in files.items())
        listen = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off -c ssl=on"
        run("pg_ctl", *data, "-w", "-l", str(folder / "log"), "-o", listen + tls, "start")
        try:
            owner = psycopg2.connect(host="localhost", port=port, user="postgres", dbname="postgres")
            owner.autocommit = True
            with closing(owner), owner.cursor() as cursor:
                for statement in ("role carded superuser login", "database log", "database star", "database source"):
                    cursor.execute(f"create {statement}")
            yield {"HOST": "localhost", "PORT": port, "USER": "postgres"}
        finally:
            run("pg_ctl", *data, "-w", "-m", "immediate", "stop")


def verified(prefix: str, server: Server, certificates: Path, **more: str) -> dict[str, str]:
    """Return the variables that name `server` for `prefix`, and the authority of its certificate."""
    return variables(prefix, server, SSLMODE="verify-full", SSLROOTCERT=str(certificates / "ours.pem"), **more)


def test_it_goes_by_tls_whoever_connects(databases: None, server: Server, certificates: Path, binaries: Path):
    names = {"POSTGRES_DB": "new_log", "POSTGRES_ANALYTICS_DB": "new_star", "POSTGRES_SECONDARY_DB": "new_source"}
    ours = PRODUCTION | verified("POSTGRES", server, certificates, PASSWORD="any")
    # As environment() takes the source's server from the tests' own.
    same = {f"MSK_SOURCE_{part}": "" for part in ("HOST", "PORT", "USER", "PASSWORD")}
    path = f"{binaries}{os.pathsep}{os.environ['PATH']}"  # whose psql speaks TLS
    for command in ("prepare_databases", "load_source", "run_pipeline"):
        code, _, stderr = manage(command, **ours, **names, **same, PATH=path)
        assert code == 0, stderr
    looked = manage("shell", "--no-imports", "--command", LOOK, **ours, **names, **same)
    assert looked == (0, "default True\nanalytics True\nmsk_db True\n", "")
    ours["POSTGRES_SSLROOTCERT"] = str(certificates / "other.pem")
    for command in ("prepare_databases", "load_source", "run_pipeline"):
        line = only_line(manage(command, **ours, **names, **same, PATH=path))
        assert "SSL error: certificate verify failed" in line


def test_it_takes_settings_for_the_source_of_its_own(
    databases: None, server: Server, guarded: Server, certificates: Path
) -> None:
    names = {"POSTGRES_DB": "log", "POSTGRES_ANALYTICS_DB": "star", "POSTGRES_SECONDARY_DB": "postgres"}
    ours = PRODUCTION | names | verified("POSTGRES", server, certificates, PASSWORD="any")
    plain = variables("MSK_SOURCE", guarded, PASSWORD=RIGHT)
    looked = manage("shell", "--no-imports", "--command", LOOK, **ours, **plain, MSK_SOURCE_SSLMODE="disable")
    assert looked == (0, "default True\nanalytics True\nmsk_db False\n", "")
    line = only_line(manage("shell", "--no-imports", "--command", LOOK, **ours, **plain))
    assert line.startswith("error: MSK_SOURCE_SSLMODE is not set and DEBUG is off: set it to verify-full, with ")


def test_it_shows_the_certificate_that_the_server_asks_for(
    databases: None, server: Server, guarded: Server, certificates: Path
) -> None:
    card = {"SSLCERT": str(certificates / "carded.pem"), "SSLKEY": str(certificates / "carded.key")}
    theirs = verified("MSK_SOURCE", server | {"USER": "carded"}, certificates, **card)
    looked = manage("shell", "--no-imports", "--command", LOOK, **theirs, POSTGRES_SECONDARY_DB="source")
    assert looked == (0, "default False\nanalytics False\nmsk_db True\n", "")


@pytest.mark.parametrize(
    ("changes", "problem", "remedy"),
    [
        (
            {"HOST": "127.0.0.1"},
            'server certificate for "localhost" (and 1 other name) does not match host name "127.0.0.1"; ',
            "name the server in POSTGRES_HOST, or MSK_SOURCE_HOST for the source, as its certificate does",
        ),
        (
            {"HOST": "::1,localhost", "SSLROOTCERT": "other.pem"},  # of several addresses the one that answers counts
            "SSL error: certificate verify failed; ",
            "is not from the authority in POSTGRES_SSLROOTCERT, or MSK_SOURCE_SSLROOTCERT for the source: name the",
        ),
        (
            {"SSLMODE": "disable"},
            'user "postgres", database "source", no encryption; ',
            "where the server wants TLS set POSTGRES_SSLMODE, or MSK_SOURCE_SSLMODE for the source, to verify-full",
        ),
        (
            {"USER": "carded"},
            "FATAL: connection requires a valid client certificate; ",
            "name a certificate from the authority that the server trusts, and its key, in POSTGRES_SSLCERT and",
        ),
        (
            {"USER": "carded", "SSLCERT": "stranger.pem", "SSLKEY": "stranger.key"},
            "SSL error: tlsv1 alert unknown ca; ",
            "name a certificate from the authority that the server trusts, and its key, in POSTGRES_SSLCERT and",
        ),
        (
            {"USER": "carded", "SSLCERT": "localhost.pem", "SSLKEY": "localhost.key"},
            'FATAL: certificate authentication failed for user "carded"; ',
            "the certificate in POSTGRES_SSLCERT, or MSK_SOURCE_SSLCERT for the source, must have carded as its common",
        ),
        (
            {"USER": "carded", "SSLCERT": "carded.pem", "SSLKEY": "open.key"},
            'open.key" has group or world access; file must have permissions u=rw (0600) or less',
            "mend the file, which POSTGRES_SSLKEY or POSTGRES_SSLROOTCERT names, or MSK_SOURCE_SSLKEY or",
        ),
    ],
    ids=[
        "another host",
        "another authority",
        "a server that wants TLS",
        "no client certificate",
        "a client certificate of another authority",
        "a client certificate for another name",
        "a key that others can read",
    ],
)
def test_it_says_in_one_line_what_is_wrong(
    databases: None, server: Server, certificates: Path, changes: dict[str, str], problem: str, remedy: str
) -> None:
    files = {part: str(certificates / value) for part, value in changes.items() if value.endswith((".pem", ".key"))}
    theirs = verified("MSK_SOURCE", server, certificates) | variables("MSK_SOURCE", {}, **changes | files)
    line = only_line(manage("run_pipeline", POSTGRES_SECONDARY_DB="source", **theirs))
    assert line.startswith('CommandError: connection to server at "')
    assert f"port {server['PORT']} failed: " in line
    assert problem in line
    assert remedy in line
    assert last_status() == "failed"


def test_it_says_so_of_a_server_without_tls(
    loaded: Contents, warehouse: Warehouse, guarded: Server, certificates: Path
) -> None:
    line = only_line(manage("run_pipeline", **verified("MSK_SOURCE", guarded, certificates, PASSWORD=RIGHT)))
    assert f'connection to server at "127.0.0.1", port {guarded["PORT"]} failed: server does not support SSL' in line
    assert (
        "; give the server a certificate and ssl = on, or, where nobody can listen on the way there, set POST" in line
    )
    assert last_status() == "failed"
    assert contents(warehouse) == loaded


def test_it_runs_nothing_with_a_wrong_file(loaded: Contents, warehouse: Warehouse) -> None:
    wrong = {"MSK_SOURCE_HOST": "db.example.org", "MSK_SOURCE_SSLMODE": "verify-full"}
    line = only_line(manage("run_pipeline", **wrong, MSK_SOURCE_SSLROOTCERT="/nowhere/ca.pem"))
    assert line == "error: MSK_SOURCE_SSLROOTCERT=/nowhere/ca.pem cannot be read: No such file or directory"
    assert contents(warehouse) == loaded


# --- The settings


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, certificates: Path) -> Any:
    """Return a function that gives libpq's parameters for each database by the settings in an environment.

    In a value, @ is the folder of the certificates.
    """

    def configure(**environment: str) -> dict[str, dict[str, str]]:
        found = {name: value.replace("@", str(certificates)) for name, value in environment.items()}
        monkeypatch.setattr("os.environ", {"PYTHON_DOTENV_DISABLED": "1"} | found)
        databases = runpy.run_path(str(settings.BASE_DIR / "pipeline_project" / "settings.py"))["DATABASES"]
        return {
            alias: {
                name: value.replace(str(certificates), "@")
                for name, value in described["OPTIONS"].items()
                if name.startswith(("ssl", "gss"))
            }
            for alias, described in databases.items()
        }

    return configure


DB = {"POSTGRES_HOST": "db"}
FULL = DB | {"POSTGRES_SSLMODE": "verify-full", "POSTGRES_SSLROOTCERT": "@/ours.pem"}
OPTIONS = {"sslmode": "verify-full", "sslrootcert": "@/ours.pem", "gssencmode": "disable"}
OTHER = {"MSK_SOURCE_HOST": "other"}
CARD = {"sslcert": "@/carded.pem", "sslkey": "@/carded.key"}


@pytest.mark.parametrize(
    ("environment", "warehouse", "source"),
    [
        (FULL, OPTIONS, OPTIONS),
        (FULL | {"MSK_SOURCE_HOST": "db", "MSK_SOURCE_PORT": "5432"}, OPTIONS, OPTIONS),
        (FULL | OTHER | {"MSK_SOURCE_SSLMODE": "disable"}, OPTIONS, {"sslmode": "disable"}),
        (FULL | {"MSK_SOURCE_SSLMODE": "disable"}, OPTIONS, {"sslmode": "disable"}),
        (FULL | {"MSK_SOURCE_SSLROOTCERT": "@/other.pem"}, OPTIONS, OPTIONS | {"sslrootcert": "@/other.pem"}),
        (
            FULL | {"MSK_SOURCE_SSLCERT": "@/carded.pem", "MSK_SOURCE_SSLKEY": "@/carded.key"},
            OPTIONS,
            OPTIONS | CARD,
        ),
        (
            FULL | {"POSTGRES_SSLCERT": "@/carded.pem", "POSTGRES_SSLKEY": "@/carded.key"},
            OPTIONS | CARD,
            OPTIONS | CARD,
        ),
        (FULL | {"MSK_SOURCE_HOST": "/run/postgresql"}, OPTIONS, {}),
        (DB | {"POSTGRES_SSLMODE": "Disable"}, {"sslmode": "disable"}, {"sslmode": "disable"}),
        ({"POSTGRES_HOST": "/run/postgresql"}, {}, {}),
        ({"POSTGRES_HOST": "/run/postgresql,@socket"}, {}, {}),
        ({}, {}, {}),
        ({"DEBUG": "1"} | DB | OTHER, {}, {}),
        (
            {"DEBUG": "1"} | DB | {"POSTGRES_SSLMODE": "require"},
            {"sslmode": "require", "gssencmode": "disable"},
            {"sslmode": "require", "gssencmode": "disable"},
        ),
    ],
)
def test_it_accepts(configure, environment: dict[str, str], warehouse: dict[str, str], source: dict[str, str]) -> None:
    assert configure(**environment) == {"default": warehouse, "analytics": warehouse, "msk_db": source}


def test_it_takes_the_authorities_that_the_machine_trusts(configure) -> None:
    environment = DB | {"POSTGRES_SSLMODE": "verify-full", "POSTGRES_SSLROOTCERT": "system"}
    assert configure(**environment, SSL_CERT_FILE="@/other.pem")["default"]["sslrootcert"] == "@/other.pem"


def test_it_finds_a_file_from_whatever_folder(configure, certificates: Path, monkeypatch) -> None:
    monkeypatch.chdir(certificates)
    assert configure(**FULL | {"POSTGRES_SSLROOTCERT": "ours.pem"})["msk_db"] == OPTIONS


def demanded(prefix: str, found: str, host: str) -> str:
    return (
        f"{prefix}_SSLMODE {found} and DEBUG is off: set it to verify-full, with {prefix}_SSLROOTCERT, so that {host} "
        "has to prove who it is, or to disable where nobody can listen on the way there"
    )


def no_pair(key: str) -> str:
    return (
        f"POSTGRES_SSLCERT=@/carded.pem and POSTGRES_SSLKEY=@/{key} are no certificate and its own private key: both "
        "take PEM, and the key has no passphrase"
    )


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        (DB, demanded("POSTGRES", "is not set", "db")),
        ({"POSTGRES_HOST": "localhost"}, demanded("POSTGRES", "is not set", "localhost")),
        ({"POSTGRES_HOST": "/run/postgresql,db"}, demanded("POSTGRES", "is not set", "/run/postgresql,db")),
        (DB | {"POSTGRES_SSLMODE": "require"}, demanded("POSTGRES", "is require", "db")),
        (FULL | {"POSTGRES_SSLMODE": "verify-ca"}, demanded("POSTGRES", "is verify-ca", "db")),
        ({"POSTGRES_SSLMODE": "require"}, demanded("POSTGRES", "is require", "the server")),
        (FULL | OTHER, demanded("MSK_SOURCE", "is not set", "other")),
        (FULL | {"MSK_SOURCE_PORT": "5433"}, demanded("MSK_SOURCE", "is not set", "db")),
        (FULL | {"MSK_SOURCE_SSLMODE": "require"}, demanded("MSK_SOURCE", "is require", "db")),
        (
            FULL | OTHER | {"MSK_SOURCE_SSLMODE": "verify-full"},
            "MSK_SOURCE_SSLMODE=verify-full takes MSK_SOURCE_SSLROOTCERT: set it to the file of the authority that "
            "signed the server's certificate, or to system for those that this machine trusts, if it has a file of "
            "them",
        ),
        (
            DB | {"POSTGRES_SSLMODE": "prefer"},
            "POSTGRES_SSLMODE=prefer must be one of disable, require, verify-ca, verify-full",
        ),
        (
            FULL | {"POSTGRES_SSLROOTCERT": "@/none.pem"},
            "POSTGRES_SSLROOTCERT=@/none.pem cannot be read: No such file or directory",
        ),
        (FULL | {"POSTGRES_SSLROOTCERT": "@"}, "POSTGRES_SSLROOTCERT=@ cannot be read: Is a directory"),
        (
            FULL | {"POSTGRES_SSLROOTCERT": "@/ours.key"},
            "POSTGRES_SSLROOTCERT=@/ours.key holds no certificate: it takes the authority's in PEM, which begins with "
            "-----BEGIN CERTIFICATE-----",
        ),
        (
            DB | {"DEBUG": "1", "POSTGRES_SSLROOTCERT": "@/ours.pem"},
            "POSTGRES_SSLROOTCERT is set but POSTGRES_SSLMODE is not verify-full, so that nothing would be held "
            "against it: set POSTGRES_SSLMODE=verify-full, or remove POSTGRES_SSLROOTCERT",
        ),
        (
            FULL | {"POSTGRES_SSLCERT": "@/carded.pem"},
            "POSTGRES_SSLCERT and POSTGRES_SSLKEY go together: set both, or remove both",
        ),
        (FULL | {"POSTGRES_SSLCERT": "@/carded.pem", "POSTGRES_SSLKEY": "@/stranger.key"}, no_pair("stranger.key")),
        (FULL | {"POSTGRES_SSLCERT": "@/carded.pem", "POSTGRES_SSLKEY": "@/carded.pem"}, no_pair("carded.pem")),
        (FULL | {"POSTGRES_SSLCERT": "@/carded.pem", "POSTGRES_SSLKEY": "@/locked.key"}, no_pair("locked.key")),
    ],
)
def test_it_refuses(configure, certificates: Path, environment: dict[str, str], line: str) -> None:
    locked = ["openssl", "ec", "-in", "carded.key", "-aes128", "-passout", "pass:sesame", "-out", "locked.key"]
    if "locked" in line:
        subprocess.run(locked, cwd=certificates, check=True, capture_output=True)
    with pytest.raises(ImproperlyConfigured) as refused:
        configure(**environment)
    assert str(refused.value).replace(str(certificates), "@") == line


def test_it_holds_for_the_benchmarks_too(monkeypatch) -> None:
    ours = {"POSTGRES_HOST": "db", "POSTGRES_SSLMODE": "verify-full", "POSTGRES_SSLROOTCERT": "/ca.pem"}
    monkeypatch.setattr("os.environ", {"PYTHON_DOTENV_DISABLED": "1"} | ours)
    use_server()
    found = {name: value for name, value in os.environ.items() if name.startswith("PGSSL")}
    assert found == {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/ca.pem"}


@pytest.mark.parametrize("name", ["docs/configuration.md", ".env.example"])
def test_it_is_explained_by_each_variable(name: str) -> None:
    path = settings.BASE_DIR / name
    assert set(NAMES) <= set(re.findall(r"\b[A-Z_]+\b", path.read_text(encoding="utf-8")))


def test_it_is_said_for_docker_that_its_own_server_has_none() -> None:
    compose = settings.BASE_DIR / "docker-compose.yml"
    if not compose.exists():
        pytest.skip("docker-compose.yml is not part of the image")
    assert re.search(
        r"^ +POSTGRES_HOST: db\n +POSTGRES_PORT.*\n +POSTGRES_SSLMODE: disable\b", compose.read_text(), re.MULTILINE
    )
