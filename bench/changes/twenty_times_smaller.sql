-- One patient of twenty stays, with all that is theirs.
delete from patient
where hashint4(id) % 20 <> 0;

delete from step_result
where hashint4(patient_id) % 20 <> 0;

delete from survey_result as r
using patient_journey as j
where j.id = r.patient_journey_id and hashint4(j.patient_id) % 20 <> 0;

delete from patient_journey
where hashint4(patient_id) % 20 <> 0;
