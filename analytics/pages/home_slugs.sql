-- Schedules that were not understood, by the number of windows that they leave without a day, and of how many patients.
select
    s.schedule_id, s.slug, s.parse_status, s.parse_note, count(a.id) as windows,
    count(distinct a.patient_id) as patients
from schedule_dimension as s
left join activity_dimension as d on d.schedule_id = s.schedule_id
left join adherence_fact as a
    on a.activity_id = d.activity_id and a.window_start_date is null and a.window_end_date is null
where s.parse_status in ('unparsed', 'partial')
group by s.schedule_id
order by count(a.id) desc, s.schedule_id
