"""What the benchmarks share: the server with databases of their own, and a process's time and memory."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg2
from dotenv import load_dotenv

from pipeline_project import embedded

ROOT = Path(__file__).resolve().parent.parent
SOURCE, STAR, LOG = "bench_msk", "bench_star", "bench_default"
WHOLE, SMALL = "bench_msk_whole", "bench_msk_small"  # templates of the source
BOUND_SECONDS = 600
TLS = ("SSLMODE", "SSLROOTCERT", "SSLCERT", "SSLKEY")


class Measured(NamedTuple):
    """What a command cost: wall-clock seconds, the longest transaction at the source, and what its run records."""

    seconds: float
    held_seconds: float = 0
    megabytes: float = 0
    rows_written: float = 0
    peak_mb: float = 0


class Failed(SystemExit):
    """What was to be measured failed, or took longer than BOUND_SECONDS; not caught, it ends the benchmark."""


def use_server() -> None:
    """Point every command of this process at the configured server, or the embedded one, and at databases apart.

    Nobody is told of their alerts.
    """
    load_dotenv(ROOT / ".env")
    if embedded.is_wanted():
        embedded.use()
    os.environ.setdefault("DEBUG", "1")  # nobody's data: a server on a network of one's own may be without TLS
    os.environ |= {
        "POSTGRES_DB": LOG,
        "POSTGRES_ANALYTICS_DB": STAR,
        "POSTGRES_SECONDARY_DB": SOURCE,
        "PGHOST": os.environ["POSTGRES_HOST"],
        "PGPORT": os.environ.get("POSTGRES_PORT") or "5432",
        "PGUSER": os.environ.get("POSTGRES_USER") or "postgres",
        "PGPASSWORD": os.environ.get("POSTGRES_PASSWORD", ""),
        **{f"PG{part}": value for part in TLS if (value := os.environ.get(f"POSTGRES_{part}", "").strip())},
        **dict.fromkeys(("ADMINS", "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_URL_FILE"), ""),
    }


def make_star() -> None:
    """Make an empty warehouse; the databases keep their places for the next round."""
    new_database(STAR)
    check(*manage("prepare_databases"))
    sql("postgres", "checkpoint")


def measure_run(*options: str) -> Measured:
    """Run the MSK pipeline and say what it cost."""
    with longest_transaction(SOURCE) as held:
        measured = measure(*manage("run_pipeline", "--only", "msk", *options))
    bytes_copied, rows_written = sql(LOG, LAST_RUN).split("|")
    return measured._replace(held_seconds=max(held), megabytes=int(bytes_copied) / 1e6, rows_written=int(rows_written))


LAST_RUN = """
select r.bytes, sum(s.inserted + s.updated + s.deleted)
  from pipeline_run r
  join step_run s on s.run_id = r.id
 where r.id = (select max(id) from pipeline_run)
 group by r.id
"""


def measure(*command: str) -> Measured:
    """Run a command and say how long it took and how much memory it held at most. Raises Failed."""
    sql("postgres", "checkpoint")
    with tempfile.TemporaryFile("w+") as errors:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, cwd=ROOT)
        bound = threading.Timer(BOUND_SECONDS, _stop, [process])
        bound.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        bound.cancel()
        if os.waitstatus_to_exitcode(status):
            errors.seek(0)
            lines = errors.read().strip().splitlines() or ["it did not say why"]
            raise Failed(f"over {BOUND_SECONDS} s" if seconds >= BOUND_SECONDS else f"failed: {lines[-1]}")
    return Measured(seconds, peak_mb=usage.ru_maxrss / 1024)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    # The server does not notice that a psql is gone, and would go on with its statement.
    backends = f"select pg_terminate_backend(pid) from pg_stat_activity where datname in ('{SOURCE}', '{STAR}')"
    sql("postgres", backends)


AGES = "select extract(epoch from clock_timestamp() - xact_start) from pg_stat_activity where datname = %s"


@contextmanager
def longest_transaction(database: str) -> Iterator[list[float]]:
    """Watch the transactions of `database` in the block; give the list of how old, in seconds, they were seen."""
    ages = [0.0]
    stop = threading.Event()
    connection = psycopg2.connect(dbname="postgres")  # the rest is in PGHOST and its like
    connection.autocommit = True

    def watch() -> None:
        with connection.cursor() as cursor:
            while not stop.wait(0.01):
                cursor.execute(AGES, [database])
                ages.extend(float(age) for (age,) in cursor if age)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield ages
    finally:
        stop.set()
        thread.join()
        connection.close()


def new_database(name: str, template: str = "template1") -> None:
    sql("postgres", f"drop database if exists {name} with (force)")
    sql("postgres", f"create database {name} template {template}")


def manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(ROOT / "manage.py"), *arguments)


def sql(database: str, statement: str) -> str:
    """Run a statement with psql and return what it printed."""
    return check("psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement)


def check(*command: str) -> str:
    """Run a command, which must succeed, and return what it printed."""
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed: {result.stderr.strip()}")
    return result.stdout.strip()


def drop_databases() -> None:
    """Leave nothing behind."""
    for name in (SOURCE, WHOLE, SMALL, STAR, LOG):
        sql("postgres", f"drop database if exists {name}")
