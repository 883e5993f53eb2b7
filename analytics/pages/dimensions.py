"""What windows can be told apart by: the words of the address, and what they mean in window_detail."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg2.sql import SQL, Composable, Literal

from analytics.models import ActivityAdherence
from analytics.pages.answers import kept
from analytics.pages.page import RefusedError

UNKNOWN = "unknown"  # what stands for a null
STATUSES = ActivityAdherence.Status.values


@dataclass(frozen=True)
class Dimension:
    """What its values are in a query on window_detail w with the status s: a text, a whole number or a month."""

    name: str
    column: str
    kind: str = "text"

    @property
    def sql(self) -> Composable:
        """Its values, as an expression in a query on window_detail w with the status s."""
        return SQL(self.column)

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")

    def label(self, value: Any) -> str:
        """Return a value as addresses and tables have it."""
        if value is None:
            return UNKNOWN
        return value.isoformat()[:7] if isinstance(value, date) else str(value)

    def condition(self, label: str) -> Composable:
        """Return the condition that a window has the value of `label`; raise RefusedError for what none can be."""
        value = self.value_of(label)
        return SQL("{} is null" if value is None else "{} = {}").format(self.sql, Literal(value))

    def value_of(self, label: str) -> Any:
        """Return the value that an address writes as `label`; raise RefusedError for what none can be."""
        _, pattern, value = KINDS[self.kind]
        if self.name == "status" and label not in STATUSES:
            raise RefusedError(f"status={label} is not known: status is one of {', '.join(STATUSES)}.")
        if label == UNKNOWN and self.kind != "text":
            return None
        try:
            if pattern.fullmatch(label):
                return value(label)
        except ValueError:  # a thirteenth month, or the year 0
            pass
        raise RefusedError(f"{self.name}={label} is not understood: it is {self.written}.")

    @property
    def written(self) -> str:
        """How an address writes its values, in words."""
        form, _, _ = KINDS[self.kind]
        return f"{form}, or {UNKNOWN}"


# How an address writes a value of each kind, in words and as a pattern, and what makes the value of it.
KINDS: dict[str, tuple[str, re.Pattern[str], Callable[[str], Any]]] = {
    "text": ("a text", re.compile(r".*", re.DOTALL), str),
    "number": ("a whole number", re.compile(r"-?[0-9]{1,18}"), int),
    "month": (
        "a month such as 2024-03",
        re.compile(r"[0-9]{4}-[0-9]{2}"),
        lambda label: date.fromisoformat(f"{label}-01"),
    ),
}


def _text(name: str) -> Dimension:
    return Dimension(name, f"coalesce(w.{name}, '{UNKNOWN}')")


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        _text("hospital"),
        _text("joint"),
        _text("journey"),
        _text("activity"),
        _text("milestone"),
        Dimension("clinician", "w.clinician_id", "number"),
        Dimension("month", "date_trunc('month', w.operation_date::timestamp)::date", "month"),
        _text("age_bracket"),
        _text("sex"),
        Dimension("status", "s.status"),
    )
}


def known_labels() -> dict[str, list[str]]:
    """Return what windows can be filtered by: of each dimension, and of schedules, the values that occur."""
    found: dict[str, list[str]] = {name: [] for name in (*DIMENSIONS, "schedule")}
    for row in kept("adherence_values"):
        found[row["dimension"]].append(row["label"])
    return found | {"status": STATUSES}


def conditions(filters: Mapping[str, str]) -> Composable:
    """Return the condition that a window is as all `filters` ask."""
    found: Sequence[Composable] = [DIMENSIONS[name].condition(label) for name, label in filters.items()]
    return SQL(" and ").join(found) if found else SQL("true")
