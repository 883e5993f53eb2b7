-- Steps walked: of several rows for a patient's day the highest valid one, the others are duplicates.
-- `offset 0` makes the server work out an expression once a row, not again wherever its name is used.
with trimmed as (
    select
        t.*,
        btrim(t.value, E' \t\n\x0B\f\r') as number
    from {staged} as t
    offset 0
),

flawed as (
    select
        t.*,
        p.patient_id as known_patient_id,
        -- Judged as text: a number of a thousand digits fits no type in which it could be compared.
        case
            when t.patient_id is null or t.date is null then 'missing_key'
            when t.number is null or t.number !~ '^[-+]?[0-9]+$' then 'not_a_number'
            when t.number like '-%' and t.number ~ '[1-9]' then 'negative'
            when length(ltrim(t.number, '-+0')) > 10 then 'out_of_range'
            when t.number::bigint > 2147483647 then 'out_of_range'
            when t.date not between {first_day} and {last_day} then 'out_of_range'
            when p.patient_id is null then 'orphan'
        end as flaw
    from trimmed as t
    left join patient_dimension as p on p.patient_id = t.patient_id
    offset 0
),

read as (
    select
        f.*,
        case when f.flaw is null or (f.flaw = 'orphan' and {keep_orphans}) then f.number::integer end as steps
    from flawed as f
    offset 0
),

numbered as (
    select
        r.*,
        row_number() over (
            partition by r.patient_id, r.date order by r.steps desc nulls last, r.value collate "C"
        ) as place
    from read as r
),

judged as (
    select
        case when n.steps is not null then (n.patient_id::bigint << 32) | (n.date - date '0001-01-01') end as id,
        n.known_patient_id as patient_id,
        n.date,
        n.steps,
        concat_ws('/', coalesce(n.patient_id::text, 'null'), coalesce(n.date::text, 'null')) as source_key,
        n.place,
        case when n.steps is not null and n.place > 1 then 'duplicate' else n.flaw end as reason,
        jsonb_build_object('column', 'patient_id', 'key', n.patient_id) as orphan,
        jsonb_build_object('patient_id', n.patient_id, 'date', n.date, 'value', n.value) as source_row
    from numbered as n
)

select {verdict}
from judged
