"""Bring the COVID tables in step with the staged documents."""

from typing import Any

from analytics.loads.covid import load_covid
from ingest.runs.command import PipelineCommand
from ingest.runs.run import Run


class Command(PipelineCommand):
    help = "Load the newest staged version of each day of the COVID API into its star."
    source = "covid"

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        load_covid(run)
