"""Load the source from a dump."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.databases import load_source
from ingest.runs.errors import explain


class Command(BaseCommand):
    help = "Load msk_db.sql of the project's folder, or else the sample, as the source; the old one stays if it fails."

    def handle(self, **options: Any) -> None:
        try:
            self.stdout.write(load_source())
        except Exception as error:
            raise CommandError(explain(error)) from error
