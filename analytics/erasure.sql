-- The columns of this database that can hold something of a patient, of every table that is not the server's own: what
-- each is compared with, and by which expression. No list of tables: one that is made tomorrow is among them.
with relation as (
    select
        c.oid, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
        case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as label
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where
        c.relkind in ('r', 'p', 'm', 'f') and not c.relispartition and c.relpersistence <> 't'
        and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and not exists (
            select from pg_depend as d
            where d.objid = c.oid and d.deptype = 'e'
        )
),

-- A domain counts as the type that it is made of, an array as that of its elements.
attribute as (
    select
        r.oid, a.attname, a.attnum, a.attnotnull, format('t.%I', a.attname) as value,
        e.typcategory = 'N' as is_number,
        e.typcategory = 'S' or e.typname in ('json', 'jsonb', 'xml', 'hstore', 'bytea') as is_text,
        e.typname = 'bytea' as is_binary,
        b.typcategory = 'A' as is_list
    from relation as r
    inner join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    inner join pg_type as t on t.oid = a.atttypid
    inner join pg_type as b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
    inner join pg_type as e on e.oid = case b.typcategory when 'A' then b.typelem else b.oid end
),

named as (
    select
        r.name, r.label, a.*,
        case
            when a.attname = 'owner_id' or (a.attname = 'id' and r.relname ~ '(^|_)patient$') then 'patient'
            -- patients and patient_count are numbers of something else.
            when a.is_number and not a.is_list and a.attname ~ '(^|_)patient(_?(id|key|no|nr|number|ref))?$'
                then 'patient'
            when (a.is_text or a.is_list) and a.attname ~ 'patient' and a.attname !~ 'patient_?journey'
                then 'patient'
            when a.attname ~ '(^|_)patient_?journey(_ids?)?$' then 'journey'
            when a.attname = 'id' and r.relname ~ '(^|_)patient_?journey$' then 'journey'
            when a.attname ~ '(^|_)survey_?result(_ids?)?$' then 'result'
            when a.attname = 'id' and r.relname ~ '(^|_)survey_?result$' then 'result'
            when a.attname ~ '(^|_)window_ids?$' then 'window'
        end as names
    from relation as r
    inner join attribute as a on a.oid = r.oid
),

-- Where each row names its patient no text in it need be looked at. With both, owner_id is the patient by which a
-- distributed table is cut.
kept as (
    select
        n.*,
        bool_or(n.names = 'patient' and n.is_number and not n.is_list and n.attnotnull) over (partition by n.oid)
            as is_of_a_patient,
        bool_or(n.attname = 'owner_id') over (partition by n.oid) as has_owner
    from named as n
)

select
    k.label, k.name, k.attname,
    case
        when k.names is null or (k.is_text and k.names <> 'patient') then 'text'
        when k.is_text then 'patient_text'
        else k.names || case when k.is_list then '_list' else '' end
    end as kind,
    case when k.is_binary and not k.is_list then format('encode(%s, ''escape'')', k.value) else k.value end as value
from kept as k
where
    case
        when k.is_of_a_patient
            then k.names = 'patient' and k.is_number and (k.attname = 'owner_id' or not k.has_owner)
        else (k.is_number and k.names is not null) or k.is_text
    end
order by k.label, k.attnum
