-- What a role can be given in this database: each thing with its kind and name, as grant names it, and the rights that
-- the role was given on it by name.
with thing as (
    select 'database' as kind, b.datname::text as name, format('database %I', b.datname) as grantable, b.datacl as acl
    from pg_database as b
    where b.datname = current_database()
    union all
    select 'schema', n.nspname, format('schema %I', n.nspname), n.nspacl
    from pg_namespace as n
    where n.nspname !~ '^(pg_|information_schema$)'
    union all
    select
        case when c.relkind = 'S' then 'sequence' when c.relkind in ('v', 'm') then 'view' else 'table' end,
        case n.nspname when 'public' then c.relname else format('%s.%s', n.nspname, c.relname) end,
        format('%s %I.%I', case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname),
        c.relacl
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where
        c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^(pg_|information_schema$)'
        and not exists (
            select from pg_depend as d
            where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
        )
    union all
    select
        'function', p.proname, format('routine %s', p.oid::regprocedure), p.proacl
    from pg_proc as p
    where
        p.pronamespace = 'public'::regnamespace
        and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
        and not exists (
            select from pg_depend as d
            where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
        )
),

role as (
    select r.oid
    from pg_roles as r
    where r.rolname = {role}
),

given as (
    select
        t.grantable,
        concat(case when a.is_grantable then 'grant option for ' end, lower(a.privilege_type)) as privilege
    from thing as t
    cross join lateral aclexplode(t.acl) as a
    inner join role as o on o.oid = a.grantee
    union all
    select format('table %I.%I', n.nspname, c.relname), format('%s (%I)', lower(a.privilege_type), t.attname)
    from pg_attribute as t
    inner join pg_class as c on c.oid = t.attrelid
    inner join pg_namespace as n on n.oid = c.relnamespace
    cross join lateral aclexplode(t.attacl) as a
    inner join role as o on o.oid = a.grantee
    where n.nspname !~ '^(pg_|information_schema$)' and not t.attisdropped
)

select t.kind, t.name, t.grantable, array_remove(array_agg(g.privilege), null) as rights
from thing as t
left join given as g on g.grantable = t.grantable
group by t.kind, t.name, t.grantable
order by t.kind, t.name, t.grantable;
