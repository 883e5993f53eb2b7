"""A pytest plugin, loaded before Django's settings: an embedded PostgreSQL serves the tests when no other is named.

It is one of their own, in memory where there is room: they make and remove files by the thousand, and nobody pulls the
plug. It ends with the process that started it, which shares it with the others of `make test` by its environment.
"""

import atexit
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg2
from dotenv import load_dotenv

from pipeline_project import embedded

MEMORY = Path("/dev/shm")  # noqa: S108  (nobody else may write to the folder that is made in it)
ROOM = 2 * 1024**3  # bytes, for the databases of each process, and the log of what is written to them
FOLDER = f"msk-pipeline-tests-{os.getuid()}-"  # and the process that started the server
UNSAFE = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "512MB", "checkpoint_timeout": "1h"}
# What pays where there are many rows, or for days.
IDLE = {"autovacuum": "off", "jit": "off"}


def start_in_memory() -> None:
    """Start a server of our own, if there is room for it, and end those of test runs that were killed."""
    is_large = "large" in sys.argv  # make test-large, whose databases take gigabytes
    if is_large or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        embedded.use()
        return
    for folder in left_behind(MEMORY, os.getuid()):
        _end(folder)
    folder = MEMORY / f"{FOLDER}{os.getpid()}"
    folder.mkdir(mode=0o700)
    atexit.register(_end, folder)
    embedded.DATA_DIR = folder / "data"
    embedded.use()
    server = psycopg2.connect(host=os.environ["POSTGRES_HOST"], user=os.environ["POSTGRES_USER"], dbname="postgres")
    with closing(server), server.cursor() as cursor:
        server.autocommit = True
        for name, value in (UNSAFE | IDLE).items():
            cursor.execute(f"alter system set {name} = '{value}'")
        cursor.execute("select pg_reload_conf()")


def left_behind(memory: Path, user: int) -> Iterator[Path]:
    """Yield the folders of the user's test runs that are gone; anybody can make one there that has such a name."""
    for folder in memory.glob(f"{FOLDER}*"):
        process = folder.name.removeprefix(FOLDER)
        with suppress(FileNotFoundError):  # another test run has just ended, and taken its own away
            # lstat: what a link of somebody else's leads to may well be ours.
            if process.isdecimal() and folder.lstat().st_uid == user and not _is_alive(int(process)):
                yield folder


def _end(folder: Path) -> None:
    embedded.DATA_DIR = folder / "data"
    embedded.stop()
    shutil.rmtree(folder)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user has the number now
        return True
    return True


load_dotenv(embedded.ROOT / ".env")
for name in ("ADMINS", "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_URL_FILE", "PING_URL", "PING_URL_FILE"):
    os.environ.pop(name, None)  # the runs of the tests fail on purpose: nobody is to be told
for name in ("LOADER_PASSWORD", "WEB_PASSWORD", "READER_PASSWORD"):
    # One user does everything, but where a test makes roles. Empty, as a command would take them from .env again.
    os.environ[name] = ""
    os.environ.pop(f"{name}_FILE", None)
os.environ["PSEUDONYM_KEY"] = ""
os.environ.pop("PSEUDONYM_KEY_FILE", None)
if embedded.is_wanted():
    start_in_memory()
os.environ["DEBUG"] = "1"  # the tests speak plain HTTP, whatever the installation does
