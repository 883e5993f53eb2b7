"""Spread the warehouse over the workers of Citus, or bring it back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.distribution import FIRST, bring_back, distribute, rows_by_worker
from ingest.runs.errors import explain


class Command(BaseCommand):
    help = (
        "Spread the warehouse over the workers of Citus, whose extension its server must have: facts by patient, "
        "dimensions whole on each. Run it again after each migration; what is in its place already stays there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--undo", action="store_true", help="bring the tables back to plain ones on one server")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *, undo: bool, dry_run: bool, **options: Any) -> None:
        try:
            tables = (bring_back if undo else distribute)(is_dry=dry_run)
            rows = {} if undo or dry_run else rows_by_worker(FIRST)
        except Exception as error:
            raise CommandError(explain(error)) from error
        for table in tables:
            self.stdout.write(f"{'would be ' if dry_run else ''}{'brought back: ' if undo else ''}{table}")
        if not tables:
            self.stdout.write("nothing to do: every table is where it belongs")
        for worker, count in rows.items():
            self.stdout.write(f"{worker}: {count:,} rows of {FIRST}")
