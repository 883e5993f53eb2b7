#!/usr/bin/env bash
# Creates the databases that are missing and loads msk_db.sql, or the sample where there is none, as the source.
# Runs in the db container when its volume is new, and by `docker compose run --rm sql` or `make source` whenever the
# source is to be loaded anew: the dump goes into a database beside the one in use, which it replaces only when all went well.
set -euo pipefail
cd "${PROJECT:-/project}"

source_db=${POSTGRES_SECONDARY_DB:-msk_db}
incoming_db=incoming_$source_db # loaded, not yet in use
outgoing_db=outgoing_$source_db # no longer in use
reader=${READER_USER:-msk_reader}

export PGUSER=${POSTGRES_USER:-postgres} PGDATABASE=postgres PGOPTIONS='-c client_min_messages=warning'
export PGPASSWORD=${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:-/dev/null}")}

# Names go to psql as variables, which it quotes: :"name" as an identifier, :'name' as a text.
sql() { psql --no-psqlrc --quiet --no-align --tuples-only -v ON_ERROR_STOP=1 "$@"; }
sql_with_names() { sql -v source="$source_db" -v incoming="$incoming_db" -v outgoing="$outgoing_db"; }

create_missing() {
    sql -v name="$1" <<'SQL'
select format('create database %I', :'name')
 where not exists (select from pg_database where datname = :'name') \gexec
SQL
}

# A dump says where it ends. Without a look at that a torn one would do: to COPY the file's end is the data's end.
is_whole() {
    ! head -n 3 "$1" | grep -qx -- '-- PostgreSQL database dump' ||
        tail -n 9 "$1" | grep -qx -- '-- PostgreSQL database dump complete'
}

# The roles that the dump's statements, not its data, name as owners or give rights to: a line each, without quotes.
roles_of() {
    local -x LC_ALL=C
    sed -nE '/^COPY .* FROM stdin;$/,/^\\\.$/d; /^(ALTER|CREATE POLICY|GRANT|REVOKE|SET SESSION) /p' "$1" |
        grep -oE ' (TO|FROM|FOR ROLE|AUTHORIZATION) ("([^"]|"")+"|[a-z_][a-z0-9_$]*)' |
        sed -E 's/^ (TO|FROM|FOR ROLE|AUTHORIZATION) //; s/^"(.*)"$/\1/; s/""/"/g' | sort -u || true
}

# In one transaction, so that a dump made with `pg_dump --clean --create` fails before it drops the database in use.
load() {
    sql --dbname "$incoming_db" --single-transaction -v roles="$(roles_of "$1")" \
        --file - --file "$1" --command "$must_make_a_table" <<'SQL'
select format('create role %I nologin', role)
  from unnest(string_to_array(:'roles', E'\n')) as role
 where role <> 'public' and not exists (select from pg_roles where rolname = role) \gexec
\unset roles
SQL
}
must_make_a_table="
do 'begin
    if not exists (select from pg_catalog.pg_tables where schemaname = ''public'') then
        raise exception ''it makes no table'';
    end if;
end'"

# Who only reads the source, if there is such a role, may read what is new in it, too. prepare_databases makes it.
let_reader_read() {
    sql --dbname "$incoming_db" -v reader="$reader" <<'SQL'
select format(statement, name, rolname)
  from pg_roles,
       (select datname, 'grant connect on database %I to %I' from pg_database where datname = current_database()
         union all
        select 'public', 'revoke create on schema %I from public'
         union all
        select nspname, statement
          from pg_namespace,
               unnest(array['grant usage on schema %I to %I', 'grant select on all tables in schema %I to %I']) statement
         where nspname !~ '^(pg_|information_schema$)') as given (name, statement)
 where rolname = :'reader' \gexec
SQL
}

# A rename needs the database to itself: nobody new comes in, and whoever is in has to leave.
swap() {
    sql_with_names <<'SQL'
select format('alter database %I allow_connections false', datname) from pg_database where datname = :'source' \gexec
select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = :'source';
begin;
select format('alter database %I rename to %I', datname, :'outgoing') from pg_database where datname = :'source' \gexec
alter database :"incoming" rename to :"source";
commit;
SQL
}

# At the start for what a killed run has left, at the end whatever happened.
clean_up() {
    sql_with_names <<'SQL'
drop database if exists :"incoming";
drop database if exists :"outgoing";
select format('alter database %I allow_connections true', datname)
  from pg_database where datname = :'source' and not datallowconn \gexec
SQL
}

# On the first start a failure would end the container. Docker would start it again, this time without this script, and
# `up --wait` would have given up by then. So the server comes up without a source, and web says what to do.
case $0 in
    */docker-entrypoint-initdb.d/*) failure=0 ;;
    *) failure=1 ;;
esac

give_up() {
    echo "init-db: $dump could not be loaded: $1; $state" >&2
    exit "$failure"
}

# try COMMAND...: give up with the first error that psql reports, or the first line where it calls nothing an error
try() {
    local said
    said=$("$@" 2>&1) || give_up "$(grep -m 1 -E 'ERROR|FATAL|error:' <<<"$said" || grep -m 1 . <<<"$said")"
}

dump=msk_db.sql
[ -e "$dump" ] || [ -L "$dump" ] || dump=sample_data/msk_db.sql
again=${PROJECT:+make source} # which says where the project is
state=$(sql_with_names <<<"select datname || ' is as it was' from pg_database where datname = :'source'")
state=${state:-"there is no $source_db yet: mend that, then ${again:-docker compose run --rm sql}"}

try create_missing "${POSTGRES_DB:-msk_database}"
try create_missing "${POSTGRES_ANALYTICS_DB:-analytics_db}"
try clean_up
trap 'clean_up || exit "$failure"' EXIT
echo "init-db: loading $dump into $source_db"
[ -e "$dump" ] || give_up "it is a link that leads out of the project's folder: put the file itself there"
[ -f "$dump" ] || give_up "it is no file"
[ -r "$dump" ] || give_up "the user $(id -un) may not read it"
is_whole "$dump" || give_up "its end is missing"
try sql_with_names <<<'create database :"incoming" template template0'
try load "$dump"
try let_reader_read
try swap
echo "init-db: $source_db is loaded"
