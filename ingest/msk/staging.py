"""A staging table brought in step with its source table, reading only the buckets whose digest differs."""

from pathlib import Path
from typing import Any

from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

from ingest.copying import copy_rows
from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.msk.snapshot import Snapshot, digest_query, digest_seed, rows_query
from ingest.msk.tables import SourceTable
from ingest.msk.unreadable import texts_named
from ingest.placement import analyze_local, empty, make_work_table
from ingest.statements import statement
from ingest.target import names

FOLDER = Path(__file__).with_name("sql")
# Where the buckets that differ hold more than this share of a table's rows, all of it is copied.
COPIED_WHOLE = 0.8
# Where more rows than this share of those staged come, go or change, it is quicker to write all of them anew.
REWRITTEN_WHOLE = 0.1


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

    Beside `staging_<table>` there are work tables: `digest_<table>` holds the source's digests of now,
    `changed_bucket_<table>` the buckets whose digests differ, `incoming_<table>` the source's rows of these,
    `differing_<table>` the rows that are not staged as often as the source has them.
    """

    def __init__(self, warehouse: Cursor, table: SourceTable) -> None:
        self.warehouse = warehouse
        self.table = table
        self.counts = StepRun()
        parts = ("staging", "digest", "changed_bucket", "incoming", "differing")
        self.tables = {part: Identifier(self._name(part)) for part in parts}
        self.values: dict[str, object] = self.tables | {
            "table": table.name,
            "changes": table.changes,
            "columns": names(tuple(table.columns)),
            "key": SQL(", ".join(table.key.values())),
            "owned_key": SQL(", ".join(table.changes_columns().values())),
            "is_compared": SQL("true"),
            "text": SQL(table.text("t")),
        }
        (self.staged_rows,) = self._row("select count(*) from {staging}")
        # What the last run saw at the source, and how it worked out digests; nothing before the first one.
        self.rows_before, self.seed_before = self._row(
            "select coalesce(max(row_count), 0), max(seed) from staged_table where source_table = {table}"
        )
        self.is_intact: bool = self.staged_rows == self.rows_before
        self.is_known = False  # whether the digests that are stored are those of the staged rows
        self.has_incoming = False
        self.is_copied_whole = False

    @property
    def work_tables(self) -> list[str]:
        """The work tables whose rows may be on workers."""
        return [self._name(part) for part in ("incoming", "differing")]

    def copy(self, source: Snapshot, secret: str, *, mend: bool = False) -> None:
        """Copy from the source the rows of the buckets that differ: into an empty staging table at once.

        Where the digests that are stored cannot be compared with the source's, as the staging table does not have the
        rows that they speak of, or they were worked out in another way or under another `secret`, those of the staged
        rows are worked out anew. With `mend` all rows are copied where what staging adds to them is wrong: of that no
        digest tells.
        """
        seed = digest_seed(source, self.table, secret)
        self.values["seed"] = seed
        self.is_known = self.is_intact and seed == self.seed_before
        if not self.is_known:
            self._digest_staged_rows(seed)
        self._copy_digests(source, seed)
        self.is_copied_whole = mend and self._has_wrong_occurrence()
        self._run("010_changed_bucket")
        self.has_incoming = self.is_copied_whole or self.warehouse.rowcount > 0
        if self.has_incoming:
            self._copy_rows(source)

    def compare(self) -> None:
        """Make the staging table equal to the source in what was copied; note the keys that the star has to follow."""
        is_first = self.has_incoming and not self.staged_rows
        if is_first:
            self.counts.inserted = self.counts.rows_read
            analyze_local(self.warehouse, self._name("staging"))
        elif self.has_incoming:
            self._apply_difference()
        if is_first or not self.is_known:
            self._execute("delete from load_version")  # the star may lack anything: the next load looks at every row
        if self.has_incoming or not self.is_known:
            self._run("060_staged_bucket")

    def rows_now(self) -> int:
        """Return the number of rows that the source's table has."""
        (rows,) = self._row("select coalesce(sum(row_count), 0) from {digest}")
        return int(rows)

    def rows_lost(self) -> int:
        """Return how many of the rows that the last run saw the source no longer has."""
        return self.counts.deleted if self.is_intact else max(self.rows_before - self.rows_now(), 0)

    def _has_wrong_occurrence(self) -> bool:
        if "occurrence" not in self.table.columns:
            return False
        self._run("005_wrong_occurrence")
        return one_row(self.warehouse) == (True,)

    def _digest_staged_rows(self, seed: int) -> None:
        self._execute("delete from staged_bucket where source_table = {table}")
        query = digest_query(self.table, seed, SQL("{} t").format(self.table.staging).as_string(self.warehouse))
        insert = "insert into staged_bucket (source_table, bucket, row_count, digest)"
        self._execute(insert + " select {table}, d.* from ({now}) d", now=query)

    def _copy_digests(self, source: Snapshot, seed: int) -> None:
        self._execute("create temp table {digest} (bucket bigint, row_count bigint, digest numeric) on commit drop")
        query = digest_query(self.table, seed, self.table.rows)
        self.counts.bytes += copy_rows(source.cursor, query, self.warehouse, self.tables["digest"]).bytes

    def _copy_rows(self, source: Snapshot) -> None:
        if self.staged_rows:
            nothing = SQL("select * from {staging} where false").format(**self.tables)
            make_work_table(self.warehouse, self._name("incoming"), nothing)
        buckets = None if self.is_copied_whole else self._buckets_to_copy()
        self.is_copied_whole = buckets is None
        query = rows_query(self.table, buckets)
        with texts_named(source.cursor, self.table, query):
            target = self.tables["incoming" if self.staged_rows else "staging"]
            copied = copy_rows(source.cursor, query, self.warehouse, target)
        self.counts.rows_read += copied.rows
        self.counts.bytes += copied.bytes
        if not self.is_copied_whole:
            # A key may have rows in two buckets, where a patient's number is that of no patient: those not copied stay.
            is_compared = SQL(self.table.bucket + " in (select c.bucket from {changed_bucket} as c)")
            self.values["is_compared"] = is_compared.format(**self.tables)

    def _buckets_to_copy(self) -> list[int] | None:
        buckets, rows = self._row(
            """
            select array_agg(c.bucket), coalesce(sum(d.row_count), 0)::bigint
              from {changed_bucket} c
              left join {digest} d using (bucket)
            """
        )
        # None: they hold so much of the table that all of it is copied.
        return None if rows > COPIED_WHOLE * self.rows_now() else buckets

    def _apply_difference(self) -> None:
        if not make_work_table(self.warehouse, self._name("differing"), self._statement("020_differing")):
            return
        analyze_local(self.warehouse, self._name("differing"))
        self._count()
        if self.table.changes:
            self._run("040_changes")
        rows = self.counts.inserted + self.counts.updated + self.counts.deleted
        if self.is_copied_whole and rows > REWRITTEN_WHOLE * self.staged_rows:
            empty(self.warehouse, self._name("staging"))
            self._execute("insert into {staging} select * from {incoming}")
        else:
            self._run("050_staging")
        if rows * 20 > self.staged_rows:  # autovacuum sees none of it within the run, and the load is planned by it
            analyze_local(self.warehouse, self._name("staging"))

    def _count(self) -> None:
        wanted, unwanted = self._row(
            "select coalesce(sum(greatest(surplus, 0)), 0), coalesce(sum(greatest(-surplus, 0)), 0) from {differing}"
        )
        updated = 0
        if wanted and unwanted:  # or no key can have rows on both sides
            self._run("030_updated")
            (updated,) = one_row(self.warehouse)
        self.counts.inserted, self.counts.updated, self.counts.deleted = wanted - updated, updated, unwanted - updated

    def _name(self, part: str) -> str:
        return f"{part}_{self.table.name}"

    def _statement(self, name: str) -> Composed:
        return statement(FOLDER, name, **self.values)

    def _run(self, name: str) -> None:
        self.warehouse.execute(self._statement(name))

    def _execute(self, query: str, **parts: Composable) -> None:
        self.warehouse.execute(SQL(query).format(**self.tables, table=Literal(self.table.name), **parts))

    def _row(self, query: str) -> tuple[Any, ...]:
        self._execute(query)
        return one_row(self.warehouse)
