-- The patient journeys of a patient, with their milestones.
select
    f.patient_journey_id, j.abbreviation, j.joint, f.clinician_id,
    f.invitation_date, f.registration_date, f.consent_date, f.operation_date, f.discharge_date
from patient_journey_fact as f
left join journey_dimension as j on j.journey_id = f.journey_id
where f.patient_id = :patient
order by f.operation_date, f.patient_journey_id
