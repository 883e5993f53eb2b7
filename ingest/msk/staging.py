"""A staging table brought in step with its source table, reading only the buckets whose digest differs."""

from typing import Any

from psycopg2.sql import SQL, Composable, Identifier

from ingest.copying import copy_rows
from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.msk.encoding import texts_named
from ingest.msk.snapshot import Snapshot, digest_query, digest_seed, rows_query
from ingest.msk.tables import SourceTable


def digest_secret(warehouse: Cursor) -> str:
    """Return the secret that the seeds of this warehouse's digests are made of; its first run has it made.

    The server makes it, so it is in no statement, and so in no log.
    """
    warehouse.execute("insert into digest_secret default values on conflict do nothing")
    warehouse.execute("select secret::text from digest_secret")
    (secret,) = one_row(warehouse)
    return str(secret)


class StagingTable:
    """The warehouse's side of one source table, within the run's transaction.

    Beside `staging_<table>` there are temporary tables: `digest_<table>` holds the source's digests of now,
    `changed_<table>` the buckets whose digests differ, `incoming_<table>` the source's rows that are to be compared,
    `difference_<table>` those that are not staged as they should be.
    """

    def __init__(self, warehouse: Cursor, table: SourceTable) -> None:
        self.warehouse = warehouse
        self.table = table
        self.counts = StepRun()
        self.seed = 0
        self.digest = Identifier(f"digest_{table.name}")
        self.incoming = Identifier(f"incoming_{table.name}")
        self.names: dict[str, Composable] = {
            "staging": table.staging,
            "digest": self.digest,
            "changed": Identifier(f"changed_{table.name}"),
            "incoming": self.incoming,
            "difference": Identifier(f"difference_{table.name}"),
            "bucket": SQL(table.bucket),
            "key": SQL(table.key),
            "columns": SQL(", ").join(map(Identifier, table.columns)),
            "identity": SQL(", ").join(map(Identifier, table.identity)),
            "staged_row": table.column_list("t"),
            "differing_row": table.column_list("d"),
        }
        self.staged_rows: int = self._value("select count(*) from {staging}")
        # What the last run saw at the source, and how it worked out digests; nothing before the first one.
        self.rows_before, self.seed_before = self._row(
            "select coalesce(max(row_count), 0), max(seed) from staged_table where source_table = %(table)s"
        )
        self.is_intact: bool = self.staged_rows == self.rows_before
        self.compares_everything = False
        self.has_incoming = False

    def copy(self, source: Snapshot, secret: str, *, full: bool) -> None:
        """Copy from the source what differs, or with `full` everything: into an empty staging table at once.

        Everything, too, when the staging table does not have the rows that its digests speak of, or when they were
        worked out in another way, or under another `secret`.
        """
        self.seed = digest_seed(source, self.table, secret)
        self.compares_everything = full or not self.is_intact or self.seed != self.seed_before
        self._find_changed_buckets(source)
        self.has_incoming = self.compares_everything or self._value("select exists (select from {changed})")
        if self.has_incoming and self.staged_rows:
            self._execute("create temp table {incoming} (like {staging}) on commit drop")
            self._copy_rows(source, self.incoming)
        elif self.has_incoming:
            self._copy_rows(source, self.table.staging)

    def compare(self) -> None:
        """Make the staging table equal to the source in what was copied; note the keys that the star has to follow."""
        if not self.has_incoming:
            return
        if self.staged_rows:
            self._apply_difference()
        else:
            self.counts.inserted = self.counts.rows_read
            self._execute("analyze {staging}")
        if self.compares_everything or not self.staged_rows:
            self._execute("insert into pending_key values (%(table)s, null)")
        else:
            self._execute("insert into pending_key select distinct %(table)s, {key} from {difference} t")
        self._keep_digests()

    def rows_now(self) -> int:
        """Return the number of rows that the source's table has."""
        return int(self._value("select coalesce(sum(row_count), 0) from {digest}"))

    def rows_lost(self) -> int:
        """Return how many of the rows that the last run saw the source no longer has."""
        return self.counts.deleted if self.is_intact else max(self.rows_before - self.rows_now(), 0)

    def _find_changed_buckets(self, source: Snapshot) -> None:
        self._execute("create temp table {digest} (bucket bigint, row_count bigint, digest numeric) on commit drop")
        copied = copy_rows(source.cursor, digest_query(self.table, self.seed), self.warehouse, self.digest)
        self.counts.bytes += copied.bytes
        self._execute(
            """
            create temp table {changed} on commit drop as
            select bucket
              from {digest} now
              full join (select bucket, row_count, digest
                           from staged_bucket
                          where source_table = %(table)s) before using (bucket)
             where (now.row_count, now.digest) is distinct from (before.row_count, before.digest)
            """
        )

    def _copy_rows(self, source: Snapshot, target: Identifier) -> None:
        is_partial = not self.compares_everything and self._value(
            "select exists (select bucket from {digest} except select bucket from {changed})"
        )
        buckets = self._value("select array_agg(bucket) from {changed}") if is_partial else None
        query = rows_query(self.table, buckets)
        with texts_named(source.cursor, self.table, query):
            copied = copy_rows(source.cursor, query, self.warehouse, target)
        self.counts.rows_read += copied.rows
        self.counts.bytes += copied.bytes

    def _apply_difference(self) -> None:
        """Write the rows that are not staged as they should be, and count them; the others are not touched.

        Compared as bags: of equal rows, which a table without a key can hold, it is the number that counts.
        """
        in_question = "true" if self.compares_everything else "{bucket} in (select bucket from {changed})"
        self._execute(
            """
            create temp table {difference} on commit drop as
            select {columns}, sum(wanted) as wanted, sum(staged) as staged
              from (select {columns}, 1 as wanted, 0 as staged
                      from {incoming}
                     union all
                    select {columns}, 0, 1
                      from {staging} t
                     where """
            + in_question
            + """) both_sides
             group by {columns}
            having sum(wanted) <> sum(staged)
            """
        )
        self._execute(
            """
            delete from {staging} t
             using {difference} d
             where d.staged > 0
               and hash_record_extended(row({staged_row}), 0) = hash_record_extended(row({differing_row}), 0)
               and row({staged_row}) is not distinct from row({differing_row})
               and """
            + in_question
        )
        self._execute(
            "insert into {staging} ({columns}) select {columns} from {difference}, generate_series(1, wanted)"
        )
        self.counts.inserted, self.counts.updated, self.counts.deleted = self._row(
            """
            select coalesce(sum(greatest(wanted - staged, 0)), 0)::bigint,
                   coalesce(sum(least(wanted, staged) - same), 0)::bigint,
                   coalesce(sum(greatest(staged - wanted, 0)), 0)::bigint
              from (select sum(wanted) as wanted, sum(staged) as staged, sum(least(wanted, staged)) as same
                      from {difference}
                     group by {identity}) by_identity
            """
        )

    def _keep_digests(self) -> None:
        self._execute(
            """
            delete from staged_bucket
             where source_table = %(table)s
               and bucket in (select bucket from {changed});
            insert into staged_bucket (source_table, bucket, row_count, digest)
            select %(table)s, bucket, row_count, digest
              from {digest}
             where bucket in (select bucket from {changed});
            insert into staged_table as t (source_table, seed, row_count)
            select %(table)s, %(seed)s, coalesce(sum(row_count), 0)
              from {digest}
                on conflict (source_table) do update
               set seed = excluded.seed, row_count = excluded.row_count
             where (t.seed, t.row_count) <> (excluded.seed, excluded.row_count)
            """
        )

    def _execute(self, statement: str) -> None:
        values = {"table": self.table.name, "seed": self.seed}
        self.warehouse.execute(SQL(statement).format(**self.names), values)

    def _row(self, query: str) -> tuple[Any, ...]:
        self._execute(query)
        return one_row(self.warehouse)

    def _value(self, query: str) -> Any:
        return self._row(query)[0]
