-- The windows themselves, those that ended last first, a page of them, and when each was first done.
with shown as (
    select
        w.id, w.patient_id, w.patient_journey_id, w.activity_id, w.hospital, w.journey, w.activity, w.schedule,
        w.window_start_date, w.window_end_date, s.status
    from window_detail as w
    cross join lateral (select window_status(w, :day) as status) as s
    where :conditions
    order by w.window_end_date desc nulls last, w.patient_journey_id asc, w.activity_id asc
    limit :rows offset :before
),

-- Of the page alone, and by what was done: adherence_fact does not know it of a window without dates.
done as (
    select c.patient_id, c.patient_journey_id, c.activity_id, min(c.completed_date) as first_completed_date
    from shown as w
    inner join activity_completion_fact as c
        on
            c.patient_id = w.patient_id
            and c.patient_journey_id = w.patient_journey_id
            and c.activity_id = w.activity_id
    where c.completed_date <= :day
    group by c.patient_id, c.patient_journey_id, c.activity_id
)

select
    w.id, w.patient_id, w.patient_journey_id, w.hospital, w.journey, w.activity, w.schedule,
    w.window_start_date, w.window_end_date, w.status, d.first_completed_date
from shown as w
left join done as d
    on
        d.patient_id = w.patient_id
        and d.patient_journey_id = w.patient_journey_id
        and d.activity_id = w.activity_id
order by w.window_end_date desc nulls last, w.patient_journey_id asc, w.activity_id asc
