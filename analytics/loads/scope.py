"""What of the star a load has to look at: all of it, or the parts whose inputs changed since the last load.

A part is the rows of some keys (ingest/msk/tables.py). extract_msk notes in pending_key which rows changed; to these
come the keys of rows whose parents came or went in this load. A window is looked at when its patient journey, or the
journey's activity with its schedule, no longer has the fingerprint that is stored.
"""

from pathlib import Path

from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

from ingest.cursors import Cursor, one_row
from ingest.msk.tables import TABLES

KEYS = {table.name: table.key for table in TABLES}

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
    """The scope of one load by `rules`, which say what the star holds. With `everything` its conditions are true."""

    def __init__(self, warehouse: Cursor, rules: str) -> None:
        self.warehouse = warehouse
        self.rules = rules
        self.everything = self._is_everything()
        if self.everything:
            return
        for source in PARENTS:
            self._execute(
                """
                create temp table {scope} on commit drop as
                select key from pending_key where source_table = {source}
                """,
                source,
            )
        for table in TOUCHED:
            warehouse.execute(
                SQL("create temp table {} (key bigint, is_update boolean) on commit drop").format(touched(table))
            )

    def is_partial(self, source: str) -> bool:
        """Tell whether only a part of the staged table `source` is to be looked at."""
        return not self.everything and source in PARENTS

    def widen(self, source: str) -> None:
        """Add the rows of `source` whose parents have come or gone, as these are loaded now.

        What else a parent says of itself does not matter to its children.
        """
        for column, parent in PARENTS[source].items():
            self._execute(
                """
                insert into {scope}
                select distinct {key}
                  from {staging} t
                 where t.{column} in (select key from {touched} where not is_update)
                """,
                source,
                column=Identifier(column),
                touched=touched(parent),
            )

    def is_empty(self, source: str) -> bool:
        """Tell whether nothing of `source` is to be looked at."""
        return self.is_partial(source) and not self._any(f"scope_{source}")

    def staged(self, source: str) -> Composed:
        """Return the staged rows of `source` to look at."""
        if not self.is_partial(source):
            return SQL("{}").format(Identifier(f"staging_{source}"))
        return self._format("(select t.* from {staging} t where {key} in (select key from {scope}))", source)

    def loaded(self, source: str, key: str) -> Composable:
        """Return the condition for the same part of the table t of the star, whose key is `key`."""
        if not self.is_partial(source):
            return EVERYTHING
        return SQL("t.{} in (select key from {})").format(Identifier(key), Identifier(f"scope_{source}"))

    def rejected(self, source: str) -> Composable:
        """Return the condition for the same part of rejected_row, aliased t, which quotes the staged row."""
        if not self.is_partial(source):
            return EVERYTHING
        return self._format(
            "(select {key} from jsonb_populate_record(null::{staging}, t.detail -> 'row') t)"
            " in (select key from {scope})",
            source,
        )

    def touched(self, table: str) -> Identifier | None:
        """Return the table to which the keys that a load changes in `table` are added, if they are needed."""
        return touched(table) if table in TOUCHED and not self.everything else None

    def find_windows(self) -> None:
        """Leave the windows in whose inputs something changed in scope_window; keep the new fingerprints."""
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
                    query=SQL(read_sql(f"{name}_fingerprint")),
                )
            )
        self._find("window")

    def find_completions(self) -> None:
        """Leave the completions whose survey result or window changed in scope_completion."""
        self._find("completion")

    def windows(self, *columns: str) -> Composable:
        """Return the condition for the windows to look at, by `columns`: id, or patient_journey_id and activity_id."""
        if self.everything:
            return EVERYTHING
        return SQL("({}) in (select {} from scope_window)").format(
            SQL(", ").join(Identifier(*column.split(".")) for column in columns),
            SQL(", ").join(Identifier(column.split(".")[-1]) for column in columns),
        )

    def completions(self, column: str) -> Composable:
        """Return the condition for the completions to look at, by `column`, their survey_result_id."""
        if self.everything:
            return EVERYTHING
        return SQL("{} in (select survey_result_id from scope_completion)").format(Identifier(*column.split(".")))

    def has(self, derived: str) -> bool:
        """Tell whether any window or completion is to be looked at."""
        return self.everything or self._any(f"scope_{derived}")

    def changed(self, column: str, table: str) -> Composable:
        """Return the condition for the rows that this load changed in `table`, whose key is `column`."""
        if self.everything:
            return EVERYTHING
        return SQL("{} in (select key from {})").format(Identifier(*column.split(".")), touched(table))

    def done(self) -> None:
        """Note that the star is in step with the staging tables."""
        self.warehouse.execute("delete from pending_key")
        if self.everything:
            self.warehouse.execute("delete from loaded_with where rules <> %s", [self.rules])
            self.warehouse.execute(
                "insert into loaded_with select %s where not exists (select from loaded_with)", [self.rules]
            )

    def _is_everything(self) -> bool:
        """Tell whether the last load followed other rules, or something of unknown extent is pending."""
        self.warehouse.execute(
            "select not exists (select from loaded_with where rules = %s)"
            " or exists (select from pending_key where key is null)",
            [self.rules],
        )
        return bool(one_row(self.warehouse)[0])

    def _find(self, derived: str) -> None:
        if not self.everything:
            table = Identifier(f"scope_{derived}")
            query = SQL(read_sql(f"changed_{derived}"))
            self.warehouse.execute(SQL("create temp table {0} on commit drop as {1}; analyze {0}").format(table, query))

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
            key=SQL(KEYS[source]),
            **names,
        )


def touched(table: str) -> Identifier:
    """Return the temporary table of the keys that this load deletes, updates or inserts in `table`."""
    return Identifier(f"touched_{table}")


def read_sql(name: str) -> str:
    """Return the text of a file of this folder."""
    return Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
