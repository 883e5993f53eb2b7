"""What check_warehouse proved. In the default database, as the run log, so that it outlives the warehouse."""

from django.db import models


class WarehouseCheck(models.Model):
    id = models.BigAutoField(primary_key=True, db_comment="Number of the entry")
    checked_at = models.DateTimeField(db_comment="When the check began, the same for all its promises")
    promise = models.TextField(db_comment="The promise, as check_warehouse says it")
    source = models.TextField(db_comment="The source whose star it is about: msk or covid")
    run_id = models.BigIntegerField(
        null=True, db_comment="pipeline_run.id of the run that had loaded it; null: no run had"
    )
    violations = models.BigIntegerField(null=True, db_comment="Rows that break it; null: it could not be proved")
    seconds = models.FloatField(default=0.0, db_comment="Seconds that it took")
    error = models.TextField(blank=True, default="", db_comment="Why it could not be proved, in one line")

    class Meta:
        db_table = "warehouse_check"
        db_table_comment = "What check_warehouse found, one row a check and promise; forgotten as the runs are"
        constraints = (models.UniqueConstraint(fields=["checked_at", "promise"], name="warehouse_check_once"),)

    def __str__(self) -> str:
        found = "not proved" if self.violations is None else f"{self.violations} do not"
        return f"{self.promise}: {found if self.violations != 0 else 'holds'}"
