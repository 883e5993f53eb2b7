"""Bring the staging tables in step with msk_db."""

from argparse import ArgumentParser
from typing import Any

from ingest.msk.extract import ALLOW_DELETES, extract_msk
from ingest.runs.command import PipelineCommand
from ingest.runs.run import Run


class Command(PipelineCommand):
    help = "Read what changed in msk_db, as one snapshot of its ten tables, into the staging tables."
    source = "msk"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--full-refresh", action="store_true", help="read and compare every row, whatever the digests say"
        )
        parser.add_argument("--allow-deletes", action="store_true", help=ALLOW_DELETES)

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        extract_msk(run, full_refresh=options["full_refresh"], allow_deletes=options["allow_deletes"])
