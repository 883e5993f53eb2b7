#!/bin/sh
# Brings the databases up to date and serves the admin; with a command given, runs that instead.
set -eu

if [ "$#" -gt 0 ]; then
    exec "$@"
fi

python manage.py prepare_databases
# --preload: without a SECRET_KEY the settings make one up, and the workers have to share it.
# --worker-tmp-dir: a heartbeat in memory, as one on a slow disk makes a worker look dead.
exec gunicorn pipeline_project.wsgi --bind 0.0.0.0:8000 --workers "${WEB_CONCURRENCY:-2}" --threads 4 --preload \
    --worker-tmp-dir /dev/shm --no-control-socket --access-logfile -
