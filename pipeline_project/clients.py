"""Who asks: the address by which failed logins are counted."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


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
