"""Bring the star schema in step with the staging tables."""

from typing import Any

from analytics.loads.star import load_msk
from ingest.runs.command import PipelineCommand
from ingest.runs.run import Run


class Command(PipelineCommand):
    help = "Load the staging tables into the star schema; list the rows that do not fit in rejected_row."
    source = "msk"

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        load_msk(run)
