"""What the pipeline's management commands share: one recorded run, its display, and failures in one line."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.display import print_summary, progress
from ingest.errors import explain
from ingest.runs import Run, pipeline_run


class PipelineCommand(BaseCommand):
    """A command that runs one or more steps. A subclass says which in `steps`."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--print-logs", action="store_true", help="print a log line for each table as it is done")

    def handle(self, **options: Any) -> None:
        if options["print_logs"]:
            for name in ("ingest", "analytics"):
                logging.getLogger(name).setLevel(logging.INFO)
        name = self.__module__.rsplit(".", 1)[-1]
        try:
            with progress(hidden=options["print_logs"]) as show, pipeline_run(name) as run:
                run.on_table = show
                self.steps(run, options)
        except KeyboardInterrupt as error:
            raise CommandError("interrupted; the warehouse is as it was", returncode=130) from error
        except Exception as error:
            raise CommandError(f"{explain(error)}. The warehouse is as it was.") from error
        print_summary(run, self.stdout)

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        """Do the command's work within `run`."""
        raise NotImplementedError
