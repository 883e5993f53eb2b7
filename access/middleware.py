"""Lets nobody further whose login is over, or who has to prove first, or once more, who they are."""

from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from access.login import ask_again, has_proved_lately, is_over

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
ENROL = ("mfa_activate_totp", "mfa_add_webauthn")
# What is there for everybody, and what leads in or out.
OPEN = (
    *("healthz", "readyz", "metrics", "favicon", "admin:jsi18n"),
    *("account_login", "oidc_login", "oidc_callback", "admin:logout"),
)


def lacks_second_factor(request: HttpRequest) -> bool:
    """Tell whether who is logged in has to show a second factor yet; of who comes from the provider none is asked."""
    if not settings.REQUIRE_MFA or not request.user.is_authenticated:
        return False
    shown = {record["method"] for record in get_authentication_records(request, request.user)}
    return "socialaccount" not in shown and not ("mfa" in shown and is_mfa_enabled(request.user, FACTORS))


def changes_who_comes_in(place: str, request: HttpRequest) -> bool:
    """Tell whether an answer makes a user, gives one a right or a password, or says whether a password is right."""
    return place == "admin:password_change" or (fnmatch(place, "admin:auth_*") and request.method == "POST")


class LoginMiddleware:
    """Leads to the login page whose login is over or has to be renewed, and to a second factor who lacks one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """Return where to lead who asks; None for who may go on."""
        place = request.resolver_match.view_name if request.resolver_match else ""
        if place in OPEN or not request.user.is_authenticated:
            return None
        if is_over(request):
            logout(request)
            return ask_again(request)
        if lacks_second_factor(request):
            if is_mfa_enabled(request.user, FACTORS) or not request.user.has_usable_password():
                return ask_again(request)  # a session that began before there was one
            return None if place in ENROL else HttpResponseRedirect(reverse(ENROL[0]))
        if changes_who_comes_in(place, request) and not has_proved_lately(request):
            return ask_again(request)
        return None
