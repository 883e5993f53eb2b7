"""What of the star a load has to look at: the rows that may have changed since the last load.

Each table `changed_<…>` holds keys of such rows, with their patient; a key that is there needlessly, or twice, costs
time and nothing else. extract_msk adds the keys of the staged rows that changed. To these a load adds the children of
rows that came or went, then the windows, the completions and at last the adherence, of what it wrote.
"""

from psycopg2.sql import SQL, Composable, Identifier

from analytics.loads.tables import STAGED, STAR_TABLES, StarTable
from analytics.models.links import parents
from ingest.cursors import Cursor, one_row
from ingest.models import StepRun
from ingest.placement import analyze_local, empty_work_tables, rows_known
from ingest.reconcile import reconcile
from ingest.target import Target, names

# Beyond this share of a table's rows it is quicker to look at every one than to pick those that may have changed.
LOOKED_AT_WHOLE = 0.4


class Changes:
    """The changes that one load follows; with `everything` it looks at every row, as what they are is not known."""

    def __init__(self, warehouse: Cursor, version: str) -> None:
        self.warehouse = warehouse
        self.version = version
        warehouse.execute("select not exists (select from load_version where version = %s)", [version])
        (self.everything,) = one_row(warehouse)
        self.followed = False  # whether any change has been found
        # Of each table of the star for which there is one of the rows that differed, how many these were.
        self.written: dict[str, int] = {}

    def find(self, table: StarTable) -> int | None:
        """Find what of `table` is to be looked at: return the number of its rows, at most, or None for every row."""
        if self.everything:
            return None
        if not table.changes:
            return 0 if table.keeps_rows and not self.followed else None
        # Where most of a table differed, the rows that follow from it need not be picked.
        if any(self._is_most_of(self.written.get(followed, 0), followed) for followed in table.follows):
            return None
        if table.name == "patient_journey_schedule_window":
            self._find_windows()
        elif table.name == "activity_completion_fact":
            self._find_completions()
        elif table.name == "adherence_fact":
            self._find_adherence()
        else:
            self._add_children(table)
        changed = Identifier(table.changes)
        self.warehouse.execute(SQL("select count(*) from {}").format(changed))
        (rows,) = one_row(self.warehouse)
        if not rows:
            return 0
        self.followed = True
        if table.source and "occurrence" in STAGED[table.source].columns:
            self._add_rows_of_one_key(table)
        analyze_local(self.warehouse, table.changes)
        if table.name == "activity_completion_fact":
            self.warehouse.execute(ADHERENCE_OF_COMPLETIONS)
        return None if self._is_most_of(rows, table.name) else int(rows)

    def reconcile(self, target: Target, query: Composable, counts: StepRun) -> None:
        """Bring a table of the star in step, and keep what differed for the tables that follow from it."""
        reconcile(self.warehouse, target, query, counts, keep=not self.everything)
        if not self.everything:
            self.written[target.table] = counts.inserted + counts.updated + counts.deleted

    def done(self) -> None:
        """Note that the star is in step with the staging tables."""
        if self.everything or self.followed:
            for changes in filter(None, (table.changes for table in STAR_TABLES)):
                # A truncate would wait for whoever reads them, as pg_dump does.
                self.warehouse.execute(SQL("delete from {}").format(Identifier(changes)))
        if self.everything:
            self.warehouse.execute("delete from load_version")
            self.warehouse.execute("insert into load_version values (%s)", [self.version])
        empty_work_tables(self.warehouse, (name for table in STAR_TABLES for name in table.work_tables))

    def _is_most_of(self, rows: int, table: str) -> bool:
        return rows > LOOKED_AT_WHOLE * rows_known(self.warehouse, table) >= 0  # -1: nobody knows how many it has

    def _add_children(self, table: StarTable) -> None:
        """Add the rows of the staged table whose parents have come or gone in this load.

        What else a parent says of itself does not matter to its children. The columns of the source that name one are
        called as those of the star.
        """
        staged = STAGED[table.source]
        for column, model in parents(table.model).items():
            parent = model._meta.db_table
            if column in staged.columns and parent in self.written:
                links = {column: column}
                if "patient_id" in parents(model):  # the parent is a fact: its rows and theirs are those of one patient
                    links |= {"owner_id": "patient_id"}
                self.warehouse.execute(
                    SQL(
                        """
                        insert into {changed}
                        select {keys}
                          from {staging} t
                         where ({child}) in (select {key} from {parent} p where p.is_new or p.is_gone)
                        """
                    ).format(
                        changed=Identifier(table.changes),
                        keys=SQL(", ".join(staged.changes_columns().values())),
                        staging=staged.staging,
                        child=names(tuple(links), "t"),
                        key=names(tuple(links.values()), "p"),
                        parent=Identifier(f"differing_{parent}"),
                    )
                )

    def _add_rows_of_one_key(self, table: StarTable) -> None:
        # rejected_row knows rows by their key alone: those that have one key are looked at together, whosever they are.
        staged = STAGED[table.source]
        self.warehouse.execute(
            SQL(
                """
                insert into {changed}
                select {keys}
                  from {staging} t
                 where ({key}) in (select {names} from {changed} c)
                """
            ).format(
                changed=Identifier(table.changes),
                keys=SQL(", ".join(staged.changes_columns().values())),
                staging=staged.staging,
                key=SQL(", ".join(staged.key.values())),
                names=names(tuple(staged.key), "c"),
            )
        )

    def _find_windows(self) -> None:
        if "patient_journey_fact" in self.written:
            self.warehouse.execute(WINDOWS_OF_PATIENT_JOURNEYS)
        self.warehouse.execute(WINDOWS_OF_ACTIVITIES)

    def _find_completions(self) -> None:
        if "survey_result_fact" in self.written:
            self.warehouse.execute(
                "insert into changed_completion select patient_id, survey_result_id from differing_survey_result_fact"
            )
        if "patient_journey_schedule_window" in self.written:
            self.warehouse.execute(COMPLETIONS_OF_WINDOWS)

    def _find_adherence(self) -> None:
        for table in ("patient_journey_schedule_window", "activity_completion_fact"):
            if table in self.written:
                self.warehouse.execute(ADHERENCE_OF.format(Identifier(f"differing_{table}")))


