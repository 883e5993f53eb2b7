-- The windows themselves, those that ended last first, a page of them.
select
    w.id, w.patient_id, w.patient_journey_id, w.hospital, w.journey, w.activity, w.schedule,
    w.window_start_date, w.window_end_date, s.status,
    least(
        case when w.first_in_window_date <= :day then w.first_in_window_date end,
        case when w.first_late_date <= :day then w.first_late_date end,
        case when w.first_early_date <= :day then w.first_early_date end
    ) as first_completed_date
from window_detail as w
cross join lateral (select window_status(w, :day) as status) as s
where :conditions
order by w.window_end_date desc nulls last, w.patient_journey_id asc, w.activity_id asc
limit :rows offset :before
