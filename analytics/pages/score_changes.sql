-- How scores of a survey after the operation of their patient journey differ from the last one before it, by week and
-- group.
with score as (
    select
        coalesce(:grouped_by, 'unknown') as by_value, r.patient_journey_id, r.patient_id, r.survey_result_id,
        r.end_time, r.score_value, (r.end_time at time zone 'UTC')::date - f.operation_date as day
    from survey_result_fact as r
    inner join patient_journey_fact as f
        on f.patient_journey_id = r.patient_journey_id and f.patient_id = r.patient_id
    left join patient_dimension as p on p.patient_id = f.patient_id
    left join journey_dimension as j on j.journey_id = f.journey_id
    where r.survey_id = :survey and r.score_value is not null and f.operation_date is not null
),

compared as (
    select
        by_value, patient_id, score_value, day,
        -- Of the scores before the operation the last one comes first, and before all others.
        first_value(case when day < 0 then score_value end) over (
            partition by patient_id, patient_journey_id order by day < 0 desc, end_time desc, survey_result_id desc
        ) as score_before
    from score
),

point as (
    select
        by_value, day / 7 as week, count(distinct patient_id) as patients,
        percentile_cont(array[0.25, 0.5, 0.75]) within group (order by score_value - score_before) as quartiles
    from compared
    where day >= 0 and score_before is not null
    group by by_value, day / 7
)

select
    by_value, week, patients,
    quartiles[1] as lower_quartile, quartiles[2] as median, quartiles[3] as upper_quartile
from point
order by by_value, week
