"""Read the schedules' slugs."""

from typing import Any

from ingest.msk.parse import parse_slugs
from ingest.runs.command import PipelineCommand
from ingest.runs.run import Run


class Command(PipelineCommand):
    help = "Read from the slugs of the staged schedules when their activities are due."
    source = "msk"

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        parse_slugs(run)
