-- The columns of tables and views, with what the database says of each: a row a column, in their order.
select
    c.relname as table_name,
    obj_description(c.oid, 'pg_class') as table_meaning,
    c.relkind in ('v', 'm') as is_view,
    a.attname as column_name,
    format_type(a.atttypid, a.atttypmod) as type,
    col_description(c.oid, a.attnum) as meaning,
    a.attnotnull as is_never_null,
    coalesce(a.attnum = any(i.indkey), false) as is_in_key
from pg_class as c
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_index as i on i.indrelid = c.oid and i.indisprimary
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
order by c.relname, a.attnum
