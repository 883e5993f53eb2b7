"""How long lines of the access log are kept at least, for the owner to say: not who calls forget_access_log."""

from django.db import migrations

TABLE = """
create table access_log_days (
    days    integer not null check (days >= 30),
    is_only boolean primary key default true check (is_only)
);
comment on table access_log_days is
    'For so many days each line of access_log is kept: ACCESS_LOG_DAYS, when the databases were last prepared';
"""
FUNCTION = """
create or replace function forget_access_log(days integer) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    forgotten bigint;
begin
    if days is null or days < 30 then
        raise exception 'access_log is kept for 30 days at least, not for %%', days;
    end if;
    %s
    perform set_config('access_log.kept_days', days::text, true);
    delete from access_log where at < now() - make_interval(days => days);
    get diagnostics forgotten = row_count;
    perform set_config('access_log.kept_days', '', true);
    return forgotten;
end $$;
"""
AT_LEAST = "days := greatest(days, (select a.days from access_log_days as a));"
BACK = "drop table access_log_days;"


class Migration(migrations.Migration):
    dependencies = [("access", "0003_access_log")]

    operations = [migrations.RunSQL(TABLE + FUNCTION % AT_LEAST, FUNCTION % "" + BACK)]
