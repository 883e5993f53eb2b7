"""Bring the star schema in step with the staging tables."""

from argparse import ArgumentParser
from typing import Any

from analytics.loads.star import load_msk
from ingest.runs.command import PipelineCommand
from ingest.runs.run import Run


class Command(PipelineCommand):
    help = "Load the staging tables into the star schema; list the rows that do not fit in rejected_row."
    source = "msk"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--new-pseudonym-key",
            action="store_true",
            help="take a PSEUDONYM_KEY that has changed: all patients, patient journeys and clinicians get other "
            "pseudonyms in the schema research, and other dates",
        )

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        load_msk(run, new_pseudonym_key=options["new_pseudonym_key"])
