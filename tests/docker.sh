#!/usr/bin/env bash
# The whole story in Docker (make test-docker), on a copy of the project, under a project name of its own and on free
# ports: a stack that runs, its volumes, a .env and a msk_db.sql of the user's own are not touched.
# SKIP_TESTS=1 leaves out `make test` inside the container, TEST_ARGS="tests/analytics" narrows it.
set -euo pipefail
cd "$(dirname "$0")/.."

name=msk-test-$$
copy=$(mktemp -d)/project
output=$copy/../output
export POSTGRES_PORT=0 WEB_PORT=0 # 0: Docker picks a free one
unset "${!COMPOSE_@}"

compose() { docker compose --project-name "$name" --project-directory "$copy" "$@" </dev/null; }
say() { printf '[test-docker %3ds] %s\n' "$SECONDS" "$*"; }
fail() { say "FAILED: $*" >&2; exit 1; }
succeeds() { "$@" >"$output" 2>&1 || { tail -n 30 "$output" >&2; fail "$*"; }; }
fails() { ! "$@" >"$output" 2>&1 || fail "$* should not have succeeded"; }
says() { grep -qF -- "$1" "$output" || { tail -n 30 "$output" >&2; fail "not said: $1"; }; }
is() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }

in_web() { compose exec -T --user app web "$@"; }
query() { compose exec -T db psql --username postgres --dbname "$1" -qAtX -v ON_ERROR_STOP=1 --command "$2"; }
page() { curl --silent --show-error --fail --noproxy '*' --max-time 60 "http://$(compose port web 8000)$1"; }
readiness() { curl --silent --output /dev/null --write-out '%{http_code}' --noproxy '*' "http://$(compose port web 8000)/readyz"; }
start() { succeeds compose up --detach --wait --wait-timeout 300 "$@"; }
health() { docker inspect --format '{{.State.Health.Status}}' "$(compose ps --quiet web)"; }
starts() { docker inspect --format '{{.RestartCount}} {{.State.Status}}' "$1"; } # over again, by Docker
address() { compose port web 8000 | cut -d : -f 1; }
containers() { compose ps --all --quiet db web | xargs docker inspect --format '{{.Name}} {{.State.StartedAt}}'; }
reload() { compose run --rm -T sql; }

# comes_to WHAT WANTED COMMAND...: soon; a job of every minute takes its time, and so may the machine
comes_to() {
    local deadline=$((SECONDS + 300))
    until [ "$("${@:3}")" = "$2" ]; do
        [ "$SECONDS" -lt "$deadline" ] || { compose logs web | tail -n 30 >&2; fail "$1: $("${@:3}"), not $2"; }
        sleep 0.5
    done
}

# The rows of the source that the star holds or lists as rejected. An activity without its schedule is both.
source_and_star_agree() {
    local pair in_source='' in_star='' union=''
    for pair in schedule:schedule_dimension activity:activity_dimension journey:journey_dimension \
        journey_activity:journey_activity_bridge patient:patient_dimension patient_journey:patient_journey_fact \
        device:device_dimension survey:survey_dimension step_result:step_result_fact \
        survey_result:survey_result_fact; do
        in_source+="$union select '${pair%:*}', count(*) from ${pair%:*}"
        in_star+="$union select '${pair%:*}', (select count(*) from ${pair#*:}) + (select count(*) from rejected_row
                      where source_table = '${pair%:*}' and (source_table, reason) <> ('activity', 'orphan'))"
        union=' union all'
    done
    is "rows of the source in the star" "$(query analytics_db "$in_star")" "$(query msk_db "$in_source")"
}

# does HEADING: the commands below that heading of docs/operate.md, as they stand
does() {
    sed -n "/^## $1\$/,/^## /s/^\$ //p" "$copy/docs/operate.md" >"$copy/../commands"
    [ -s "$copy/../commands" ] || fail "docs/operate.md has no command under $1"
    (cd "$copy" && COMPOSE_PROJECT_NAME=$name bash -euo pipefail ../commands </dev/null) >"$output" 2>&1 ||
        { tail -n 30 "$output" >&2; fail "docs/operate.md: $1"; }
}

