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
)

select
    w.name,
    w.first_day,
    (
        select count(*)
        from registered as r
        where r.day between w.first_day and w.first_day + 6
    ) as patients,
    (
        select count(*)
        from patient_journey_fact as f
        where f.operation_date between w.first_day and w.first_day + 6
    ) as operations
from week as w
