-- Every day of each year in which something in the star is dated. A day stays, once it is there.
with dated as (
    select s.date as day
    from step_result_fact as s
    where {steps}
    union
    select unnest(array[(r.start_time at time zone 'UTC')::date, (r.end_time at time zone 'UTC')::date])
    from survey_result_fact as r
    where {results}
    union
    select
        unnest(array[
            f.invitation_date, f.registration_date, f.consent_date, f.operation_date, f.discharge_date
        ])
    from patient_journey_fact as f
    where {journeys}
    union
    select unnest(array[w.window_start_date, w.window_end_date])
    from patient_journey_schedule_window as w
    where {in_scope}
    union
    select d.date
    from date_dimension as d
    where {calendar}
),

years as (
    select distinct extract(year from day)::integer as year
    from dated
    where day is not null
)

select
    d.date,
    extract(year from d.date)::integer as year,
    extract(quarter from d.date)::integer as quarter,
    extract(month from d.date)::integer as month,
    to_char(d.date, 'FMMonth') as month_name,
    extract(isoyear from d.date)::integer as iso_year,
    extract(week from d.date)::integer as iso_week,
    extract(day from d.date)::integer as day_of_month,
    extract(isodow from d.date)::integer as day_of_week,
    extract(isodow from d.date) > 5 as is_weekend
from years as y
cross join lateral (
    select generate_series(
        make_date(y.year, 1, 1)::timestamp, make_date(y.year, 12, 31)::timestamp, '1 day'
    )::date as date
) as d
