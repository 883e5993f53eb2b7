"""Run the whole pipeline."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from analytics.loads.covid import load_covid
from analytics.loads.star import load_msk
from ingest.models import SOURCES
from ingest.msk.extract import ALLOW_DELETES, extract_msk
from ingest.msk.parse import parse_slugs
from ingest.runs.command import INTERRUPTED, PipelineCommand
from ingest.runs.interrupts import cancel_on_stop
from ingest.runs.run import Run


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
        parser.add_argument(
            "--follow-up",
            action="store_true",
            help="afterwards work out what the site shows, and prove the warehouse once a day, as cron and Run now do",
        )

    def handle(self, **options: Any) -> None:
        if options["follow_up"] and options["dry_run"]:
            raise CommandError("--dry-run writes nothing, and --follow-up keeps what pages show: give one of them")
        if options["skip_staging"] and options["skip_analytics"]:
            raise CommandError("--skip-staging and --skip-analytics together leave nothing to do: give one of them")
        work = {"msk": partial(self.msk, options=options), "covid": partial(self.covid, options=options)}
        asked = {source: work[source] for source in SOURCES if options["only"] in (None, source)}
        self.run_sources(asked, options, is_watched=not options["skip_analytics"])
        if options["follow_up"]:
            # Not above: the site's pages take longer to import than all of a run.
            from analytics.follow_up import follow_up

            try:
                with cancel_on_stop():
                    follow_up()
            except KeyboardInterrupt as error:
                raise CommandError("interrupted after the run, which has succeeded", returncode=INTERRUPTED) from error

    def msk(self, run: Run, options: dict[str, Any]) -> None:
        if not options["skip_staging"]:
            extract_msk(run, full_refresh=options["full_refresh"], allow_deletes=options["allow_deletes"])
            parse_slugs(run)
        if not options["skip_analytics"]:
            load_msk(run)

    def covid(self, run: Run, options: dict[str, Any]) -> None:
        if not options["skip_staging"]:
            # Not above: its HTTP client takes a quarter of the time in which a command starts.
            from ingest.covid.extract import extract_covid

            extract_covid(run, anew=options["full_refresh"])
        if not options["skip_analytics"]:
            load_covid(run)
