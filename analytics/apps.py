import logging
from typing import Any

from django.apps import AppConfig

logger = logging.getLogger("analytics.pages")


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Star schema"

    def ready(self) -> None:
        from ingest.runs.run import committed  # its models are there by now

        committed.connect(forget_answers)


def forget_answers(**signal: Any) -> None:
    """Remove what pages keep of the warehouse as it was: they no longer ask for it, and it counts who is erased."""
    from django.db import transaction

    from analytics.pages.answers import forget_other_loads
    from ingest.cursors import raw_cursor
    from ingest.runs.errors import DATABASE_ERRORS, explain

    try:
        with transaction.atomic(using="default"), raw_cursor("default") as log:
            log.execute("set local lock_timeout = '1s'")  # the run is over, and waits for nobody
            forget_other_loads()
    except DATABASE_ERRORS as error:
        logger.warning("kept answers not removed, the next run does that", extra={"error": explain(error)})
