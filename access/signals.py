"""What follows when somebody has logged in, has set up a second factor or failed at one, and after a migration."""

import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest

from access.login import LOGGED_IN_AT, PROVED_AT


@receiver(user_logged_in)
def note_the_time(request: HttpRequest, **kwargs: Any) -> None:
    """Note in the session when its user proved who they are; the provider may say that it was some time ago."""
    request.session[LOGGED_IN_AT] = time.time()
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


@receiver(post_migrate)
def say_how_long_lines_are_kept(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Write down ACCESS_LOG_DAYS as the owner, so that whoever calls forget_access_log cannot ask for less."""
    if sender.label == "access" and using == "default":
        with connections[using].cursor() as log:
            if "access_log_days" in connections[using].introspection.table_names(log):
                log.execute(
                    "insert into access_log_days (days) values (%s)"
                    " on conflict (is_only) do update set days = excluded.days",
                    [settings.ACCESS_LOG_DAYS],
                )
