"""What a load still has to bring into the star, and by which rules the last one did."""

from django.db import migrations

CREATE = """
create table pending_bucket (
    source_table text not null,
    bucket bigint
);
create table loaded_with (
    rules text not null
);
create table window_fingerprint (
    patient_journey_id integer primary key,
    fingerprint bigint not null
);
comment on table pending_bucket is
    'Buckets of the staging tables whose rows changed since the star was loaded; a null bucket: all of the table';
comment on table loaded_with is 'Digest of the rules, SQL and settings, by which the star was loaded';
comment on table window_fingerprint is 'Hash of all that went into the windows of a patient journey';
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0003_covid")]

    operations = [
        migrations.RunSQL(
            CREATE, "drop table pending_bucket, loaded_with, window_fingerprint", hints={"database": "analytics"}
        )
    ]
