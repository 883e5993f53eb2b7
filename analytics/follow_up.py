"""What follows a run that nobody waits for: the pages are worked out, and once a day all promises are proved."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import connections

from analytics.pages.answers import current_load
from analytics.pages.prepare import prepare_pages
from analytics.proofs import prove_daily
from ingest.runs.errors import DATABASE_ERRORS, explain

logger = logging.getLogger("analytics.pages")


def follow_up() -> None:
    """Work out for the site what takes it longest, and prove what is due.

    What keeps us from either is in the log alone: the run before it has succeeded all the same. One process does this
    at a time, as it may take minutes: who finds another one at it leaves a newer load to that, which looks again.
    """
    try:
        with _alone() as is_alone:
            done = None
            while is_alone and (load := current_load()) != done:
                done = load
                try:
                    prepare_pages()
                except DATABASE_ERRORS as error:
                    _warn(error)
                prove_daily()
    except DATABASE_ERRORS as error:
        _warn(error)


def _warn(error: Exception) -> None:
    logger.warning("pages not prepared, the first visitor waits for them", extra={"error": explain(error)})


@contextmanager
def _alone() -> Iterator[bool]:
    """Tell whether no other process is at it, and keep others from it in the block.

    By a connection of its own: that of the checks is closed while they work.
    """
    hold = connections["default"].copy()
    with closing(hold):
        hold.set_autocommit(True)
        with hold.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(hashtext('follow_up'))")
            yield bool(cursor.fetchone()[0])
