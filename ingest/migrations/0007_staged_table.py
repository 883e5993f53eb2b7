"""How each source table was when it was last read, beside the digests of its buckets."""

from django.db import migrations

CREATE = """
create table staged_table (
    source_table text   primary key,
    seed         bigint not null,
    row_count    bigint not null
);
comment on table staged_table is
    'What a source table was when it was last read: its rows, and the seed by which digests can be compared';

-- No seed is 0: everything is compared once more, but what was there is known.
insert into staged_table (source_table, seed, row_count)
select source_table, 0, sum(row_count)
  from staged_bucket
 group by source_table;
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0006_step_run")]

    operations = [migrations.RunSQL(CREATE, "drop table staged_table", hints={"database": "analytics"})]
