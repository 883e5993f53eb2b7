-- Steps, survey results and COVID days by day, over the last year of each up to a day; 0 where there is none. And of
-- how many patients, if of any.
with counted as (
    select 'steps' as kind, s.date as day, count(*) as rows, count(distinct s.patient_id) as patients
    from step_result_fact as s
    group by s.date
    union all
    select 'survey results', (r.end_time at time zone 'UTC')::date, count(*), count(distinct r.patient_id)
    from survey_result_fact as r
    group by (r.end_time at time zone 'UTC')::date
    union all
    select 'COVID figures', (d.last_update_at at time zone 'UTC')::date, count(*), null
    from cases_dimension as d
    group by (d.last_update_at at time zone 'UTC')::date
),

span as (
    select c.kind, greatest(min(c.day), max(c.day) - 364) as first_day, max(c.day) as last_day
    from counted as c
    where c.day <= :day
    group by c.kind
)

select s.kind, s.first_day + n.number as day, coalesce(c.rows, 0) as rows, c.patients
from span as s
cross join lateral generate_series(0, s.last_day - s.first_day) as n (number)
left join counted as c on c.kind = s.kind and c.day = s.first_day + n.number
order by s.kind, day
