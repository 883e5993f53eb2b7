"""Patients whom the source no longer has: on record which run took each out, and out of the planner's samples too."""

from analytics.loads.tables import STAR_TABLES
from analytics.models import PatientDimension
from analytics.models.links import parents
from ingest.cursors import Cursor
from ingest.msk.tables import TABLES
from ingest.placement import analyze
from ingest.runs.run import Run

RECORD = """
insert into erased_patient (patient_id, run_id, run_uuid, erased_at)
select p.patient_id, %(run)s, %(uuid)s, now()
  from patient_dimension p
 where not exists (select from staging_patient s where s.id = p.patient_id)
   and (%(everything)s or p.patient_id in (select c.patient_id from changed_patient c))
on conflict (patient_id) do update
   set run_id = excluded.run_id, run_uuid = excluded.run_uuid, erased_at = excluded.erased_at
"""


def record_erasures(warehouse: Cursor, run: Run, *, everything: bool) -> int:
    """Note who is in the star and no longer staged, before the load takes them out; return how many they are.

    Looks at all patients, or at those that may have changed.
    """
    warehouse.execute(RECORD, {"run": run.id, "uuid": str(run.uuid), "everything": everything})
    return warehouse.rowcount


def take_other_samples(warehouse: Cursor) -> None:
    """Have the server forget the values that it keeps of the patients' tables to plan by.

    By itself it would only when a tenth of a table has changed. Of a table that is now empty it keeps them.
    """
    facts = [table.name for table in STAR_TABLES if {PatientDimension} & {table.model, *parents(table.model).values()}]
    staged = [f"staging_{table.name}" for table in TABLES if table.changes]
    for table in (*facts, *staged, "rejected_row"):
        analyze(warehouse, table)
