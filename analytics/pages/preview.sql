-- What an override of a schedule would change: its windows as they stand on a day, and as they would after a load.
-- What a statement of the load reads or gives stands here under the name of its table and hides that from all that
-- follows: so the statements work out the star with the override in it, look at this one schedule, and write nothing.

-- The server takes each of these steps for one of a single row, and would go through the next one for every row of it.
set local enable_nestloop = off;

with standing as (
    select w.*, window_status(w, :day) as status
    from window_detail as w
    where
        w.activity_id in (
            select a.activity_id
            from activity_dimension as a
            where a.schedule_id = :schedule
        )
),

staging_schedule as (
    select s.schedule_id as id, s.slug
    from schedule_dimension as s
    where s.schedule_id = :schedule
),

staging_slug as (
    select p.*
    from jsonb_populate_record(null::staging_slug, :parsed) as p
),

schedule_override as (
    select o.*
    from jsonb_populate_record(null::schedule_override, :override) as o
    where o.schedule_id is not null
),

schedule_dimension as (:schedule_dimension),

changed_window as (
    select f.patient_id, f.patient_journey_id, b.activity_id
    from activity_dimension as a
    inner join journey_activity_bridge as b on b.activity_id = a.activity_id
    inner join patient_journey_fact as f on f.journey_id = b.journey_id
    where a.schedule_id = :schedule
),

patient_journey_schedule_window as (:patient_journey_schedule_window),

-- Those of the schedule's activities alone: all of them are read once, and not for each step.
survey_result_fact as (
    select r.*
    from survey_result_fact as r
    where
        r.activity_id in (
            select a.activity_id
            from activity_dimension as a
            where a.schedule_id = :schedule
        )
),

changed_completion as (
    select r.patient_id, r.survey_result_id
    from changed_window as w
    inner join survey_result_fact as r
        on r.patient_journey_id = w.patient_journey_id and r.activity_id = w.activity_id and r.patient_id = w.patient_id
),

activity_completion_fact as (:activity_completion_fact),

changed_adherence as (
    select w.patient_id, w.patient_journey_id, w.activity_id
    from changed_window as w
),

adherence_fact as (:adherence_fact),

compared as (
    select
        coalesce(b.hospital, 'unknown') as hospital, b.id, b.patient_id, b.patient_journey_id, b.activity,
        b.status as status_before,
        -- A window by its first columns, which alone say how it stands.
        window_status(
            row(a.*, null, null, null, null, null, null, null, null, null, null)::window_detail, :day
        ) as status_after,
        b.window_start_date as start_before, b.window_end_date as end_before,
        a.window_start_date as start_after, a.window_end_date as end_after,
        (
            (a.window_start_date, a.window_end_date) is distinct from (b.window_start_date, b.window_end_date)
        ) as has_other_days
    from standing as b
    inner join adherence_fact as a
        on a.patient_journey_id = b.patient_journey_id and a.activity_id = b.activity_id and a.patient_id = b.patient_id
),

-- By hospital, without one of all, and without a status all at once.
cell as (
    select
        c.hospital, c.status_before, c.status_after, count(*) as windows,
        count(*) filter (where c.has_other_days or c.status_after <> c.status_before) as changed,
        count(distinct c.patient_id) as patients,
        count(distinct c.patient_id) filter (
            where c.has_other_days or c.status_after <> c.status_before
        ) as patients_of_changed
    from compared as c
    group by grouping sets ((c.hospital, c.status_before, c.status_after), (c.status_before, c.status_after), ())
),

example as (
    select distinct on (c.status_before, c.status_after) c.*
    from compared as c
    where c.has_other_days or c.status_after <> c.status_before
    order by c.status_before, c.status_after, c.patient_journey_id, c.id
    limit :rows
)

select
    s.milestone_slug, s.offset_start_days, s.offset_end_days,
    (select coalesce(jsonb_agg(c), '[]') from cell as c) as cells,
    (select coalesce(jsonb_agg(e), '[]') from example as e) as examples,
    (
        select count(distinct c.patient_journey_id)
        from compared as c
        where c.has_other_days or c.status_after <> c.status_before
    ) as patient_journeys,
    (
        select count(distinct c.patient_id)
        from compared as c
        where c.has_other_days or c.status_after <> c.status_before
    ) as patients
from schedule_dimension as s
