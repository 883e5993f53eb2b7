"""People who come from an OpenID Connect provider: how its word is checked, and what somebody may do by it.

A user of the provider is known by its issuer and `sub`, never by name or e-mail: none is stored of what else it says
but a name to show. A claim puts people into the groups of access/groups.py; nobody becomes a superuser by it.

Not called provider.py: allauth would load that in every process, and with it what talks to a provider, half a second of
each start.
"""

import logging
import re
import time
from collections.abc import Iterable
from typing import Any

import jwt
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from requests import RequestException

from access.groups import GROUPS
from access.login import PROVED_AT, not_logged_in

logger = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY_SECONDS = 60  # by which the provider's clock may differ from ours
# What is raised where the provider answers with something else than the standard says.
MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError, ImproperlyConfigured)  # the last: too long a sub

DOWN = (
    "The login provider does not answer. Try again in a few minutes; who has a user of this site, too, can log in with "
    "that."
)
INVALID = (
    "The login provider's answer does not hold for this site. Try again; if it lasts, tell whoever runs the site: the "
    "log says what is the matter."
)
DECLINED = "The login provider let nobody in. Try again; if it lasts, ask whoever looks after the provider."
CANCELLED = "Nobody was logged in: the login provider was told to cancel."
USED_UP = "This way in from the login provider has been used, or is too old: begin once more here."
NO_PROOF = (
    "The login provider does not say when you proved who you are there, which this takes. Ask whoever looks after it "
    "to send auth_time."
)
SWITCHED_OFF = "Your user is switched off on this site. Ask whoever runs it."
NO_GROUP = "The login provider puts you into no group that this site knows. Ask whoever looks after it for one of: {}."


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth says nothing of types
    """Checks what the provider says, by its signature too, before anybody is looked up by it."""

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Return the address of this site to which the provider sends people back."""
        return request.build_absolute_uri(reverse("oidc_callback"))

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """Return who comes; the groups may be in the ID token, or be asked for. Raises OAuth2Error."""
        claims = self.checked(kwargs["response"]["id_token"])
        groups = claims.get(settings.OIDC_GROUPS_CLAIM)
        if groups is None and "userinfo_endpoint" in self.openid_config:
            asked = self._fetch_user_info(token.token)
            if asked.get("sub") != claims["sub"]:
                raise OAuth2Error("userinfo is about somebody else")
            groups = asked.get(settings.OIDC_GROUPS_CLAIM)
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.groups_claim, login.auth_time = groups, claims.get("auth_time")
        return login

    def checked(self, id_token: str) -> dict[str, Any]:
        """Return the claims of an ID token that the provider has signed for this site, and that is not over."""
        with get_adapter().get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
        response.raise_for_status()
        kid = jwt.get_unverified_header(id_token).get("kid")
        keys = jwt.PyJWKSet.from_dict(response.json()).keys
        key = next((each for each in keys if kid in (each.key_id, None)), None)
        if key is None:
            raise OAuth2Error("the ID token's key is none of the provider's")
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key.key,
            algorithms=ALGORITHMS,
            issuer=settings.OIDC_ISSUER,
            audience=settings.OIDC_CLIENT_ID,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "exp", "iat", "sub"]},
        )
        if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
            raise OAuth2Error("the ID token was made for another site")
        return claims


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """The provider, of whose claims no more than a name is taken and nothing is stored as it came."""

    oauth2_adapter_class = Adapter

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the names that the claims `data` give; "" for what they do not give."""
        found: dict[str, Any] = super().extract_common_fields(data)
        return {name: str(found[name] or "") for name in ("username", "name", "first_name", "last_name")}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        """Return none: people are known by issuer and sub, and get no mail."""
        return []

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return nothing of the claims to be stored."""
        return {}


def admit(request: HttpRequest, login: SocialLogin) -> None:
    """Bring the groups of who comes in step with the claim; raise ImmediateHttpResponse for who may not come in."""
    values = [login.groups_claim] if isinstance(login.groups_claim, str) else login.groups_claim or []
    login.groups = {group for value, group in settings.OIDC_GROUPS if value in values}
    if login.is_existing:
        bring_in_step(login.user, login.groups)
    if not login.groups:
        logger.warning("no known group", extra={"sub": login.account.uid, "claim": values})
        raise ImmediateHttpResponse(not_logged_in(request, NO_GROUP.format(", ".join(GROUPS)), 403))
    if login.is_existing and not (login.user.is_active and login.user.is_staff):
        raise ImmediateHttpResponse(not_logged_in(request, SWITCHED_OFF, 403))
    # Without its word on when it was there is no proof: who comes could have taken out of the address that we asked.
    known = login.auth_time if isinstance(login.auth_time, (int, float)) else 0
    if login.state.get("data") and not known:
        raise ImmediateHttpResponse(not_logged_in(request, NO_PROOF, 403))
    setattr(request, PROVED_AT, min(known, time.time()))


def bring_in_step(user: User, groups: Iterable[str]) -> None:
    """Put `user` into those of our groups, and into no other of ours; a group that somebody made here is left alone."""
    user.groups.remove(*Group.objects.filter(name__in=GROUPS).exclude(name__in=groups))
    user.groups.add(*Group.objects.filter(name__in=groups))


def failed(request: HttpRequest, error: Exception | None) -> HttpResponseBase:
    """Answer with what went wrong at the provider; what it was in detail is for the log."""
    why = request.GET.get("error", "") if error is None else reason(error)
    logger.error("not logged in by the provider", extra={"issuer": settings.OIDC_ISSUER, "error": why})
    if isinstance(error, RequestException):
        return not_logged_in(request, DOWN, 503)
    return not_logged_in(request, DECLINED if error is None else INVALID, 403)


def reason(error: Exception) -> str:
    """Return an error in a few words, without what it quotes: a token has no place in a log."""
    word = re.search(r'"error"\s*:\s*"([\w.-]+)"', str(error))  # in the body of an answer, as OAuth has it
    if isinstance(error, OAuth2Error) and "retrieving access token" in str(error):
        return f"no token: {word[1] if word else 'unknown'}"
    is_known = isinstance(error, (OAuth2Error, RequestException, jwt.PyJWTError))
    return f"{type(error).__name__}: {error}" if is_known else type(error).__name__


@require_safe
@never_cache
def login(request: HttpRequest) -> HttpResponseBase:
    """Lead to the provider, who is to ask anew whom it knows already if somebody has to prove who they are."""
    again = request.user.is_authenticated
    address = get_next_redirect_url(request) or reverse("admin:index")
    asked = {"prompt": "login", "max_age": "0"} if again else {}
    try:
        provider = get_adapter().get_provider(request)
        answer: HttpResponseBase = provider.redirect(request, "login", address, data=again, auth_params=asked)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (RequestException, *MISSHAPEN) as error:
        return failed(request, error)
    return answer


@require_safe
@never_cache
def callback(request: HttpRequest) -> HttpResponseBase:
    """Log in who comes back from the provider."""
    try:
        answer: HttpResponseBase = OAuth2CallbackView.adapter_view(Adapter(request, settings.OIDC_ISSUER))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (RequestException, jwt.PyJWTError, *MISSHAPEN) as error:
        return failed(request, error)
    return answer
