"""Whether the site is alive and whether it is well: what a container's health check and a load balancer ask.

Anybody may ask, so the answer is a word a check; who may see the admin is told the rest.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ingest.errors import DATABASE_ERRORS, explain
from ingest.status import SourceStatus, State, source_statuses

# The source is not among them: when it is down its runs fail, and what the warehouse holds is still to be had.
DATABASES = ("default", "analytics")
PATIENCE_SECONDS = 2  # for a server to let us in, and then for each statement
OK, UNKNOWN = "ok", "unknown"
STARTED = timezone.now()


@dataclass(frozen=True)
class Check:
    name: str
    word: str = OK
    detail: str = ""
    is_excused: bool = False  # what is the matter does not count


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process is alive, without asking any database."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the databases answer and are migrated and no source is stale or failing, else 503."""
    with ExitStack() as stack:
        for alias in DATABASES:
            stack.enter_context(_impatient(alias))
        checks = list(_checks())
        answer: dict[str, object] = {check.name: check.word for check in checks}
        if checks[0].word == OK and _may_see_more(request):
            answer["details"] = {check.name: check.detail for check in checks}
    return JsonResponse(answer, status=200 if all(check.word == OK or check.is_excused for check in checks) else 503)


def _may_see_more(request: HttpRequest) -> bool:
    try:
        return request.user.is_active and request.user.is_staff
    except DATABASE_ERRORS:  # there may be no table of sessions yet
        return False


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
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _ in plan]


@contextmanager
def _impatient(alias: str) -> Iterator[None]:
    """Let this thread's connection to a database be a new one, which soon gives up."""
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
