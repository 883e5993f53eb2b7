"""Lets nobody further without a second factor, where REQUIRE_MFA asks for one."""

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from access.login import ask_again

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
ENROL = ("mfa_activate_totp", "mfa_add_webauthn")
# What is there for everybody, and what leads in or out.
OPEN = (
    *("healthz", "readyz", "favicon", "admin:jsi18n"),
    *("account_login", "oidc_login", "oidc_callback", "admin:logout", *ENROL),
)


def lacks_second_factor(request: HttpRequest) -> bool:
    """Tell whether who is logged in has to show a second factor yet; of who comes from the provider none is asked."""
    if not settings.REQUIRE_MFA or not request.user.is_authenticated:
        return False
    shown = {record["method"] for record in get_authentication_records(request, request.user)}
    return "socialaccount" not in shown and not ("mfa" in shown and is_mfa_enabled(request.user, FACTORS))


class SecondFactorMiddleware:
    """Leads who lacks a second factor to where it is shown, or set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        place = request.resolver_match.view_name if request.resolver_match else ""
        if place in OPEN or not lacks_second_factor(request) or not request.user.is_authenticated:
            return None
        if is_mfa_enabled(request.user, FACTORS) or not request.user.has_usable_password():
            return ask_again(request)  # a session that began before there was one
        return HttpResponseRedirect(reverse(ENROL[0]))
