"""Let analysts read the star, or its views with pseudonyms, and nothing else."""

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
        parser.add_argument(
            "--pseudonymous",
            action="store_true",
            help="let it read the views of the schema research in the star's place: pseudonyms and shifted dates",
        )

    def handle(self, *, role: str, pseudonymous: bool = False, **options: Any) -> None:
        try:
            tables = grant_analyst(role, pseudonymous=pseudonymous)
        except Exception as error:
            raise CommandError(explain(error)) from error
        database = settings.DATABASES["analytics"]["NAME"]
        what = "views of the schema research in" if pseudonymous else "tables and views of"
        self.stdout.write(f"{role} may read {len(tables)} {what} {database}, and nothing else there")
