"""The source that the benchmark reads: made up in two sizes, each kept as a template, and changed by changes/*.sql."""

import os
import tempfile
from pathlib import Path

from bench.server import SMALL, SOURCE, WHOLE, check, manage, new_database, sql

CHANGES = Path(__file__).with_name("changes")
# Steps end before this day, so that an ordinary hour brings those of a day in the middle of a week, as most days are.
FIRST_NEW_DAY = "2024-06-28"


def make_sources(patients: int, days: int) -> int:
    """Make the templates of the whole source and of one with 1 % of its patients; return the rows of the whole."""
    _make(SMALL, max(patients // 100, 1), days)
    _make(WHOLE, patients, days)
    return sum(int(sql(WHOLE, f"select count(*) from {table}")) for table in source_tables())


def source_tables() -> list[str]:
    """Return the names of the source's tables."""
    return sql(
        WHOLE, "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    ).split()


def use_source(template: str) -> None:
    """Make the source what this template is, whatever it was."""
    new_database(SOURCE, template)


def change_source(change: str) -> None:
    """Run a file of changes/ on the source, and bring its statistics up to date, as a server's autovacuum would."""
    run_file(SOURCE, CHANGES / change, "--single-transaction")
    sql(SOURCE, "analyze")


def run_file(database: str, path: Path, *options: str) -> None:
    check("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", database, "-o", os.devnull, "-f", str(path), *options)


def _make(name: str, patients: int, days: int) -> None:
    new_database(name)
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "msk_db.sql"
        size = ("--patients", str(patients), "--days", str(days), "--seed", "1")
        check(*manage("make_sample_data", *size, "--output", str(dump)))
        run_file(name, dump)
    sql(name, f"delete from step_result where date >= '{FIRST_NEW_DAY}'")
    sql(name, "vacuum analyze")
