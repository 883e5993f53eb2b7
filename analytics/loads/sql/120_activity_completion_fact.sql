-- Activities done, each survey result against the window in which it was due.
with done as (
    select r.*, (r.end_time at time zone 'UTC')::date as completed_date
    from survey_result_fact as r
    where
        :everything or (r.patient_id, r.survey_result_id) in (
            select c.patient_id, c.survey_result_id from changed_completion as c
        )
)

select
    d.survey_result_id, d.patient_journey_id, d.patient_id, d.activity_id, d.completed_date,
    case
        when w.patient_id is null then 'not_scheduled'
        when w.window_start_date is null and w.window_end_date is null then 'undated'
        when d.completed_date < w.window_start_date then 'early'
        when d.completed_date > w.window_end_date then 'late'
        else 'in_window'
    end as status,
    case
        when w.window_start_date is null and w.window_end_date is null then null
        when d.completed_date < w.window_start_date then d.completed_date - w.window_start_date
        when d.completed_date > w.window_end_date then d.completed_date - w.window_end_date
        else 0
    end as days_from_window
from done as d
left join patient_journey_schedule_window as w
    on w.patient_journey_id = d.patient_journey_id and w.activity_id = d.activity_id and w.patient_id = d.patient_id
