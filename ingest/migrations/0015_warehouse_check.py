"""What check_warehouse proved, beside the run log."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0014_reasons")]

    operations = [
        migrations.CreateModel(
            name="WarehouseCheck",
            fields=[
                ("id", models.BigAutoField(db_comment="Number of the entry", primary_key=True, serialize=False)),
                (
                    "checked_at",
                    models.DateTimeField(db_comment="When the check began, the same for all its promises"),
                ),
                ("promise", models.TextField(db_comment="The promise, as check_warehouse says it")),
                ("source", models.TextField(db_comment="The source whose star it is about: msk or covid")),
                (
                    "run_id",
                    models.BigIntegerField(
                        db_comment="pipeline_run.id of the run that had loaded it; null: none", null=True
                    ),
                ),
                (
                    "violations",
                    models.BigIntegerField(
                        db_comment="Rows that break it; null: it could not be proved", null=True
                    ),
                ),
                ("seconds", models.FloatField(db_comment="Seconds that it took", default=0.0)),
                (
                    "error",
                    models.TextField(
                        blank=True, db_comment="Why it could not be proved, in one line", default=""
                    ),
                ),
            ],
            options={
                "db_table": "warehouse_check",
                "db_table_comment": "What check_warehouse found, one row a check and promise; forgotten as the runs are",
            },
        ),
        migrations.AddConstraint(
            model_name="warehousecheck",
            constraint=models.UniqueConstraint(fields=("checked_at", "promise"), name="warehouse_check_once"),
        ),
    ]
