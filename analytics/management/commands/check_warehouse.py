"""Prove that the warehouse keeps its promises."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.checks import run_checks
from ingest.runs.errors import explain


class Command(BaseCommand):
    help = "Prove in SQL every promise of the star schema; a line each, and a non-zero exit if one does not hold."

    def handle(self, **options: Any) -> None:
        broken = 0
        try:
            for promise, violations in run_checks():
                broken += violations > 0
                if violations:
                    self.stdout.write(self.style.ERROR(f"FAIL  {promise}: {violations} do not"))
                else:
                    self.stdout.write(f"ok    {promise}")
        except Exception as error:
            raise CommandError(explain(error)) from error
        if broken:
            raise CommandError(f"{broken} promises do not hold: run run_pipeline --full-refresh, which mends the star")
