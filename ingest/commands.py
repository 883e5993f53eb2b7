"""What the pipeline's management commands share: a recorded run, its display, and failures in one line."""

import logging
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from ingest.display import print_summary, progress
from ingest.errors import NotRecordedError, explain
from ingest.interrupts import cancel_on_stop
from ingest.runs import Run, dry_run, pipeline_run


class PipelineCommand(BaseCommand):
    """A command that runs the steps of one source. A subclass names the source and says what to do in `steps`."""

    source: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--print-logs", action="store_true", help="print a log line for each table as it is done")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be inserted, updated and deleted, and write nothing"
        )

    def handle(self, **options: Any) -> None:
        self.run_or_fail(self.source, partial(self.steps, options=options), options)

    def run_or_fail(self, source: str, steps: Callable[[Run], None], options: dict[str, Any]) -> None:
        """Do `steps` in a run of its own; raise CommandError with one line when it fails."""
        try:
            self._run(source, steps, options)
        except KeyboardInterrupt as error:
            raise CommandError(_failure(error), returncode=130) from error
        except Exception as error:
            raise CommandError(_failure(error)) from error

    def _run(self, source: str, steps: Callable[[Run], None], options: dict[str, Any]) -> None:
        """Do `steps` in a run of its own, recorded and shown as it goes, and print what it did or, dry, would do."""
        if options["print_logs"]:
            for name in ("ingest", "analytics"):
                logging.getLogger(name).setLevel(logging.INFO)
        command = self.__module__.rsplit(".", 1)[-1]
        started = dry_run(source) if options["dry_run"] else pipeline_run(command, source)
        with progress(hidden=options["print_logs"]) as show, started as run, cancel_on_stop():
            run.on_table = show
            steps(run)
        print_summary(run, self.stdout)

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        """Do the command's work within `run`."""
        raise NotImplementedError


def _failure(error: BaseException) -> str:
    """Return one line on a run that failed, and on the state in which that leaves the warehouse."""
    if isinstance(error, NotRecordedError):
        return str(error)
    what = "interrupted" if isinstance(error, KeyboardInterrupt) else explain(error)
    return f"{what}. The warehouse is as it was."
