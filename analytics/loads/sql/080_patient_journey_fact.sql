-- Journeys that patients follow. Milestones may be missing; patient and journey may not.
-- A date that Python could not write, such as infinity, is out of range.
with staged as (
    select s.*
    from staging_patient_journey as s
    where
        :everything or (s.owner_id, coalesce(s.id, -1)) in (
            select c.patient_id, c.patient_journey_id from changed_patient_journey as c
        )
),

timed as (
    select
        s.*,
        coalesce(s.invitation_date between date '0001-01-01' and date '9999-12-31', true)
        and coalesce(s.registration_date between date '0001-01-01' and date '9999-12-31', true)
        and coalesce(s.consent_date between date '0001-01-01' and date '9999-12-31', true)
        and coalesce(s.operation_date between date '0001-01-01' and date '9999-12-31', true)
        and coalesce(s.discharge_date between date '0001-01-01' and date '9999-12-31', true) as in_calendar
    from staged as s
),

checked as (
    select
        t.*,
        case when p.patient_id is null then 'patient_id' else 'journey_id' end as orphan,
        case
            when t.id is null then 'missing_key'
            when t.occurrence > 1 then 'duplicate'
            when t.patient_id is null or t.journey_id is null then 'missing_key'
            when not t.in_calendar then 'out_of_range'
            when p.patient_id is null or j.journey_id is null then 'orphan'
        end as reason
    from timed as t
    left join patient_dimension as p on p.patient_id = t.patient_id
    left join journey_dimension as j on j.journey_id = t.journey_id
)

select
    c.id as patient_journey_id, c.owner_id as patient_id, c.journey_id, c.clinician_id,
    c.invitation_date, c.registration_date, c.consent_date, c.operation_date, c.discharge_date,
    case when c.in_calendar then c.registration_date - c.invitation_date end as days_invitation_to_registration,
    case when c.in_calendar then c.operation_date - c.registration_date end as days_registration_to_operation,
    case when c.in_calendar then c.discharge_date - c.operation_date end as days_operation_to_discharge,
    c.occurrence, c.reason, c.orphan,
    case
        when c.reason is not null
            then jsonb_build_object(
                'id', c.id, 'patient_id', c.patient_id, 'journey_id', c.journey_id,
                'invitation_date', c.invitation_date, 'registration_date', c.registration_date,
                'operation_date', c.operation_date, 'discharge_date', c.discharge_date,
                'consent_date', c.consent_date, 'clinician_id', c.clinician_id
            )
    end as rejected
from checked as c
