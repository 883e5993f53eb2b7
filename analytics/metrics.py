"""What a monitor reads at /metrics: how sources, runs, alerts and tables stand, asked of the databases at each scrape.

Nothing is counted in a process of the site: each of them, on however many machines, gives the same answer.
"""

from collections.abc import Iterator, Mapping
from secrets import compare_digest

from django.conf import settings
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from analytics.health import DATABASES, impatient
from analytics.pages.home import REJECTED
from analytics.pages.tables import rows_by_table
from ingest.cursors import one_row, raw_cursor
from ingest.models import SOURCES, Alert, PipelineRun
from ingest.runs.errors import DATABASE_ERRORS, explain
from ingest.runs.status import WRITTEN, State, loads, source_statuses
from pipeline_project.version import VERSION

Samples = Mapping[tuple[str, ...], float | None]  # by the values of the labels; None: there is nothing to tell


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus' text format who has METRICS_TOKEN; 503 with one line while a database does not answer."""
    if not settings.METRICS_TOKEN:
        raise Http404("METRICS_TOKEN is not set.")
    if not _has_token(request):
        said = "Authorization: Bearer METRICS_TOKEN is asked for\n"
        return HttpResponse(said, "text/plain", status=401, headers={"WWW-Authenticate": "Bearer"})
    try:
        with impatient(*DATABASES):
            return HttpResponse(generate_latest(REGISTRY), CONTENT_TYPE_LATEST)
    except DATABASE_ERRORS as error:
        return HttpResponse(f"{explain(error)}\n", "text/plain", status=503)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())


class PipelineCollector(Collector):
    """Reads the run log, the alerts and the warehouse whenever its registry is asked."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all metrics, read anew; raise the database's error where it does not answer."""
        yield from _of_sources()
        yield from _of_loads()
        yield from _of_warehouse()
        yield _gauge(
            "pipeline_build_info", "The version that serves the site; the value is 1.", "version", {(VERSION,): 1}
        )


def _gauge(name: str, meaning: str, labels: str, samples: Samples) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=labels.split())
    for values, number in samples.items():
        if number is not None:
            family.add_metric(values, number)
    return family


def _of_sources() -> Iterator[GaugeMetricFamily]:
    now = timezone.now()
    statuses = source_statuses()
    loaded = {(status.source,): status.loaded_at for status in statuses if status.loaded_at}
    yield _gauge(
        "pipeline_last_success_timestamp_seconds",
        "When the star of the source was last loaded; no sample where it never was.",
        "source",
        {source: at.timestamp() for source, at in loaded.items()},
    )
    yield _gauge(
        "pipeline_source_age_seconds",
        "How long ago that was.",
        "source",
        {source: (now - at).total_seconds() for source, at in loaded.items()},
    )
    yield _gauge(
        "pipeline_source_state",
        "1 for the state in which the source is, 0 for the others.",
        "source state",
        {
            (status.source, state.value.replace(" ", "_")): float(status.state == state)
            for status in statuses
            for state in State
        },
    )
    are_open = set(Alert.objects.filter(ended_at=None).values_list("source", "kind"))
    yield _gauge(
        "pipeline_open_alerts",
        "1 for an alert that has begun and is not over, by what the last run saw; else 0.",
        "source kind",
        {(source, kind): float((source, kind) in are_open) for source in SOURCES for kind in Alert.Kind.values},
    )


def _of_loads() -> Iterator[GaugeMetricFamily]:
    # What other runs counted was rolled back, or is only a part of the work.
    runs = [run for source in SOURCES for run in loads(source).prefetch_related("steps")[:1]]
    yield _gauge(
        "pipeline_last_run_seconds",
        "Seconds that the last run took that loaded the star.",
        "source",
        {(run.source,): run.seconds for run in runs},
    )
    yield _gauge(
        "pipeline_source_held_seconds",
        "Seconds of these for which it held a transaction at the source open; COVID has none to hold.",
        "source",
        {(run.source,): run.source_held_seconds for run in runs},
    )
    yield _gauge(
        "pipeline_last_run_rows",
        "Rows of that run: read from a table of the source; inserted, updated, deleted in a table of the star, "
        "or rejected of what enters it.",
        "source table change",
        {sample: rows for run in runs for sample, rows in _rows_by_change(run).items()},
    )
    yield _gauge(
        "pipeline_rejected_rows",
        "Rows of the source that cannot enter the star, as that run counted them.",
        "source_table reason",
        {sample: rows for run in runs for sample, rows in _rejects_by_reason(run).items()},
    )


def _rejects_by_reason(run: PipelineRun) -> dict[tuple[str, ...], float]:
    # As the run log counted them: in the warehouse they may be millions.
    return {
        (REJECTED.get(step.table_name, step.table_name), reason): rows
        for step in run.steps.all()
        for reason, rows in step.reasons.items()
    }


def _rows_by_change(run: PipelineRun) -> dict[tuple[str, ...], float]:
    rows: dict[tuple[str, ...], float] = {}
    for step in run.steps.all():  # what lies between extract and load would count the same rows again
        changes = {"read": step.rows_read} if step.step.startswith("extract_") else {}
        if step.step.startswith("load_"):
            changes = {change: getattr(step, change) for change in WRITTEN}
        rows |= {(run.source, step.table_name, change): number for change, number in changes.items()}
    return rows


def _of_warehouse() -> Iterator[GaugeMetricFamily]:
    yield _gauge(
        "pipeline_table_rows",
        "Rows of a table of the star as /tables/ has them: what the server last counted, an estimate for a large one, "
        "rounded where they are about patients, of which few are 0.",
        "table",
        {(table,): rows for table, rows in rows_by_table().items()},
    )
    yield _gauge(
        "pipeline_database_bytes",
        "Bytes on disk of the database, on its own server.",
        "database",
        {(str(connections[alias].settings_dict["NAME"]),): _bytes(alias) for alias in DATABASES},
    )


def _bytes(alias: str) -> int:
    with raw_cursor(alias) as cursor:
        cursor.execute("select pg_database_size(current_database())")
        (size,) = one_row(cursor)
        return int(size)


REGISTRY = CollectorRegistry()
REGISTRY.register(PipelineCollector())
