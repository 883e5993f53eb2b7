"""Prove that the warehouse keeps its promises."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.proofs import prove
from ingest.runs.errors import explain


class Command(BaseCommand):
    help = (
        "Prove in SQL every promise of the star schema; a line each, and a non-zero exit if one does not hold. "
        "The page /quality/ shows what came out."
    )

    def handle(self, **options: Any) -> None:
        broken = 0
        try:
            for proof in prove():
                broken += bool(proof.violations)
                if proof.violations:
                    self.stdout.write(self.style.ERROR(f"FAIL  {proof.promise}: broken by {proof.violations} rows"))
                else:
                    self.stdout.write(f"ok    {proof.promise}")
        except Exception as error:
            raise CommandError(explain(error)) from error
        if broken:
            said = "1 promise does not hold" if broken == 1 else f"{broken} promises do not hold"
            raise CommandError(
                f"{said}: run run_pipeline --full-refresh, which mends rows of the star; mend at the source what is "
                "wrong there"
            )
