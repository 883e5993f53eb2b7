"""The view that says how each window stands today."""

from django.db import migrations

CREATE = """
create view activity_adherence as
select w.*,
       coalesce(c.completions, 0) as completions,
       c.first_completed_date,
       case
           when w.window_start_date is null and w.window_end_date is null then 'undated'
           when c.in_window then 'completed'
           when c.late then 'completed_late'
           when c.early then 'completed_early'
           when w.window_end_date < t.today then 'missed'
           when w.window_start_date > t.today then 'upcoming'
           else 'open'
       end as status
  from patient_journey_schedule_window w
 cross join (select (now() at time zone 'UTC')::date as today) t
  left join (select patient_id, patient_journey_id, activity_id,
                    count(*)                         as completions,
                    min(completed_date)              as first_completed_date,
                    bool_or(status = 'in_window')    as in_window,
                    bool_or(status = 'late')         as late,
                    bool_or(status = 'early')        as early
               from activity_completion_fact
              group by patient_id, patient_journey_id, activity_id) c
    on c.patient_journey_id = w.patient_journey_id
   and c.activity_id = w.activity_id
   -- Null only as a kept orphan, which a distributed warehouse refuses: there this is a plain equality.
   and c.patient_id is not distinct from w.patient_id;

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
