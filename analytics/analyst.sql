-- What a role may do in this database, by itself or as a member of others, beyond what is allowed: a line each.
-- What the server's default gives to everybody is not listed: to connect, and to make temporary tables.
with own as (
    select *
    from pg_roles
    where pg_has_role({role}, oid, 'member')
),

relation as (
    select
        c.oid, c.relkind, c.relowner,
        case n.nspname when 'public' then c.relname else format('%s.%s', n.nspname, c.relname) end as name
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where
        c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^(pg_|information_schema$)'
        -- What an extension lets everybody read is its affair: Citus shows where tables are.
        and not exists (
            select from pg_init_privs as i
            cross join lateral aclexplode(i.initprivs) as a
            where
                i.classoid = 'pg_class'::regclass and i.objoid = c.oid and i.privtype = 'e'
                and a.grantee = 0 and a.privilege_type = 'SELECT'
        )
),

excess as (
    select a.place, a.what
    from own as o
    cross join
        lateral (
            values
            (1, 'do anything as a superuser', o.rolsuper),
            (2, 'make roles', o.rolcreaterole),
            (3, 'make databases', o.rolcreatedb),
            (4, 'replicate', o.rolreplication),
            (5, 'bypass row security', o.rolbypassrls),
            (6, format('act as %s', o.rolname), o.rolname ~ '^pg_')
        ) as a (place, what, is_so)
    where a.is_so
    union
    select 7, format('own %s', r.name)
    from relation as r
    inner join own as o on o.oid = r.relowner
    union
    select 8, format('%s %s', p.word, r.name)
    from relation as r
    cross join own as o
    cross join
        (values ('select'), ('insert'), ('update'), ('delete'), ('truncate'), ('references'), ('trigger')) as p (word)
    where
        r.relkind <> 'S'
        and case
            when p.word in ('delete', 'truncate', 'trigger') then has_table_privilege(o.oid, r.oid, p.word)
            else has_any_column_privilege(o.oid, r.oid, p.word)
        end
    union
    select 9, format('use %s', r.name)
    from relation as r
    cross join own as o
    where r.relkind = 'S' and has_sequence_privilege(o.oid, r.oid, 'usage, select, update')
    union
    select 10, format('create in schema %s', n.nspname)
    from pg_namespace as n
    cross join own as o
    where n.nspname !~ '^pg_' and has_schema_privilege(o.oid, n.oid, 'create')
    union
    select 11, format('create schemas in %s', current_database())
    from own as o
    where has_database_privilege(o.oid, current_database(), 'create')
    union
    select 12, format('run %I as its owner', p.proname)
    from pg_proc as p
    inner join pg_namespace as n on n.oid = p.pronamespace
    cross join own as o
    where
        p.prosecdef and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
        and n.nspname !~ '^(pg_|information_schema$)'
        and has_function_privilege(o.oid, p.oid, 'execute') and has_schema_privilege(o.oid, n.oid, 'usage')
    union
    select 13, format('%s by default what %s makes', lower(a.privilege_type), d.defaclrole::regrole)
    from pg_default_acl as d
    cross join lateral aclexplode(d.defaclacl) as a
    where
        d.defaclobjtype in ('r', 'S', 'n') and a.grantee <> d.defaclrole
        and (a.grantee = 0 or a.grantee in (select o.oid from own as o))
)

select what
from excess
where what <> all({allowed})
order by place, what;
