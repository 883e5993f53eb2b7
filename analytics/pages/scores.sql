-- Scores of a survey by week since the operation of their patient journey, by group.
with score as (
    select
        coalesce(:grouped_by, 'unknown') as by_value, r.patient_id, r.score_value,
        floor(((r.end_time at time zone 'UTC')::date - f.operation_date) / 7.0)::integer as week
    from survey_result_fact as r
    inner join patient_journey_fact as f
        on f.patient_journey_id = r.patient_journey_id and f.patient_id = r.patient_id
    left join patient_dimension as p on p.patient_id = f.patient_id
    left join journey_dimension as j on j.journey_id = f.journey_id
    where r.survey_id = :survey and r.score_value is not null and f.operation_date is not null
),

point as (
    select
        by_value, week, count(distinct patient_id) as patients,
        percentile_cont(array[0.25, 0.5, 0.75]) within group (order by score_value) as quartiles
    from score
    group by by_value, week
)

select
    by_value, week, patients,
    quartiles[1] as lower_quartile, quartiles[2] as median, quartiles[3] as upper_quartile
from point
order by by_value, week
