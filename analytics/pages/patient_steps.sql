-- The steps of a patient by day.
select s.date, s.steps
from step_result_fact as s
where s.patient_id = :patient
order by s.date
