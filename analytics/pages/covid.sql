-- The national figures by day, beside what the service did: operations, and windows that ended unused, as of a day.
-- An average is that of the day and the six before it, as far as they have the figure. What the service did is unknown,
-- not nothing, on days before the first and after the last operation, and likewise of windows that are over.
with figure as (
    select
        (d.last_update_at at time zone 'UTC')::date as day,
        c.new_cases, t.new_tests, h.currently_hospitalized, x.new_deaths
    from cases_dimension as d
    left join cases_fact as c on c.cases_id = d.cases_id
    left join testing_fact as t on t.cases_id = d.cases_id
    left join hospitalization_fact as h on h.cases_id = d.cases_id
    left join death_fact as x on x.cases_id = d.cases_id
),

span as (
    select min(f.day) as first_day, max(f.day) as last_day
    from figure as f
),

operation as (
    select f.operation_date as day, count(*) as operations, count(distinct f.patient_id) as patients
    from patient_journey_fact as f
    inner join span as s on f.operation_date between s.first_day and s.last_day
    group by f.operation_date
),

missed as (
    select w.window_end_date as day, count(*) as missed, count(distinct w.patient_id) as patients
    from window_detail as w
    inner join span as s on w.window_end_date between s.first_day and s.last_day
    where window_status(w, :day) = 'missed'
    group by w.window_end_date
),

operated as (
    select min(f.operation_date) as first_day, max(f.operation_date) as last_day
    from patient_journey_fact as f
),

ended as (
    select min(a.window_end_date) as first_day, least(max(a.window_end_date), :day - 1) as last_day
    from adherence_fact as a
)

select
    f.day,
    f.new_cases,
    avg(f.new_cases) over week as new_cases_average,
    f.new_tests,
    avg(f.new_tests) over week as new_tests_average,
    f.currently_hospitalized,
    f.new_deaths,
    avg(f.new_deaths) over week as new_deaths_average,
    case when f.day between operated.first_day and operated.last_day then coalesce(o.operations, 0) end as operations,
    coalesce(o.patients, 0) as operated,
    case when f.day between ended.first_day and ended.last_day then coalesce(m.missed, 0) end as missed,
    coalesce(m.patients, 0) as missing
from figure as f
cross join operated
cross join ended
left join operation as o on o.day = f.day
left join missed as m on m.day = f.day
window week as (order by f.day range between interval '6 days' preceding and current row)
order by f.day
