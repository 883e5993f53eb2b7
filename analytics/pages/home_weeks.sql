-- Patients who registered first, and operations, in the last full week before a day and in the one before that.
with week as (
    select 'last' as name, :monday - 7 as first_day
    union all
    select 'before', :monday - 14
),

registered as (
    select f.patient_id, min(f.registration_date) as day
    from patient_journey_fact as f
    group by f.patient_id
),

new_patient as (
    select :monday - 7 * ((:monday - 1 - r.day) / 7 + 1) as first_day, count(*) as patients
    from registered as r
    where r.day between :monday - 14 and :monday - 1
    group by first_day
),

operation as (
    select
        :monday - 7 * ((:monday - 1 - f.operation_date) / 7 + 1) as first_day, count(*) as operations,
        count(distinct f.patient_id) as patients
    from patient_journey_fact as f
    where f.operation_date between :monday - 14 and :monday - 1
    group by first_day
)

select
    w.name,
    w.first_day,
    coalesce(p.patients, 0) as patients,
    coalesce(o.operations, 0) as operations,
    coalesce(o.patients, 0) as operated
from week as w
left join new_patient as p on p.first_day = w.first_day
left join operation as o on o.first_day = w.first_day
