"""What a run does that only the owner of a table may, for a role that owns none; and how much is staged, without it.

The functions act as their owner. Who may call them says prepare_databases: nobody but the role that runs have.
"""

from django.db import migrations

TABLES = (
    *("schedule", "activity", "journey", "journey_activity", "patient", "patient_journey", "device", "survey"),
    *("step_result", "survey_result"),
)
FUNCTIONS = """
create table key_set_aside (
    table_name text    not null,
    place      integer not null,
    statement  text    not null,
    primary key (table_name, place)
);
comment on table key_set_aside is
    'How the keys are made again that a run has dropped of an empty table; when it ends they are back';

create function is_of_the_warehouse(name regclass) returns boolean
    language sql stable security definer set search_path = pg_catalog, pg_temp
    return exists (
        select from pg_class as c
        where c.oid = name and c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text !~ '^pg_'
          and c.relowner = (select w.relowner from pg_class as w where w.oid = 'public.committed_run'::regclass)
    );
comment on function is_of_the_warehouse is 'Whether it is a table of the owner of the warehouse, not a temporary one';

create function analyze_table(name regclass) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not public.is_of_the_warehouse(name) then
        raise exception '% is no table of the warehouse', name using errcode = 'insufficient_privilege';
    end if;
    execute format('analyze %s', name);
end $$;
comment on function analyze_table is 'Let the server know what a table holds';

create function set_keys_aside(name regclass) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    each record;
begin
    if not public.is_of_the_warehouse(name) or not has_table_privilege(session_user, name, 'insert') then
        raise exception '% is no table of the warehouse that % fills', name, session_user
            using errcode = 'insufficient_privilege';
    end if;
    for each in
        select row_number() over () as place, k.*
          from (select format('alter table %s drop constraint %I', name, c.conname) as drop_it,
                       format('alter table %s add constraint %I %s', name, c.conname, pg_get_constraintdef(c.oid))
                           as make_it
                  from pg_constraint as c
                 where c.conrelid = name and c.contype in ('p', 'u') and pg_relation_size(name) = 0
                   and not exists (select from pg_depend as d
                                    where d.refobjid in (c.oid, c.conindid) and d.objid <> c.conindid)
                 union all
                select format('drop index %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
                  from pg_index as i
                 where i.indrelid = name and pg_relation_size(name) = 0
                   and not exists (select from pg_constraint as c where c.conindid = i.indexrelid)
                offset 0) as k
    loop
        insert into public.key_set_aside values (name::text, each.place, each.make_it);
        execute each.drop_it;
    end loop;
end $$;
comment on function set_keys_aside is
    'Drop the keys and indexes of a table whose file is empty, but what something else depends on';

create function put_keys_back(name regclass) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    made text;
begin
    for made in select k.statement from public.key_set_aside as k where k.table_name = name::text order by k.place loop
        execute made;
    end loop;
    delete from public.key_set_aside as k where k.table_name = name::text;
end $$;
comment on function put_keys_back is 'Make again what set_keys_aside has dropped';

revoke all on function is_of_the_warehouse, analyze_table, set_keys_aside, put_keys_back from public;
"""
STAGED_ROWS = "\nunion all\n".join(
    f"""
select '{table}'::text as source_table,
       (select coalesce(sum(b.row_count), 0)::bigint from staged_bucket as b where b.source_table = '{table}')
           as source_rows,
       (select count(*) from staging_{table}) as staged
"""
    for table in TABLES
)
VIEW = f"""
create view staged_rows as {STAGED_ROWS};
comment on view staged_rows is 'How many rows each source table had when it was last read, and how many are staged';
"""
BACKWARDS = """
drop view staged_rows;
drop function analyze_table, set_keys_aside, put_keys_back;
drop table key_set_aside;
drop function is_of_the_warehouse;
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0018_erasure")]

    operations = [migrations.RunSQL(FUNCTIONS + VIEW, BACKWARDS, hints={"database": "analytics"})]
