-- An hour brings steps and survey results of today, as many as 0.2 % of the tables, and 200 updates and 20 deletes of
-- steps of any day.
insert into step_result
select
    p.patient_id,
    today.date,
    '5000'
from (select distinct patient_id from step_result) as p
cross join (select max(date) + 1 as date from step_result) as today
order by md5(p.patient_id::text)
limit (select count(*) * 0.002 from step_result);

insert into survey_result
select
    last.id + row_number() over (order by md5(r.id::text)) as id,
    r.patient_journey_id, r.survey_id, r.activity_id, r.device_id, r.score_value, r.start_time, r.end_time
from survey_result as r
cross join (select max(id) as id from survey_result) as last
order by md5(r.id::text)
limit (select count(*) * 0.002 from survey_result);

update step_result
set value = '10123'
where ctid = any(array(
    select ctid
    from step_result
    order by md5(ctid::text)
    limit 200
));

delete from step_result
where ctid = any(array(
    select ctid
    from step_result
    order by md5(ctid::text || ' gone')
    limit 20
));
