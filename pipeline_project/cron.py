"""What the jobs of cron do: django-crontab calls it by the names in the setting CRONJOBS."""

import logging

from django.core.management import CommandError, call_command

logger = logging.getLogger(__name__)


def run_pipeline(source: str) -> None:
    """Run the pipeline for `source` alone; a failure, which django-crontab ends with exit code 0, goes to the log."""
    try:
        call_command("run_pipeline", only=source)
    except CommandError as error:
        logger.error("run_pipeline --only %s: %s", source, error)  # noqa: TRY400  (the run log has the traceback)
