-- What is lost when tables are brought back from workers, as statements that make it anew: views, the functions that
-- take their rows, comments, and what roles may do. With the name of a view those that are only for one that is gone.
with relation as (
    select c.oid, c.relkind, c.relname, c.relacl, c.relowner, c.reloptions, quote_ident(c.relname) as name
    from pg_class as c
    where
        c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
        and not exists (
            select from pg_depend as d
            where d.objid = c.oid and d.deptype = 'e'
        )
),

function as (
    select p.oid, p.oid::regprocedure as name
    from pg_proc as p
    where
        p.pronamespace = 'public'::regnamespace and p.prokind in ('f', 'p')
        and not exists (
            select from pg_depend as d
            where d.objid = p.oid and d.deptype = 'e'
        )
),

definition as (
    select
        1 as place, r.oid::bigint as made, r.name as view,
        format(
            'create view %s%s as %s', r.name,
            case when r.reloptions is not null then format(' with (%s)', array_to_string(r.reloptions, ', ')) end,
            pg_get_viewdef(r.oid)
        ) as statement
    from relation as r
    where r.relkind = 'v'
    union all
    select 2, 0, null, pg_get_functiondef(f.oid)
    from function as f
    union all
    select
        3, 0, null, format(
            'comment on %s %s is %L',
            case r.relkind when 'v' then 'view' else 'table' end,
            r.name,
            obj_description(r.oid)
        )
    from relation as r
    where obj_description(r.oid, 'pg_class') is not null
    union all
    select 3, 0, null, format('comment on column %s.%I is %L', r.name, a.attname, col_description(r.oid, a.attnum))
    from relation as r
    inner join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    where col_description(r.oid, a.attnum) is not null
    union all
    select 3, 0, null, format('comment on function %s is %L', f.name, obj_description(f.oid))
    from function as f
    where obj_description(f.oid, 'pg_proc') is not null
    union all
    select
        4, 0, null, format(
            'grant %s on %s to %s%s', g.privilege_type, r.name,
            case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
            case when g.is_grantable then ' with grant option' end
        )
    from relation as r
    cross join lateral aclexplode(r.relacl) as g
    where g.grantee <> r.relowner
    union all
    select
        4, 0, null, format(
            'grant %s (%I) on %s to %s%s', g.privilege_type, a.attname, r.name,
            case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
            case when g.is_grantable then ' with grant option' end
        )
    from relation as r
    inner join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    cross join lateral aclexplode(a.attacl) as g
    where g.grantee <> r.relowner
)

-- A view comes after those that it may show, which were there before it.
select d.view, d.statement
from definition as d
order by d.place, d.made;
