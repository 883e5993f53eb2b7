"""Runs that people ask for on the site, and the worker that starts them.

The site writes a request, and no more. The worker, a process of its own, takes it up within a second or so and starts
the run as a child, whose memory goes when it ends, and whose end is not the worker's. The run takes its source's lock
and records itself as any other.

While it works on a request the worker holds a weak lock on its row, which lets the row be written to: a request
that was taken up and whose lock is free has lost its worker, however that came to its end.
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from ingest.models import PipelineRun, RunRequest
from ingest.runs import lock
from ingest.runs.command import SKIPPED
from ingest.runs.errors import DATABASE_ERRORS, explain
from ingest.runs.interrupts import STOPS
from ingest.runs.record import end_gone_runs
from ingest.runs.status import FAILURES, RunOutcome

logger = logging.getLogger("ingest.requests")  # not below ingest.runs, of which most commands log nothing

LOOK_SECONDS = 1  # from one look at the requests to the next
PATIENCE = timedelta(minutes=30)  # with a run of the source that is at work already
STARTING = "starting"
OPEN = RunRequest.objects.filter(finished_at=None)


def ask(source: str, by: str) -> tuple[RunRequest, bool]:
    """Ask for a run of a source; return its request and whether it is new: a source has one open request at most."""
    return RunRequest.objects.get_or_create(source=source, finished_at=None, defaults={"requested_by": by})


@dataclass
class Job:
    """A request that this process has taken up; `hold` is the connection that keeps its row locked.

    `command` starts a run of the source and reports what it is at, as run_pipeline does with --report.
    """

    request: RunRequest
    taken_at: datetime
    command: Sequence[str]
    hold: BaseDatabaseWrapper
    child: "subprocess.Popen[bytes] | None" = None
    newest: int = 0  # run of the source when the child was started
    said: bytes = b""  # the beginning of a line that the child has not finished
    is_told: bool = False  # that it has to stop

    def is_done(self) -> bool:
        """Go on with the request without waiting, and tell whether this job is over.

        The request is finished as soon as its run has ended, and the job once the child has, after the alerts.
        """
        if self.child is None:
            self._begin()
            return bool(self.request.finished_at)
        self._listen(self.child)
        code = self.child.poll()
        if code is None:
            if not self.request.finished_at and self._has_ended():
                settle(self.request)
                self._let_go()
            return False
        if self.request.finished_at:
            self._end_child()
            return True
        self._listen(self.child)
        if code == SKIPPED and not self.request.run_id:  # another one was quicker
            self._end_child()
            return False
        if not self.request.run_id:
            self.request.run_id = self._unreported_run()
        if not self.request.run_id:
            _finish(self.request, f"failed: it ended with exit code {code} before it was on record; the log has more")
        elif not settle(self.request):
            return False
        self._end_child()
        return True

    @property
    def is_at_work(self) -> bool:
        """Whether its run is at work: not what follows that, as alerts do."""
        return bool(self.child and not self.request.finished_at)

    def close(self) -> None:
        """Let go of the request, and end what follows its run."""
        if self.child:
            self.child.terminate()
            self._end_child()
        self._let_go()

    def _let_go(self) -> None:
        with suppress(*DATABASE_ERRORS):
            self.hold.close()

    def _begin(self) -> None:
        if busy := _who_is_at_work(self.request.source):  # a run that began now would skip
            if timezone.now() < self.taken_at + PATIENCE:
                self._note_progress(f"waits for {busy}")
            else:
                minutes = PATIENCE // timedelta(minutes=1)
                _finish(
                    self.request,
                    f"skipped: it has waited {minutes} minutes for {busy}; ask again when that has ended",
                )
            return
        runs = PipelineRun.objects.filter(source=self.request.source).order_by("-pk")
        self.newest = runs.values_list("pk", flat=True).first() or 0
        self._note_progress(STARTING)
        try:
            self.child = subprocess.Popen(  # noqa: S603  (our own command)
                [*self.command, self.request.source],
                cwd=settings.BASE_DIR,
                env=os.environ | {"PIPELINE_TRIGGER": PipelineRun.Trigger.MANUAL.value},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        except OSError as error:  # as where no memory is left
            _finish(self.request, f"failed: its process could not be started ({error}); ask again")
            return
        if self.child.stdout:
            os.set_blocking(self.child.stdout.fileno(), False)

    def stop(self, number: int) -> None:
        """Pass a signal on to the run, once, where a platform signals only the first process of a container."""
        if self.child and not self.is_told and 1 in (os.getpid(), os.getppid()):
            self.is_told = True
            self.child.send_signal(number)

    def _listen(self, child: "subprocess.Popen[bytes]") -> None:
        read = child.stdout.read() if child.stdout else b""  # None while there is nothing
        *lines, self.said = (self.said + (read or b"")).split(b"\n")
        if lines:  # the newest one counts
            number, _, place = lines[-1].decode().partition(" ")
            self._note_progress(place or STARTING, run_id=int(number))

    def _note_progress(self, progress: str, run_id: int | None = None) -> None:
        request = self.request
        if (request.progress, request.run_id) != (progress, run_id):
            _update(request, progress=progress, progress_at=timezone.now(), run_id=run_id)

    def _has_ended(self) -> bool:
        """Tell whether the run is on record as over, although its process is still at work.

        One that is interrupted does not count: no alerts follow it, and another process may have said so wrongly.
        """
        own = PipelineRun.objects.filter(pk=self.request.run_id or 0)
        return own.exclude(status__in=(PipelineRun.Status.RUNNING, PipelineRun.Status.INTERRUPTED)).exists()

    def _unreported_run(self) -> int | None:
        # A run that fails at once, as where the warehouse does not answer, is on record without a report of its number.
        runs = PipelineRun.objects.filter(
            source=self.request.source,
            trigger=PipelineRun.Trigger.MANUAL,
            status__in=FAILURES,
            pk__gt=self.newest,
            started__gte=self.taken_at,
        )
        return runs.order_by("pk").values_list("pk", flat=True).first()

    def _end_child(self) -> None:
        if self.child and self.child.stdout:
            self.child.stdout.close()
        self.child = None


@dataclass
class RequestWorker:
    """Takes requests up and starts their runs by `command`, those of two sources side by side."""

    command: Sequence[str]
    jobs: list[Job] = field(default_factory=list)
    is_stopped: bool = False
    trouble: str = ""  # the last one that was logged

    def work(self) -> None:
        """Look at the requests until SIGTERM or SIGINT comes, and then until the runs at work have ended, no longer.

        These are not told: the signals of entrypoint.sh and of Ctrl-C reach them, too. But a platform signals nothing
        but the first process of a container: where that is this one, or an init before it, the runs are told.
        """
        with self._until_stopped():
            while not self.is_stopped or any(job.is_at_work for job in self.jobs):
                try:
                    self.look()
                    self.trouble = ""
                except DATABASE_ERRORS as error:  # a server that is down comes up again
                    if self.trouble != (trouble := explain(error)):
                        self.trouble = trouble
                        logger.warning("requests cannot be looked at", extra={"error": trouble})
                    connections.close_all()
                time.sleep(LOOK_SECONDS)
            for job in self.jobs:
                job.close()

    def look(self) -> None:
        """Go on with what there is, without waiting for any of it."""
        for job in list(self.jobs):
            if self.is_stopped and not job.child:
                continue
            was_open = not job.request.finished_at
            is_over = job.is_done()
            if self.is_stopped:  # the signal may have come while the run was being started
                job.stop(signal.SIGTERM)
            if was_open and job.request.finished_at:
                logger.info("request is done", extra=_about(job.request) | {"outcome": job.request.outcome})
            if is_over:
                self.jobs.remove(job)
                job.close()
        end_gone_requests({job.request.pk for job in self.jobs})
        while not self.is_stopped and (taken := _take_up_oldest(self.command)):
            self.jobs.append(taken)
            logger.info("request is taken up", extra=_about(taken.request))
        with suppress(*DATABASE_ERRORS):  # a warehouse that is down keeps nobody's request from being looked at
            end_gone_runs()
        connections["analytics"].close()  # it would idle, and may be cut

    @contextmanager
    def _until_stopped(self) -> Iterator[None]:
        def stop(number: int, frame: object) -> None:
            self.is_stopped = True
            for job in self.jobs:
                job.stop(number)

        handlers = {number: signal.signal(number, stop) for number in STOPS}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


def end_gone_requests(own: Collection[int] = ()) -> None:
    """Put on record how the requests ended whose worker is gone, but for our `own`, and for those still at work."""
    with transaction.atomic(using="default"):
        gone = OPEN.exclude(taken_at=None).exclude(pk__in=own)
        for request in gone.select_for_update(skip_locked=True):
            if not request.run_id:
                _finish(request, "interrupted: its worker was gone before a run began; ask again")
            else:
                settle(request)  # its run may have outlived the worker


def settle(request: RunRequest) -> bool:
    """Finish a request as its run has ended; tell whether it has."""
    end_gone_runs()
    run = PipelineRun.objects.filter(pk=request.run_id or 0).first()
    if run is None:
        _finish(request, "interrupted: its run is no longer on record")
        return True
    if run.status == PipelineRun.Status.RUNNING:
        return False
    error = RunOutcome.of(run).error
    _finish(request, f"{run.status}: {error}" if error else run.status)
    return True


def _finish(request: RunRequest, outcome: str) -> None:
    _update(request, finished_at=timezone.now(), outcome=outcome, run_id=request.run_id)


def _update(request: RunRequest, **values: object) -> None:
    # Not by save, which would make a request anew that is no longer on record.
    RunRequest.objects.filter(pk=request.pk).update(**values)
    for name, value in values.items():
        setattr(request, name, value)


def _take_up_oldest(command: Sequence[str]) -> Job | None:
    for request in OPEN.filter(taken_at=None).order_by("pk"):
        # On a connection of its own the row is locked for as long as the worker lives.
        hold = connections["default"].copy()
        hold.set_autocommit(False)
        with hold.cursor() as cursor:
            # Weaker than an update's lock, so that we can still write to the row; end_gone_requests skips it.
            cursor.execute("select from run_request where id = %s for key share skip locked", [request.pk])
            is_held = bool(cursor.rowcount)
        now = timezone.now()
        # Another worker may have taken it up just before.
        if is_held and RunRequest.objects.filter(pk=request.pk, taken_at=None).update(taken_at=now):
            request.taken_at = now
            return Job(request, now, command, hold)
        hold.close()
    return None


def _who_is_at_work(source: str) -> str:
    with suppress(*DATABASE_ERRORS):
        if source in lock.holders():
            return lock.holder(source)
    return ""  # nobody, or the warehouse does not answer: then the run says so


def _about(request: RunRequest) -> dict[str, object]:
    return {"request_id": request.pk, "source": request.source, "run": request.run_id}
