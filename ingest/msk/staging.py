"""A staging table brought in step with its source table, reading only the buckets whose digest differs."""

from pathlib import Path
from typing import Any

from psycopg2.sql import SQL, Composable, Identifier, Literal

from ingest.copying import copy_rows
from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.msk.encoding import texts_named
from ingest.msk.snapshot import Snapshot, digest_query, digest_seed, rows_query
from ingest.msk.tables import SourceTable
from ingest.reconcile import names
from ingest.statements import statement

FOLDER = Path(__file__).with_name("sql")
# Where the buckets that differ hold more than this share of a table, all of it is copied.
MOST = 0.8


def digest_secret(warehouse: Cursor, *, renew: bool = False) -> str:
    """Return the secret that the seeds of this warehouse's digests are made of; its first run has it made.

    The server makes it, so it is in no statement, and so in no log. With `renew` it is another one from now on, and no
    digest that is stored counts any more.
    """
    warehouse.execute("insert into digest_secret default values on conflict do nothing")
    if renew:
        warehouse.execute("update digest_secret set secret = default")
    warehouse.execute("select secret::text from digest_secret")
    (secret,) = one_row(warehouse)
    return str(secret)


class StagingTable:
    """The warehouse's side of one source table, within the run's transaction.

    Beside `staging_<table>` there are temporary tables: `digest_<table>` holds the source's digests of now,
    `changed_bucket_<table>` the buckets whose digests differ, `incoming_<table>` the source's rows of these,
    `differing_<table>` the rows that are not staged as often as the source has them.
    """

    def __init__(self, warehouse: Cursor, table: SourceTable) -> None:
        self.warehouse = warehouse
        self.table = table
        self.counts = StepRun()
        self.values: dict[str, object] = {
            "table": table.name,
            "staging": table.staging,
            "changes": table.changes,
            "changed_by": SQL(", ".join(table.changed_by().values())),
            "columns": names(tuple(table.columns)),
            "key": SQL(", ".join(table.key.values())),
            # As a rule the rows of a key have one patient, but the source does not promise it.
            "key_has_patient": table.changed_by() == dict(table.key),
            "is_compared": SQL("true"),
        } | {part: f"{part}_{table.name}" for part in ("digest", "changed_bucket", "incoming", "differing")}
        (self.staged_rows,) = self._row(SQL("select count(*) from {}").format(table.staging))
        # What the last run saw at the source, and how it worked out digests; nothing before the first one.
        self.rows_before, self.seed_before = self._row(
            SQL("select coalesce(max(row_count), 0), max(seed) from staged_table where source_table = {}").format(
                Literal(table.name)
            )
        )
        self.is_intact: bool = self.staged_rows == self.rows_before
        self.is_known = False  # whether the digests that are stored are those of the staged rows
        self.has_incoming = False
        self.is_copied_whole = False

    def copy(self, source: Snapshot, secret: str) -> None:
        """Copy from the source the rows of the buckets that differ: into an empty staging table at once.

        Where the digests that are stored cannot be compared with the source's, as the staging table does not have the
        rows that they speak of, or they were worked out in another way or under another `secret`, those of the staged
        rows are worked out anew.
        """
        seed = digest_seed(source, self.table, secret)
        self.values["seed"] = seed
        self.is_known = self.is_intact and seed == self.seed_before
        if not self.is_known:
            self._digest_staged_rows(seed)
        self._copy_digests(source, seed)
        self._run("010_changed_bucket")
        self.has_incoming = self.warehouse.rowcount > 0
        if self.has_incoming:
            self._copy_rows(source)

    def compare(self) -> None:
        """Make the staging table equal to the source in what was copied; note the keys that the star has to follow."""
        is_first = self.has_incoming and not self.staged_rows
        if is_first:
            self.counts.inserted = self.counts.rows_read
            self._execute(SQL("analyze {}").format(self.table.staging))
        elif self.has_incoming:
            self._apply_difference()
        if is_first or not self.is_known:
            self._execute(SQL("delete from load_version"))  # the star may lack anything: the next load looks at all
        if self.has_incoming or not self.is_known:
            self._run("060_staged_bucket")

    def rows_now(self) -> int:
        """Return the number of rows that the source's table has."""
        (rows,) = self._row(SQL("select coalesce(sum(row_count), 0) from {}").format(self._name("digest")))
        return int(rows)

    def rows_lost(self) -> int:
        """Return how many of the rows that the last run saw the source no longer has."""
        return self.counts.deleted if self.is_intact else max(self.rows_before - self.rows_now(), 0)

    def _digest_staged_rows(self, seed: int) -> None:
        staged = SQL("{} t").format(self.table.staging).as_string(self.warehouse)
        self.warehouse.execute("delete from staged_bucket where source_table = %s", [self.table.name])
        self._execute(
            SQL(
                "insert into staged_bucket (source_table, bucket, row_count, digest) select {}, d.* from ({}) d"
            ).format(Literal(self.table.name), digest_query(self.table, seed, staged))
        )

    def _copy_digests(self, source: Snapshot, seed: int) -> None:
        digest = self._name("digest")
        self._execute(
            SQL("create temp table {} (bucket bigint, row_count bigint, digest numeric) on commit drop").format(digest)
        )
        query = digest_query(self.table, seed, self.table.rows)
        self.counts.bytes += copy_rows(source.cursor, query, self.warehouse, digest).bytes

    def _copy_rows(self, source: Snapshot) -> None:
        target = self.table.staging
        if self.staged_rows:
            target = self._name("incoming")
            self._execute(SQL("create temp table {} (like {}) on commit drop").format(target, self.table.staging))
        buckets = self._buckets_to_copy()
        self.is_copied_whole = buckets is None
        query = rows_query(self.table, buckets)
        with texts_named(source.cursor, self.table, query):
            copied = copy_rows(source.cursor, query, self.warehouse, target)
        self.counts.rows_read += copied.rows
        self.counts.bytes += copied.bytes
        if not self.is_copied_whole:
            # A key may have rows in two buckets, where a patient's number is that of no patient: those not copied stay.
            self.values["is_compared"] = SQL("{} in (select c.bucket from {} as c)").format(
                SQL(self.table.bucket), self._name("changed_bucket")
            )

    def _buckets_to_copy(self) -> list[int] | None:
        """Return the buckets that differ, or None where they hold so much of the table that all of it is copied."""
        buckets, rows, all_rows = self._row(
            SQL(
                """
                select array_agg(bucket) filter (where c.bucket is not null),
                       coalesce(sum(d.row_count) filter (where c.bucket is not null), 0),
                       coalesce(sum(d.row_count), 0)
                  from {} d
                  full join {} c using (bucket)
                """
            ).format(self._name("digest"), self._name("changed_bucket"))
        )
        return None if rows > MOST * float(all_rows) else buckets

    def _apply_difference(self) -> None:
        """Replace the rows of the keys that are not staged as they should be, and count them; no other is touched."""
        self._run("020_differing")
        differing = self.warehouse.rowcount
        if not differing:
            return
        self._execute(SQL("analyze {}").format(self._name("differing")))
        self._run("030_counts")
        self.counts.inserted, self.counts.updated, self.counts.deleted = one_row(self.warehouse)
        if self.table.changes:
            self._run("040_changes")
        if self.is_copied_whole and differing > self.staged_rows / 2:
            swap = SQL("truncate {0}; insert into {0} select * from {1}; analyze {0}")
            self._execute(swap.format(self.table.staging, self._name("incoming")))
        else:
            self._run("050_staging")

    def _name(self, part: str) -> Identifier:
        return Identifier(str(self.values[part]))

    def _run(self, name: str) -> None:
        self._execute(statement(FOLDER, name, **self.values))

    def _execute(self, query: Composable) -> None:
        self.warehouse.execute(query)

    def _row(self, query: Composable) -> tuple[Any, ...]:
        self._execute(query)
        return one_row(self.warehouse)
