"""Patients whom the source no longer has: on record which run took each out, and out of the planner's samples too."""

from psycopg2.sql import SQL, Identifier

from analytics.loads.tables import STAR_TABLES
from analytics.models import PatientDimension
from analytics.models.links import parents
from ingest.cursors import Cursor, one_row
from ingest.msk.tables import TABLES
from ingest.placement import Placement, analyze, placement
from ingest.reconcile import is_empty
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
    """Have the server take anew the samples of the patients' tables that it keeps to plan by: values, as they were.

    By itself it does when a tenth of a table has changed, and of a table that is empty never: there it is given a row
    without a value for the time being, which nobody else sees.
    """
    facts = [table for table in STAR_TABLES if {PatientDimension} & {table.model, *parents(table.model).values()}]
    names = [name for table in facts for name in (table.name, table.changes)]
    for name in (*names, *(f"staging_{table.name}" for table in TABLES if table.changes), "rejected_row"):
        if placement(warehouse, name) is Placement.LOCAL and is_empty(warehouse, name):
            warehouse.execute(NO_VALUES, [name])
            (values,) = one_row(warehouse)
            warehouse.execute(
                SQL("insert into {} overriding system value values ({})").format(Identifier(name), SQL(values))
            )
            analyze(warehouse, name)
            warehouse.execute(SQL("delete from {}").format(Identifier(name)))
        else:
            analyze(warehouse, name)


NO_VALUES = """
select string_agg(case when not a.attnotnull then 'null'
                       when t.typcategory = 'N' then '0'
                       when t.typcategory = 'D' then quote_literal('-infinity')
                       when t.typcategory = 'S' then quote_literal('')
                       else quote_literal('{}') end, ', ' order by a.attnum)
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
 where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
"""
