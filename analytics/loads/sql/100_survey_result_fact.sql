-- Surveys answered. The patient is the patient journey's; a device and a score may be missing.
with staged as (
    select s.*
    from staging_survey_result as s
    where
        :everything or (s.owner_id, coalesce(s.id, -1)) in (
            select c.patient_id, c.survey_result_id from changed_survey_result as c
        )
),

timed as (
    select
        s.*,
        s.start_time >= timestamp '0001-01-01' and s.start_time < timestamp '10000-01-01'
        and s.end_time >= timestamp '0001-01-01' and s.end_time < timestamp '10000-01-01' as in_calendar
    from staged as s
),

linked as (
    select
        t.*,
        case
            when j.patient_journey_id is null then 'patient_journey_id'
            when v.survey_id is null then 'survey_id'
            when a.activity_id is null then 'activity_id'
            when t.device_id is not null and d.device_id is null then 'device_id'
        end as orphan
    from timed as t
    left join patient_journey_fact as j on j.patient_journey_id = t.patient_journey_id and j.patient_id = t.owner_id
    left join survey_dimension as v on v.survey_id = t.survey_id
    left join activity_dimension as a on a.activity_id = t.activity_id
    left join device_dimension as d on d.device_id = t.device_id
),

checked as (
    select
        l.*,
        case
            when l.id is null then 'missing_key'
            when l.occurrence > 1 then 'duplicate'
            when l.patient_journey_id is null or l.survey_id is null or l.activity_id is null then 'missing_key'
            when l.start_time is null or l.end_time is null then 'missing_key'
            when not l.in_calendar then 'out_of_range'
            when l.end_time < l.start_time then 'end_before_start'
            when l.orphan is not null then 'orphan'
        end as reason
    from linked as l
)

select
    c.id as survey_result_id, c.patient_journey_id, c.owner_id as patient_id,
    c.survey_id, c.activity_id, c.device_id, c.score_value,
    c.start_time at time zone 'UTC' as start_time,
    c.end_time at time zone 'UTC' as end_time,
    case when c.in_calendar then floor(extract(epoch from c.end_time - c.start_time))::bigint end as duration_seconds,
    c.occurrence, c.reason, c.orphan,
    case
        when c.reason is not null
            then jsonb_build_object(
                'id', c.id, 'patient_journey_id', c.patient_journey_id, 'survey_id', c.survey_id,
                'activity_id', c.activity_id, 'device_id', c.device_id, 'score_value', c.score_value,
                'start_time', c.start_time, 'end_time', c.end_time
            )
    end as rejected
from checked as c
