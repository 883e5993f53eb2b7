-- What the tables of the star are, and their columns: as their comments in the database say, a row a column.
select
    c.relname as table_name,
    obj_description(c.oid, 'pg_class') as meaning,
    case when c.relkind = 'r' and c.reltuples >= 0 then c.reltuples::bigint end as rows,
    a.attname as column_name,
    format_type(a.atttypid, a.atttypmod) as type,
    col_description(c.oid, a.attnum) as comment,
    (
        select string_agg(distinct d.refobjid::regclass::text, ', ' order by d.refobjid::regclass::text)
        from pg_rewrite as r
        inner join pg_depend as d on d.objid = r.oid and d.refclassid = 'pg_class'::regclass
        where r.ev_class = c.oid and d.refobjid <> c.oid
    ) as shows
from pg_class as c
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables)
order by c.relname, a.attnum
