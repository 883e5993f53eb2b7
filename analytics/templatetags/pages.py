"""What the templates of the pages ask for: the navigation, and how a name is shown."""

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.template import Library

from analytics.charts.figure import name_of
from analytics.charts.scale import number
from analytics.pages.answers import patience, snapshot
from analytics.pages.lineage import address
from analytics.pages.page import SEES_RUNS
from analytics.pages.site import Link, links
from ingest.placement import has_workers, shares
from ingest.runs.errors import DATABASE_ERRORS, explain

WORKERS_PATIENCE_SECONDS = 5  # the page has more to say than how its rows are spread
WORKERS_KEPT_SECONDS = 60  # to ask all workers takes up to a second

register = Library()


@register.simple_tag(takes_context=True)
def site_pages(context: dict[str, Any]) -> list[Link]:
    """Return the links of the navigation; none on a page that is made without a request, as that of a server error."""
    request = context.get("request")
    return links(request) if request else []


@register.inclusion_tag("pages/workers.html", takes_context=True)
def workers(context: dict[str, Any]) -> dict[str, Any]:
    """Say how evenly the warehouse is distributed, or what does not answer, to who may see operations.

    Of one on a single server there is nothing to say.
    """
    if not context["request"].user.has_perm(SEES_RUNS):
        return {}
    try:
        with patience(WORKERS_PATIENCE_SECONDS), snapshot() as warehouse:
            found = has_workers(warehouse) and cache.get_or_set("workers", shares, WORKERS_KEPT_SECONDS)
    except DATABASE_ERRORS as error:
        return {"failure": explain(error)}
    return {"workers": found}


@register.filter
def named(value: str | None) -> str:
    """Return a name as a page shows it, which a link can be made of: a null and a blank one have words, too."""
    return "unknown" if value is None else name_of(value)


@register.filter
def in_dictionary(table: str) -> str:
    """Return the page of a table; "" for one of a source."""
    return address(table)


@register.filter
def counted(value: int | None) -> str:
    """Return a number of rows as people read it; of one that nobody counts, a dash."""
    return "\N{EN DASH}" if value is None else number(value)


@register.filter
def minutes(value: timedelta) -> int:
    """Return how many minutes are to be waited for a time to be over."""
    return -(-value // timedelta(minutes=1))