# Changes when a row of the star is written, even with what it held before.
row_versions() {
    local table
    for table in patient_dimension step_result_fact survey_result_fact patient_journey_schedule_window; do
        query analytics_db "select md5(string_agg(t.xmin || ' ' || t.ctid, ',' order by t.ctid)) from $table as t"
    done
}

# The commands of docs/deploy-image.md that begin with $1, in which this story's names, network and ports take the place
# of those that somebody may use here.
documented() {
    sed -nE "s/^\\$ ($1.*)/\1/p" docs/deploy-image.md |
        sed -E "s/msk-(pipeline|site|worker)/$name-\1/g; s/docker run/& --network ${name}_default/; s/ 8000:8000/ 127.0.0.1::8000/"
}
at_site() {
    curl --silent --fail --noproxy '*' --max-time 60 --header 'X-Forwarded-Proto: https' "http://$(docker port "$name-site" 8000)$1"
}

take_down() {
    docker rm --force --volumes "$name-source" "$name-site" "$name-worker" >/dev/null 2>&1 || true
    compose --profile tools down --volumes --rmi local --remove-orphans --timeout 3 >/dev/null 2>&1 || true
    docker rmi "$name-pipeline" >/dev/null 2>&1 || true
    rm -rf "${copy%/project}"
}

docker info >/dev/null 2>&1 || fail "Docker does not answer"
trap take_down EXIT
mkdir "$copy"
tar --create --exclude=./.git --exclude=./.build --exclude=./.local --exclude=./.venv --exclude=./.env --exclude=./msk_db.sql . |
    tar --extract --no-same-permissions --directory "$copy" ||
    [ $? = 1 ] # what tests that run beside this keep for themselves has changed meanwhile

say "up, as an installation from before there were roles"
sed -E '/^(LOADER|WEB|READER)_PASSWORD=/d' "$copy/.env.example" >"$copy/.env"
start --build
roles() { query postgres "select coalesce(string_agg(rolname, ' ' order by rolname), '') from pg_roles where rolname ~ '^msk'"; }
is "the roles" "$(roles)" ""
succeeds page /admin/login/

say "up, from nothing but a copied .env.example"
cp "$copy/.env.example" "$copy/.env"
start
is "the roles, on a volume that was there" "$(roles)" "msk_loader msk_reader msk_web"
[ ! -e "$copy/msk_db.sql" ] || fail "a msk_db.sql was made"
succeeds page /admin/login/
says "csrfmiddlewaretoken"
succeeds page /static/admin/css/base.css
is "the address of the admin" "$(address)" 127.0.0.1
is "seconds that db has to shut down" "$(docker inspect --format '{{.Config.StopTimeout}}' "$(compose ps --quiet db)")" 120
is "the jobs of cron" "$(in_web crontab -l | cut -d ' ' -f 1-5)" $'0 * * * *\n30 5 * * *'

# What takes processors, while cron lets everybody wait for the next minute: in a container of its own, as web is started
# anew now and then.
(cd "$copy" && eval "$(documented 'docker build')") >"$output.build" 2>&1 &
build=$!
if [ -z "${SKIP_TESTS:-}" ]; then
    compose run --rm -T --no-deps web make test ARGS="${TEST_ARGS:-}" >"$output.tests" 2>&1 &
    tests=$!
fi

say "cron, left alone with a schedule of every minute"
# shellcheck disable=SC2016
password='it"s a \ #1 $HOME' # a job that connects to the source with it has got it
query postgres "create role reader login in role pg_read_all_data password '$password'"
hour=$(date -u +%-H) # a job that fires in this hour takes it for UTC, whatever TZ says
cat >>"$copy/.env" <<SETTINGS
MSK_CRON=* $hour,$(((hour + 1) % 24)) * * *
COVID_CRON=* * * * *
TZ=Pacific/Auckland
WEB_BIND=0.0.0.0
MSK_SOURCE_USER=reader
MSK_SOURCE_PASSWORD='$password'
SECRET_KEY="it's \"50\" \$HOME # and\na second line"
SETTINGS
start
is "the address of the admin" "$(address)" 0.0.0.0
is "a value in .env" "$(in_web printenv MSK_SOURCE_PASSWORD)" "$password"
fails compose run --rm -T --volume "$copy/Makefile:/usr/bin/crontab:ro" web # a file that is no program
says "error: the jobs of cron could not be installed: crontab -l does not list what MSK_CRON and COVID_CRON ask for"
fails compose run --rm -T --env DEBUG=0 --env SECRET_KEY=x web
says "error: SECRET_KEY is weak and DEBUG is off"
succeeds compose run --rm -T --no-deps web python3 -c 'import secrets; print(secrets.token_urlsafe(50))'

