"""Run the whole pipeline."""

from argparse import ArgumentParser
from typing import Any

from analytics.loads.star import load_msk
from ingest.commands import PipelineCommand
from ingest.msk.extract import extract_msk
from ingest.msk.parse import parse_slugs
from ingest.runs import Run


class Command(PipelineCommand):
    help = "Extract msk_db, parse its slugs and load the star schema, in one transaction of the warehouse."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--skip-staging", action="store_true", help="load the star from the staging tables as they are"
        )
        parser.add_argument("--skip-analytics", action="store_true", help="stop when the staging tables are filled")
        parser.add_argument(
            "--full-refresh", action="store_true", help="read and compare every row, whatever the digests say"
        )

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        if not options["skip_staging"]:
            extract_msk(run, full_refresh=options["full_refresh"])
            parse_slugs(run)
        if not options["skip_analytics"]:
            load_msk(run)
