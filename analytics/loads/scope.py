"""What of the star a load has to look at: all of it, or the parts whose inputs changed since the last load.

A part is a bucket of a staged table (ingest/msk/tables.py). extract_msk notes in pending_bucket where rows changed; to
these come the buckets of rows whose parents came, went or changed in this load. A window is looked at when its patient
journey, or the journey's activity with its schedule, no longer has the fingerprint that is stored.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

from ingest.cursors import Cursor, one_row
from ingest.msk.tables import TABLES

BUCKETS = {table.name: table.bucket for table in TABLES}

# The large staged tables, and the tables of the star that hold the parents of their rows, by the column that says so.
PARENTS = {
    "patient": {},
    "patient_journey": {"patient_id": "patient_dimension", "journey_id": "journey_dimension"},
    "step_result": {"patient_id": "patient_dimension"},
    "survey_result": {
        "patient_journey_id": "patient_journey_fact",
        "survey_id": "survey_dimension",
        "activity_id": "activity_dimension",
        "device_id": "device_dimension",
    },
}
TOUCHED = {parent for parents in PARENTS.values() for parent in parents.values()} | {
    "step_result_fact",
    "survey_result_fact",
}
# What has fingerprints, and the columns that name it; <name>_fingerprint is the table, and the file of its query.
FINGERPRINTS = {
    "patient_journey": ("patient_journey_id",),
    "journey_activity": ("journey_id", "activity_id"),
}
EVERYTHING, NOTHING = SQL("true"), SQL("false")


class Scope:
    """The scope of one load. Where `everything` is to be looked at its conditions are true."""

    def __init__(self, warehouse: Cursor) -> None:
        self.warehouse = warehouse
        self.everything = self._is_everything()
        if self.everything:
            return
        for source in PARENTS:
            self._execute(
                """
                create temp table {scope} on commit drop as
                select bucket from pending_bucket where source_table = {source}
                """,
                source,
            )
        for table in TOUCHED:
            warehouse.execute(SQL("create temp table {} (key bigint) on commit drop").format(touched(table)))

    def __contains__(self, source: str) -> bool:
        """Tell whether only a part of the staged table `source` is to be looked at."""
        return not self.everything and source in PARENTS

    def is_empty(self, source: str) -> bool:
        """Tell whether nothing of `source` is to be looked at, now that its parents are loaded."""
        for column, parent in PARENTS[source].items():
            self._execute(
                """
                insert into {scope}
                select distinct {bucket} from {staging} t where t.{column} in (select key from {touched})
                """,
                source,
                column=Identifier(column),
                touched=touched(parent),
            )
        return not self._any(f"scope_{source}")

    def staged(self, source: str) -> Composed:
        """Return the staged rows of `source` to look at."""
        if source not in self:
            return SQL("{}").format(Identifier(f"staging_{source}"))
        return self._format("(select t.* from {staging} t where {bucket} in (select bucket from {scope}))", source)

    def loaded(self, source: str, key: str) -> Composable:
        """Return the condition for the same part of the table t of the star, whose key is `key`."""
        if source not in self:
            return EVERYTHING
        bucket = SQL(BUCKETS[source].replace("t.id", f"t.{key}"))
        return SQL("{} in (select bucket from {})").format(bucket, Identifier(f"scope_{source}"))

    def rejected(self, source: str) -> Composable:
        """Return the condition for the same part of rejected_row, aliased t, which quotes the staged row."""
        if source not in self:
            return EVERYTHING
        return self._format(
            "(select {bucket} from jsonb_populate_record(null::{staging}, t.detail -> 'row') t)"
            " in (select bucket from {scope})",
            source,
        )

    def touched(self, table: str) -> Identifier | None:
        """Return the table to which the keys that a load changes in `table` are added, if they are needed."""
        return touched(table) if table in TOUCHED and not self.everything else None

    def find_windows(self, queries: Mapping[str, Composable], changed_windows: Composable) -> None:
        """Leave the windows in whose inputs something changed in scope_window; keep the new fingerprints.

        `queries` gives for each table of fingerprints its rows as they should be now, `changed_windows` the windows of
        those that changed.
        """
        for name, key in FINGERPRINTS.items():
            self.warehouse.execute(
                SQL(
                    """
                    create temp table {now} on commit drop as {query};
                    create temp table {stale} on commit drop as
                    select {key}
                      from {now} n
                      full join {stored} s using ({key})
                     where n.fingerprint is distinct from s.fingerprint;
                    delete from {stored}
                     where ({key}) in (select {key} from {stale});
                    insert into {stored} ({key}, fingerprint)
                    select {key}, fingerprint
                      from {now}
                     where ({key}) in (select {key} from {stale})
                    """
                ).format(
                    now=Identifier(f"{name}_now"),
                    stale=Identifier(f"stale_{name}"),
                    stored=Identifier(f"{name}_fingerprint"),
                    key=SQL(", ").join(map(Identifier, key)),
                    query=queries[name],
                )
            )
        if not self.everything:
            self.warehouse.execute(
                SQL("create temp table scope_window on commit drop as {}; analyze scope_window").format(changed_windows)
            )

    def windows(self, *columns: str) -> Composable:
        """Return the condition for the windows to look at, by `columns`: id, or patient_journey_id and activity_id."""
        if self.everything:
            return EVERYTHING
        return SQL("({}) in (select {} from scope_window)").format(
            SQL(", ").join(Identifier(*column.split(".")) for column in columns),
            SQL(", ").join(Identifier(column.split(".")[-1]) for column in columns),
        )

    def has_windows(self) -> bool:
        """Tell whether any window is to be looked at."""
        return self.everything or self._any("scope_window")

    def has_completions(self) -> bool:
        """Tell whether any completion is to be looked at."""
        return self.has_windows() or self._any("touched_survey_result_fact")

    def changed(self, column: str, table: str) -> Composable:
        """Return the condition for the rows that this load changed in `table`, whose key is `column`."""
        if self.everything:
            return EVERYTHING
        return SQL("{} in (select key from {})").format(Identifier(*column.split(".")), touched(table))

    def completions(self, alias: str) -> Composable:
        """Return the condition for the completions to look at, by the keys of `alias`."""
        if self.everything:
            return EVERYTHING
        changed = self.changed(f"{alias}.survey_result_id", "survey_result_fact")
        return SQL("({} or {})").format(self.windows(f"{alias}.patient_journey_id", f"{alias}.activity_id"), changed)

    def done(self) -> None:
        """Note that the star is in step with the staging tables."""
        self.warehouse.execute("delete from pending_bucket")
        if self.everything:
            self.warehouse.execute("delete from loaded_with where rules <> %s", [rules()])
            self.warehouse.execute(
                "insert into loaded_with select %s where not exists (select from loaded_with)", [rules()]
            )

    def _is_everything(self) -> bool:
        """Tell whether the last load followed other rules, or something of unknown extent is pending."""
        self.warehouse.execute(
            "select not exists (select from loaded_with where rules = %s)"
            " or exists (select from pending_bucket where bucket is null)",
            [rules()],
        )
        # A kept orphan's row does not have the key that says to which bucket it belongs.
        return settings.MSK_ORPHANS == "keep" or bool(one_row(self.warehouse)[0])

    def _any(self, table: str) -> bool:
        self.warehouse.execute(SQL("select from {} limit 1").format(Identifier(table)))
        return self.warehouse.rowcount > 0

    def _execute(self, statement: str, source: str, **names: Composable) -> None:
        self.warehouse.execute(self._format(statement, source, **names))

    def _format(self, statement: str, source: str, **names: Composable) -> Composed:
        return SQL(statement).format(
            scope=Identifier(f"scope_{source}"),
            staging=Identifier(f"staging_{source}"),
            source=Literal(source),
            bucket=SQL(BUCKETS[source]),
            **names,
        )


def touched(table: str) -> Identifier:
    """Return the temporary table of the keys that this load deletes, updates or inserts in `table`."""
    return Identifier(f"touched_{table}")


def rules() -> str:
    """Return a digest of what decides what the star holds, other than its inputs."""
    texts = sorted(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.sql"))
    return hashlib.sha256(repr((texts, settings.MSK_ORPHANS, TABLES)).encode()).hexdigest()
