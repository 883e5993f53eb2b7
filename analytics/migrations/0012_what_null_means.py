"""What a null means, of the columns that do not have it from the source, and what changes of COVID figures are of."""

import django.db.models.deletion
from django.db import migrations, models

from pipeline_project.comments import AlterComment


# A view's column says what that does which it shows.
VIEWS = """
do $$
declare
    statement text;
begin
    for statement in
        select format('comment on column %I.%I is %L', shown.view_name, shown.column_name,
                      col_description(a.attrelid, a.attnum))
          from (select 'activity_adherence', c.attname, c.attrelid::regclass, c.attname
                  from pg_attribute c
                 where c.attrelid = 'patient_journey_schedule_window'::regclass
                   and c.attnum > 0
                   and not c.attisdropped
                union all
                select 'window_detail', c.attname, c.attrelid::regclass, c.attname
                  from pg_attribute c
                 where c.attrelid = 'adherence_fact'::regclass
                   and c.attnum > 0
                   and not c.attisdropped
                union all
                values ('window_detail', 'milestone', 'schedule_dimension'::regclass, 'milestone_slug'::name),
                       ('window_detail', 'joint', 'journey_dimension', 'joint')
               ) as shown (view_name, column_name, table_name, from_column)
          join pg_attribute a on a.attrelid = shown.table_name and a.attname = shown.from_column
    loop
        execute statement;
    end loop;
end $$;
comment on column activity_adherence.first_completed_date is 'The earliest day on which it was done; null: it was not';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0011_pseudonyms"),
    ]

    operations = [
        AlterComment(
            model_name="activitycompletionfact",
            name="days_from_window",
            field=models.IntegerField(
                db_comment="Days between the window and completed_date: 0 inside, negative before it opens, positive after it has closed; null: there is no window, or it has no dates",
                null=True,
            ),
        ),
        AlterComment(
            model_name="adherencefact",
            name="first_early_date",
            field=models.DateField(
                db_comment="The earliest day on which it was done before its window; null: it was not", null=True
            ),
        ),
        AlterComment(
            model_name="adherencefact",
            name="first_in_window_date",
            field=models.DateField(
                db_comment="The earliest day on which it was done within its window; null: it was not", null=True
            ),
        ),
        AlterComment(
            model_name="adherencefact",
            name="first_late_date",
            field=models.DateField(
                db_comment="The earliest day on which it was done after its window; null: it was not", null=True
            ),
        ),
        AlterComment(
            model_name="casesfact",
            name="new_cases",
            field=models.BigIntegerField(
                db_comment="How much the total grew since the day before; below zero where it was corrected", null=True
            ),
        ),
        AlterComment(
            model_name="deathfact",
            name="new_deaths",
            field=models.BigIntegerField(
                db_comment="How much the total grew since the day before; below zero where it was corrected", null=True
            ),
        ),
        AlterComment(
            model_name="hospitalizationfact",
            name="change_in_hospitalized",
            field=models.BigIntegerField(db_comment="Change of currently_hospitalized from the day before", null=True),
        ),
        AlterComment(
            model_name="hospitalizationfact",
            name="change_in_icu",
            field=models.BigIntegerField(db_comment="Change of currently_in_icu from the day before", null=True),
        ),
        AlterComment(
            model_name="hospitalizationfact",
            name="change_in_ventilator",
            field=models.BigIntegerField(db_comment="Change of currently_on_ventilator from the day before", null=True),
        ),
        AlterComment(
            model_name="journeydimension",
            name="joint",
            field=models.TextField(
                db_comment="The joint: what joint_slug begins with, up to the first - or _, in small letters; null: joint_slug has none",
                null=True,
            ),
        ),
        AlterComment(
            model_name="patientjourneyfact",
            name="days_invitation_to_registration",
            field=models.IntegerField(
                db_comment="Days from invitation to registration; null: one of these is not known", null=True
            ),
        ),
        AlterComment(
            model_name="patientjourneyfact",
            name="days_operation_to_discharge",
            field=models.IntegerField(
                db_comment="Days from operation to discharge; null: one of these is not known", null=True
            ),
        ),
        AlterComment(
            model_name="patientjourneyfact",
            name="days_registration_to_operation",
            field=models.IntegerField(
                db_comment="Days from registration to operation; null: one of these is not known", null=True
            ),
        ),
        AlterComment(
            model_name="patientjourneyschedulewindow",
            name="schedule",
            field=models.ForeignKey(
                db_comment="The schedule, in schedule_dimension; null: no schedule, or one that does not exist",
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="analytics.scheduledimension",
            ),
        ),
        AlterComment(
            model_name="patientjourneyschedulewindow",
            name="schedule_end_offset_days",
            field=models.IntegerField(
                db_comment="Last day of the window, from the milestone; null: no end, no schedule, or not understood",
                null=True,
            ),
        ),
        AlterComment(
            model_name="patientjourneyschedulewindow",
            name="schedule_milestone_slug",
            field=models.TextField(
                db_comment="The event that the offsets count from; unknown where the slug names none; null: no schedule, or not understood",
                null=True,
            ),
        ),
        AlterComment(
            model_name="patientjourneyschedulewindow",
            name="schedule_slug",
            field=models.TextField(
                db_comment="The rule as written; null: no schedule, or one that does not exist", null=True
            ),
        ),
        AlterComment(
            model_name="patientjourneyschedulewindow",
            name="schedule_start_offset_days",
            field=models.IntegerField(
                db_comment="First day of the window, from the milestone; null: no start, no schedule, or not understood",
                null=True,
            ),
        ),
        AlterComment(
            model_name="scheduledimension",
            name="milestone_slug",
            field=models.TextField(
                db_comment="The event that the offsets count from; unknown where the slug names none; null: the slug was not understood",
                null=True,
            ),
        ),
        AlterComment(
            model_name="scheduledimension",
            name="offset_end_days",
            field=models.IntegerField(
                db_comment="Last day of the window, from the milestone; null: no end, or not understood", null=True
            ),
        ),
        AlterComment(
            model_name="scheduledimension",
            name="offset_start_days",
            field=models.IntegerField(
                db_comment="First day of the window, from the milestone; null: no start, or not understood", null=True
            ),
        ),
        AlterComment(
            model_name="scheduledimension",
            name="parse_note",
            field=models.TextField(
                db_comment="Why the slug was not understood, or the note of the override; null: neither", null=True
            ),
        ),
        AlterComment(
            model_name="scheduledimension",
            name="qualifier",
            field=models.TextField(
                db_comment="Words of the slug that are no part of the rule; null: it has none, or was not understood",
                null=True,
            ),
        ),
        AlterComment(
            model_name="testingfact",
            name="new_tests",
            field=models.BigIntegerField(
                db_comment="How much the total grew since the day before; below zero where it was corrected", null=True
            ),
        ),
        migrations.RunSQL(VIEWS, migrations.RunSQL.noop, hints={"database": "analytics"}),
    ]
