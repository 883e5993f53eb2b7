-- Steps walked: of several rows for a patient's day the highest valid one counts, the others are duplicates.
with staged as (
    select s.*
    from staging_step_result as s
    where
        :everything or (s.owner_id, coalesce(s.date, date '-infinity')) in (
            select c.patient_id, c.date from changed_step_result as c
        )
),

trimmed as (
    select
        s.*,
        -- No number is as long, and of a text of some hundred million bytes the server could not say so.
        case when octet_length(s.value) <= 1000000 then btrim(s.value, E' \t\n\x0B\f\r') end as number
    from staged as s
),

numbers as (
    select
        t.*,
        p.patient_id is not null as is_known,
        case when t.date between date '0001-01-01' and date '9999-12-31' then t.date - date '0001-01-01' end as day,
        case
            -- Almost every value, and the cheapest to tell.
            when octet_length(t.value) < 10 and t.value ~ '^[0-9]+$' then t.value::integer
            -- Told by its text: a number of a thousand digits fits no type in which it could be compared.
            when t.number ~ '^(\+?0*[0-9]{1,10}|-0+)$'
                then case when t.number::bigint <= 2147483647 then t.number::bigint::integer end
        end as steps
    from trimmed as t
    left join patient_dimension as p on p.patient_id = t.patient_id
),

numbered as (
    select
        n.*,
        row_number() over (
            partition by n.owner_id, n.patient_id, n.date order by n.steps desc nulls last, n.value collate "C"
        ) as occurrence
    from numbers as n
),

checked as (
    select
        n.*,
        case
            when n.steps is not null and n.day is not null and n.is_known and n.occurrence = 1 then null
            when n.patient_id is null or n.date is null then 'missing_key'
            when n.steps is null
                then case
                    when n.number is null or n.number !~ '^[-+]?[0-9]+$' then 'not_a_number'
                    when n.number like '-%' then 'negative'
                    else 'out_of_range'
                end
            when n.day is null then 'out_of_range'
            when not n.is_known then 'orphan'
            else 'duplicate'
        end as reason
    from numbered as n
)

select
    row_id(c.patient_id, c.day) as id, c.owner_id as patient_id, c.date, c.steps,
    c.occurrence, c.reason, 'patient_id' as orphan,
    case
        when c.reason is not null
            then jsonb_build_object('patient_id', c.patient_id, 'date', c.date, 'value', excerpt(c.value))
    end as rejected
from checked as c
