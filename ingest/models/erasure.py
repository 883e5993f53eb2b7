"""Which run took a patient out of the warehouse: the evidence that an erasure leaves behind."""

from django.db import models

from ingest.models.staging import WarehouseModel


class ErasedPatient(WarehouseModel):
    """A patient whom the source no longer has. In the warehouse, so that it commits with what it tells of.

    The number is the source's key, without anything of the patient: it is what somebody asks by who wants to know
    whether the patient is gone, and who has no source any more names nobody by it.
    """

    patient_id = models.IntegerField(primary_key=True, db_comment="patient.id that the source had")
    run_id = models.BigIntegerField(db_comment="pipeline_run.id of the run that last took the patient out of the star")
    run_uuid = models.UUIDField(db_comment="pipeline_run.uuid of the same run")
    erased_at = models.DateTimeField(db_comment="When that was")

    class Meta:
        db_table = "erased_patient"
        db_table_comment = "Patients whom the source no longer has: which run took each out of the star, no more"
