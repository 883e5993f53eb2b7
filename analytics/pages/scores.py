"""Scores: how patients answer a survey in the weeks around their operation, and how that differs from before."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from analytics.charts import name_of
from analytics.pages.answers import Row, kept
from analytics.pages.courses import GROUPS, QUARTILES, course, seen_by
from analytics.pages.page import SEES_TOTALS, Content, RefusedError, asked, choice, page


def points(survey: Row | None, by: str) -> tuple[list[Row], list[Row]]:
    """Return patients and quartiles by group and week: of a survey's scores, and of their change from before."""
    bound: dict[str, Any] = {"grouped_by": GROUPS[by], "survey": survey["survey_id"] if survey else None}
    return kept("scores", **bound), kept("score_changes", **bound)


@page("Scores", SEES_TOTALS)
def scores(request: HttpRequest) -> Content:
    """Show median and quartiles of a survey's scores by week since the operation, and of their change from before."""
    values = asked(request, ["survey", "by"])
    by = choice(values, "by", GROUPS)
    surveys = kept("surveys")
    survey = _chosen(values, surveys)
    rows, changes = points(survey, by)
    for each in surveys:
        each["name"] = f"{'unknown' if each['slug'] is None else name_of(each['slug'])} {each['version'] or ''}".strip()
    name = survey["name"] if survey else "no survey"
    group = by.replace("_", " ")
    chart = course(
        rows,
        "week",
        key="scores",
        title=f"Scores of {name} by {group}",
        unit="score",
        places=1,
        empty="No score of this survey belongs to a patient journey with an operation.",
    )
    change = course(
        changes,
        "week",
        key="changes",
        title=f"Change of the score from the last one before the operation, by {group}",
        unit="points more than before",
        places=1,
        empty="No patient has a score of this survey both before and after the operation.",
    )
    return Content(
        "pages/scores.html",
        {"chart": chart, "change": change, "by": by, "groups": GROUPS, "survey": survey, "surveys": surveys},
        [by, "week", *QUARTILES],
        [{by: row["by_value"]} | row for row in seen_by(request, rows)],
    )


def _chosen(values: Mapping[str, str], surveys: list[Row]) -> Row | None:
    if "survey" not in values:
        return surveys[0] if surveys else None  # the one with most results
    for survey in surveys:
        if str(survey["survey_id"]) == values["survey"]:
            return survey
    known = ", ".join(str(survey["survey_id"]) for survey in surveys)
    raise RefusedError(f"survey={values['survey']} has no results: those that have are {known or 'none'}.")
