"""What the jobs of cron do: django-crontab calls it by the names in the setting CRONJOBS."""

import logging
from contextlib import suppress

from django.core.management import call_command

from analytics.pages.prepare import prepare_pages
from analytics.proofs import prove_daily
from ingest.runs.errors import DATABASE_ERRORS, explain

logger = logging.getLogger("analytics.pages")


def run_pipeline(source: str) -> None:
    """Run the pipeline for `source` alone, work out for the site what takes longest, and once a day prove it all.

    A failure is in the log and on record by then. django-crontab would add a traceback and end with exit code 0 anyway.
    """
    with suppress(SystemExit):
        call_command("run_pipeline", only=source)
        if error := _prepared():
            logger.warning("pages not prepared, the first visitor waits for them", extra={"error": explain(error)})
        if source == "msk":
            prove_daily()


def _prepared() -> Exception | None:
    """Prepare the pages, and return what kept us from it: the run before it has succeeded all the same."""
    try:
        prepare_pages()
    except DATABASE_ERRORS as error:
        return error
    return None
