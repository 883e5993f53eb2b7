"""What the pipeline's management commands share: a recorded run, its display, and failures in one line."""

import logging
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ingest.models import PipelineRun, StepRun
from ingest.quoting import visible
from ingest.runs.alerts import update_alerts
from ingest.runs.display import print_summary, progress
from ingest.runs.dry import dry_run
from ingest.runs.errors import NotRecordedError, RowError, SkippedError, explain
from ingest.runs.interrupts import cancel_on_stop
from ingest.runs.pings import Watch
from ingest.runs.run import Run, pipeline_run

FAILED, SKIPPED, INTERRUPTED = 1, 75, 130  # exit codes; 75 is EX_TEMPFAIL of sysexits.h: try again later


class PipelineCommand(BaseCommand):
    """A command that runs the steps of one source. A subclass names the source and says what to do in `steps`."""

    source: ClassVar[str]
    requires_system_checks = ()  # of models and pages, which prepare_databases has checked: a quarter of the start

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options that every run has."""
        parser.add_argument(
            "--print-logs", action="store_true", help="log what happens to the run as it does, a line for each table"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be inserted, updated and deleted, and write nothing"
        )
        parser.add_argument(
            "--report",
            action="store_true",
            help="log what happens, and print the run's number, and a line with it for each step and table that begins",
        )

    def handle(self, **options: Any) -> None:
        """Run the one source; see `run_sources` for what is raised."""
        self.run_sources({self.source: partial(self.steps, options=options)}, options)

    def run_sources(
        self, work: Mapping[str, Callable[[Run], None]], options: dict[str, Any], *, is_watched: bool = False
    ) -> None:
        """Do the work of each source in a run of its own, whatever becomes of the others.

        A dead man's switch is told of them if they are `is_watched`: those that are to load the star.

        Raises CommandError with one line when one failed or was skipped; of the exit codes a failure's wins. Under
        cron, or with --report, the log says it instead, and SystemExit has the code. Under cron to be skipped is all
        right: cron comes again.
        """
        outcomes: dict[str, str] = {}
        codes: dict[int, BaseException] = {}
        for source, steps in work.items():
            watch, ended = Watch(source, is_on=is_watched and not options["dry_run"]), 0
            try:
                self._run(source, steps, options, watch)
            except KeyboardInterrupt as error:
                outcomes[source] = "interrupted. The warehouse is as it was."
                codes[ended := INTERRUPTED] = error
            except SkippedError as error:
                codes[ended := SKIPPED] = error
                outcomes[source] = f"skipped: {explain(error)}."
            except Exception as error:
                codes[ended := FAILED] = error
                outcomes[source] = f"failed: {_failure(error)}"
            else:
                outcomes[source] = "succeeded."
            if not options["dry_run"]:
                try:
                    with cancel_on_stop():
                        if ended != SKIPPED:  # the run that is at work is told of by itself
                            watch.ends(ended)
                        update_alerts()
                except KeyboardInterrupt as error:
                    outcomes[source] += " Interrupted while alerts were sent: the next run goes on with that."
                    codes[INTERRUPTED] = error
            if INTERRUPTED in codes:
                break
        code = next((code for code in (INTERRUPTED, FAILED, SKIPPED) if code in codes), 0)
        if code and not _only_logs(options):
            raise CommandError(_in_one_line(outcomes), returncode=code) from codes[code]
        if code and not (code == SKIPPED and _is_by_cron()):
            # The log has said it; and what a caller logs of an error's cause could quote a patient's row.
            raise SystemExit(code)

    def _run(self, source: str, steps: Callable[[Run], None], options: dict[str, Any], watch: Watch) -> None:
        logs = options["print_logs"] or _only_logs(options)
        if logs:
            for name in ("ingest", "ingest.runs", "analytics"):
                logging.getLogger(name).setLevel(logging.INFO)
        command = self.__module__.rsplit(".", 1)[-1]
        started = dry_run(source) if options["dry_run"] else pipeline_run(command, source)
        with progress(hidden=logs) as show, started as run, cancel_on_stop():
            watch.begins(run.uuid)
            run.on_table = self._reporter(run) if options["report"] else show
            steps(run)
        if not _only_logs(options):
            print_summary(run, self.stdout)

    def _reporter(self, run: Run) -> Callable[[StepRun], None]:
        def report(*place: str) -> None:
            with suppress(BrokenPipeError):  # who listened is gone, which is nothing to the run
                self.stdout.write(" ".join((str(run.id), ", ".join(place))).rstrip())
                self.stdout.flush()

        report()  # who listens has to know the run before its first step
        return lambda counts: report(counts.step, counts.table_name)

    def steps(self, run: Run, options: dict[str, Any]) -> None:
        """Do the command's work within `run`."""
        raise NotImplementedError


# Nobody sits before a run that cron or the worker has started: all that there is to say goes into the log.
def _only_logs(options: dict[str, Any]) -> bool:
    return options["report"] or _is_by_cron()


def _is_by_cron() -> bool:
    return bool(settings.PIPELINE_TRIGGER == PipelineRun.Trigger.CRON)


def _failure(error: Exception) -> str:
    """Return one line on a run that failed, and on the state in which that leaves the warehouse.

    It is for who sits before the command, and may name a row of the source, as no log and no record does.
    """
    if isinstance(error, NotRecordedError):
        return str(error)
    row = f" ({visible(error.row)})" if isinstance(error, RowError) else ""
    return f"{explain(error)}{row}. The warehouse is as it was."


def _in_one_line(outcomes: dict[str, str]) -> str:
    if len(outcomes) == 1:  # who runs one source knows which
        (outcome,) = outcomes.values()
        return outcome.removeprefix("failed: ").removeprefix("skipped: ")
    return " ".join(f"{source} {outcome}" for source, outcome in outcomes.items())
