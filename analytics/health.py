"""Whether the site is alive and whether it is well: what a container's health check and a load balancer ask.

Anybody may ask, as often as they like: the answer is a word a check, and is worked out once for all who ask within a
few seconds. Who may see the pipeline's runs is told the rest.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from math import inf
from threading import Condition, Lock
from typing import Generic, TypeVar

from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.middleware import lacks_second_factor
from ingest.runs.errors import DATABASE_ERRORS, explain
from ingest.runs.status import SourceStatus, State, source_statuses

# The source is not among them: when it is down its runs fail, and what the warehouse holds is still to be had.
DATABASES = ("default", "analytics")
PATIENCE_SECONDS = 2  # for a server to let us in, and then for each statement
MAX_AGE_SECONDS = 3  # of what is answered
WAIT_SECONDS = 3  # for it to be worked out; the container's health check gives up after 4
OK, UNKNOWN = "ok", "unknown"
STARTED = timezone.now()
LOOK = Lock()


@dataclass(frozen=True)
class Check:
    """What `/readyz` asks: the word of the answer, and in `detail` what is the matter."""

    name: str
    word: str = OK
    detail: str = ""
    is_excused: bool = False  # its trouble does not count


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process is alive, without asking any database."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the databases answer and are migrated and no source is stale or failing, else 503."""
    checks = readiness.get() or UNANSWERED
    answer: dict[str, object] = {check.name: check.word for check in checks}
    if checks[0].word == OK and _may_see_more(request):
        answer["details"] = {check.name: check.detail for check in checks}
    return JsonResponse(answer, status=200 if all(check.word == OK or check.is_excused for check in checks) else 503)


def _may_see_more(request: HttpRequest) -> bool:
    """Tell whether who asks may see the runs of the pipeline, whose errors the details quote.

    One look at a time: for anybody with a made-up cookie the database is asked. Who comes meanwhile is told the words.
    """
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not LOOK.acquire(blocking=False):
        return False
    try:
        with impatient("default"):
            may = request.user.is_staff and request.user.has_perm("ingest.view_pipelinerun")
            return may and not lacks_second_factor(request)
    except DATABASE_ERRORS:  # there may be no table of sessions yet
        return False
    finally:
        LOOK.release()


Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """A result that one thread at a time works out, and that then serves all threads for `max_age` seconds.

    However many ask, `work` runs once; who asks meanwhile waits until it is done, or `wait` seconds have passed since
    it began. A result that is older than `max_age` is never given: work that is stuck must not look like all is well.
    """

    def __init__(self, work: Callable[[], Result], *, max_age: float, wait: float) -> None:
        self.work, self.max_age, self.wait = work, max_age, wait
        self._changed = Condition()
        self._began: float | None = None  # while a thread is at work
        self._done = -inf
        self._result: Result | None = None

    def get(self) -> Result | None:
        """Return the result; None when the thread that is at work is not done in time. Raises what `work` raises."""
        asked = time.monotonic()
        with self._changed:
            if self._began is not None:
                self._changed.wait_for(lambda: self._began is None, self._began + self.wait - asked)
            if self._began is not None:
                return None
            if self._done >= asked - self.max_age:
                return self._result
            self._began = time.monotonic()
        try:
            result = self.work()
            with self._changed:
                self._result, self._done = result, time.monotonic()
            return result
        finally:
            with self._changed:
                self._began = None
                self._changed.notify_all()


def check() -> tuple[Check, ...]:
    """Return what the databases say now. Each is asked through a connection of its own, which soon gives up."""
    with impatient(*DATABASES):
        return tuple(_checks())


readiness = SingleFlight(check, max_age=MAX_AGE_SECONDS, wait=WAIT_SECONDS)
UNANSWERED = tuple(Check(name, UNKNOWN) for name in ("databases", "migrations", "sources"))


def _checks() -> Iterator[Check]:
    try:
        for alias in DATABASES:
            connections[alias].ensure_connection()
        pending = [f"{alias}: {migration}" for alias in DATABASES for migration in _pending_migrations(alias)]
    except DATABASE_ERRORS as error:
        yield from (Check("databases", "down", explain(error)), Check("migrations", UNKNOWN), Check("sources", UNKNOWN))
        return
    yield Check("databases")
    yield Check("migrations", "pending" if pending else OK, ", ".join(pending))
    try:
        statuses = source_statuses()
    except DATABASE_ERRORS as error:
        yield Check("sources", UNKNOWN, explain(error))
        return
    troubled = [status for status in statuses if status.state in (State.FAILING, State.STALE)]
    word = min((status.state for status in troubled), default=OK)  # of the two, failing comes first
    yield Check("sources", word, ". ".join(map(str, statuses)), is_excused=not any(map(_has_had_its_chance, troubled)))


def _has_had_its_chance(status: SourceStatus) -> bool:
    """Tell whether a source's trouble lies after the start of this process.

    What comes up for the first time, or after days, has to become ready before a run can load or mend anything.
    """
    if status.failure and status.failure.finished:
        return status.failure.finished > STARTED
    return timezone.now() - STARTED > timedelta(hours=status.max_age_hours)


def _pending_migrations(alias: str) -> list[str]:
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    return [f"{app}.{name}" for app, name in _all_migrations() if (app, name) not in applied]


@cache  # they are code, which a process reads once
def _all_migrations() -> tuple[tuple[str, str], ...]:
    graph = MigrationLoader(None).graph
    plans = (graph.forwards_plan(leaf) for leaf in graph.leaf_nodes())
    return tuple(dict.fromkeys(migration for plan in plans for migration in plan))


@contextmanager
def impatient(*aliases: str) -> Iterator[None]:
    """Let this thread's connections to these databases be new ones in the block, which soon give up."""
    with ExitStack() as stack:
        for alias in aliases:
            stack.enter_context(_impatient(alias))
        yield


@contextmanager
def _impatient(alias: str) -> Iterator[None]:
    connection = connections[alias]
    patient = connection.settings_dict
    options = patient["OPTIONS"]
    impatient = {
        "connect_timeout": PATIENCE_SECONDS,
        "options": f"{options['options']} -c statement_timeout={PATIENCE_SECONDS}s",
    }
    connection.close()
    connection.settings_dict = patient | {"OPTIONS": options | impatient}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = patient
