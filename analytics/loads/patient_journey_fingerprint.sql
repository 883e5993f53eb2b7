-- A hash of what a patient journey brings to its windows.
select
    f.patient_journey_id,
    hashtextextended(
        row(
            f.patient_id, f.journey_id, f.invitation_date, f.registration_date,
            f.consent_date, f.operation_date, f.discharge_date
        )::text,
        0
    ) as fingerprint
from patient_journey_fact as f
