"""What takes a page longest, worked out before anybody asks for it."""

from analytics.pages import adherence, covid, home, quality, scores, steps
from analytics.pages.answers import Row, forget_other_loads, kept, unhurried
from analytics.pages.courses import GROUPS
from analytics.pages.small_numbers import seen

SURVEYS = 5  # with most results; the scores of others are worked out for who asks first


def prepare_pages() -> None:
    """Work out home, quality, adherence, COVID, and quartiles of steps and scores by every group.

    What takes longest comes last: adherence by any two dimensions.
    """
    with unhurried(), seen(exactly=False):
        home.prepare()
        adherence.prepare()
    with unhurried(), seen(exactly=True):
        home.prepare()
        quality.prepare()
        adherence.prepare()
        covid.figures()
        surveys: list[Row | None] = [*kept("surveys")[:SURVEYS]] or [None]
        for by in GROUPS:
            steps.points(by)
            for survey in surveys:
                scores.points(survey, by)
        adherence.prepare_sums()
    forget_other_loads()
