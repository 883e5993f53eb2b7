"""What follows a run that nobody waits for: the pages are worked out, and once a day all promises are proved."""

import logging

from analytics.pages.prepare import prepare_pages
from analytics.proofs import prove_daily
from ingest.runs.errors import DATABASE_ERRORS, explain

logger = logging.getLogger("analytics.pages")


def follow_up(*sources: str) -> None:
    """Work out for the site what takes it longest, and after a run of msk prove what is due.

    What keeps us from either is in the log alone: the run before it has succeeded all the same.
    """
    try:
        prepare_pages()
    except DATABASE_ERRORS as error:
        logger.warning("pages not prepared, the first visitor waits for them", extra={"error": explain(error)})
    if "msk" in sources:
        prove_daily()
