"""How overrides stand: which wait for the next run, and in which run the others came into the star.

Whether one is in the star is seen by what the star says of its schedule, never by the clock: a run that was at work
when an override was saved may have read it, or not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from analytics.loads.star import STEP
from analytics.models import ScheduleDimension
from ingest.models import PipelineRun, ScheduleOverride, StepRun

OVERRIDDEN = ScheduleDimension.ParseStatus.OVERRIDE
SAYS = ("slug", "parse_status", "milestone_slug", "offset_start_days", "offset_end_days", "parse_note")
COMMITTED_WITHIN = timedelta(seconds=1)  # after its changed_at others can read an override


@dataclass(frozen=True)
class State:
    """How an override stands: `star` is what the star says of its schedule, `run` the one that brought it there."""

    schedule_id: int
    star: dict[str, Any] | None
    is_waiting: bool
    run: PipelineRun | None = None

    def __str__(self) -> str:
        """Return it in words."""
        if self.star is None:
            return "of no effect: its schedule is not in the star"
        if self.is_waiting:
            return "waits for the next run"
        if self.run is None:
            return "applied"
        return f"applied in run {self.run.pk} on {self.run.finished:%Y-%m-%d %H:%M} UTC"


class Waiting(NamedTuple):
    """A schedule whose override, or the deletion of it, is not in the star yet."""

    schedule_id: int
    slug: str | None
    is_deleted: bool


def with_star(overrides: QuerySet[ScheduleOverride]) -> QuerySet[Any]:
    """Return the overrides, each with what the star says of its schedule as `star`; None where it has none."""
    schedule = ScheduleDimension.objects.filter(schedule_id=OuterRef("schedule_id"))
    said = schedule.values(said=JSONObject(**{name: name for name in SAYS}))
    return overrides.annotate(star=Subquery(said))


def states(overrides: Iterable[Any]) -> dict[int, State]:
    """Return by schedule how overrides stand, which come `with_star`."""
    overrides = list(overrides)
    applied = [each for each in overrides if each.star is not None and not _is_waiting(each)]
    loads = _loads_of_schedules_after(min(each.changed_at for each in applied)) if applied else []
    return {
        each.schedule_id: State(
            each.schedule_id,
            each.star,
            is_waiting=each.star is not None and _is_waiting(each),
            run=next((load.run for load in loads if _has_read(load, each)), None) if each in applied else None,
        )
        for each in overrides
    }


def waiting() -> list[Waiting]:
    """Return the schedules of which a run has yet to read what a person says, in the order of their keys."""
    changed = [
        Waiting(each.schedule_id, each.star["slug"], is_deleted=False)
        for each in with_star(ScheduleOverride.objects.all())
        if each.star is not None and _is_waiting(each)
    ]
    override = ScheduleOverride.objects.filter(schedule_id=OuterRef("schedule_id"))
    deleted = ScheduleDimension.objects.filter(~Exists(override), parse_status=OVERRIDDEN)
    return sorted([*changed, *(Waiting(each.schedule_id, each.slug, is_deleted=True) for each in deleted)])


def _is_waiting(override: Any) -> bool:
    said = tuple(override.star[name] for name in SAYS[1:])
    return said != (
        OVERRIDDEN,
        override.milestone_slug,
        override.offset_start_days,
        override.offset_end_days,
        override.note or None,
    )


def _loads_of_schedules_after(moment: Any) -> list[StepRun]:
    loads = StepRun.objects.filter(
        step=STEP,
        table_name=ScheduleDimension._meta.db_table,
        finished__gt=moment,
        run__status=PipelineRun.Status.SUCCEEDED,
    )
    return list(loads.select_related("run").order_by("started"))


def _has_read(load: StepRun, override: ScheduleOverride) -> bool:
    """Tell whether a load has read an override that is in the star.

    Of one that began about when the override was saved nobody can say, unless it wrote what schedules mean.
    """
    if load.finished <= override.changed_at:
        return False
    return load.started > override.changed_at + COMMITTED_WITHIN or bool(load.inserted + load.updated)
