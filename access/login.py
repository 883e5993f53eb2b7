"""The login page, the code that comes after the password, and how long ago somebody proved who they are.

Who is known by a user of this site proves it by name and password, and by a code or passkey where there is one; who
comes from the provider (access/provider.py) has proved it there. Both end in Django's signal `user_logged_in`.
"""

import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

PROVED_AT = "proved_at"  # in the session: when its user last proved who they are, in seconds since 1970


class Login(LoginView):
    """The login page, at the address and with the fields that the admin's own has."""

    form_class = AdminAuthenticationForm
    template_name = "access/login.html"
    next_page = "admin:index"
    problem = ""  # what went wrong before

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if admin.site.has_permission(request) and REDIRECT_FIELD_NAME not in request.GET and not self.problem:
            return HttpResponseRedirect(reverse(self.next_page))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        values: dict[str, Any] = super().get_context_data(**kwargs)
        said = {"title": "Log in", "problem": self.problem, "has_provider": bool(settings.OIDC_ISSUER)}
        return admin.site.each_context(self.request) | values | said

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log in who has no second factor; ask who has one for it.

        Who was logged in no longer is: the second factor is asked of strangers alone.
        """
        address, user = self.get_success_url(), form.get_user()
        logout(self.request)
        record_authentication(self.request, user, "password", reauthenticated=True)
        answer: HttpResponse = perform_login(self.request, user, redirect_url=address)
        return answer


def not_logged_in(request: HttpRequest, problem: str, status: int) -> HttpResponseBase:
    """Answer with the login page, which says what went wrong: there may be another way in."""
    request.method = "GET"
    response = Login.as_view(problem=problem)(request)
    response.status_code = status
    return response


class CodeForm(AuthenticateForm):  # type: ignore[misc]  # allauth says nothing of types
    """The code after the password: who fails too often is locked out as with the password."""

    def clean_code(self) -> str:
        request, who = context.request, {"username": self.user.get_username()}
        if not AxesProxyHandler.is_allowed(request, who):
            request.axes_locked_out, request.axes_credentials = True, who  # the page is its middleware's
            raise forms.ValidationError("Locked for a while.")
        code: str = super().clean_code()
        return code


class PasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The passkey after the password; what a browser would not send is none, and no error of the server's either."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except (KeyError, TypeError, ValueError) as error:
            raise forms.ValidationError("It is none.") from error


def has_proved_lately(request: HttpRequest) -> bool:
    """Tell whether somebody proved within the last quarter of an hour that they are who is logged in here."""
    age: float = time.time() - request.session.get(PROVED_AT, 0)
    return age < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def ask_again(request: HttpRequest) -> HttpResponseBase:
    """Lead to the login page, and from there back to where `request` asks for."""
    return redirect_to_login(request.get_full_path(), reverse("admin:login"))
