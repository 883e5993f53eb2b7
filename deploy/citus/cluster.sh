#!/usr/bin/env bash
# Makes the coordinator PGHOST and the servers in WORKERS one cluster for the warehouse's database; what is so already
# stays so. Needs a superuser, whom all servers know by one password.
set -euo pipefail

warehouse=${POSTGRES_ANALYTICS_DB:-analytics_db}
export PGOPTIONS='-c client_min_messages=warning'
sql() { psql --no-psqlrc --quiet --no-align --tuples-only -v ON_ERROR_STOP=1 -v name="$warehouse" "$@"; }

make_database() { # HOST
    sql --host "$1" --dbname postgres <<'SQL'
set citus.enable_create_database_propagation = off;
select format('create database %I', :'name')
 where not exists (select from pg_database where datname = :'name') \gexec
SQL
    sql --host "$1" --dbname "$warehouse" --command 'create extension if not exists citus'
}

for host in "$PGHOST" $WORKERS; do
    make_database "$host"
done
sql --dbname "$warehouse" -v host="$PGHOST" >/dev/null <<'SQL'
select citus_set_coordinator_host(:'host')
 where not exists (select from pg_dist_node where groupid = 0 and nodename = :'host');
SQL
for worker in $WORKERS; do
    sql --dbname "$warehouse" -v worker="$worker" >/dev/null <<'SQL'
select citus_add_node(:'worker', 5432)
 where not exists (select from pg_dist_node where nodename = :'worker');
SQL
done
echo "cluster: $(sql --dbname "$warehouse" --command 'select count(*) from pg_dist_node where shouldhaveshards') workers"
