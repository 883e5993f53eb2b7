"""What manage.py check --deploy finds of the databases' users."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004  (Django calls it so)

ONE_FOR_ALL = Warning(
    f"The pipeline and the site come to the databases as their owner, {settings.POSTGRES_USER}, who may do everything.",
    hint="Set LOADER_PASSWORD, WEB_PASSWORD and READER_PASSWORD (docs/security.md), and run prepare_databases.",
    id="analytics.W001",
)


@register(Tags.security, deploy=True)
def has_roles(**options: Any) -> list[CheckMessage]:
    """Say so where one user does everything."""
    return [] if {"loader", "web"} <= settings.DATABASE_ROLES.keys() else [ONE_FOR_ALL]
