"""Rows from one database to another by COPY, as a stream: no row becomes a Python object."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from django.db import connections
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class, for all its small letter)
from psycopg2.sql import SQL, Composable, Identifier

CHUNK_BYTES = 1 << 18


@contextmanager
def raw_cursor(alias: str) -> Iterator[Cursor]:
    """Give a psycopg2 cursor on the connection that Django holds to the database `alias`."""
    connections[alias].ensure_connection()
    with connections[alias].connection.cursor() as cursor:
        yield cursor


@dataclass
class Copied:
    """How much a COPY moved."""

    rows: int
    bytes: int


def copy_rows(source: Cursor, query: Composable, target: Cursor, table: Identifier) -> Copied:
    """Copy what `query` gives at `source` into `table` at `target`, whose columns must be the query's, in order.

    The server's COPY OUT runs in a thread of its own and feeds COPY IN through a pipe, so both servers work at once
    and the memory used does not depend on the rows. Raises what either side raises; the caller's transaction at
    `target` must then be rolled back, since a source that fails in the middle looks like its end from there.
    """
    read_end, write_end = os.pipe()
    with ThreadPoolExecutor(1) as executor:
        sending = executor.submit(_send, source, query, write_end)
        # Closed on an error, the pipe's end makes the sender fail instead of waiting for ever.
        with open(read_end, "rb", buffering=0) as pipe:
            receiving = _Counting(pipe)
            target.copy_expert(SQL("copy {} from stdin").format(table), receiving, CHUNK_BYTES)
        sending.result()
    return Copied(target.rowcount, receiving.bytes)


def _send(source: Cursor, query: Composable, write_end: int) -> None:
    with open(write_end, "wb", buffering=CHUNK_BYTES) as pipe:
        source.copy_expert(SQL("copy ({}) to stdout").format(query), pipe)


class _Counting:
    """A file that counts what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.bytes = 0

    def read(self, size: int = -1) -> bytes:
        chunk = self.file.read(size)
        self.bytes += len(chunk)
        return chunk
