"""What a load still has to bring into the star, by the rows' keys and no longer by their buckets."""

from django.db import migrations

FORWARDS = """
alter table pending_bucket rename to pending_key;
alter table pending_key rename column bucket to key;
update pending_key set key = null;
comment on table pending_key is
    'Keys of the staged rows that changed since the star was loaded; a null key: all of the table';
"""

BACKWARDS = """
update pending_key set key = null;
alter table pending_key rename column key to bucket;
alter table pending_key rename to pending_bucket;
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0009_committed_run")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS, hints={"database": "analytics"})]
