"""Spread the warehouse over the workers of Citus, or bring it back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.distribution import FIRST, PARTS_A_WORKER, bring_back, distribute, rows_by_worker
from ingest.runs.errors import explain


class Command(BaseCommand):
    help = (
        "Spread the warehouse over the workers of Citus, whose extension its server must have: facts by patient, "
        "dimensions whole on each. Run it again after each migration; what is in its place already stays there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--undo", action="store_true", help="bring the tables back to plain ones on one server")
        parser.add_argument(
            "--parts",
            type=int,
            metavar="N",
            help=f"cut the rows of patients into so many parts when they go there (default: {PARTS_A_WORKER} a worker)",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *, undo: bool, parts: int | None, dry_run: bool, **options: Any) -> None:
        if parts is not None and parts < 1:
            raise CommandError(f"--parts={parts} cuts nothing: give a number from 1 on, best a few for each worker")
        try:
            tables = bring_back(is_dry=dry_run) if undo else distribute(parts=parts, is_dry=dry_run)
            rows = {} if undo or dry_run else rows_by_worker(FIRST)
        except Exception as error:
            raise CommandError(explain(error)) from error
        for table in tables:
            self.stdout.write(f"{'would be ' if dry_run else ''}{'brought back: ' if undo else ''}{table}")
        if not tables:
            self.stdout.write("nothing to do: every table is where it belongs")
        for worker, count in rows.items():
            self.stdout.write(f"{worker}: {count:,} rows of {FIRST}")
