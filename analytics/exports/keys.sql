-- The keys of the tables of the star, their columns in order.
select
    c.relname as table_name,
    array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum)) as columns
from pg_index as i
inner join pg_class as c on c.oid = i.indrelid
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum = any(i.indkey::smallint[])
where i.indisprimary and c.relnamespace = 'public'::regnamespace and c.relname = any(:tables)
group by c.relname
