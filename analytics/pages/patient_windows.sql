-- The windows of a patient and how they stand as of a day, in the order in which they are due.
select
    w.id, w.patient_journey_id, w.activity_id, w.activity, w.schedule, w.milestone,
    w.window_start_date, w.window_end_date, s.status
from window_detail as w
cross join lateral (select window_status(w, :day) as status) as s
where w.patient_id = :patient
order by w.window_start_date nulls last, w.window_end_date nulls last, w.activity, w.id
