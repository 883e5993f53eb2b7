"""Let analysts read the star, and nothing else."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.analyst import grant_analyst
from ingest.runs.errors import explain


class Command(BaseCommand):
    help = (
        "Let a database role read the star schema and nothing else; the role is made, without login, if there is none. "
        "Run it again after an upgrade: it then gives what is new, and takes away what it should not have."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", required=True, metavar="NAME", help="the role, as PostgreSQL writes it")

    def handle(self, *, role: str, **options: Any) -> None:
        try:
            tables = grant_analyst(role)
        except Exception as error:
            raise CommandError(explain(error)) from error
        database = settings.DATABASES["analytics"]["NAME"]
        self.stdout.write(f"{role} may read {len(tables)} tables and views of {database}, and nothing else there")
