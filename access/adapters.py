"""What django-allauth asks of this site: nobody signs up, nothing is mailed, and who has to prove anew logs in anew."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from axes.helpers import get_client_ip_address
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from access import openid
from access.login import not_logged_in


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth says nothing of types
    """Users of this site: an administrator makes them, and the login page is where they prove who they are."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: nobody makes a user for themselves."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: each page says by itself what it has done."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address from which a request comes, as the locks of the login see it; "" where it is not known."""
        return get_client_ip_address(request) or ""

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """Return the one way: the login page. Who comes from the provider has no second factor here to change."""
        return [{"id": "login", "url": reverse("admin:login")}] if user.has_usable_password() else []


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: a passkey gets a number for its name."""

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002  (its own name)
        """Return the name of the user's next passkey."""
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The one provider, if there is one, is that of the settings: a row of the database cannot add another."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> Any:
        """Return the provider that the settings name, in a list; an empty one where they name none."""
        if not settings.OIDC_ISSUER:
            return []
        return [
            SocialApp(
                provider="openid_connect",
                provider_id=settings.OIDC_ISSUER,  # so that a user of the provider is known by issuer and sub
                name="OpenID Connect",
                client_id=settings.OIDC_CLIENT_ID,
                secret=settings.OIDC_CLIENT_SECRET,
                settings={
                    "server_url": settings.OIDC_ISSUER.rstrip("/") + "/.well-known/openid-configuration",
                    "oauth_pkce_enabled": True,
                    "scope": settings.OIDC_SCOPES,
                },
            )
        ]

    def get_provider(self, request: HttpRequest, *args: Any, **kwargs: Any) -> openid.Provider:
        """Return that provider, whatever name allauth asks for."""
        return openid.Provider(request, app=self.get_app(request, None))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Return True: whom the provider knows gets a user here at the first login."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Bring the groups of who comes in step; raise ImmediateHttpResponse for who may not come in."""
        openid.admit(request, sociallogin)

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: None = None) -> User:
        """Make the user of who comes for the first time, in the groups of the claim; return the user."""
        sociallogin.user.is_staff = True
        user: User = super().save_user(request, sociallogin)
        openid.bring_in_step(user, sociallogin.groups)
        return user

    def on_authentication_error(
        self, request: HttpRequest, asked: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Raise ImmediateHttpResponse with the login page, which says what went wrong at the provider."""
        if exception is None and error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(not_logged_in(request, openid.CANCELLED, 403))
        if exception is None and "state" not in (extra_context or {}):
            raise ImmediateHttpResponse(not_logged_in(request, openid.USED_UP, 400))
        raise ImmediateHttpResponse(openid.failed(request, exception))
