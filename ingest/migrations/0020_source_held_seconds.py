"""For how long a run held the source, beside its other numbers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0019_least_privilege")]

    operations = [
        migrations.AddField(
            model_name="pipelinerun",
            name="source_held_seconds",
            field=models.FloatField(
                db_comment=(
                    "Seconds of these for which it held a transaction at the source open; null: it held none"
                ),
                null=True,
            ),
        ),
    ]
