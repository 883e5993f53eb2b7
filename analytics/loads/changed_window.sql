-- The windows that patient journeys, or activities of journeys, of another fingerprint have now or had before.
select
    w.id,
    w.patient_journey_id,
    w.activity_id
from patient_journey_schedule_window as w
where w.patient_journey_id in (select c.patient_journey_id from stale_patient_journey as c)
union
select
    (f.patient_journey_id::bigint << 32) | (b.activity_id::bigint & 4294967295) as id,
    f.patient_journey_id,
    b.activity_id
from patient_journey_fact as f
inner join journey_activity_bridge as b on b.journey_id = f.journey_id
where f.patient_journey_id in (select c.patient_journey_id from stale_patient_journey as c)
union
select
    (f.patient_journey_id::bigint << 32) | (c.activity_id::bigint & 4294967295) as id,
    f.patient_journey_id,
    c.activity_id
from stale_journey_activity as c
inner join patient_journey_fact as f on f.journey_id = c.journey_id
