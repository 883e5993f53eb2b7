"""A run gets a name that never repeats; a step of a load says how many rows it has checked.

The runs on record get a UUID that is made of their number, so that run log and warehouse agree on it.
"""

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models

RUNS = "update pipeline_run set uuid = md5('pipeline_run ' || id)::uuid"

WAREHOUSE = """
update load_state set run_uuid = md5('pipeline_run ' || run_id)::uuid;
alter table committed_run add column run_uuid uuid;
update committed_run set run_uuid = md5('pipeline_run ' || run_id)::uuid;
alter table committed_run drop column run_id;
insert into committed_run (source) values ('msk'), ('covid') on conflict do nothing;
comment on table committed_run is 'The last run of each source that committed; a run locks its row while it works';
comment on column committed_run.run_uuid is 'pipeline_run.uuid in the default database; null before the first run';
"""

WAREHOUSE_BACKWARDS = """
delete from committed_run;
alter table committed_run drop column run_uuid;
alter table committed_run add column run_id bigint not null;
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0011_digest_secret")]

    operations = [
        migrations.AddField(
            "pipelinerun",
            "uuid",
            models.UUIDField(
                unique=True,
                default=uuid.uuid4,
                db_default=RandomUUID(),
                editable=False,
                db_comment=(
                    "By which the warehouse knows the run: numbers repeat where the run log was restored from a backup"
                ),
            ),
        ),
        migrations.RunSQL(RUNS, migrations.RunSQL.noop),
        migrations.AddField(
            "steprun",
            "checked",
            models.BigIntegerField(
                default=0,
                db_comment=(
                    "Rows of the source, the rejected ones among them, that the load has checked, now or before"
                ),
            ),
        ),
        migrations.AddField(
            "loadstate", "run_uuid", models.UUIDField(null=True, db_comment="pipeline_run.uuid of the same run")
        ),
        migrations.RunSQL(WAREHOUSE, WAREHOUSE_BACKWARDS, hints={"database": "analytics"}),
    ]
