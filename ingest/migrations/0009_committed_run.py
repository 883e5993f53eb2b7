"""Which run of each source was the last to commit, so that its record can be mended if it was lost."""

from django.db import migrations

CREATE = """
create table committed_run (
    source text   primary key,
    run_id bigint not null
);
comment on table committed_run is 'The last run of each source that committed, a number of pipeline_run';
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0008_alert")]

    operations = [migrations.RunSQL(CREATE, "drop table committed_run", hints={"database": "analytics"})]
