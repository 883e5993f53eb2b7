"""The login page, the code that comes after the password, and how long ago somebody proved who they are.

Who is known by a user of this site proves it by name and password, and by a code or passkey where there is one; who
comes from the provider (access/openid.py) has proved it there. Both end in Django's signal `user_logged_in`.
"""

import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

# In the session, in seconds since 1970: when its user last proved who they are, and when the login was.
PROVED_AT, LOGGED_IN_AT = "proved_at", "logged_in_at"


class Login(LoginView):
    """The login page, at the address and with the fields that the admin's own has."""

    form_class = AdminAuthenticationForm
    template_name = "access/login.html"
    next_page = "admin:index"
    problem = ""  # what went wrong before

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the page, or lead on who is logged in already."""
        if admin.site.has_permission(request) and REDIRECT_FIELD_NAME not in request.GET and not self.problem:
            return HttpResponseRedirect(reverse(self.next_page))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the values of the template: those of the admin's pages, and the problem and ways in of this one."""
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


def has_proved_lately(request: HttpRequest) -> bool:
    """Tell whether somebody proved within the last quarter of an hour that they are who is logged in here."""
    age: float = time.time() - request.session.get(PROVED_AT, 0)
    return age < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def is_over(request: HttpRequest) -> bool:
    """Tell whether a login has lasted a working day: a session whose contents change begins a new one by itself."""
    age: float = time.time() - request.session.get(LOGGED_IN_AT, 0)
    return age > settings.SESSION_COOKIE_AGE


def ask_again(request: HttpRequest) -> HttpResponseBase:
    """Lead to the login page, and from there back to where `request` asks for."""
    return redirect_to_login(request.get_full_path(), reverse("admin:login"))
