-- What was done about each window, and when first: how it stands on a day follows from these dates and the day alone.
-- Windows and completions are put together by one grouping, as the server takes a join by three columns for one row.
with window_or_completion as (
    select
        w.patient_id, w.patient_journey_id, w.activity_id,
        w.window_start_date, w.window_end_date,
        null::text as status, null::date as completed_date
    from patient_journey_schedule_window as w
    where
        :everything or (w.patient_id, w.patient_journey_id, w.activity_id) in (
            select a.patient_id, a.patient_journey_id, a.activity_id
            from changed_adherence as a
        )
    union all
    select
        c.patient_id, c.patient_journey_id, c.activity_id,
        null as window_start_date, null as window_end_date,
        c.status, c.completed_date
    from activity_completion_fact as c
    where
        c.status in ('in_window', 'late', 'early')
        and (
            :everything or (c.patient_id, c.patient_journey_id, c.activity_id) in (
                select a.patient_id, a.patient_journey_id, a.activity_id
                from changed_adherence as a
            )
        )
)

select
    row_id(e.patient_journey_id, e.activity_id) as id,
    e.patient_id, e.patient_journey_id, e.activity_id,
    min(e.window_start_date) as window_start_date,
    min(e.window_end_date) as window_end_date,
    min(e.completed_date) filter (where e.status = 'in_window') as first_in_window_date,
    min(e.completed_date) filter (where e.status = 'late') as first_late_date,
    min(e.completed_date) filter (where e.status = 'early') as first_early_date
from window_or_completion as e
group by e.patient_id, e.patient_journey_id, e.activity_id
