"""A staging table brought in step with its source table, reading only the buckets whose digest differs."""

from typing import Any

from psycopg2.sql import SQL, Composable, Identifier, Literal

from ingest.copying import copy_rows
from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.msk.encoding import texts_named
from ingest.msk.snapshot import Snapshot, digest_query, digest_seed, row_hash, rows_query
from ingest.msk.tables import SourceTable

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
    `differing_<table>` the keys whose rows are not staged as they should be.
    """

    def __init__(self, warehouse: Cursor, table: SourceTable) -> None:
        self.warehouse = warehouse
        self.table = table
        self.counts = StepRun()
        self.seed = 0
        self.is_copied_whole = False
        self.digest = Identifier(f"digest_{table.name}")
        self.incoming = Identifier(f"incoming_{table.name}")
        self.names: dict[str, Composable] = {
            "staging": table.staging,
            "digest": self.digest,
            "changed": Identifier(f"changed_bucket_{table.name}"),
            "incoming": self.incoming,
            "differing": Identifier(f"differing_{table.name}"),
            "bucket": SQL(table.bucket),
            "changes": Identifier(table.changes),
            "changed_by": SQL(", ".join(table.changed_by().values())),
            "columns": SQL(", ").join(map(Identifier, table.columns)),
            "keys": SQL(", ".join(f"{expression} as {name}" for name, expression in table.key.items())),
            "key_of_row": SQL(", ".join(table.key.values())),
            "key_names": SQL(", ").join(map(Identifier, table.key)),
        }
        self.staged_rows: int = self._value("select count(*) from {staging}")
        # What the last run saw at the source, and how it worked out digests; nothing before the first one.
        self.rows_before, self.seed_before = self._row(
            "select coalesce(max(row_count), 0), max(seed) from staged_table where source_table = %(table)s"
        )
        self.is_intact: bool = self.staged_rows == self.rows_before
        self.is_known = False  # whether the digests that are stored are those of the staged rows
        self.has_incoming = False

    def copy(self, source: Snapshot, secret: str) -> None:
        """Copy from the source the rows of the buckets that differ: into an empty staging table at once.

        Where the digests that are stored cannot be compared with the source's, as the staging table does not have the
        rows that they speak of, or they were worked out in another way or under another `secret`, those of the staged
        rows are worked out anew.
        """
        self.seed = digest_seed(source, self.table, secret)
        self.is_known = self.is_intact and self.seed == self.seed_before
        if not self.is_known:
            self._digest_staged_rows()
        self._find_changed_buckets(source)
        self.has_incoming = self._value("select exists (select from {changed})")
        if self.has_incoming and self.staged_rows:
            self._execute("create temp table {incoming} (like {staging}) on commit drop")
            self._copy_rows(source, self.incoming)
        elif self.has_incoming:
            self._copy_rows(source, self.table.staging)

    def compare(self) -> None:
        """Make the staging table equal to the source in what was copied; note the keys that the star has to follow."""
        if self.has_incoming and self.staged_rows:
            self._apply_difference()
        elif self.has_incoming:
            self.counts.inserted = self.counts.rows_read
            self._execute("analyze {staging}")
        if not self.is_known or (self.has_incoming and not self.staged_rows):
            self._execute("delete from load_version")  # the star may lack anything: the next load looks at every row
        if self.has_incoming or not self.is_known:
            self._keep_digests()

    def rows_now(self) -> int:
        """Return the number of rows that the source's table has."""
        return int(self._value("select coalesce(sum(row_count), 0) from {digest}"))

    def rows_lost(self) -> int:
        """Return how many of the rows that the last run saw the source no longer has."""
        return self.counts.deleted if self.is_intact else max(self.rows_before - self.rows_now(), 0)

    def _digest_staged_rows(self) -> None:
        rows = SQL("{} t").format(self.table.staging).as_string(self.warehouse)
        self._execute("delete from staged_bucket where source_table = %(table)s")
        self.warehouse.execute(
            SQL(
                "insert into staged_bucket (source_table, bucket, row_count, digest) select {}, d.* from ({}) d"
            ).format(Literal(self.table.name), digest_query(self.table, self.seed, rows))
        )

    def _find_changed_buckets(self, source: Snapshot) -> None:
        self._execute("create temp table {digest} (bucket bigint, row_count bigint, digest numeric) on commit drop")
        query = digest_query(self.table, self.seed, self.table.rows)
        copied = copy_rows(source.cursor, query, self.warehouse, self.digest)
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
        self.is_copied_whole = self._value(
            """
            with counted as (
                select sum(row_count) as rows,
                       sum(row_count) filter (where bucket in (select bucket from {changed})) as changed_rows
                  from {digest}
            )
            select coalesce(changed_rows > %(most)s * rows, false) from counted
            """
        )
        buckets = None if self.is_copied_whole else self._value("select array_agg(bucket) from {changed}")
        query = rows_query(self.table, buckets)
        with texts_named(source.cursor, self.table, query):
            copied = copy_rows(source.cursor, query, self.warehouse, target)
        self.counts.rows_read += copied.rows
        self.counts.bytes += copied.bytes

    def _apply_difference(self) -> None:
        """Replace the rows of the keys that are not staged as they should be, and count them; no other is touched.

        A key may have several rows, as the source promises nothing: what is compared is the sum of their hashes, under
        the seed of the digests.
        """
        self._execute(
            """
            create temp table {differing} on commit drop as
            select {key_names},
                   count(*) filter (where is_wanted) as wanted,
                   count(*) filter (where not is_wanted) as staged
              from (select {keys}, true as is_wanted, 1 as sign, {hash} as hash
                      from {incoming} t
                     union all
                    select {keys}, false, -1, {hash}
                      from {staging} t
                     where {is_compared}) both_sides
             group by {key_names}
            having count(*) filter (where is_wanted) <> count(*) filter (where not is_wanted)
                or sum(sign * (hash >> 33)::integer) <> 0
                or sum(sign * (hash & 2147483647)::integer) <> 0
            """
        )
        differing = self.warehouse.rowcount
        if not differing:
            return
        self._execute("analyze {differing}")
        self._count_differing()
        if self.table.changes:
            self._note_changes()
        if self.is_copied_whole and differing * 3 > self.staged_rows:
            self._execute("truncate {staging}; insert into {staging} select * from {incoming}; analyze {staging}")
        else:
            self._execute(
                """
                delete from {staging} t
                 where {is_compared}
                   and ({key_of_row}) in (select {key_names} from {differing});
                insert into {staging}
                select t.*
                  from {incoming} t
                 where ({key_of_row}) in (select {key_names} from {differing})
                """
            )

    def _count_differing(self) -> None:
        """Count what the source has more or less of a key's rows as inserted or deleted, the others as updated.

        Of several rows of a key some may be as they were.
        """
        self.counts.inserted, self.counts.updated, self.counts.deleted, several = self._row(
            """
            select sum(greatest(wanted - staged, 0))::bigint,
                   sum(least(wanted, staged))::bigint,
                   sum(greatest(staged - wanted, 0))::bigint,
                   bool_or(greatest(wanted, staged) > 1)
              from {differing}
            """
        )
        if several:
            self.counts.updated -= self._value(
                """
                with several as (
                    select {key_names} from {differing} where greatest(wanted, staged) > 1
                )
                select coalesce(sum(least(wanted, staged)), 0)::bigint
                  from (select count(*) filter (where is_wanted) as wanted,
                               count(*) filter (where not is_wanted) as staged
                          from (select t.*, true as is_wanted from {incoming} t
                                 union all
                                select t.*, false from {staging} t where {is_compared}) t
                         where ({key_of_row}) in (select {key_names} from several)
                         group by {columns}) equal_rows
                """
            )

    def _note_changes(self) -> None:
        """Keep the keys that differ for the load of the star, with the patients that their rows have and had."""
        if self.table.changed_by() == dict(self.table.key):
            self._execute("insert into {changes} select {key_names} from {differing}")
            return
        for rows in ("{staging}", "{incoming}"):
            self._execute(
                f"insert into {{changes}} select {{changed_by}} from {rows} t"
                " where ({key_of_row}) in (select {key_names} from {differing})"
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
        # A key may have rows in two buckets, where a patient's number is that of no patient: those not copied stay.
        is_compared = SQL("true" if self.is_copied_whole else "{bucket} in (select bucket from {changed})")
        values = {"table": self.table.name, "seed": self.seed, "most": MOST}
        names = self.names | {
            "is_compared": is_compared.format(**self.names),
            "hash": row_hash(self.table, self.seed),
        }
        self.warehouse.execute(SQL(statement).format(**names), values)

    def _row(self, query: str) -> tuple[Any, ...]:
        self._execute(query)
        return one_row(self.warehouse)

    def _value(self, query: str) -> Any:
        return self._row(query)[0]
