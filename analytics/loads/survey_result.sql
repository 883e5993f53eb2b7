-- Surveys answered. The patient is the patient journey's; a device and a score may be missing.
with timed as (
    select
        n.*,
        n.start_time >= {first_day} and n.start_time < {last_day} + 1
        and n.end_time >= {first_day} and n.end_time < {last_day} + 1 as in_calendar
    from {numbered} as n
),

judged as (
    select
        s.id as survey_result_id,
        j.patient_journey_id,
        j.patient_id,
        v.survey_id,
        a.activity_id,
        d.device_id,
        s.score_value,
        s.start_time at time zone 'UTC' as start_time,
        s.end_time at time zone 'UTC' as end_time,
        case
            when s.in_calendar then floor(extract(epoch from s.end_time - s.start_time))::bigint
        end as duration_seconds,
        s.id::text as source_key,
        s.place,
        case
            when s.id is null then 'missing_key'
            when s.place > 1 then 'duplicate'
            when s.patient_journey_id is null or s.survey_id is null or s.activity_id is null then 'missing_key'
            when s.start_time is null or s.end_time is null then 'missing_key'
            when not s.in_calendar then 'out_of_range'
            when s.end_time < s.start_time then 'end_before_start'
            when j.patient_journey_id is null or v.survey_id is null or a.activity_id is null then 'orphan'
            when s.device_id is not null and d.device_id is null then 'orphan'
        end as reason,
        case
            when j.patient_journey_id is null
                then jsonb_build_object('column', 'patient_journey_id', 'key', s.patient_journey_id)
            when v.survey_id is null then jsonb_build_object('column', 'survey_id', 'key', s.survey_id)
            when a.activity_id is null then jsonb_build_object('column', 'activity_id', 'key', s.activity_id)
            else jsonb_build_object('column', 'device_id', 'key', s.device_id)
        end as orphan,
        {source_row} as source_row
    from timed as s
    left join patient_journey_fact as j
        on j.patient_journey_id = s.patient_journey_id and j.patient_id = s.patient_id
    left join survey_dimension as v on v.survey_id = s.survey_id
    left join activity_dimension as a on a.activity_id = s.activity_id
    left join device_dimension as d on d.device_id = s.device_id
)

select {verdict}
from judged
