"""Beside each row staged of a patient its place among the rows of its id, which the source works out as it is copied."""

from django.db import migrations

TABLES = ("staging_patient_journey", "staging_survey_result")
FORWARDS = """
alter table {table} add column occurrence integer not null default 1;
alter table {table} alter column occurrence drop default;
update {table} as t
   set occurrence = n.occurrence
  from (select s.ctid as place, row_number() over (partition by s.id order by s::text collate "C") as occurrence
          from {table} as s) as n
 where n.place = t.ctid
   and n.occurrence > 1;
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0016_run_request")]

    operations = [
        migrations.RunSQL(
            FORWARDS.format(table=table),
            f"alter table {table} drop column occurrence",
            hints={"database": "analytics"},
        )
        for table in TABLES
    ]
