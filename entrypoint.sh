#!/usr/bin/env bash
# Brings the databases up to date, serves the site and lets cron, and who asks for it there, run the pipeline; with a
# command given, runs that instead. This script and crond are root, with no capability but to become somebody else:
# the databases are prepared as `owner`, gunicorn runs as `web`, everything else as `app`. Started as another user than
# root it is that user all along, and serves the site alone: the platform runs the rest, as commands.
set -euo pipefail
as_app=(setpriv --reuid=app --regid=app --init-groups)
as_web=(setpriv --reuid=web --regid=web --init-groups)
as_owner=(setpriv --reuid=owner --regid=owner --init-groups)
if [ "$EUID" -ne 0 ]; then
    as_app=() as_web=()
fi
declare -l cron=${CRON:-on}

if [ "$#" -gt 0 ]; then
    exec "${as_app[@]}" "$@"
fi

fail() { echo "error: $*" >&2; exit 1; }

hashes() { grep -oE '\b[0-9a-f]{32}\b' || true; }

# What env takes to leave secrets out. Root does so, whose own environment nobody else can read.
hidden() {
    local name
    for name in "$@"; do
        printf '%s\n' -u "$name" -u "${name}_FILE"
    done
}
owners=(POSTGRES_PASSWORD)
if [ -z "${LOADER_PASSWORD:-}${LOADER_PASSWORD_FILE:-}" ]; then # no roles: one user does everything, here as there
    owners=() as_web=("${as_app[@]}") as_owner=("${as_app[@]}")
fi
mapfile -t from_loader < <(hidden "${owners[@]}" WEB_PASSWORD SECRET_KEY OIDC_CLIENT_SECRET METRICS_TOKEN)
mapfile -t from_web < <(hidden "${owners[@]}" LOADER_PASSWORD READER_PASSWORD MSK_SOURCE_PASSWORD EMAIL_HOST_PASSWORD \
    ALERT_WEBHOOK_URL PING_URL PSEUDONYM_KEY)
as_loader=(env "${from_loader[@]}" PIPELINE_ROLE=loader)
# Gunicorn reads WEB_CONCURRENCY by itself, and stumbles over an empty one.
as_site=(env "${from_web[@]}" PIPELINE_ROLE=web WEB_CONCURRENCY="${WEB_CONCURRENCY:-2}")
serve=("${as_site[@]}" "${as_web[@]}" gunicorn pipeline_project.wsgi --config gunicorn.conf.py)

if [ "$EUID" -ne 0 ]; then
    if [ "$cron" != off ]; then
        fail "cron needs root: start the container as root, or set CRON=off and let the platform run run_pipeline"
    fi
    exec "${serve[@]}"
fi

# django-crontab neither notices that a table was not written nor copes with an old one: begin with none, then look.
install_cron() {
    local wanted found
    "${as_app[@]}" crontab /dev/null || true
    wanted=$("${as_loader[@]}" "${as_app[@]}" python manage.py crontab add | hashes)
    found=$("${as_app[@]}" crontab -l | hashes) || true
    if [ "$found" != "$wanted" ]; then
        fail "the jobs of cron could not be installed: crontab -l does not list what MSK_CRON and COVID_CRON ask for"
    fi
}

# Signals gunicorn, the jobs of cron and runs by hand all at once, as `docker stop` kills in 10 seconds what is left: a
# run needs a moment to roll back and to record that it was interrupted. -1 is everybody whom the sender may signal but
# itself and process 1; root may not signal `app` and the others, as that is a capability of its own. Who does not listen, as
# a shell that somebody has open, goes with the container.
stop() {
    trap '' TERM INT
    { kill -TERM -1; "${as_app[@]}" sh -c 'kill -TERM -1'; "${as_web[@]}" sh -c 'kill -TERM -1'; } 2>/dev/null || true
    local processes=(/proc/[0-9]*) deadline=$((SECONDS + 8))
    while [ "${#processes[@]}" -gt 2 ] && [ "$SECONDS" -lt "$deadline" ]; do # 1, which is init, and this one
        sleep 0.1
        processes=(/proc/[0-9]*)
    done
}

PIPELINE_ROLE=owner "${as_owner[@]}" python manage.py prepare_databases

trap 'stop; exit 0' TERM INT

if [ "$cron" != off ]; then
    install_cron
    # BusyBox's crond hands on to the jobs what it has itself: the environment, so that no file with secrets is needed,
    # and the container's output. It reads the table in the zone TZ.
    TZ=UTC "${as_loader[@]}" busybox crond -f -L /dev/stderr &
fi

"${serve[@]}" &

# Starts the runs that people ask for on the site.
"${as_loader[@]}" "${as_app[@]}" python manage.py run_requests &

# Whichever ends first takes the others with it: a container that only serves, or only runs jobs, looks well and is not.
wait -n || true
stop
fail "gunicorn or crond has ended, or run_requests"
