-- Journeys that patients follow. Milestones may be missing; patient and journey may not.
-- A date that Python could not write, such as infinity, is out of range.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_patient_journey as s
    where
        :everything
        or coalesce(s.id, -1) in (select c.patient_journey_id from changed_patient_journey as c)
),

dated as (
    select
        n.*,
        coalesce(n.invitation_date between date '0001-01-01' and date '9999-12-31', true)
        and coalesce(n.registration_date between date '0001-01-01' and date '9999-12-31', true)
        and coalesce(n.consent_date between date '0001-01-01' and date '9999-12-31', true)
        and coalesce(n.operation_date between date '0001-01-01' and date '9999-12-31', true)
        and coalesce(n.discharge_date between date '0001-01-01' and date '9999-12-31', true) as in_calendar
    from numbered as n
),

checked as (
    select
        d.*,
        case when p.patient_id is null then 'patient_id' else 'journey_id' end as orphan_column,
        case when p.patient_id is null then d.patient_id else d.journey_id end as orphan_key,
        case
            when d.id is null then 'missing_key'
            when d.occurrence > 1 then 'duplicate'
            when d.patient_id is null or d.journey_id is null then 'missing_key'
            when not d.in_calendar then 'out_of_range'
            when p.patient_id is null or j.journey_id is null then 'orphan'
        end as reason
    from dated as d
    left join patient_dimension as p on p.patient_id = d.patient_id
    left join journey_dimension as j on j.journey_id = d.journey_id
)

select
    c.id as patient_journey_id,
    c.patient_id,
    c.journey_id,
    c.clinician_id,
    c.invitation_date,
    c.registration_date,
    c.consent_date,
    c.operation_date,
    c.discharge_date,
    case when c.in_calendar then c.registration_date - c.invitation_date end as days_invitation_to_registration,
    case when c.in_calendar then c.operation_date - c.registration_date end as days_registration_to_operation,
    case when c.in_calendar then c.discharge_date - c.operation_date end as days_operation_to_discharge,
    c.reason,
    case when c.reason is not null then coalesce(c.id::text, 'null') end as source_key,
    c.occurrence,
    case
        when c.reason is not null
            then jsonb_build_object(
                'row', jsonb_build_object(
                    'id', c.id,
                    'patient_id', c.patient_id,
                    'journey_id', c.journey_id,
                    'invitation_date', c.invitation_date,
                    'registration_date', c.registration_date,
                    'operation_date', c.operation_date,
                    'discharge_date', c.discharge_date,
                    'consent_date', c.consent_date,
                    'clinician_id', c.clinician_id
                )
            )
            || case
                when c.reason = 'orphan' then jsonb_build_object('column', c.orphan_column, 'key', c.orphan_key)
                else jsonb_build_object()
            end
    end as detail
from checked as c
