"""What was done about each window, as a table: from it follows how all windows stand on any day. The next run fills it."""

import django.db.models.deletion
from django.db import migrations, models

FORWARDS = """
alter table adherence_fact
    drop constraint adherence_fact_pkey,
    add primary key (patient_journey_id, activity_id, patient_id);

create unlogged table changed_adherence (
    patient_id         integer not null,
    patient_journey_id integer not null,
    activity_id        integer not null
);
comment on table changed_adherence is
    'Windows whose adherence a load has to look at; empty when it has ended';

create view window_detail as
select a.id, a.patient_id, a.patient_journey_id, a.activity_id, a.window_start_date, a.window_end_date,
       a.first_in_window_date, a.first_late_date, a.first_early_date,
       p.hospital, p.age_bracket, p.sex,
       j.joint, j.abbreviation as journey, f.clinician_id, f.operation_date,
       d.content_slug as activity, s.milestone_slug as milestone, s.slug as schedule
  from adherence_fact a
  left join patient_journey_fact f
    on f.patient_journey_id = a.patient_journey_id
   and f.patient_id = a.patient_id
  left join patient_dimension p on p.patient_id = a.patient_id
  left join journey_dimension j on j.journey_id = f.journey_id
  left join activity_dimension d on d.activity_id = a.activity_id
  left join schedule_dimension s on s.schedule_id = d.schedule_id;
-- A table that is not asked for is not read: each is joined by its key.
comment on view window_detail is
    'Each window with what it can be told apart by; window_status(a row of it, a day) says how it stands as of that day';

create function window_status(w window_detail, day date) returns text
    language sql immutable parallel safe
    return case
        when w.window_start_date is null and w.window_end_date is null then 'undated'
        when w.first_in_window_date <= day then 'completed'
        when w.first_late_date <= day then 'completed_late'
        when w.first_early_date <= day then 'completed_early'
        when w.window_end_date < day then 'missed'
        when w.window_start_date > day then 'upcoming'
        else 'open'
    end;
comment on function window_status is 'How a window stands as of a day: what was done later does not count';

do $$
declare
    statement text;
begin
    for statement in
        select format('comment on column window_detail.%I is %L', named.column_name,
                      col_description(named.table_name::regclass, a.attnum))
          from (values ('id', 'adherence_fact', 'id'),
                       ('patient_id', 'adherence_fact', 'patient_id'),
                       ('patient_journey_id', 'adherence_fact', 'patient_journey_id'),
                       ('activity_id', 'adherence_fact', 'activity_id'),
                       ('window_start_date', 'adherence_fact', 'window_start_date'),
                       ('window_end_date', 'adherence_fact', 'window_end_date'),
                       ('first_in_window_date', 'adherence_fact', 'first_in_window_date'),
                       ('first_late_date', 'adherence_fact', 'first_late_date'),
                       ('first_early_date', 'adherence_fact', 'first_early_date'),
                       ('hospital', 'patient_dimension', 'hospital'),
                       ('age_bracket', 'patient_dimension', 'age_bracket'),
                       ('sex', 'patient_dimension', 'sex'),
                       ('joint', 'journey_dimension', 'joint'),
                       ('journey', 'journey_dimension', 'abbreviation'),
                       ('clinician_id', 'patient_journey_fact', 'clinician_id'),
                       ('operation_date', 'patient_journey_fact', 'operation_date'),
                       ('activity', 'activity_dimension', 'content_slug'),
                       ('milestone', 'schedule_dimension', 'milestone_slug'),
                       ('schedule', 'schedule_dimension', 'slug')
               ) as named (column_name, table_name, from_column)
          join pg_attribute a on a.attrelid = named.table_name::regclass and a.attname = named.from_column
    loop
        execute statement;
    end loop;
end $$;
"""


def link(table, comment, *, index=False):
    return models.ForeignKey(
        db_comment=comment,
        db_constraint=False,
        db_index=index,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=f"analytics.{table}",
    )


def day(comment):
    return models.DateField(db_comment=comment, null=True)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_links")]

    operations = [
        migrations.CreateModel(
            name="AdherenceFact",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        db_comment="Made of patient_journey_id and activity_id", primary_key=True, serialize=False
                    ),
                ),
                ("patient", link("patientdimension", "The patient, in patient_dimension", index=True)),
                ("patient_journey", link("patientjourneyfact", "The patient journey, in patient_journey_fact")),
                ("activity", link("activitydimension", "The activity, in activity_dimension")),
                ("window_start_date", day("First day on which the activity is due; null: no start, or undated")),
                ("window_end_date", day("Last day on which the activity is due; null: no end, or undated")),
                ("first_in_window_date", day("The earliest day on which it was done within its window; null: never")),
                ("first_late_date", day("The earliest day on which it was done after its window; null: never")),
                ("first_early_date", day("The earliest day on which it was done before its window; null: never")),
            ],
            options={
                "db_table": "adherence_fact",
                "db_table_comment": "What was done about each window, and when first; one row a patient journey and activity",
            },
        ),
        migrations.CreateModel(
            name="WindowDetail",
            fields=[("id", models.BigIntegerField(primary_key=True, serialize=False))],
            options={"db_table": "window_detail", "managed": False},
        ),
        migrations.RunSQL(FORWARDS, hints={"database": "analytics"}),
    ]
