-- Every day of each year in which something in the star is dated. A day stays, once it is there.
-- What did not change has its days; of what did, only the days that are not there yet are of interest.
with dated as (
    select distinct s.date as day
    from step_result_fact as s
    where
        :everything or (s.patient_id, s.date) in (
            select c.patient_id, c.date
            from changed_step_result as c
            where c.date not in (select d.date from date_dimension as d)
        )
    union all
    select distinct unnest(array[(r.start_time at time zone 'UTC')::date, (r.end_time at time zone 'UTC')::date])
    from survey_result_fact as r
    where
        :everything or (r.patient_id, r.survey_result_id) in (
            select c.patient_id, c.survey_result_id from changed_survey_result as c
        )
    union all
    select distinct
        unnest(
            array[f.invitation_date, f.registration_date, f.consent_date, f.operation_date, f.discharge_date]
        )
    from patient_journey_fact as f
    where
        :everything or (f.patient_id, f.patient_journey_id) in (
            select c.patient_id, c.patient_journey_id from changed_patient_journey as c
        )
    union all
    select unnest(array[e.window_start_date, e.window_end_date])
    from (
        select distinct w.window_start_date, w.window_end_date
        from patient_journey_schedule_window as w
        where
            :everything or (w.patient_id, w.patient_journey_id, w.activity_id) in (
                select c.patient_id, c.patient_journey_id, c.activity_id from changed_window as c
            )
    ) as e
    union all
    select d.date
    from date_dimension as d
    where :everything
),

years as (
    select distinct extract(year from d.day)::integer as year
    from dated as d
    where d.day is not null
)

select
    d.date, extract(year from d.date)::integer as year, extract(quarter from d.date)::integer as quarter,
    extract(month from d.date)::integer as month, to_char(d.date, 'FMMonth') as month_name,
    extract(isoyear from d.date)::integer as iso_year, extract(week from d.date)::integer as iso_week,
    extract(day from d.date)::integer as day_of_month, extract(isodow from d.date)::integer as day_of_week,
    extract(isodow from d.date) > 5 as is_weekend
from years as y
cross join lateral (
    select generate_series(
        make_date(y.year, 1, 1)::timestamp, make_date(y.year, 12, 31)::timestamp, '1 day'
    )::date as date
) as d
