-- Steps walked: of several rows for a patient's day the highest valid one, the others are duplicates.
-- `offset 0` makes the server work out an expression once a row, not again wherever its name is used.
with trimmed as (
    select
        t.*,
        -- No number is as long, and of a text of some hundred million bytes the server could not say so.
        case when octet_length(t.value) <= 1000000 then btrim(t.value, E' \t\n\x0B\f\r') end as number
    from {staged} as t
    offset 0
),

flawed as (
    select
        t.*,
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
        case when f.flaw is null then f.number::integer end as steps
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
        case when s.steps is not null then (s.patient_id::bigint << 32) | (s.date - date '0001-01-01') end as id,
        s.patient_id,
        s.date,
        s.steps,
        concat_ws('/', coalesce(s.patient_id::text, 'null'), coalesce(s.date::text, 'null')) as source_key,
        s.place,
        case when s.steps is not null and s.place > 1 then 'duplicate' else s.flaw end as reason,
        jsonb_build_object('column', 'patient_id', 'key', s.patient_id) as orphan,
        {source_row} as source_row
    from numbered as s
)

select {verdict}
from judged
