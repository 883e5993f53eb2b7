"""Create the databases that are missing and bring them up to date."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from ingest import databases
from ingest.errors import PipelineError, explain


class Command(BaseCommand):
    help = (
        "Create the project's own databases where they are missing and bring their tables up to date; with the "
        "embedded PostgreSQL the source too, filled from msk_db.sql in the project's folder or else from the sample."
    )

    def handle(self, **options: Any) -> None:
        try:
            for alias in ("default", "analytics"):
                self._create(alias)
                call_command("migrate", database=alias, verbosity=0)
            if settings.EMBEDDED:
                self._create("msk_db")
                self._fill_source()
        except (PipelineError, Error) as error:
            raise CommandError(explain(error)) from error

    def _create(self, alias: str) -> None:
        if databases.create_missing(alias):
            self.stdout.write(f"created database {settings.DATABASES[alias]['NAME']}")

    def _fill_source(self) -> None:
        if databases.has_tables("msk_db"):
            return
        dump = databases.OWN_DUMP if databases.OWN_DUMP.is_file() else databases.SAMPLE
        databases.load_dump("msk_db", dump)
        self.stdout.write(f"loaded {dump.relative_to(settings.BASE_DIR)} into {settings.DATABASES['msk_db']['NAME']}")
