"""One consistent read of msk_db: a single snapshot for all ten tables, taken only if they are what we expect."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connections, transaction
from psycopg2.sql import SQL, Composed, Literal

from ingest.cursors import Cursor, raw_cursor
from ingest.msk.tables import TABLES, TYPES, SourceTable
from ingest.runs.errors import PipelineError

OLDEST_SERVER = 140000  # hash_record_extended came with PostgreSQL 14
DIGEST_VERSION = 1  # to be raised when the meaning of a digest changes

# table → column → type, as the server names it
ColumnTypes = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Snapshot:
    """A cursor in the transaction that holds the snapshot, and what the source's columns are."""

    cursor: Cursor
    types: ColumnTypes


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Give msk_db as one REPEATABLE READ READ ONLY transaction sees it: whole, or not at all.

    The server refuses a query from which row-level security would hide rows, also through a view or a function. What a
    view's own query leaves out is its owner's affair.

    Raises PipelineError when the server is too old, or when a table or column is missing or of another type.
    """
    with transaction.atomic(using="msk_db"), raw_cursor("msk_db") as source:
        source.execute("set transaction isolation level repeatable read read only")
        source.execute("set local row_security = off")
        _check_version(source)
        # So that the statement of a run that was killed ends, too. Servers that are too old do not know it.
        source.execute("set client_connection_check_interval = '1s'")
        types = _column_types(source)
        _check_tables(types)
        yield Snapshot(source, types)


def rows_query(table: SourceTable, buckets: list[int] | None) -> Composed:
    """Return the query for the rows of `buckets` of `table`, or for all of them when it is None."""
    query = SQL("select {} from " + table.copied).format(table.copied_columns())
    if buckets is not None:
        query += SQL(" where " + table.bucket + " = any({}::bigint[])").format(
            Literal("{" + ",".join(map(str, buckets)) + "}")
        )
    return query


def digest_seed(source: Snapshot, table: SourceTable, secret: str) -> int:
    """Return a number that is another one when digests of `table` cannot be compared with earlier ones.

    That is when the server's version, a column's type or the buckets have changed. Without the warehouse's `secret`
    nobody can foresee the number, and it does not give the secret away.
    """
    made_of = f"{DIGEST_VERSION} {source.cursor.connection.server_version} {source.types[table.name]} {table}"
    return int.from_bytes(hmac.digest(secret.encode(), made_of.encode(), "sha256")[:8], signed=True)


def digest_query(table: SourceTable, seed: int, rows: str) -> Composed:
    """Return the query for (bucket, row_count, digest) of `rows` t: those of `table`, or those that are staged of it.

    The digest is a sum and not a xor, so that a row that is there twice counts twice. A record's hash is a sum as well,
    of its columns' hashes times powers of 31: summed as it is, it would not show that two rows have swapped a value, so
    it is hashed once more.

    What it withstands: chance, which hides a change in one case of 2**64, and whoever prepares a change without knowing
    the seed. But the hash is PostgreSQL's own, made for speed and not for secrecy. A search of minutes finds two texts
    of 24 bytes that have one hash under one seed of some thousands; who knows the seed finds within seconds two that
    have one hash under it. The seed is in the text of this query: whoever may see the statements of the user who reads
    the source, in pg_stat_activity or a log there, or may read staged_table in the warehouse, knows it. None of this
    gives away the secret, and a run with --full-refresh, whose secret is a new one, finds what was hidden.
    """
    row_hash = "hashtextextended(hash_record_extended(row({}), {})::text, 0)"
    return SQL(f"select {table.bucket}, count(*), sum({row_hash}) from {rows} group by 1").format(
        table.digest_columns(), Literal(seed)
    )


def _check_version(source: Cursor) -> None:
    version = source.connection.server_version
    if version < OLDEST_SERVER:
        raise PipelineError(f"the source runs PostgreSQL {version // 10000}: it must be 14 or later")


def _column_types(source: Cursor) -> ColumnTypes:
    source.execute(
        """
        select c.relname, a.attname, format_type(a.atttypid, null)
          from pg_class c
          join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.oid in (select to_regclass(name) from unnest(%s) as name)
         order by a.attrelid, a.attnum
        """,
        [[table.name for table in TABLES]],
    )
    types: ColumnTypes = {}
    for table, column, kind in source.fetchall():
        types.setdefault(table, {})[column] = kind
    return types


def _check_tables(types: ColumnTypes) -> None:
    database = connections["msk_db"].settings_dict["NAME"]
    if not types:
        raise PipelineError(
            f"the source database {database} has none of the ten tables in the search_path of its user: load your "
            "dump into it (docs/source.md), or let the user see the schema that has them"
        )
    problems = [problem for table in TABLES for problem in _problems(table, types.get(table.name))]
    if problems:
        raise PipelineError(
            f"the source database {database} is not as expected: {'; '.join(problems)}. "
            "Restore what is missing, or grant the user the right to read it, and run the command again"
        )


def _problems(table: SourceTable, types: dict[str, str] | None) -> Iterator[str]:
    if types is None:
        yield f"table {table.name} is missing"
        return
    for column, kind in table.own_columns().items():
        if column not in types:
            yield f"column {table.name}.{column} is missing"
        elif types[column] not in TYPES[kind]:
            yield f"column {table.name}.{column} is {types[column]}, not {kind}"
