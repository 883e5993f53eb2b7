"""What the jobs of cron do: django-crontab calls it by the names in the setting CRONJOBS."""

from contextlib import suppress

from django.core.management import CommandError, call_command


def run_pipeline(source: str) -> None:
    """Run the pipeline for `source` alone, and what follows a run.

    A failure is in the log and on record by then, and a stop of what follows a run is none. django-crontab would add a
    traceback and end with exit code 0 anyway.
    """
    with suppress(SystemExit, CommandError):
        call_command("run_pipeline", only=source, follow_up=True)
