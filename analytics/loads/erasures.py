"""Patients whom the source no longer has: on record which run took each out."""

from ingest.cursors import Cursor
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


def record_erasures(warehouse: Cursor, run: Run, *, everything: bool) -> None:
    """Note who is in the star and no longer staged, before the load takes them out.

    Looks at all patients, or at those that may have changed.
    """
    warehouse.execute(RECORD, {"run": run.id, "uuid": str(run.uuid), "everything": everything})
