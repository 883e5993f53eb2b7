"""What the columns of the staging tables are: as the star's columns, each says it in the database."""

from django.db import migrations

# Of those that this project adds, and of what the parser says of a slug; the others are the source's.
ADDED = """
do $$
declare
    each record;
begin
    for each in
        select c.relname, a.attname
          from pg_class c
          join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'public'::regnamespace
           and c.relname in ('staging_schedule', 'staging_activity', 'staging_journey', 'staging_journey_activity',
                             'staging_patient', 'staging_patient_journey', 'staging_device', 'staging_survey',
                             'staging_step_result', 'staging_survey_result')
    loop
        execute format(
            'comment on column %I.%I is %L', each.relname, each.attname,
            case each.attname
                when 'owner_id' then 'The patient that the row belongs to; -1: none'
                when 'occurrence' then 'Its place among the rows of its id, in the order of their text, from 1'
                else format('%s.%s of the source, as it came; null: as it came, too',
                            substr(each.relname, length('staging_') + 1), each.attname)
            end
        );
    end loop;
end $$;
comment on column staging_slug.slug is 'The rule as written; empty for a schedule without one';
comment on column staging_slug.parse_status is 'parsed: offset and milestone; partial: milestone unknown; unparsed';
comment on column staging_slug.milestone_slug is
    'The event that the offsets count from; unknown where the slug names none; null: not understood';
comment on column staging_slug.offset_start_days is 'First day of the window, from the milestone; null: no start';
comment on column staging_slug.offset_end_days is 'Last day of the window, from the milestone; null: no end';
comment on column staging_slug.qualifier is 'Words of the slug that are no part of the rule; null: none';
comment on column staging_slug.parse_note is 'Why the slug was not understood; null: it was';
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0020_source_held_seconds")]

    operations = [migrations.RunSQL(ADDED, migrations.RunSQL.noop, hints={"database": "analytics"})]
