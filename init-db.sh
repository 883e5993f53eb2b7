#!/usr/bin/env bash
# Creates the databases that are missing and loads msk_db.sql, or the sample where there is none, as the source.
# Runs in the db container when its volume is new, and in `docker compose run --rm sql` whenever the source is to be
# loaded anew: the dump goes into a database beside the one in use, which it replaces only when all went well.
set -euo pipefail
cd /project

source_db=${POSTGRES_SECONDARY_DB:-msk_db}
names=(-v source="$source_db" -v incoming="incoming_$source_db" -v outgoing="outgoing_$source_db")

export PGUSER=${POSTGRES_USER:-postgres} PGDATABASE=postgres PGOPTIONS='-c client_min_messages=warning'
export PGPASSWORD=${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:-/dev/null}")}

sql() { psql --no-psqlrc --quiet --no-align --tuples-only -v ON_ERROR_STOP=1 "$@"; }

fail() { echo "init-db: $*" >&2; exit 1; }

create_missing() {
    sql -v name="$1" <<'SQL'
select format('create database %I', :'name')
 where not exists (select from pg_database where datname = :'name') \gexec
SQL
}

choose_dump() {
    if [ -f msk_db.sql ]; then
        echo msk_db.sql
    elif [ -L msk_db.sql ]; then
        fail "msk_db.sql is a link to something outside the project's folder: put the file itself there"
    else
        echo sample_data/msk_db.sql
    fi
}

# A COPY takes the end of a torn file for the end of its data, so psql alone would not notice.
is_whole() {
    ! head -n 3 "$1" | grep -qx -- '-- PostgreSQL database dump' ||
        tail -n 9 "$1" | grep -qx -- '-- PostgreSQL database dump complete'
}

# The roles that the dump's statements, not its data, name as owners or give rights to: a line each, without quotes.
roles_of() {
    local LC_ALL=C
    sed -nE '/^COPY .* FROM stdin;$/,/^\\\.$/d; /^(ALTER|CREATE POLICY|GRANT|REVOKE|SET SESSION) /p' "$1" |
        grep -oE ' (TO|FROM|FOR ROLE|AUTHORIZATION) ("([^"]|"")+"|[a-z_][a-z0-9_$]*)' |
        sed -E 's/^ (TO|FROM|FOR ROLE|AUTHORIZATION) //; s/^"(.*)"$/\1/; s/""/"/g' | sort -u
}

# In one transaction, so that a dump made with `pg_dump --clean --create` fails before it drops the database in use.
load() {
    sql "${names[@]}" <<'SQL'
drop database if exists :"incoming";
create database :"incoming" template template0;
SQL
    sql --dbname "incoming_$source_db" --single-transaction -v roles="$(roles_of "$1" || true)" \
        --file - --file "$1" --command "$must_hold_tables" >/dev/null <<'SQL'
select format('create role %I nologin', role)
  from unnest(string_to_array(:'roles', E'\n')) as role
 where role <> 'public' and not exists (select from pg_roles where rolname = role) \gexec
\unset roles
SQL
}

must_hold_tables="
do \$\$ begin
    if not exists (select from pg_catalog.pg_tables where schemaname = 'public') then
        raise exception 'it makes no table';
    end if;
end \$\$"

# A rename needs the database to itself: nobody new comes in, and whoever is in has to leave.
swap() {
    sql "${names[@]}" >/dev/null <<'SQL'
drop database if exists :"outgoing";
select format('alter database %I allow_connections false', datname) from pg_database where datname = :'source' \gexec
select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = :'source';
begin;
select format('alter database %I rename to %I', datname, :'outgoing') from pg_database where datname = :'source' \gexec
alter database :"incoming" rename to :"source";
commit;
drop database if exists :"outgoing";
SQL
}

# Whatever happened: nothing half loaded stays behind, and the database in use is open.
clean_up() {
    sql "${names[@]}" <<'SQL'
drop database if exists :"incoming" with (force);
select format('alter database %I allow_connections true', datname) from pg_database where datname = :'source' \gexec
SQL
}