say "meanwhile the image for production, as docs/deploy-image.md has it: another user, nothing to write, no cron"
wait "$build" || { tail -n 30 "$output.build" >&2; fail "docker build"; }
added=$(docker history --human=false --format '{{.Size}} {{.CreatedBy}}' "$name-pipeline" |
    awk '/CMD \["python3"\]/ { base = 1 } !base { bytes += $1 } END { print int(bytes / 1000000) }') # the newest come first
[ "$added" -gt 100 ] && [ "$added" -lt 200 ] || fail "the image adds $added MB to its base: say so in docs/deploy-image.md"
query postgres "create role platform superuser login password 'of-the-platform'"
cd "$copy"
printf '%s\n' POSTGRES_HOST=db POSTGRES_SSLMODE=disable POSTGRES_DB=platform POSTGRES_ANALYTICS_DB=platform_warehouse \
    LOADER_USER=platform_loader WEB_USER=platform_web READER_USER=platform_reader CRON=off BEHIND_TLS_PROXY=1 \
    COVID_API_URL=sample_data/covid/v2 >msk.env
printf '%s\n' LOADER_PASSWORD=of-the-loader READER_PASSWORD=of-the-reader >run.env
printf '%s\n' WEB_PASSWORD=of-the-site SECRET_KEY="$(printf 'a-key-of-%s-' {1..9})" >site.env
printf '%s\n' POSTGRES_USER=platform POSTGRES_PASSWORD=of-the-platform WEB_PASSWORD=of-the-site | cat - run.env >owner.env
eval "$(documented safely=)"
while read -r command; do
    succeeds eval "$command"
done < <(documented 'docker run')
# shellcheck disable=SC2086,SC2154
on_platform() { docker run --rm --network "${name}_default" $safely "$@"; }
fails on_platform --env CRON=on "$name-pipeline"
says "error: cron needs root: start the container as root, or set CRON=off and let the platform run run_pipeline"
fails on_platform --env SECRET_KEY=x "$name-pipeline"
says "error: SECRET_KEY is weak and DEBUG is off"
# shellcheck disable=SC2016
is "what it has for tests" "$(on_platform "$name-pipeline" sh -c 'echo looked
    ls -d tests bench docs Makefile requirements-test.txt 2>/dev/null
    command -v make psql
    python -c "import pytest" 2>/dev/null && echo pytest || true')" looked
cd - >/dev/null
comes_to "the site" ok at_site /healthz
succeeds at_site /readyz
succeeds at_site /admin/login/
says "csrfmiddlewaretoken"
succeeds at_site /static/admin/css/base.css
says "font-family"
is "who serves it" "$(docker exec "$name-site" id -u)" 12345
query platform "insert into run_request (source, requested_by, requested_at, progress, outcome)
                values ('msk', 'ann', now(), '', '')"
comes_to "what came of the request" "succeeded" query platform "select outcome from run_request"
compose exec --detach db psql --username postgres --dbname msk_db --command 'begin; lock table patient; select pg_sleep(600)'
comes_to "the table locked" 1 query msk_db "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
query platform "insert into run_request (source, requested_by, requested_at, progress, outcome)
                values ('msk', 'bob', now(), '', '')"
comes_to "runs that wait for the source" 1 query msk_db \
    "select count(*) from pg_stat_activity where usename = 'platform_reader' and wait_event_type = 'Lock'"
