"""A dead man's switch: what is told of each run, and tells people when it hears of none.

In the protocol of healthchecks.io: a POST to PING_URL/SOURCE/start when a run begins, to PING_URL/SOURCE when it has
loaded the star, to PING_URL/SOURCE/fail when it ended otherwise, with the run's uuid as `rid`.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from ingest.runs.channels import NotDeliveredError, post

logger = logging.getLogger("ingest.pings")  # not below ingest.runs, of which most commands log nothing


@dataclass
class Watch:
    """What is told of one run of `source`: nothing unless it `is_on` and settings.PING_URL says to whom.

    A ping takes settings.PING_TIMEOUT_SECONDS at most, beside the look-up of its server's name, and one that does not
    arrive is a warning in the log.
    """

    source: str
    is_on: bool
    run: UUID | None = None  # while there is none on record: what failed may be the run log

    def begins(self, run: UUID) -> None:
        """Tell that the run begins."""
        self.run = run
        self._ping("start")

    def ends(self, code: int) -> None:
        """Tell how the run ended, by its exit code alone: its error is in the run log."""
        self._ping("fail" if code else "", f"exit code {code}")

    def _ping(self, event: str, said: str = "") -> None:
        if not (self.is_on and settings.PING_URL):
            return
        address = "/".join(filter(None, (settings.PING_URL, self.source, event)))
        try:
            post(address, settings.PING_TIMEOUT_SECONDS, data=said, params={"rid": self.run})
        except NotDeliveredError as error:
            about = {"source": self.source, "ping": event or "success", "reason": str(error)}
            logger.warning("ping not delivered", extra=about)
