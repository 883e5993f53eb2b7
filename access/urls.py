"""The addresses of the login: of django-allauth's own no more than these few, whose names are its own."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.base import views as codes
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.apps import apps
from django.contrib import admin
from django.http import HttpResponseBase
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.generic import View

from access import openid
from access.login import Login

# What the admin's frame wants to know to show the links of who is logged in.
FRAME = {"has_permission": True, "site_url": "/"}

# The admin shows none of its tables: they hold secrets, and a row there could bind a user to somebody at the provider.
for label in ("account", "mfa", "socialaccount"):
    for model in apps.get_app_config(label).get_models():
        if admin.site.is_registered(model):
            admin.site.unregister(model)


def page(view: type[View], **kwargs: Any) -> Callable[..., HttpResponseBase]:
    """Return a view within the site's frame, which no browser keeps: a page may show a secret."""
    return never_cache(view.as_view(extra_context=FRAME, **kwargs))


urlpatterns = [
    path("admin/login/", Login.as_view(), name="account_login"),
    path("login/code/", codes.authenticate, name="mfa_authenticate"),
    path("login/provider/", openid.login, name="oidc_login"),
    path("login/provider/back/", openid.callback, name="oidc_callback"),
    path("second-factor/", page(codes.IndexView), name="mfa_index"),
    path("second-factor/app/", page(totp.ActivateTOTPView), name="mfa_activate_totp"),
    path("second-factor/app/remove/", page(totp.DeactivateTOTPView), name="mfa_deactivate_totp"),
    path("second-factor/passkey/", page(passkeys.AddWebAuthnView), name="mfa_add_webauthn"),
    path(
        "second-factor/passkey/<int:pk>/remove/",
        page(passkeys.RemoveWebAuthnView, success_url="/second-factor/"),
        name="mfa_remove_webauthn",
    ),
    path("second-factor/codes/", page(recovery.ViewRecoveryCodesView), name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", page(recovery.GenerateRecoveryCodesView), name="mfa_generate_recovery_codes"),
]
