"""What a null means, of the columns that a run or a person fills, and of those that are copied."""

import django.db.models.deletion
from django.db import migrations, models

from pipeline_project.comments import AlterComment


STAGED = """
do $$
declare
    each record;
begin
    for each in
        select c.relname, a.attname
          from pg_class c
          join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'public'::regnamespace
           and col_description(c.oid, a.attnum) like '% of the source, as it came; null: as it came, too'
    loop
        execute format(
            'comment on column %I.%I is %L', each.relname, each.attname,
            format('%s.%s of the source, as it came; null: the source has none',
                   substr(each.relname, length('staging_') + 1), each.attname)
        );
    end loop;
end $$;
-- The parser gives every schedule both.
alter table staging_slug alter column slug set not null, alter column parse_status set not null;
comment on column staging_slug.parse_status is
    'parsed: an offset and a milestone; partial: an offset, but no milestone; unparsed: not understood';
comment on column staging_slug.milestone_slug is
    'The event that the offsets count from; unknown where the slug names none; null: the slug was not understood';
comment on column staging_slug.offset_start_days is
    'First day of the window, from the milestone; null: no start, or not understood';
comment on column staging_slug.offset_end_days is
    'Last day of the window, from the milestone; null: no end, or not understood';
comment on column staging_slug.qualifier is 'Words of the slug that are no part of the rule; null: it has none, or was not understood';
comment on column staging_slug.parse_note is 'Why the slug was not understood; null: it was understood';
"""


UNSTAGED = "alter table staging_slug alter column slug drop not null, alter column parse_status drop not null;"


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0021_staging_comments"),
    ]

    operations = [
        AlterComment(
            model_name="alert",
            name="ended_at",
            field=models.DateTimeField(db_comment="When it was seen to be over; null: it lasts", null=True),
        ),
        AlterComment(
            model_name="coviddocument",
            name="etag",
            field=models.TextField(
                db_comment="Its version, as the server calls it; null: the server does not say", null=True
            ),
        ),
        AlterComment(
            model_name="coviddocument",
            name="last_modified",
            field=models.TextField(
                db_comment="When the server says that it changed; null: the server does not say", null=True
            ),
        ),
        AlterComment(
            model_name="loadstate",
            name="run_uuid",
            field=models.UUIDField(db_comment="pipeline_run.uuid of the same run; null: none is known", null=True),
        ),
        AlterComment(
            model_name="pipelinerun",
            name="finished",
            field=models.DateTimeField(db_comment="When it ended, or was found to be gone; null: it runs", null=True),
        ),
        AlterComment(
            model_name="pipelinerun",
            name="source_held_seconds",
            field=models.FloatField(
                db_comment="Seconds of these for which it held a transaction at the source open; null: it opened none",
                null=True,
            ),
        ),
        AlterComment(
            model_name="rejectedrow",
            name="source_key",
            field=models.TextField(
                db_comment="The row's key in the source; #2, #3 … where several rows share it; a missing key is the word null"
            ),
        ),
        AlterComment(
            model_name="runrequest",
            name="finished_at",
            field=models.DateTimeField(db_comment="When it was over; null: it is open", null=True),
        ),
        AlterComment(
            model_name="runrequest",
            name="progress_at",
            field=models.DateTimeField(db_comment="Since when; null: nothing is known yet", null=True),
        ),
        AlterComment(
            model_name="runrequest",
            name="run",
            field=models.ForeignKey(
                db_comment="The run that came of it; null: none did, or not yet",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="requests",
                to="ingest.pipelinerun",
            ),
        ),
        AlterComment(
            model_name="runrequest",
            name="taken_at",
            field=models.DateTimeField(db_comment="When a worker took it up; null: none has yet", null=True),
        ),
        AlterComment(
            model_name="warehousecheck",
            name="run_id",
            field=models.BigIntegerField(
                db_comment="pipeline_run.id of the run that had loaded it; null: no run had", null=True
            ),
        ),
        migrations.RunSQL(STAGED, UNSTAGED, hints={"database": "analytics"}),
    ]
