"""The view that says how each window stands today."""

from django.db import migrations

CREATE = """
create view activity_adherence as
select w.*,
       count(c.survey_result_id) as completions,
       min(c.completed_date)     as first_completed_date,
       case
           when w.window_start_date is null and w.window_end_date is null then 'undated'
           when bool_or(c.status = 'in_window') then 'completed'
           when bool_or(c.status = 'late') then 'completed_late'
           when bool_or(c.status = 'early') then 'completed_early'
           when w.window_end_date < (now() at time zone 'UTC')::date then 'missed'
           when w.window_start_date > (now() at time zone 'UTC')::date then 'upcoming'
           else 'open'
       end as status
  from patient_journey_schedule_window w
  left join activity_completion_fact c
    on c.patient_journey_id = w.patient_journey_id
   and c.activity_id = w.activity_id
   -- Null only as a kept orphan, which a distributed warehouse refuses: there this is a plain equality.
   and (c.patient_id = w.patient_id or (c.patient_id is null and w.patient_id is null))
 -- Grouped by the window's key and after the join, so that a page of windows reads no more completions than its own.
 group by w.id;

do $$
declare
    statement text;
begin
    for statement in
        select format('comment on column activity_adherence.%I is %L', attname, col_description(attrelid, attnum))
          from pg_attribute
         where attrelid = 'patient_journey_schedule_window'::regclass and attnum > 0
    loop
        execute statement;
    end loop;
end $$;
comment on view activity_adherence is
    'How each window stands today, UTC: one row a window, with what was done about it';
comment on column activity_adherence.completions is 'Survey results for this patient journey and activity';
comment on column activity_adherence.first_completed_date is 'The earliest day on which it was done; null: never';
comment on column activity_adherence.status is
    'completed, completed_late, completed_early: the best of its completions; missed: ended, nothing done; open; upcoming; undated';
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, "drop view activity_adherence", hints={"database": "analytics"})]
