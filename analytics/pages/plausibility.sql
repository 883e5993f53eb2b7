-- What is hardly right, by rule: the patient, the key of the row, its day, and what is odd about it. All of it is in
-- the star, and stays there.
with quartile as (
    select r.survey_id, percentile_cont(array[0.25, 0.75]) within group (order by r.score_value) as ends
    from survey_result_fact as r
    where r.score_value is not null
    group by r.survey_id
),

usual as (
    select
        q.survey_id,
        greatest(q.ends[1] - :fences * (q.ends[2] - q.ends[1]), 0) as low,
        q.ends[2] + :fences * (q.ends[2] - q.ends[1]) as high
    from quartile as q
),

hospital_day as (
    select p.hospital, d.day
    from (
        select s.patient_id, s.date as day
        from step_result_fact as s
        union all
        select r.patient_id, (r.end_time at time zone 'UTC')::date
        from survey_result_fact as r
    ) as d
    inner join patient_dimension as p on p.patient_id = d.patient_id
    where p.hospital is not null and d.day <= :day
    group by p.hospital, d.day
),

hospital_week as (
    select
        h.hospital, h.last_day, max(h.last_day) over () as last_day_of_all,
        count(distinct h.weeks_before) filter (where h.weeks_before < :weeks) as weeks
    from (
        select
            d.hospital, max(d.day) over one as last_day, (max(d.day) over one - d.day) / 7 as weeks_before
        from hospital_day as d
        window one as (partition by d.hospital)
    ) as h
    group by h.hospital, h.last_day
)

select
    'score' as rule, r.patient_id, r.survey_result_id::bigint as key, (r.end_time at time zone 'UTC')::date as day,
    format(
        'score %s; usual of survey %s is %s to %s',
        r.score_value, r.survey_id, round(u.low::numeric, 1), round(u.high::numeric, 1)
    ) as odd
from survey_result_fact as r
inner join usual as u on u.survey_id = r.survey_id
where r.score_value not between u.low and u.high
union all
select 'steps', s.patient_id, s.id, s.date, format('%s steps', s.steps)
from step_result_fact as s
where s.steps > :most_steps
union all
select
    'operation', f.patient_id, f.patient_journey_id, f.operation_date, format('registered on %s', f.registration_date)
from patient_journey_fact as f
where f.operation_date < f.registration_date
union all
select 'discharge', f.patient_id, f.patient_journey_id, f.discharge_date, format('operation on %s', f.operation_date)
from patient_journey_fact as f
where f.discharge_date < f.operation_date
union all
select 'hospital', null, null, h.last_day, h.hospital
from hospital_week as h
where
    h.weeks = :weeks
    and h.last_day <= h.last_day_of_all - :silent_days
    and h.last_day > h.last_day_of_all - 365
