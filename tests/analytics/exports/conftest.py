"""A star that is hard to write down, and files read back by programs that are not ours."""

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pytest_django import Settings

from tests.analytics.admin.conftest import client, loaded, many_steps
from tests.analytics.pages.conftest import manager, reader
from tests.analytics.test_schema import TABLES
from tests.conftest import Source, Warehouse

__all__ = ["client", "loaded", "manager", "many_steps", "reader"]  # the fixtures

STAR = sorted(set(TABLES) - {"rejected_row", "load_state"})
AWKWARD = (
    *(
        "",
        None,
        " ",
        "NULL",
        "\\N",
        "\\.",
        '"',
        '""',
        '"quoted"',
        "it's",
        "back\\slash\\",
        ",",
        ";",
        "a,b",
        "tab\there",
    ),
    *("two\nlines", "two\r\nlines", "\r", "\n", '"\n"', " lead and trail ", "ünïcödé 漢字 🦵", "\ufeffmark", "e\u0301"),
    *(
        "=1+1",
        "-5",
        "-1+1",
        "+49 30",
        "@sum",
        "\t=1",
        "#",
        "-- x",
        "'",
        "''",
        "{a}",
        "[1]",
        "true",
        "1e5",
        "2024-03-01",
    ),
    "long" * 1_000_000,
)
TAGS: tuple[list[str | None] | None, ...] = (
    None,
    [],
    [""],
    ["NULL"],
    [None],
    ["a,b", '"q"', "{x}", "\\", "two\nlines", "", None, "漢"],
)
# What PostgreSQL calls a type, and what duckdb does.
KINDS = {
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
    "uuid": "UUID",
    "ARRAY": "VARCHAR[]",
    "numeric": "DECIMAL",
}
Rows = Counter[tuple[Any, ...]]


@pytest.fixture
def awkward(source: Source, dump: Path, covid_folder: Path, run, settings: Settings) -> None:
    """The star of a dump and of some COVID days, with texts, lists, days and numbers that files are known to lose."""
    settings.COVID_API_URL = str(covid_folder)
    source.load(dump)
    for number, text in enumerate(AWKWARD, 9_000):
        source.insert("device", id=number, platform=text, os_version=AWKWARD[-2])
    for number, tags in enumerate(TAGS, 9_000):
        source.insert("survey", id=number, slug="awkward", version="", tags=tags)
    source.insert("patient", id=-7, age_bracket="", sex=None, hospital="=North")
    first, last = "0001-01-01", "9999-12-31"
    source.insert("patient_journey", id=-7, patient_id=-7, journey_id=1, operation_date=first, discharge_date=last)
    for day, steps in ((first, "0"), (last, "2147483647")):
        source.insert("step_result", patient_id=-7, date=day, value=steps)
    times = {"start_time": f"{first} 00:00:00", "end_time": f"{last} 23:59:59.999999"}
    source.insert_survey_result(id=9_000, patient_journey_id=-7, survey_id=9_000, device_id=9_000, **times)
    run()
    run("run_pipeline", "--only", "covid")


def columns(warehouse: Warehouse, table: str) -> dict[str, str]:
    """Return the columns of a table, each with its type in words."""
    return dict(
        warehouse.execute(
            "select column_name, data_type from information_schema.columns where table_name = %s"
            " order by ordinal_position",
            table,
        )
    )


def in_star(warehouse: Warehouse, table: str) -> Rows:
    """Return the rows of a table as PostgreSQL has them, times in microseconds since 1970."""
    times = "(extract(epoch from {0}) * 1000000)::bigint"
    values = [
        times.format(name) if "timestamp" in kind else f'"{name}"' for name, kind in columns(warehouse, table).items()
    ]
    return counted(warehouse.execute(f"select {', '.join(values)} from {table}"))


def counted(rows: list[tuple[Any, ...]]) -> Rows:
    return Counter(tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in rows)


def connect_duckdb(path: Path | None = None) -> Any:
    """Return a connection to duckdb, to read with; imported now, as it complains of what has been frozen before."""
    import duckdb

    return duckdb.connect(str(path), read_only=True) if path else duckdb.connect()


class Files:
    """A folder that the star was written into, as duckdb reads it; a CSV file is told its columns' types."""

    def __init__(self, folder: Path, form: str, warehouse: Warehouse) -> None:
        self.folder = folder
        self.form = form
        self.warehouse = warehouse
        self.duck = connect_duckdb(folder / "star.duckdb" if form == "duckdb" else None)

    def rows(self, table: str) -> Rows:
        kinds = columns(self.warehouse, table)
        shown = {"timestamp with time zone": "epoch_us({})", "ARRAY": "{}::JSON::VARCHAR[]" if self.is_csv else "{}"}
        values = [shown.get(kind, "{}").format(f'"{name}"') for name, kind in kinds.items()]
        return counted(self.duck.execute(f"select {', '.join(values)} from {self._table(table)}").fetchall())

    def kinds(self, table: str) -> dict[str, str]:
        return {
            name: kind
            for name, kind, *_ in self.duck.execute(f"describe select * from {self._table(table)}").fetchall()
        }

    @property
    def is_csv(self) -> bool:
        return self.form == "csv"

    def _table(self, table: str) -> str:
        if self.form == "duckdb":
            return table
        path = str(self.folder / f"{table}.{self.form}").replace("'", "''")
        if not self.is_csv:
            return f"'{path}'"
        told = {"ARRAY": "VARCHAR", "numeric": "DECIMAL(38, 15)"}
        kinds = {name: told.get(kind, KINDS[kind]) for name, kind in columns(self.warehouse, table).items()}
        return (
            f"read_csv('{path}', header = true, auto_detect = false, quote = '\"', escape = '\"', parallel = false, "
            "new_line = '\\n', "
            f"allow_quoted_nulls = false, max_line_size = 33554432, buffer_size = 33554432, columns = {kinds})"
        )


@contextmanager
def files(folder: Path, form: str, warehouse: Warehouse) -> Iterator[Files]:
    read = Files(folder, form, warehouse)
    try:
        yield read
    finally:
        read.duck.close()


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def sheet(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of XLSX; what is shown without a time is a day."""
    head, *rows = openpyxl.load_workbook(path)["rows"].iter_rows()
    return [
        {
            name.value: cell.value.date() if cell.is_date and "h" not in cell.number_format else cell.value
            for name, cell in zip(head, row, strict=True)
        }
        for row in rows
    ]
