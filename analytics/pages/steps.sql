-- Daily steps by day since the patient's first operation, by group. Where a patient has two operations on that day, the
-- steps count for the group of each.
with operation as (
    select f.patient_id, min(f.operation_date) as operation_date
    from patient_journey_fact as f
    where f.operation_date is not null
    group by f.patient_id
),

operated as (
    select distinct o.patient_id, o.operation_date, coalesce(:grouped_by, 'unknown') as by_value
    from operation as o
    inner join patient_journey_fact as f on f.patient_id = o.patient_id and f.operation_date = o.operation_date
    left join patient_dimension as p on p.patient_id = o.patient_id
    left join journey_dimension as j on j.journey_id = f.journey_id
),

-- A number for each group, as numbers are sorted sooner than texts.
numbered as (
    select by_value, row_number() over (order by by_value) as group_number
    from operated
    group by by_value
),

point as (
    select
        n.group_number, s.date - o.operation_date as day, count(*) as patients,
        percentile_cont(array[0.25, 0.5, 0.75]) within group (order by s.steps) as quartiles
    from operated as o
    inner join numbered as n on n.by_value = o.by_value
    inner join step_result_fact as s
        on
            s.patient_id = o.patient_id
            and s.date between o.operation_date + :first_day and o.operation_date + :last_day
    group by n.group_number, s.date - o.operation_date
)

select
    n.by_value, p.day, p.patients,
    p.quartiles[1] as lower_quartile, p.quartiles[2] as median, p.quartiles[3] as upper_quartile
from point as p
inner join numbered as n on n.group_number = p.group_number
order by n.by_value, p.day
