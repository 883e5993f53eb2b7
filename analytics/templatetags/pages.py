"""What the templates of the pages ask for: the navigation, and how a name is shown."""

from datetime import timedelta
from typing import Any

from django.template import Library

from analytics.charts.figure import name_of
from analytics.charts.scale import number
from analytics.pages.site import Link, links

register = Library()


@register.simple_tag(takes_context=True)
def site_pages(context: dict[str, Any]) -> list[Link]:
    """Return the links of the navigation; none on a page that is made without a request, as that of a server error."""
    request = context.get("request")
    return links(request) if request else []


@register.filter
def named(value: str | None) -> str:
    """Return a name as a page shows it, which a link can be made of: a null and a blank one have words, too."""
    return "unknown" if value is None else name_of(value)


@register.filter
def counted(value: int | None) -> str:
    """Return a number of rows as people read it; of one that nobody counts, a dash."""
    return "\N{EN DASH}" if value is None else number(value)


@register.filter
def minutes(value: timedelta) -> int:
    """Return how many minutes are to be waited for a time to be over."""
    return -(-value // timedelta(minutes=1))
