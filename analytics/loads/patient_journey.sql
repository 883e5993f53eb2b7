-- Journeys that patients follow. Milestones may be missing; patient and journey may not.
with dated as (
    select
        n.*,
        coalesce(n.invitation_date between {first_day} and {last_day}, true)
        and coalesce(n.registration_date between {first_day} and {last_day}, true)
        and coalesce(n.consent_date between {first_day} and {last_day}, true)
        and coalesce(n.operation_date between {first_day} and {last_day}, true)
        and coalesce(n.discharge_date between {first_day} and {last_day}, true) as in_calendar
    from {numbered} as n
),

judged as (
    select
        s.id as patient_journey_id,
        p.patient_id,
        j.journey_id,
        s.clinician_id,
        s.invitation_date,
        s.registration_date,
        s.consent_date,
        s.operation_date,
        s.discharge_date,
        case when s.in_calendar then s.registration_date - s.invitation_date end as days_invitation_to_registration,
        case when s.in_calendar then s.operation_date - s.registration_date end as days_registration_to_operation,
        case when s.in_calendar then s.discharge_date - s.operation_date end as days_operation_to_discharge,
        s.id::text as source_key,
        s.place,
        case
            when s.id is null then 'missing_key'
            when s.place > 1 then 'duplicate'
            when s.patient_id is null or s.journey_id is null then 'missing_key'
            when not s.in_calendar then 'out_of_range'
            when p.patient_id is null or j.journey_id is null then 'orphan'
        end as reason,
        case
            when p.patient_id is null then jsonb_build_object('column', 'patient_id', 'key', s.patient_id)
            else jsonb_build_object('column', 'journey_id', 'key', s.journey_id)
        end as orphan,
        {source_row} as source_row
    from dated as s
    left join patient_dimension as p on p.patient_id = s.patient_id
    left join journey_dimension as j on j.journey_id = s.journey_id
)

select {verdict}
from judged
