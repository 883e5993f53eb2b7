"""Run the whole pipeline."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from analytics.loads.covid import load_covid
from analytics.loads.star import load_msk
from ingest.commands import PipelineCommand, failure
from ingest.covid.extract import Request, extract_covid
from ingest.msk.extract import extract_msk
from ingest.msk.parse import parse_slugs
from ingest.runs import Run

SOURCES = ("msk", "covid")


class Command(PipelineCommand):
    help = (
        "Extract, stage and load both sources, each in one transaction of the warehouse. A source that fails keeps "
        "the other from nothing; the exit code tells."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--only", choices=SOURCES, help="run this source only")
        parser.add_argument(
            "--skip-staging", action="store_true", help="load the star from the staging tables as they are"
        )
        parser.add_argument("--skip-analytics", action="store_true", help="stop when the staging tables are filled")
        parser.add_argument("--full-refresh", action="store_true", help="read and compare everything, changed or not")

    def handle(self, **options: Any) -> None:
        steps = {"msk": partial(self.msk, options=options), "covid": partial(self.covid, options=options)}
        if options["skip_staging"] and options["skip_analytics"]:
            raise CommandError("--skip-staging and --skip-analytics together leave nothing to do: give one of them")
        outcome: dict[str, str] = {}
        last_error = None
        for source in [options["only"]] if options["only"] else SOURCES:
            try:
                self.run(source, steps[source], options)
            except KeyboardInterrupt as error:
                raise CommandError(f"{source}: {failure(error)}", returncode=130) from error
            except Exception as error:
                last_error = error
                outcome[source] = f"failed: {failure(error)}"
            else:
                outcome[source] = "succeeded."
        if last_error:
            raise CommandError(" ".join(f"{source} {what}" for source, what in outcome.items())) from last_error

    def msk(self, run: Run, options: dict[str, Any]) -> None:
        if not options["skip_staging"]:
            extract_msk(run, full_refresh=options["full_refresh"])
            parse_slugs(run)
        if not options["skip_analytics"]:
            load_msk(run)

    def covid(self, run: Run, options: dict[str, Any]) -> None:
        if not options["skip_staging"]:
            extract_covid(run, Request(anew=options["full_refresh"]))
        if not options["skip_analytics"]:
            load_covid(run)
