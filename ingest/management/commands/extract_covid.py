"""Fetch what is new from the COVID API."""

from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError

from ingest.covid.extract import extract_covid
from ingest.runs.command import PipelineCommand
from ingest.runs.run import Run


class Command(PipelineCommand):
    help = "Catch up with the COVID API by its history: the missing days and the restated ones."
    source = "covid"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--date", type=date.fromisoformat, metavar="YYYY-MM-DD", help="fetch this day only")
        parser.add_argument("--from", type=date.fromisoformat, metavar="YYYY-MM-DD", help="fetch the days from this")
        parser.add_argument("--to", type=date.fromisoformat, metavar="YYYY-MM-DD", help="to this, one by one")
        parser.add_argument("--all", action="store_true", help="read the whole history, even if it is the same")

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        extract_covid(run, options["days"], anew=options["all"])

    def handle(self, **options: Any) -> None:
        super().handle(**options, days=_days(options))


def _days(options: dict[str, Any]) -> list[date] | None:
    day, first, last, anew = (options[name] for name in ("date", "from", "to", "all"))
    if sum((day is not None, first is not None or last is not None, anew)) > 1:
        raise CommandError("--date, --from with --to, and --all exclude each other: give one of them")
    if (first is None) != (last is None):
        raise CommandError("--from and --to belong together: give both")
    if first and first > last:
        raise CommandError(f"--from {first} lies after --to {last}: exchange them")
    if day:
        return [day]
    # None stands for the history of all days.
    return [first + timedelta(number) for number in range((last - first).days + 1)] if first else None
