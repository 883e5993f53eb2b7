"""What takes a page longest, worked out before anybody asks for it."""

from analytics.pages import adherence, home, quality, scores, steps
from analytics.pages.answers import kept, unhurried
from analytics.pages.courses import GROUPS


def prepare_pages() -> None:
    """Work out home, quality, adherence as it opens, and the quartiles of steps and the first survey by every group."""
    with unhurried():
        home.prepare()
        quality.prepare()
        adherence.prepare()
        surveys = kept("surveys")
        for by in GROUPS:
            steps.points(by)
            scores.points(surveys[0] if surveys else None, by)
