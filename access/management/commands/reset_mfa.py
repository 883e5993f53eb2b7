"""Remove somebody's second factor."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Remove a user's authenticator app, passkeys and recovery codes: the next login sets up new ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the name with which the user logs in")

    def handle(self, *, user: str, **options: Any) -> None:
        found = User.objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"there is no user {user}: look the name up at /admin/auth/user/")
        Authenticator.objects.filter(user=found).delete()
        self.stdout.write(f"{user} has no second factor any more: with REQUIRE_MFA=1 the next login sets one up")
