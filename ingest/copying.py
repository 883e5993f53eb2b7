"""Rows from one database to another by COPY, as a stream: no row becomes a Python object."""

import io
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg2
from psycopg2.sql import SQL, Composable, Identifier

from ingest.cursors import Cursor

CHUNK_BYTES = 1 << 18


@dataclass
class Copied:
    """How much a COPY moved."""

    rows: int
    bytes: int


def copy_rows(source: Cursor, query: Composable, target: Cursor, table: Identifier) -> Copied:
    """Copy what `query` gives at `source` into `table` at `target`, which has the query's columns, in order and type.

    The server's COPY OUT runs in a thread of its own and feeds COPY IN through a pipe, so both servers work at once
    and the memory used does not depend on the rows. Raises what either side raises; the caller's transaction at
    `target` must then be rolled back, since a source that fails in the middle looks like its end from there.
    """
    read_end, write_end = os.pipe()
    with one_error(), ThreadPoolExecutor(1) as executor, _CountingFile(read_end) as pipe:
        sending = executor.submit(_send, source, query, write_end)
        try:
            target.copy_expert(SQL("copy {} from stdin (format binary)").format(table), pipe, CHUNK_BYTES)
        except BaseException:
            wait([sending], timeout=0.1)
            if sending.done() and isinstance(sending.exception(), psycopg2.Error):
                sending.result()  # raises what the source says: here nothing but the early end of its rows is seen
            pipe.close()  # first: a sender that writes to a full pipe would wait for ever
            with suppress(psycopg2.Error):  # the source may take no connection now: what went wrong first counts
                source.connection.cancel()  # or the rest of the table is read before its transaction can end
                while wait([sending], timeout=0.5).not_done:
                    source.connection.cancel()
            raise
        sending.result()
    return Copied(target.rowcount, pipe.byte_count)


def _send(source: Cursor, query: Composable, write_end: int) -> None:
    with open(write_end, "wb", buffering=CHUNK_BYTES) as pipe:
        source.copy_expert(SQL("copy ({}) to stdout (format binary)").format(query), pipe)


@contextmanager
def one_error() -> Iterator[None]:
    """Keep psycopg2 from printing a SystemError of its own beside the error that it raises for a lost connection."""
    hook = sys.excepthook
    sys.excepthook = lambda *error: None
    try:
        yield
    finally:
        sys.excepthook = hook


class _CountingFile(io.FileIO):
    byte_count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(-1 if size is None else size)
        self.byte_count += len(chunk)
        return chunk
