"""Who asks: the address and the name by which failed logins are counted."""

from collections.abc import Mapping
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

LONGEST_NAME = 255


def address(request: HttpRequest) -> str | None:
    """Return the address of the browser; None where the server names none, as on a Unix socket.

    Of X-Forwarded-For, which the browser can begin as it likes, only the end is the proxy's own word.
    """
    peer: str = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_TLS_PROXY:
        peer = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or peer
    try:
        return str(ip_address(peer))
    except ValueError:
        return None


def username(request: HttpRequest, credentials: Mapping[str, str] | None) -> str:
    """Return the name that somebody gave, no longer than axes has room for."""
    return str((credentials or request.POST).get("username", ""))[:LONGEST_NAME]
