"""The adherence view as of today: what is dated later does not count, as on the pages and in the filter by status."""

from django.db import migrations

# As 0005 has it but for `counted`, a further condition of the join with the completions.
VIEW = """
create or replace view activity_adherence as
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
   and c.patient_id = w.patient_id
   {counted}
 -- After the join, so that the windows of a patient read no more completions than that patient's. A page in some order
 -- reads all completions: who wants one asks for the page of windows first, then for these, as the admin does.
 group by w.id, w.patient_id, w.patient_journey_id, w.activity_id, w.activity_content_slug, w.schedule_id,
          w.schedule_slug, w.schedule_start_offset_days, w.schedule_end_offset_days, w.schedule_milestone_slug,
          w.milestone_date, w.window_start_date, w.window_end_date;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0009_room")]

    operations = [
        migrations.RunSQL(
            VIEW.format(counted="and c.completed_date <= (now() at time zone 'UTC')::date"),
            VIEW.format(counted=""),
            hints={"database": "analytics"},
        )
    ]