succeeds eval "$(documented 'docker stop')"
query msk_db "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'" >/dev/null
is "how the run ended" "$(query platform 'select status from pipeline_run order by id desc limit 1')" interrupted
is "exit codes" "$(docker inspect --format '{{.State.ExitCode}}' "$name-site" "$name-worker" | xargs)" "0 0"

say "what cron has done by itself"
comes_to "sources loaded by cron" "covid msk" query msk_database \
    "select string_agg(distinct source, ' ' order by source) from pipeline_run where status = 'succeeded'"
source_and_star_agree
is "days of COVID" "$(query analytics_db 'select count(*) from cases_fact')" \
    "$(find sample_data/covid/v2/us/daily -name '*.json' | wc -l)"
succeeds in_web python manage.py pipeline_status
says "Last runs of covid"
says "cron"
succeeds compose logs web
says "patient_journey_schedule_window"
says "hospitalization_fact"

say "make test, inside"
# Waited for here: below, a run that waits in the middle of a COPY would keep the tests from dropping their databases.
if [ -n "${tests:-}" ]; then
    wait "$tests" || { tail -n 30 "$output.tests" >&2; fail "make test, inside"; }
fi

say "a job of cron that waits for a locked table: what it is, and docker compose stop in the middle of it"
compose exec --detach db psql --username postgres --dbname msk_db --command \
    'begin; lock table patient; select pg_sleep(600)'
comes_to "runs that wait for the source" 1 query msk_db \
    "select count(*) from pg_stat_activity where usename = 'reader' and wait_event_type = 'Lock'"
comes_to "whether the next one was skipped" t query msk_database \
    "select count(*) > 0 from pipeline_run where (source, status, trigger) = ('msk', 'skipped', 'cron')"
# What starts a health check, a job of cron or this very look is root for a moment.
runs_as() {
    in_web find /proc -maxdepth 1 -user "$1" -name '[0-9]*' ! -name 1 -exec cat {}/comm \; | sort --unique | xargs
}
comes_to "what runs as root, but for init" "bash busybox" runs_as root # entrypoint.sh and crond
comes_to "what runs as web" gunicorn runs_as web
is "what the application can write" "$(in_web find /app /opt/venv -writable ! -type l)" ""
# The job found may be one that is skipped and gone at the next look.
# shellcheck disable=SC2016
job_lacks() {
    in_web sh -c 'env -0 | sort -z >/tmp/here
        job=$(grep -lz ^PIPELINE_TRIGGER=cron /proc/[0-9]*/environ 2>/dev/null | head -n 1)
        sort -z "$job" | comm -z -23 /tmp/here - | sed -z "s/=.*//" | tr "\0" " "'
}
comes_to "what the job's environment lacks" "POSTGRES_PASSWORD SECRET_KEY TZ WEB_PASSWORD " job_lacks # its TZ is UTC
jobs=$(in_web crontab -l)
in_web sh -c 'crontab -l | sed "s/ run ..../ run dead/" >/tmp/old; crontab /tmp/old' # as an older release left it
before=$(row_versions)
web=$(compose ps --quiet web)
succeeds compose stop web
is "exit code" "$(docker inspect --format '{{.State.ExitCode}}' "$web")" 0 # 137: Docker had to kill it after 10 seconds
is "how the run ended" "$(query msk_database \
    "select status from pipeline_run where source = 'msk' and status <> 'skipped' order by id desc limit 1")" interrupted
is "row versions after the stop" "$(row_versions)" "$before"
docker logs "$web" 2>"$output" >/dev/null
says "run interrupted run="
succeeds query postgres "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
start
is "jobs after a restart with an older table" "$(in_web crontab -l)" "$jobs"

say "cron switched off"
cp "$copy/.env.example" "$copy/.env"
# Secrets that are for one process alone, too.
printf '%s\n' MSK_CRON=off COVID_CRON= OIDC_CLIENT_SECRET=of-the-provider EMAIL_HOST_PASSWORD=of-the-mail-server \
    PSEUDONYM_KEY=of-the-researchers-for-whom-it-is-made METRICS_TOKEN=of-the-monitor-alone \
    PING_URL=http://127.0.0.1:9/of-the-watch >>"$copy/.env"
