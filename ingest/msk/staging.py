"""A staging table brought in step with its source table, reading only the buckets whose digest differs."""

from typing import Any

from psycopg2.sql import SQL, Identifier

from ingest.copying import copy_rows
from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.msk.snapshot import Snapshot, digest_query, rows_query
from ingest.msk.tables import SourceTable


class StagingTable:
    """The warehouse's side of one source table, within the run's transaction.

    Beside `staging_<table>` there are temporary tables: `digest_<table>` holds the source's digests of now,
    `changed_<table>` the buckets that are to be compared, `incoming_<table>` the source's rows in these buckets.
    """

    def __init__(self, warehouse: Cursor, table: SourceTable, counts: StepRun) -> None:
        self.warehouse = warehouse
        self.table = table
        self.counts = counts
        self.full = False
        self.has_incoming = False
        self.digest = Identifier(f"digest_{table.name}")
        self.incoming = Identifier(f"incoming_{table.name}")
        self.names = {
            "staging": table.staging,
            "digest": self.digest,
            "changed": Identifier(f"changed_{table.name}"),
            "incoming": self.incoming,
            "difference": Identifier(f"difference_{table.name}"),
            "bucket": SQL(table.bucket),
            "columns": SQL(", ").join(map(Identifier, table.columns)),
            "identity": SQL(", ").join(map(Identifier, table.identity)),
            "staged_row": table.column_list("t"),
            "differing_row": table.column_list("d"),
        }

    def copy(self, source: Snapshot, *, full: bool) -> None:
        """Copy from the source what differs, or with `full` everything: into an empty staging table at once.

        Everything, too, when the staging table does not have the rows that its digests speak of.
        """
        self.full = full or not self._value(
            """
            select (select count(*) from {staging}) = coalesce(sum(row_count), 0)
              from staged_bucket
             where source_table = %(table)s
            """
        )
        self._find_changed_buckets(source)
        if not self.full and not self._value("select exists (select from {changed})"):
            return
        if self._value("select exists (select from {staging})"):
            self._execute("create temp table {incoming} (like {staging}) on commit drop")
            self._copy_rows(source, self.incoming)
            self.has_incoming = True
        else:
            self._copy_rows(source, self.table.staging)
            self.counts.inserted = self.counts.rows_read
            self._execute("analyze {staging}")
            self._execute("insert into pending_bucket values (%(table)s, null)")
            self._keep_digests()

    def compare(self) -> None:
        """Make the staging table equal to the source in the copied buckets; rows that are right are not touched.

        Compared as bags: of equal rows, which a table without a key can hold, it is the number that counts.
        """
        if not self.has_incoming:
            return
        self._execute(
            """
            create temp table {difference} on commit drop as
            select {columns}, sum(wanted) as wanted, sum(staged) as staged
              from (select {columns}, 1 as wanted, 0 as staged
                      from {incoming}
                     union all
                    select {columns}, 0, 1
                      from {staging} t
                     where %(full)s or {bucket} in (select bucket from {changed})) both_sides
             group by {columns}
            having sum(wanted) <> sum(staged)
            """
        )
        self._execute(
            """
            delete from {staging} t
             using {difference} d
             where d.staged > 0
               and (%(full)s or {bucket} in (select bucket from {changed}))
               and hash_record_extended(row({staged_row}), 0) = hash_record_extended(row({differing_row}), 0)
               and row({staged_row}) is not distinct from row({differing_row})
            """
        )
        self._execute(
            "insert into {staging} ({columns}) select {columns} from {difference}, generate_series(1, wanted)"
        )
        self.counts.inserted, self.counts.updated, self.counts.deleted = self._row(
            """
            select coalesce(sum(greatest(wanted - staged, 0)), 0)::bigint,
                   coalesce(sum(least(wanted, staged)), 0)::bigint,
                   coalesce(sum(greatest(staged - wanted, 0)), 0)::bigint
              from (select sum(wanted) as wanted, sum(staged) as staged
                      from {difference}
                     group by {identity}) by_identity
            """
        )
        self._execute(
            """
            insert into pending_bucket
            select distinct %(table)s, {bucket}
              from {difference} t
            """
            if not self.full
            else "insert into pending_bucket values (%(table)s, null)"
        )
        self._keep_digests()

    def rows_now(self) -> int:
        """Return the number of rows that the source's table has."""
        return int(self._value("select coalesce(sum(row_count), 0) from {digest}"))

    def rows_before(self) -> int:
        """Return the number of rows that the staging table had before they were compared."""
        return self.rows_now() - self.counts.inserted + self.counts.deleted

    def _find_changed_buckets(self, source: Snapshot) -> None:
        self._execute("create temp table {digest} (bucket bigint, row_count bigint, digest numeric) on commit drop")
        copied = copy_rows(source.cursor, digest_query(source, self.table), self.warehouse, self.digest)
        self.counts.bytes += copied.bytes
        self._execute(
            """
            create temp table {changed} on commit drop as
            select bucket
              from {digest} now
              full join (select bucket, row_count, digest
                           from staged_bucket
                          where source_table = %(table)s) before using (bucket)
             where %(full)s
                or (now.row_count, now.digest) is distinct from (before.row_count, before.digest)
            """
        )

    def _copy_rows(self, source: Snapshot, target: Identifier) -> None:
        is_partial = self._value("select exists (select bucket from {digest} except select bucket from {changed})")
        buckets = self._value("select array_agg(bucket) from {changed}") if is_partial else None
        query = rows_query(self.table, buckets)
        copied = copy_rows(source.cursor, query, self.warehouse, target)
        self.counts.rows_read += copied.rows
        self.counts.bytes += copied.bytes

    def _keep_digests(self) -> None:
        self._execute(
            """
            delete from staged_bucket
             where source_table = %(table)s
               and bucket in (select bucket from {changed})
            """
        )
        self._execute(
            """
            insert into staged_bucket (source_table, bucket, row_count, digest)
            select %(table)s, bucket, row_count, digest
              from {digest}
             where bucket in (select bucket from {changed})
            """
        )

    def _execute(self, statement: str) -> None:
        self.warehouse.execute(SQL(statement).format(**self.names), {"table": self.table.name, "full": self.full})

    def _row(self, query: str) -> tuple[Any, ...]:
        self._execute(query)
        return one_row(self.warehouse)

    def _value(self, query: str) -> Any:
        return self._row(query)[0]
