-- How many rows the tables of the star have, as the catalog knows it: none of a view, and of what nobody counted yet.
select
    c.relname as table_name,
    case when c.relkind = 'r' and c.reltuples >= 0 then c.reltuples::bigint end as rows,
    p.attnum is not null as is_about_patients
from pg_class as c
left join pg_attribute as p on p.attrelid = c.oid and p.attname = 'patient_id' and not p.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables)
order by c.relname
