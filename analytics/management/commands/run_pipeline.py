"""Run the whole pipeline."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from analytics.loads.covid import load_covid
from analytics.loads.star import load_msk
from ingest.commands import PipelineCommand
from ingest.covid.extract import Request, extract_covid
from ingest.msk.extract import ALLOW_DELETES, extract_msk
from ingest.msk.parse import parse_slugs
from ingest.runs import Run

SOURCES = ("msk", "covid")


class Command(PipelineCommand):
    help = (
        "Extract, stage and load both sources, each in one transaction of the warehouse. Each succeeds or fails for "
        "itself; the exit code tells."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--only", choices=SOURCES, help="run this source only")
        parser.add_argument(
            "--skip-staging", action="store_true", help="load the star from the staging tables as they are"
        )
        parser.add_argument("--skip-analytics", action="store_true", help="stop when the staging tables are filled")
        parser.add_argument("--full-refresh", action="store_true", help="read and compare everything, changed or not")
        parser.add_argument("--allow-deletes", action="store_true", help=ALLOW_DELETES)

    def handle(self, **options: Any) -> None:
        if options["skip_staging"] and options["skip_analytics"]:
            raise CommandError("--skip-staging and --skip-analytics together leave nothing to do: give one of them")
        steps = {"msk": partial(self.msk, options=options), "covid": partial(self.covid, options=options)}
        if options["only"]:
            self.run_or_fail(options["only"], steps[options["only"]], options)
            return
        outcomes: dict[str, str] = {}
        last_error = None
        for source in SOURCES:
            try:
                self.run_or_fail(source, steps[source], options)
            except CommandError as error:
                if isinstance(error.__cause__, KeyboardInterrupt):
                    raise
                last_error = error
                outcomes[source] = f"failed: {error}"
            else:
                outcomes[source] = "succeeded."
        if last_error:
            said = " ".join(f"{source} {outcome}" for source, outcome in outcomes.items())
            raise CommandError(said) from last_error.__cause__

    def msk(self, run: Run, options: dict[str, Any]) -> None:
        if not options["skip_staging"]:
            extract_msk(run, full_refresh=options["full_refresh"], allow_deletes=options["allow_deletes"])
            parse_slugs(run)
        if not options["skip_analytics"]:
            load_msk(run)

    def covid(self, run: Run, options: dict[str, Any]) -> None:
        if not options["skip_staging"]:
            extract_covid(run, Request(anew=options["full_refresh"]))
        if not options["skip_analytics"]:
            load_covid(run)
