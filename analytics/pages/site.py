"""Which pages there are, and who may see them: nobody is shown a link that leads to a refusal."""

from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from analytics.pages.page import SEES_QUALITY, SEES_RUNS, SEES_TOTALS


class Place:
    """A place of the navigation: the name of its address, and the permissions of which it takes one, if any."""

    def __init__(self, title: str, name: str, *permissions: str) -> None:
        self.title, self.name, self.permissions = title, name, permissions


PLACES = (
    Place("Home", "home"),
    Place("Adherence", "adherence", SEES_TOTALS),
    Place("Steps", "steps", SEES_TOTALS),
    Place("Scores", "scores", SEES_TOTALS),
    Place("COVID", "covid", SEES_TOTALS),
    Place("Quality", "quality", *SEES_QUALITY),
    Place("Runs", "runs", SEES_RUNS),
    Place("Tables", "tables"),
    Place("Access", "access", "access.view_accesslog"),
    Place("Admin", "admin:index"),
)


@dataclass(frozen=True)
class Link:
    """A link of the navigation, which `is_current` on the pages that begin with its address."""

    title: str
    address: str
    is_current: bool


def links(request: HttpRequest) -> list[Link]:
    """Return the navigation for who asks; none for a stranger."""
    if not admin.site.has_permission(request):
        return []
    may = request.user.has_perm
    allowed = [place for place in PLACES if not place.permissions or any(map(may, place.permissions))]
    addresses = {place: reverse(place.name) for place in allowed}
    here = request.path
    return [
        # Home is the beginning of every address.
        Link(place.title, address, here == address if address == "/" else here.startswith(address))
        for place, address in addresses.items()
    ]
