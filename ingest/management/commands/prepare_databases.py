"""Create the databases that are missing and bring them up to date."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from ingest import databases
from ingest.runs.errors import LOAD_SOURCE, explain


class Command(BaseCommand):
    help = (
        "Create the project's own databases where they are missing and bring their tables up to date; with the "
        "embedded PostgreSQL the source too, filled from msk_db.sql in the project's folder or else from the sample."
    )

    def handle(self, **options: Any) -> None:
        try:
            for alias in ("default", "analytics"):
                self._create(alias)
                databases.refuse_between_releases(alias)
                call_command("migrate", database=alias, verbosity=0)
                call_command("createcachetable", database=alias, verbosity=0)
            call_command("clearsessions")
            if settings.EMBEDDED and databases.source_is_ours():
                self._create("msk_db")
                if not databases.source_has_tables():
                    self.stdout.write(databases.load_source())
            elif databases.source_is_ours() and not databases.source_exists():
                name = settings.DATABASES["msk_db"]["NAME"]
                self.stderr.write(f"warning: the source database {name} does not exist; {LOAD_SOURCE}")
            call_command("prepare_roles", stdout=self.stdout, stderr=self.stderr)
        except Exception as error:
            raise CommandError(explain(error)) from error

    def _create(self, alias: str) -> None:
        if databases.create_missing(alias):
            self.stdout.write(f"created database {settings.DATABASES[alias]['NAME']}")
