#!/bin/sh
# The crontab command that django-crontab calls, for the user `app`: BusyBox's own wants to be root. crond takes a table
# only when root owns it; this one is its group's to write (Dockerfile), and so root never runs the application's code.
set -eu
table=/var/spool/cron/crontabs/app

if [ "$1" = -l ]; then
    cat "$table"
else
    cat "$1" >"$table"
fi