start
is "jobs" "$(in_web crontab -l)" ""

say "who each process is, and which secrets it has"
# secrets_of ROLE USER: those in the environment of processes that are ROLE, as far as USER can read it
# shellcheck disable=SC2016
secrets_of() {
    compose exec -T --user "$2" web sh -c 'grep -lz "^PIPELINE_ROLE=$0\$" /proc/[0-9]*/environ 2>/dev/null |
        xargs -r cat | tr "\0" "\n" | sed -nE "s/^([A-Z_]+_(PASSWORD|KEY|SECRET|TOKEN)|PING_URL)(_FILE)?=.+/\1/p" | sort -u | xargs' "$1"
}
is "the secrets of the site" "$(secrets_of web web)" "METRICS_TOKEN OIDC_CLIENT_SECRET SECRET_KEY WEB_PASSWORD"
is "the secrets of runs" "$(secrets_of loader app)" \
    "EMAIL_HOST_PASSWORD LOADER_PASSWORD PING_URL PSEUDONYM_KEY READER_PASSWORD"
is "the secrets of runs, to the site" "$(secrets_of loader web)" ""
query postgres "alter system set log_connections = on" >/dev/null
query postgres "select pg_reload_conf()" >/dev/null
# users_of DATABASE: who came to it since then, but for this script; the health check is one who comes to the site
users_of() {
    compose logs --no-log-prefix db | grep -v 'application_name=psql' |
        sed -nE "s/.*connection authorized: user=([a-z_]+) database=$1( .*|\$)/\1/p" | sort -u | xargs
}
succeeds in_web python manage.py run_pipeline
comes_to "who comes to the run log" "msk_loader msk_web" users_of msk_database
comes_to "who comes to the warehouse" "msk_loader msk_web" users_of analytics_db
comes_to "who comes to the source" msk_reader users_of msk_db
query postgres "alter system reset log_connections" >/dev/null
query postgres "select pg_reload_conf()" >/dev/null

say "crond dies while somebody has a shell open that does not listen"
web=$(compose ps --quiet web)
compose exec --detach web bash -c 'trap "" TERM; touch /tmp/deaf; while :; do sleep 1; done'
comes_to "the shell" /tmp/deaf in_web find /tmp -maxdepth 1 -name deaf
# Detached: the shell that kills crond may itself be ended by what that brings about.
# shellcheck disable=SC2016
compose exec --detach web sh -c 'kill -9 $(grep -lx busybox /proc/[0-9]*/comm | cut -d / -f 3)'
comes_to "restarts of the container" "1 running" starts "$web"
start

say "a run that is asked for on the site, and the worker that starts it dies"
query msk_database "insert into run_request (source, requested_by, requested_at, progress, outcome)
                    values ('msk', 'ann', now(), '', '')"
comes_to "what came of the request" "succeeded manual" query msk_database \
    "select outcome || ' ' || trigger from run_request join pipeline_run on pipeline_run.id = run_id"
# shellcheck disable=SC2016
compose exec --detach --user app web sh -c 'kill -9 $(grep -lzx run_requests /proc/[0-9]*/cmdline | cut -d / -f 3)'
comes_to "restarts of the container" "2 running" starts "$web"

say "as root, without cron"
echo CRON=off >>"$copy/.env"
start
comes_to "what runs as root, but for init" bash runs_as root # entrypoint.sh

say "the pipeline, twice"
succeeds in_web make run-pipeline
source_and_star_agree
before=$(row_versions)
succeeds in_web make run-pipeline
is "row versions after a second run" "$(row_versions)" "$before"
succeeds in_web make check-warehouse

say "the db killed in the middle of a run"
query msk_db "update step_result set value = (patient_id % 1000)::text where value ~ '^[0-9]+$'"
compose exec --detach db psql --username postgres --dbname analytics_db --command \
    'begin; lock table patient_dimension; select pg_sleep(600)'
