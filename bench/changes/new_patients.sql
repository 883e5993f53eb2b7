-- 2.5 % of the patients once more, under new ids, with all that is theirs.
create temporary table new_patient as
select
    p.id as drawn_id,
    last.id + row_number() over (order by md5(p.id::text)) as id
from patient as p
cross join (select max(id) as id from patient) as last
order by md5(p.id::text)
limit (select count(*) * 0.025 from patient);

create temporary table new_journey as
select
    j.id as drawn_id,
    last.id + row_number() over (order by p.id, j.id) as id,
    p.id as patient_id
from patient_journey as j
inner join new_patient as p on p.drawn_id = j.patient_id
cross join (select max(id) as id from patient_journey) as last;

insert into patient
select n.id, p.age_bracket, p.sex, p.hospital
from patient as p
inner join new_patient as n on n.drawn_id = p.id;

insert into step_result
select n.id, s.date, s.value
from step_result as s
inner join new_patient as n on n.drawn_id = s.patient_id;

insert into patient_journey
select
    n.id, n.patient_id, j.journey_id, j.invitation_date, j.registration_date, j.operation_date, j.discharge_date,
    j.consent_date, j.clinician_id
from patient_journey as j
inner join new_journey as n on n.drawn_id = j.id;

insert into survey_result
select
    last.id + row_number() over (order by n.id, r.id) as id,
    n.id as patient_journey_id, r.survey_id, r.activity_id, r.device_id, r.score_value, r.start_time, r.end_time
from survey_result as r
inner join new_journey as n on n.drawn_id = r.patient_journey_id
cross join (select max(id) as id from survey_result) as last;
