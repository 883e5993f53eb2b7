-- Surveys answered. The patient is the patient journey's; a device and a score may be missing.
with staged as (
    select s.*
    from staging_survey_result as s
    where :everything
    union all
    select s.*
    from staging_survey_result as s
    where not :everything and coalesce(s.id, -1) in (select c.survey_result_id from changed_survey_result as c)
),

counted as (
    select
        s.*,
        count(*) over (partition by s.id) as rows_with_id
    from staged as s
),

numbered as (
    select
        c.*,
        -- The text of a row is dear: it is looked at only where there is a choice.
        row_number() over (
            partition by c.id order by case when c.rows_with_id > 1 then c::text end collate "C"
        ) as occurrence,
        c.start_time >= timestamp '0001-01-01' and c.start_time < timestamp '10000-01-01'
        and c.end_time >= timestamp '0001-01-01' and c.end_time < timestamp '10000-01-01' as in_calendar
    from counted as c
),

checked as (
    select
        n.*,
        j.patient_journey_id as known_patient_journey_id,
        v.survey_id as known_survey_id,
        a.activity_id as known_activity_id,
        case
            when n.id is null then 'missing_key'
            when n.occurrence > 1 then 'duplicate'
            when n.patient_journey_id is null or n.survey_id is null or n.activity_id is null then 'missing_key'
            when n.start_time is null or n.end_time is null then 'missing_key'
            when not n.in_calendar then 'out_of_range'
            when n.end_time < n.start_time then 'end_before_start'
            when j.patient_journey_id is null or v.survey_id is null or a.activity_id is null then 'orphan'
            when n.device_id is not null and d.device_id is null then 'orphan'
        end as reason
    from numbered as n
    left join patient_journey_fact as j
        on j.patient_journey_id = n.patient_journey_id and j.patient_id = n.owner_id
    left join survey_dimension as v on v.survey_id = n.survey_id
    left join activity_dimension as a on a.activity_id = n.activity_id
    left join device_dimension as d on d.device_id = n.device_id
)

select
    c.id as survey_result_id,
    c.patient_journey_id,
    c.owner_id as patient_id,
    c.survey_id,
    c.activity_id,
    c.device_id,
    c.score_value,
    c.start_time at time zone 'UTC' as start_time,
    c.end_time at time zone 'UTC' as end_time,
    case
        when c.in_calendar then floor(extract(epoch from c.end_time - c.start_time))::bigint
    end as duration_seconds,
    c.reason,
    case when c.reason is not null then coalesce(c.id::text, 'null') end as source_key,
    c.occurrence,
    case
        when c.reason is not null
            then jsonb_build_object(
                'row', jsonb_build_object(
                    'id', c.id,
                    'patient_journey_id', c.patient_journey_id,
                    'survey_id', c.survey_id,
                    'activity_id', c.activity_id,
                    'device_id', c.device_id,
                    'score_value', c.score_value,
                    'start_time', c.start_time,
                    'end_time', c.end_time
                )
            )
            || case
                when c.reason <> 'orphan'
                    then jsonb_build_object()
                when c.known_patient_journey_id is null
                    then jsonb_build_object('column', 'patient_journey_id', 'key', c.patient_journey_id)
                when c.known_survey_id is null
                    then jsonb_build_object('column', 'survey_id', 'key', c.survey_id)
                when c.known_activity_id is null
                    then jsonb_build_object('column', 'activity_id', 'key', c.activity_id)
                else jsonb_build_object('column', 'device_id', 'key', c.device_id)
            end
    end as detail
from checked as c