comes_to "the table locked" 1 query analytics_db "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
in_web make run-pipeline ARGS="--only msk" >"$output" 2>&1 &
comes_to "runs that wait for the table" 1 query analytics_db \
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
succeeds docker kill "$(compose ps --quiet db)"
! wait $! || fail "the run whose db was killed should not have succeeded"
start
is "row versions after the crash" "$(row_versions)" "$before"
succeeds in_web make run-pipeline
says "step_result_fact"
source_and_star_agree
succeeds in_web make check-warehouse
comes_to "the health of web" healthy health # by its next check

say "the warehouse's disk full"
# Room for the warehouse as it is and 4 MB more: less than a run takes that restates all steps.
room=$(query postgres "select pg_database_size('analytics_db') / 1024 + 4096")
printf 'services: {db: {tmpfs: ["/small:size=%sk,uid=999,mode=0700"]}}\n' "$room" >"$copy/docker-compose.override.yml"
start
query postgres "create tablespace small location '/small'"
move_warehouse() {
    query postgres "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'analytics_db'" &&
        query postgres "alter database analytics_db set tablespace $1" && echo moved
}
comes_to "the warehouse on a small disk" moved move_warehouse small
query msk_db "update step_result set value = (patient_id % 1000 + 1)::text where value ~ '^[0-9]+$'"
before=$(row_versions)
fails in_web make run-pipeline ARGS="--only msk"
says "No space left on device ("
says "); give the server more room, and run the command again. The warehouse is as it was."
is "row versions after the disk was full" "$(row_versions)" "$before"
comes_to "the warehouse on a large disk" moved move_warehouse pg_default
succeeds in_web make run-pipeline
source_and_star_agree
succeeds in_web make check-warehouse
query postgres 'drop tablespace small'
comes_to "the health of web" healthy health
rm "$copy/docker-compose.override.yml"
start

say "the source refuses to be written"
delete="from django.db import connections; connections['msk_db'].cursor().execute('delete from patient')"
fails in_web python manage.py shell --command "$delete"
says "read-only transaction"

say "a new msk_db.sql, with roles that the server does not have, while the source is in use"
patients=$(query msk_db 'select count(*) from patient')
running=$(containers)
hospital="St. Mary's \"Ä\""
compose exec -T db pg_dump --username postgres msk_db >"$output"
{
    awk -v row="999999\t60-69\tF\t$hospital" '{ print } /^COPY public.patient \(/ { print row }' "$output"
    echo 'ALTER TABLE public.patient OWNER TO "Clinic Owner";'
    echo 'GRANT SELECT ON TABLE public.patient TO reporting;'
} >"$copy/msk_db.sql"
compose exec --detach db psql --username postgres --dbname msk_db --command 'select pg_sleep(600)'
comes_to "who uses the source" psql query postgres \
    "select application_name from pg_stat_activity where (datname, wait_event) = ('msk_db', 'PgSleep')"
succeeds reload
succeeds in_web make run-pipeline
is "patients after one more" "$(query analytics_db 'select count(*) from patient_dimension')" $((patients + 1))
succeeds compose exec -T db psql "postgresql://msk_reader:reader@127.0.0.1/msk_db" -qAtX -c 'select count(*) from patient'
is "its hospital" "$(query analytics_db 'select hospital from patient_dimension where patient_id = 999999')" "$hospital"
source_and_star_agree

say "a msk_db.sql that does not load"
cp "$copy/msk_db.sql" "$output.good"
broken_dump_is_refused() {
    fails reload
    says "init-db: msk_db.sql could not be loaded: "
    says "$1; msk_db is as it was"
    is "patients after a failed load" "$(query msk_db 'select count(*) from patient')" $((patients + 1))
    is "databases left behind" "$(query postgres "select datname from pg_database where datname ~ '._msk_db'")" ""
}
echo 'select 1 / 0;' >>"$copy/msk_db.sql"
broken_dump_is_refused "ERROR:  division by zero"
compose exec -T db pg_dump --username postgres --clean --create msk_db >"$copy/msk_db.sql"
broken_dump_is_refused "ERROR:  DROP DATABASE cannot run inside a transaction block"
head -n $(($(wc -l <"$output.good") / 2)) "$output.good" >"$copy/msk_db.sql"
broken_dump_is_refused "its end is missing"
is "containers after the reloads" "$(containers)" "$running"
succeeds page /admin/login/

