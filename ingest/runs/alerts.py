"""What a person has to know of, told once when it begins and once when it is over.

After each run the conditions of all sources are looked at, not of its own alone: an MSK run that comes every hour
notices that the COVID figures are stale. When nothing runs at all nobody looks: others learn that from pings.py and
/metrics.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from ingest.models import SOURCES, Alert, PipelineRun, SchemaChange, StepRun
from ingest.runs.channels import NotDeliveredError, configured, send
from ingest.runs.errors import DATABASE_ERRORS, UNFORESEEN, explain
from ingest.runs.status import CLOCK_SET_BACK, RunOutcome, SourceStatus, last_failure, loads, source_statuses

logger = logging.getLogger("ingest.alerts")  # not below ingest.runs, of which most commands log nothing

FEWEST_REJECTS = 10  # more than before, for a jump
FIELDS_NAMED = 5  # of those that changed

Key = tuple[str, str]  # the kind of an alert and its source


@dataclass(frozen=True)
class Condition:
    """What an alert is about, while it lasts. Its message holds no row and no secret."""

    since: datetime
    message: str


def update_alerts() -> None:
    """Record which alerts began and which are over since the last run, log these, and send them to all channels.

    Raises nothing: an alert never fails a run.
    """
    try:
        for alert in _record_news():
            level, event = (logging.WARNING, "alert is over") if alert.ended_at else (logging.ERROR, "alert begins")
            about = {"source": alert.source, "alert": str(alert.kind), "since": alert.began_at.isoformat()}
            logger.log(level, event, extra=about | {"text": alert.message})
        _deliver()
    except Exception as error:
        logger.error("alerts cannot be kept", extra={"error": explain(error)})  # noqa: TRY400  (in one line)


def _record_news() -> list[Alert]:
    now = timezone.now()
    news = []
    with transaction.atomic(using="default"):
        # Two runs may end together: the second has to see what the first has recorded. An advisory lock would not do:
        # whoever may connect can take it and keep it.
        with connections["default"].cursor() as cursor:
            cursor.execute("lock table alert in share row exclusive mode")
        alerts = {(alert.kind, alert.source): alert for alert in Alert.objects.filter(ended_at=None)}
        for (kind, source), condition in _conditions(alerts).items():
            alert = alerts.get((kind, source))
            if condition and not alert:
                alert = Alert(kind=kind, source=source, message=condition.message, began_at=condition.since)
            elif alert and not condition:
                alert.ended_at = now
            elif alert and condition and kind == Alert.Kind.SCHEMA_CHANGE and alert.message != condition.message:
                alert.message = condition.message  # the fields changed once more
            else:
                continue
            alert.pending = configured()
            alert.save()
            news.append(alert)
        Alert.objects.filter(ended_at__lt=now - timedelta(days=settings.RUN_HISTORY_DAYS)).delete()
    return news


def _conditions(alerts: dict[Key, Alert]) -> dict[Key, Condition | None]:
    # None: the condition does not hold. One that cannot be known now is not there.
    found: dict[Key, Condition | None] = {}
    failures = {}
    try:
        for status in source_statuses():
            found[Alert.Kind.STALE, status.source] = _stale(status)
            failures[status.source] = status.failure
        found[Alert.Kind.SCHEMA_CHANGE, "covid"] = _schema_change()
    except DATABASE_ERRORS:
        pass  # the warehouse does not answer; the run log, which is elsewhere, does
    for source in SOURCES:
        found[Alert.Kind.FAILED, source] = _failed(failures[source] if source in failures else last_failure(source))
        found[Alert.Kind.REJECTS, source] = _rejects(source, alerts.get((Alert.Kind.REJECTS, source)))
    return found


def _failed(failure: RunOutcome | None) -> Condition | None:
    if not failure:
        return None
    reason = failure.error
    if UNFORESEEN in reason:  # what nobody foresaw stays in the house; an earlier release let it quote a row
        reason = "it was stopped" if failure.status == PipelineRun.Status.INTERRUPTED else "the run log has the error"
    message = f"Run {failure.id}, {failure.command} by {failure.trigger}, {failure.status}: {reason}"
    return Condition(failure.finished or failure.started, message)


def _stale(status: SourceStatus) -> Condition | None:
    tried = PipelineRun.objects.filter(source=status.source).order_by("pk").values_list("started", flat=True)
    # The age of a source that was never loaded counts from its first try.
    base = status.loaded_at or tried.first() or timezone.now()
    if status.is_from_the_future:
        return Condition(timezone.now(), f"It was loaded at {_time(base)}, {CLOCK_SET_BACK}")
    since = base + timedelta(hours=status.max_age_hours)
    if since >= timezone.now():
        return None
    loaded = f"It was last loaded at {_time(base)}" if status.loaded_at else "It was never loaded"
    return Condition(since, f"{loaded}; {status.source.upper()}_MAX_AGE_HOURS={status.max_age_hours}")


def _schema_change() -> Condition | None:
    run = PipelineRun.objects.filter(source="covid", status=PipelineRun.Status.SUCCEEDED).order_by("-pk").first()
    if not run:
        return None
    # By its start as well: where the run log was restored from a backup, another run has had the same number.
    seen = SchemaChange.objects.filter(run_id=run.pk, detected_at__gte=run.started)
    changes = list(seen.order_by("pk"))
    if not changes:
        return None
    named = ", ".join(f"{change.field_name} {change.kind}" for change in changes[:FIELDS_NAMED])
    more = f" and {len(changes) - FIELDS_NAMED} more" if len(changes) > FIELDS_NAMED else ""
    return Condition(changes[0].detected_at, f"Run {run.pk} saw fields of the COVID API change: {named}{more}")


def _rejects(source: str, alert: Alert | None) -> Condition | None:
    """Compare the share of each table that the last load rejected with that of an earlier load.

    The earlier one is the load before or, while the alert is open, the last load before it began. Once the run log has
    forgotten that load, the new share counts as usual, and the alert ends.
    """
    last = loads(source).first()
    if not last:
        return None
    since = alert.began_at if alert else last.started
    before = loads(source).filter(started__lt=since).first()
    if not before:
        return None
    steps = StepRun.objects.filter(run__in=(before, last), step__startswith="load_").order_by("pk")
    earlier, now = ({step.table_name: step for step in steps if step.run_id == run.pk} for run in (before, last))
    if not any(step.checked for step in earlier.values()):  # by a release that did not count what it checked
        return Condition(since, alert.message) if alert else None
    jumps = [
        f"{_share(now[table])} of {table}, {_share(earlier[table])} before"
        for table in now
        if table in earlier and _has_jumped(earlier[table], now[table])
    ]
    return Condition(since, f"Run {last.pk} rejected {'; '.join(jumps)}") if jumps else None


def _has_jumped(before: StepRun, now: StepRun) -> bool:
    """Tell whether many more rows of a table were rejected than before, in as many as the smaller of both had.

    So a source that grows is no jump, and neither are a few rows of a small table, in which every percentage is large.
    """
    rows = min(before.checked or now.checked, now.checked)
    was, is_now = (step.rejected * rows / (step.checked or 1) for step in (before, now))
    return is_now - was >= FEWEST_REJECTS and (is_now - was) * 100 > was * settings.REJECTS_ALERT_PERCENT


def _share(step: StepRun) -> str:
    return f"{step.rejected:,} of {step.checked:,} rows"


def _deliver() -> None:
    """Send each alert to the channels that its news has yet to reach; one that fails is tried again after a later run.

    A channel out of order is tried once: there may be many alerts, and each would wait for it.
    """
    dead: set[str] = set()
    for pk in list(Alert.objects.exclude(pending=[]).order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic(using="default"):
            # Another run may be sending it at this moment: then it is locked.
            alert = Alert.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
            if alert:
                alert.pending = [
                    name for name in configured() if name in alert.pending and not _sent(alert, name, dead)
                ]
                alert.save(update_fields=["pending"])


def _sent(alert: Alert, channel: str, dead: set[str]) -> bool:
    if channel in dead:
        return False
    what = f"{alert.source}: {alert.get_kind_display()}"
    if alert.ended_at:
        title = f"Over: {what}, from {_time(alert.began_at)} to {_time(alert.ended_at)}"
    else:
        title = f"{what} since {_time(alert.began_at)}"
    try:
        send(channel, title, f"{alert.message}. manage.py pipeline_status says more.")
    except NotDeliveredError as error:
        logger.warning("alert not delivered", extra={"channel": channel, "reason": str(error)})
        dead.add(channel)
        return False
    return True


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
