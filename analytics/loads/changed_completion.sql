-- The completions of survey results that changed, and of windows that are looked at, now or before.
select t.key as survey_result_id
from touched_survey_result_fact as t
union
select r.survey_result_id
from scope_window as w
inner join survey_result_fact as r on r.patient_journey_id = w.patient_journey_id and r.activity_id = w.activity_id
union
select c.survey_result_id
from scope_window as w
inner join activity_completion_fact as c
    on c.patient_journey_id = w.patient_journey_id and c.activity_id = w.activity_id