say "a first start with a msk_db.sql that does not load, and the way out"
succeeds compose down --volumes --timeout 3
start
is "how often db had to be started again" "$(starts "$(compose ps --quiet db)")" "0 running"
succeeds compose logs db
says "init-db: msk_db.sql could not be loaded: its end is missing; there is no msk_db yet: mend that, then docker compose"
remedy="does not exist; load msk_db.sql or the sample by docker compose run --rm sql"
succeeds compose logs web
says "the source database msk_db $remedy"
fails in_web make run-pipeline ARGS="--only msk"
says "database \"msk_db\" $remedy"
fails in_web python manage.py pipeline_status
says "database \"msk_db\" $remedy"
comes_to "readiness" 503 readiness
mv "$output.good" "$copy/msk_db.sql"
succeeds reload
succeeds in_web make run-pipeline
is "patients after the way out" "$(query msk_db 'select count(*) from patient')" $((patients + 1))

say "docs/operate.md: a backup, restored into new volumes"
succeeds in_web python manage.py run_pipeline
query msk_database "insert into auth_user (username, password, is_superuser, first_name, last_name, email, is_staff,
                        is_active, date_joined) values ('ann', '!', false, '', '', '', true, true, now())"
query analytics_db "insert into schedule_override (schedule_id, milestone_slug, offset_end_days, note)
                    select min(schedule_id), 'operation', 7, 'by ann' from schedule_dimension"
query msk_db "delete from patient where id = 999999"
succeeds in_web python manage.py run_pipeline
# What no run brings back, and says in a digest whether it is as it was.
kept() {
    query msk_database "select count(*), md5(string_agg(u::text, ',' order by id)) from auth_user u"
    query msk_database "select count(*), md5(string_agg(r::text, ',' order by id)) from pipeline_run r where id <= $last_run"
    query analytics_db "select md5(string_agg(t::text, ',' order by t::text))
                          from (select o::text from schedule_override o union all select e::text from erased_patient e
                                union all select c::text from schema_change c
                                union all select d::text from staging_covid_day d) t"
}
last_run=$(query msk_database 'select max(id) from pipeline_run')
before=$(kept)
is "patients erased" "$(query analytics_db 'select patient_id from erased_patient')" 999999
sed -i "/^999999\t/d" "$copy/msk_db.sql"
does "Back up"
succeeds compose down --volumes --timeout 3
does "Restore"
is "what no run brings back" "$(kept)" "$before"
source_and_star_agree

say "docs/operate.md: secrets rotated"
does "Rotate a secret"
is "passwords of the example left" "$(grep -cE '^(POSTGRES|WEB)_PASSWORD=(postgres|web)$' "$copy/.env" || true)" 0
succeeds in_web python manage.py run_pipeline
succeeds page /admin/login/
comes_to "readiness" 200 readiness

say "docs/operate.md: the source on another server"
docker run --detach --name "$name-source" --network "${name}_default" --network-alias source \
    --env POSTGRES_PASSWORD=its-own --env POSTGRES_DB=msk_db postgres:17 >/dev/null
# there ARGUMENTS-OF-PSQL...
there() { docker exec --interactive --user postgres "$name-source" psql -h 127.0.0.1 -qAtX -d msk_db -v ON_ERROR_STOP=1 "$@" 2>&1; }
comes_to "the other server" up there --command "select 'up'"
compose exec -T db pg_dump --username postgres --no-owner --no-privileges msk_db | there >/dev/null
# shellcheck disable=SC2016
sed -n '/^## Move the source$/,/^## /{/^```sql$/,/^```$/{/^```/!p}}' "$copy/docs/operate.md" |
    there
before=$(row_versions)
does "Move the source"
is "row versions after the source moved" "$(row_versions)" "$before"
there --command "update patient set hospital = 'Elsewhere' where id = (select min(id) from patient)"
succeeds in_web make run-pipeline
is "a hospital that is only there" "$(query analytics_db "select count(*) from patient_dimension where hospital = 'Elsewhere'")" 1

say "passed"
