-- The values that windows can be filtered by: of each dimension those that occur.
select 'hospital' as dimension, coalesce(hospital, 'unknown') as label from patient_dimension
union
select 'age_bracket', coalesce(age_bracket, 'unknown') from patient_dimension
union
select 'sex', coalesce(sex, 'unknown') from patient_dimension
union
select 'joint', coalesce(joint, 'unknown') from journey_dimension
union
select 'journey', coalesce(abbreviation, 'unknown') from journey_dimension
union
select 'activity', coalesce(content_slug, 'unknown') from activity_dimension
union
select 'milestone', coalesce(milestone_slug, 'unknown') from schedule_dimension
union
select 'schedule', coalesce(slug, 'unknown') from schedule_dimension
union
select 'clinician', coalesce(clinician_id::text, 'unknown') from patient_journey_fact
union
select 'month', coalesce(to_char(operation_date, 'YYYY-MM'), 'unknown') from patient_journey_fact
order by dimension, label
