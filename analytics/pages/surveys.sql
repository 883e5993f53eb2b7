-- The surveys that have been answered, the one with most results first.
select s.survey_id, s.slug, s.version, count(*) as results, count(distinct r.patient_id) as patients
from survey_result_fact as r
inner join survey_dimension as s on s.survey_id = r.survey_id
group by s.survey_id
order by count(*) desc, s.survey_id
