-- What a patient answered, and how that stands to the window of its activity.
select
    r.survey_result_id, r.patient_journey_id, r.activity_id, r.score_value,
    c.completed_date, c.status, s.survey_id, s.slug as survey
from survey_result_fact as r
inner join activity_completion_fact as c
    on c.survey_result_id = r.survey_result_id and c.patient_id = r.patient_id
inner join survey_dimension as s on s.survey_id = r.survey_id
where r.patient_id = :patient
order by r.end_time, r.survey_result_id
