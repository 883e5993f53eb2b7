"""What follows when somebody has logged in, has set up a second factor, or has failed at one."""

import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from access.login import PROVED_AT


@receiver(user_logged_in)
def note_the_time(request: HttpRequest, **kwargs: Any) -> None:
    """Note in the session when its user proved who they are; the provider may say that it was some time ago."""
    request.session[PROVED_AT] = getattr(request, PROVED_AT, time.time())


@receiver(signals.authenticator_added)
def count_the_first_code(
    request: HttpRequest, user: AbstractBaseUser, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Take who has set up a second factor for one who has shown it; the code with which they did so is used up."""
    if authenticator.type == Authenticator.Type.TOTP:
        authenticator.wrap().validate_code(request.POST.get("code", ""))
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


@receiver(signals.authentication_failed)
def count_the_failure(request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
    """Let a wrong code count as a wrong password does."""
    user_login_failed.send(__name__, credentials={"username": user.get_username()}, request=request)
