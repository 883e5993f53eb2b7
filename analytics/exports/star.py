"""The star as files: a table each, all of one snapshot, and a README.md that says what is in them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from django.apps import apps
from psycopg2.sql import SQL, Identifier

from analytics.analyst import star
from analytics.dictionary.catalog import Described, described
from analytics.dictionary.lineage import lineage
from analytics.exports.formats import Column, columns_of, duck, feed, measured, name, send_csv, text
from analytics.pages import answers
from ingest import statements
from ingest.copying import CHUNK_BYTES, one_error
from ingest.cursors import Cursor, one_row
from ingest.runs.errors import PipelineError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMATS = PARQUET, CSV, DUCKDB = "parquet", "csv", "duckdb"
README = "README.md"
UNFINISHED = ".unfinished"
THREADS = 2


@dataclass(frozen=True)
class Table:
    """A table of the star as it was written: its columns as the catalog explains them, and as the file has them."""

    name: str
    rows: int
    explained: list[Described]
    columns: list[Column]


def export_star(output: Path, form: str) -> dict[str, int]:
    """Write the tables and views of the star into a folder, which is made or empty; return the rows of each.

    Raises PipelineError where the folder is not fit for it, or what psycopg2 raises: then nothing stays in it.
    """
    import duckdb  # here, as in formats.py

    with _private(), _filled(output) as folder, one_error(), answers.unhurried(), answers.snapshot() as warehouse:
        try:
            tables = list(_write_tables(warehouse, folder, form))
            (folder / README).write_text("\n".join(_lines_of_readme(warehouse, tables, form)), encoding="utf-8")
        except (OSError, duckdb.Error) as error:
            # What it says itself may quote a patient's row, but for what the system says of a file.
            message = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            raise PipelineError(
                f"the star was not written into {output}: {message}; see that it may be written to and has room, "
                "and run the command again"
            ) from error
    return {table.name: table.rows for table in tables}


@contextmanager
def _private() -> Iterator[None]:
    # Nobody else may read what is written in the block: it holds what is known of patients.
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _filled(output: Path) -> Iterator[Path]:
    """Give a folder whose files are moved into `output` when all are written; of a failure nothing stays.

    Within it and not beside it, as `output` may be a mount, into which no file of another can be moved.
    """
    made = [folder for folder in (output, *output.parents) if not folder.exists()]
    unfinished = output / UNFINISHED
    try:
        output.mkdir(parents=True, exist_ok=True)
        if unfinished.exists():
            raise PipelineError(
                f"{output} is not empty: {UNFINISHED} in it is of an export that was killed or is still at work; "
                "remove it when none is, or name another folder"
            )
        if any(output.iterdir()):
            raise PipelineError(f"{output} is not empty: name an empty folder, or one that is not there yet")
        unfinished.mkdir()
    except OSError as error:
        raise PipelineError(
            f"{output} cannot be a folder for the star: {error.strerror}; name another one, or one to be made"
        ) from error
    moved: list[Path] = []
    try:
        yield unfinished
        for file in sorted(unfinished.iterdir()):
            moved.append(file.rename(output / file.name))
        unfinished.rmdir()
    except BaseException:
        shutil.rmtree(unfinished)
        for file in moved:
            file.unlink()
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _write_tables(warehouse: Cursor, folder: Path, form: str) -> Iterator[Table]:
    # Whole tables are read, and windows are joined to completions by three columns that go together: the planner, which
    # takes them for independent, expects few matches and would look up each by an index, in four times the time. Groups
    # that are made by sorting come while the rest is still being read.
    warehouse.execute("set local enable_nestloop = off; set local enable_hashagg = off")
    # The writer computes as much as the server: a core each, instead of parallel processes that take the writer's.
    warehouse.execute("set local max_parallel_workers_per_gather = 0")
    explained = _columns_by_table()
    database = folder / "star.duckdb" if form == DUCKDB else None
    spill = folder / "spill"
    writing: AbstractContextManager[DuckDBPyConnection | None] = (
        nullcontext() if form == CSV else duck(database, spill, threads=THREADS, in_order=False)
    )
    with writing as written:
        for table in star("analytics"):
            query = SQL("select * from {}").format(Identifier(table))
            columns = columns_of(warehouse, query)
            if written is None:
                with (folder / f"{table}.csv").open("wb", buffering=CHUNK_BYTES) as file:
                    rows = send_csv(warehouse, query, columns, file, header=True)
            else:
                columns = measured(warehouse, query, columns)
                path = folder / f"{table}.parquet"

                def statement(rows: str, table: str = table, path: Path = path) -> str:
                    if form == DUCKDB:
                        return f"create table {name(table)} as {rows}"
                    return f"copy ({rows}) to {text(str(path))} (format parquet, compression zstd)"

                rows = feed(written, statement, warehouse, query, columns)
                if form == DUCKDB:
                    _comment(written, table, explained[table])
            yield Table(table, rows, explained[table], columns)
    shutil.rmtree(spill, ignore_errors=True)


def _comment(written: "DuckDBPyConnection", table: str, columns: list[Described]) -> None:
    written.execute(f"comment on table {name(table)} is {text(columns[0].table_meaning or '')}")
    for column in columns:
        of = f"{name(table)}.{name(column.column_name)}"
        written.execute(f"comment on column {of} is {text(column.meaning or '')}")


def _columns_by_table() -> dict[str, list[Described]]:
    return {table: list(columns) for table, columns in groupby(described("analytics"), lambda each: each.table_name)}


def _lines_of_readme(warehouse: Cursor, tables: list[Table], form: str) -> Iterator[str]:
    warehouse.execute("select now()")
    (exported_at,) = one_row(warehouse)
    yield "# The star schema of the MSK warehouse"
    yield ""
    yield f"Exported at {_time(exported_at)}, all tables of one snapshot. Times are in UTC."
    yield ""
    yield from ["| source | loaded at | by run |", "|---|---|---|"]
    warehouse.execute("select source, loaded_at, run_id from load_state order by source")
    loads = warehouse.fetchall()
    for source, loaded_at, run in loads:
        yield f"| {source} | {_time(loaded_at)} | {run} |"
    if not loads:
        yield "| none | never | |"
    yield ""
    yield ABOUT[form]
    keys = _key_columns(warehouse)
    for table in tables:
        first = table.explained[0]
        yield from ["", f"## {table.name}", ""]
        yield f"{_cell(first.table_meaning)}."
        yield ""
        view = f" A view of {', '.join(lineage().reads(table.name))}, as it was then." if first.is_view else ""
        yield f"{table.rows:,} rows; key: {', '.join(keys[table.name])}.{view}"
        yield ""
        yield from ["| column | type | here | meaning |", "|---|---|---|---|"]
        for column, here in zip(table.explained, table.columns, strict=True):
            kind = "text" if form == CSV else here.kind
            yield f"| {column.column_name} | {column.type} | {kind} | {_cell(column.meaning)} |"
    yield ""


DIGITS = (
    "A number of any length (numeric) is a DECIMAL with as many digits as it takes, or a text where those are more "
    "than 38."
)
ABOUT = {
    PARQUET: f"Each table is a file of its name. {DIGITS}",
    CSV: "Each table is a file of its name: UTF-8, a line of names first, lines end with a line feed. Nothing between "
    'two commas is a null, `""` an empty text. Times are as in 2024-03-08T09:00:00+00:00, lists as in `["a", "b"]`. A '
    "text is as it is in the star, also one that begins as a formula does: a program reads it as it stands, a "
    "spreadsheet may calculate it, so import such columns as text.",
    DUCKDB: f"star.duckdb holds all tables, each column with its meaning as a comment. {DIGITS}",
}


def _key_columns(warehouse: Cursor) -> dict[str, list[str]]:
    # The catalog knows no key of a view, but its model does.
    models = apps.get_app_config("analytics").get_models()
    keys = {model._meta.db_table: [str(model._meta.pk.column)] for model in models}
    warehouse.execute(statements.statement(Path(__file__).parent, "keys", tables=star("analytics")))
    return keys | dict(warehouse.fetchall())


def _time(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _cell(value: str | None) -> str:
    return (value or "").replace("|", "\\|").replace("\n", " ")
