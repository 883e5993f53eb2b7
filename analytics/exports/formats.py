"""A query's rows on their way into a file: what its columns become, and how duckdb is fed with them.

The server writes the rows as CSV, by COPY, in which a null is nothing and a text, an empty one too, is quoted. That is
what a CSV file holds, and from a pipe duckdb reads the same, of each column told the type. Python holds no row.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import psycopg2
from psycopg2.sql import SQL, Composable, Identifier

from ingest.copying import CHUNK_BYTES
from ingest.cursors import Cursor, one_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TEXT, NUMERIC, TEXTS = "VARCHAR", "DECIMAL", "VARCHAR[]"
# duckdb's types by the number that PostgreSQL gives its own; what is none of these is a text.
KINDS = {
    16: "BOOLEAN",
    20: "BIGINT",
    21: "SMALLINT",
    23: "INTEGER",
    25: TEXT,
    701: "DOUBLE",
    1009: TEXTS,
    1015: TEXTS,
    1043: TEXT,
    1082: "DATE",
    1114: "TIMESTAMP",
    1184: "TIMESTAMPTZ",
    1700: NUMERIC,
    2950: "UUID",
    3802: "JSON",
}
# How a value is written, where not as the server does it by itself: words that people and programs know, ISO 8601,
# and digits that Python would shorten to 1E-7.
WRITTEN = {
    "BOOLEAN": "{}::text",
    "TIMESTAMP": "to_json({}) #>> '{{}}'",
    "TIMESTAMPTZ": "to_json({}) #>> '{{}}'",
    NUMERIC: "{}::text",
    TEXTS: "to_json({})::text",
}
DIGITS = 38  # of the longest DECIMAL
LINE_BYTES = 32 * 1024 * 1024  # of a row in CSV, and of duckdb's buffers for it
MEMORY = "512MB"


@dataclass(frozen=True)
class Column:
    """A column of a query, with its type in duckdb; of a DECIMAL without its digits until `measured` says them."""

    name: str
    kind: str

    @property
    def is_text(self) -> bool:
        """Tell whether its values can hold anything, and are therefore quoted."""
        return self.kind in (TEXT, TEXTS, "JSON")

    @property
    def written(self) -> Composable:
        return SQL(WRITTEN.get(self.kind, "{}")).format(Identifier(self.name))


def columns_of(cursor: Cursor, query: Composable) -> list[Column]:
    """Return the columns of a query, without running it."""
    cursor.execute(SQL("select * from ({}) as taken limit 0").format(query))
    return [Column(column.name, KINDS.get(column.type_code, TEXT)) for column in cursor.description or ()]


def measured(cursor: Cursor, query: Composable, columns: Sequence[Column]) -> list[Column]:
    """Return the columns with the digits that each DECIMAL needs; one that needs too many is a text."""
    return [
        Column(column.name, _decimal(cursor, query, column.name)) if column.kind == NUMERIC else column
        for column in columns
    ]


def _decimal(cursor: Cursor, query: Composable, name: str) -> str:
    measure = "select coalesce(max(scale({0})), 0), coalesce(max(length(trunc(abs({0}))::text)), 0) from ({1}) as taken"
    cursor.execute(SQL(measure).format(Identifier(name), query))
    after, before = one_row(cursor)
    return f"DECIMAL({DIGITS},{after})" if before + after <= DIGITS else TEXT


def written(query: Composable, columns: Sequence[Column], *, as_texts: bool = False) -> Composable:
    """Return a query for the rows of another as files have them.

    `as_texts` lets the server make a text of every value, which it does in a fraction of the time that Python takes.
    """
    value = SQL("({})::text as {}" if as_texts else "{} as {}")
    values = [value.format(column.written, Identifier(column.name)) for column in columns]
    return SQL("select {} from ({}) as taken").format(SQL(", ").join(values), query)


def send_csv(cursor: Cursor, query: Composable, columns: Sequence[Column], file: BinaryIO, *, header: bool) -> int:
    """Write the rows of a query into a file as CSV, and return how many they are."""
    texts = [Identifier(column.name) for column in columns if column.is_text]
    options = [SQL("format csv"), SQL("header {}").format(SQL(str(header)))]
    options += [SQL("force_quote ({})").format(SQL(", ").join(texts))] if texts else []
    copy = SQL("copy ({}) to stdout ({})").format(written(query, columns), SQL(", ").join(options))
    cursor.copy_expert(copy, file)
    return cursor.rowcount


@contextmanager
def duck(database: Path | None, spill: Path, *, threads: int, in_order: bool) -> Iterator["DuckDBPyConnection"]:
    """Give duckdb with a database, by default in memory; what exceeds that goes to the folder `spill`.

    `in_order` keeps the rows in the order in which they come.
    """
    import duckdb  # here: whoever takes nothing away, as the hourly run, need not wait for it

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": threads,
        "preserve_insertion_order": in_order,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,  # no export depends on the network
    }
    with duckdb.connect(str(database or ":memory:"), config=config) as connection:
        yield connection


def feed(
    duck: "DuckDBPyConnection",
    statement: Callable[[str], str],
    cursor: Cursor,
    query: Composable,
    columns: Sequence[Column],
) -> int:
    """Run a statement of duckdb, made of its query for the rows of ours; return how many these are.

    The server's COPY runs in a thread of its own. Raises what either side raises; the server has then been told to
    stop, and its transaction is of no more use.
    """
    read_end, write_end = os.pipe()

    def send() -> int:
        with os.fdopen(write_end, "wb", buffering=CHUNK_BYTES) as pipe:
            return send_csv(cursor, query, columns, pipe, header=False)

    with ThreadPoolExecutor(1) as executor, os.fdopen(read_end, "rb") as pipe:
        sending = executor.submit(send)
        try:
            duck.execute(statement(_query_of_pipe(f"/dev/fd/{read_end}", columns)))
        except BaseException:
            wait([sending], timeout=0.1)
            if sending.done() and isinstance(sending.exception(), psycopg2.Error):
                sending.result()  # raises what the server says: duckdb sees nothing but the early end of its rows
            pipe.close()  # first: a sender that writes to a full pipe would wait for ever
            while wait([sending], timeout=0.5).not_done:
                with suppress(psycopg2.Error):
                    cursor.connection.cancel()
            raise
        pipe.close()
        return sending.result()


def _query_of_pipe(path: str, columns: Sequence[Column]) -> str:
    # Every option is given: duckdb would else find it out from the first rows, which would be lost to the pipe.
    kinds = ", ".join(f"{name(each.name)}: '{TEXT if each.kind == TEXTS else each.kind}'" for each in columns)
    values = ", ".join(
        f"{name(each.name)}::JSON::{TEXTS} as {name(each.name)}" if each.kind == TEXTS else name(each.name)
        for each in columns
    )
    return (
        f"select {values} from read_csv({text(path)}, auto_detect = false, header = false, delim = ',', quote = '\"', "
        "escape = '\"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false, parallel = false, "
        f"max_line_size = {LINE_BYTES}, buffer_size = {LINE_BYTES}, columns = {{{kinds}}})"
    )


def name(identifier: str) -> str:
    """Return a name as duckdb reads it."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as duckdb reads it."""
    return "'" + value.replace("'", "''") + "'"
