-- What was done about each window, and when first: how it stands on a day follows from these dates and the day alone.
with done as (
    select
        c.patient_id, c.patient_journey_id, c.activity_id,
        min(c.completed_date) filter (where c.status = 'in_window') as first_in_window_date,
        min(c.completed_date) filter (where c.status = 'late') as first_late_date,
        min(c.completed_date) filter (where c.status = 'early') as first_early_date
    from activity_completion_fact as c
    where
        c.status in ('in_window', 'late', 'early')
        and (
            :everything or (c.patient_id, c.patient_journey_id, c.activity_id) in (
                select a.patient_id, a.patient_journey_id, a.activity_id
                from changed_adherence as a
            )
        )
    group by c.patient_id, c.patient_journey_id, c.activity_id
),

due as (
    select w.id, w.patient_id, w.patient_journey_id, w.activity_id, w.window_start_date, w.window_end_date
    from patient_journey_schedule_window as w
    where :everything
    union all
    select w.id, w.patient_id, w.patient_journey_id, w.activity_id, w.window_start_date, w.window_end_date
    from (select distinct * from changed_adherence) as c
    inner join patient_journey_schedule_window as w
        on w.patient_journey_id = c.patient_journey_id and w.activity_id = c.activity_id and w.patient_id = c.patient_id
    where not :everything
)

select
    d.id, d.patient_id, d.patient_journey_id, d.activity_id, d.window_start_date, d.window_end_date,
    o.first_in_window_date, o.first_late_date, o.first_early_date
from due as d
left join done as o
    on o.patient_journey_id = d.patient_journey_id and o.activity_id = d.activity_id and o.patient_id = d.patient_id