# The windows that patient journeys which differ have now, and had before.
WINDOWS_OF_PATIENT_JOURNEYS = """
insert into changed_window (patient_id, patient_journey_id, activity_id)
select w.patient_id, w.patient_journey_id, w.activity_id
  from patient_journey_schedule_window w
 where (w.patient_id, w.patient_journey_id)
       in (select d.patient_id, d.patient_journey_id from differing_patient_journey_fact d)
union
select f.patient_id, f.patient_journey_id, b.activity_id
  from patient_journey_fact f
  join journey_activity_bridge b on b.journey_id = f.journey_id
 where (f.patient_id, f.patient_journey_id)
       in (select d.patient_id, d.patient_journey_id from differing_patient_journey_fact d)
"""

# The windows of the activities that a journey now asks for, or no longer, and of those that differ, or their schedule.
WINDOWS_OF_ACTIVITIES = """
insert into changed_window (patient_id, patient_journey_id, activity_id)
select f.patient_id, f.patient_journey_id, c.activity_id
  from (select d.journey_id, d.activity_id
          from differing_journey_activity_bridge d
         union
        select b.journey_id, b.activity_id
          from journey_activity_bridge b
          join activity_dimension a on a.activity_id = b.activity_id
         where a.activity_id in (select d.activity_id from differing_activity_dimension d)
            or a.schedule_id in (select d.schedule_id from differing_schedule_dimension d)) c
  join patient_journey_fact f on f.journey_id = c.journey_id
"""

COMPLETIONS_OF_WINDOWS = """
insert into changed_completion (patient_id, survey_result_id)
select r.patient_id, r.survey_result_id
  from differing_patient_journey_schedule_window w
  join survey_result_fact r
    on r.patient_id = w.patient_id
   and r.patient_journey_id = w.patient_journey_id
   and r.activity_id = w.activity_id
"""

# The windows that completions are about before they are brought in step; those that they are about then follow.
ADHERENCE_OF_COMPLETIONS = """
insert into changed_adherence (patient_id, patient_journey_id, activity_id)
select c.patient_id, c.patient_journey_id, c.activity_id
  from activity_completion_fact c
 where (c.patient_id, c.survey_result_id) in (select d.patient_id, d.survey_result_id from changed_completion d)
"""

ADHERENCE_OF = SQL(
    """
    insert into changed_adherence (patient_id, patient_journey_id, activity_id)
    select d.patient_id, d.patient_journey_id, d.activity_id
      from {} d
    """
)
