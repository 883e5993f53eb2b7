"""Finds the text of the source that is not valid in its encoding, when a copy has failed because of one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.extensions import encodings
from psycopg2.sql import SQL, Composable

from ingest.cursors import Cursor
from ingest.msk.tables import SourceTable
from ingest.runs.errors import RowError

# A byte that is no character, which the warehouse refuses, and a character that UTF8 does not have.
UNREADABLE = ("22021", "22P05")


@contextmanager
def texts_named(source: Cursor, table: SourceTable, query: Composable) -> Iterator[None]:
    """Raise RowError, naming column and row, when the block fails to copy what `query` gives of `table`.

    Only where a text cannot be read. The source's transaction is over by then: the row is found by a second look,
    without the snapshot.
    """
    try:
        yield
    except psycopg2.Error as error:
        if error.pgcode in UNREADABLE:
            with suppress(psycopg2.Error):  # the first error says more than one of the second look
                _raise_named(source, table, query)
        raise


# COPY writes to it as to a file, a row at a time.
class _UnreadableRows:
    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.first = b""
        self.count = 0

    def write(self, row: bytes) -> None:
        if not self.can_read(row):
            self.first = self.first or row
            self.count += 1

    def can_read(self, text: bytes) -> bool:
        try:
            text.decode(self.codec)
        except UnicodeDecodeError:
            return False
        return True


def _raise_named(source: Cursor, table: SourceTable, query: Composable) -> None:
    source.connection.rollback()
    source.execute("show server_encoding")
    ((encoding,),) = source.fetchall()
    source.execute("set local client_encoding = 'SQL_ASCII'")  # the bytes as they are
    if encoding == "SQL_ASCII":
        encoding = "UTF8"  # anything goes there; this is what the warehouse takes it for
    if encoding not in encodings:  # Python does not know all that PostgreSQL does
        return
    unreadable = _UnreadableRows(encodings[encoding])
    source.copy_expert(SQL("copy ({}) to stdout").format(query), unreadable)
    if not unreadable.count:
        return
    values = dict(zip(table.columns, unreadable.first.rstrip(b"\n").split(b"\t"), strict=True))
    column = next(name for name, value in values.items() if not unreadable.can_read(value))
    key = {name: values[name].decode().replace("\\N", "null") for name in table.identity}
    rows = f"{unreadable.count:,} rows" if unreadable.count > 1 else "a row"
    raise RowError(
        f"the source's text {table.name}.{column} is not {encoding} in {rows}: write it anew there, and run the "
        "command again; run by hand it names the first row",
        f"that is row {'/'.join(key.values())}: update {table.name} set {column} = '…' where {_condition(table, key)}",
    )


def _condition(table: SourceTable, key: dict[str, str]) -> str:
    values = {name: f"'{value}'" if table.columns[name] == "date" else value for name, value in key.items()}
    return " and ".join(f"{name} is null" if key[name] == "null" else f"{name} = {v}" for name, v in values.items())
