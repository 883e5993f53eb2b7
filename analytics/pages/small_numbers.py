"""Small numbers: what is shown to who may not see patients, so that no figure tells of a single one.

All figures of pages come from answers.py, which hands the rows of a query over to `protected` unless who asks may see
patients. A query that is not listed in QUERIES is not answered to others: a new page cannot forget them. What is kept
between two loads is exact, and protected each time it is shown.

- Of fewer than SMALL_NUMBERS_BELOW patients no count, share or average is shown. Where filters pick the patients, none
  and few look alike: else four groups of a few who are four in all would be one each.
- All other counts are rounded to a multiple of what so many patients have: of five for patients, and of windows of
  five times as many as the most that one patient has there, on a scale of 1, 2 and 5. What is left when one figure is
  subtracted from another, a group's from all or one day's from the next, is then such a multiple or nothing. A filter
  that picks patients does not change the multiple, which would else tell of whom it leaves out.
- Sums and shares of groups are worked out from these rounded counts, and so tell nothing beside them.

To hide a second group, so that the first cannot be found by subtraction, would take less from the figures and not be
enough: windows can be asked for by ten dimensions and any day, and each answer is one more equation.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings

Row = dict[str, Any]
# The tables of the source whose rows are about patients.
OF_PATIENTS = ("patient", "patient_journey", "step_result", "survey_result")


@dataclass
class Seen:
    """For whom figures are worked out: whether they are exact, and whether one was not."""

    exactly: bool
    is_protected: bool = False


_seen: ContextVar[Seen | None] = ContextVar("seen", default=None)  # None: nobody has said for whom


class UnprotectedError(RuntimeError):
    """A page asked for a query whose figures nobody says how to protect."""


class Rounded(int):
    """A count that is shown, and of what it is a multiple."""

    multiple: int

    def __new__(cls, number: int, multiple: int) -> Self:
        made = super().__new__(cls, number)
        made.multiple = multiple
        return made


class Few(Rounded):
    """A count that is not told: 0 in a sum, and words where it is shown.

    It is below `multiple`, or of fewer `patients` than are told.
    """

    patients = 0

    def __new__(cls, multiple: int, patients: int = 0) -> Self:
        made = super().__new__(cls, 0, multiple)
        made.patients = patients
        return made

    def __str__(self) -> str:
        return f"of fewer than {self.patients} patients" if self.patients else f"fewer than {self.multiple}"

    def __format__(self, form: str) -> str:
        return str(self)


@contextmanager
def seen(*, exactly: bool) -> Iterator[Seen]:
    """Let figures in the block be exact, or protected; without it they are protected."""
    token = _seen.set(found := Seen(exactly))
    try:
        yield found
    finally:
        _seen.reset(token)


def applies() -> bool:
    """Tell whether figures are to be protected."""
    found = _seen.get()
    return settings.SMALL_NUMBERS_BELOW > 1 and not (found and found.exactly)


def none() -> int:
    """Return what stands for no windows: where figures are protected, few look the same."""
    return _few(of_patients=True) if applies() else 0


def rounded(number: int, patients: int | None = None, most: int = 1) -> int:
    """Return a count as it may be shown: behind it are `patients`, by default as many, with `most` each or fewer."""
    if not number or not applies():
        return number
    if (number if patients is None else patients) < settings.SMALL_NUMBERS_BELOW:
        return _few(of_patients=patients is not None)
    _note()
    base = _base_from(settings.SMALL_NUMBERS_BELOW * most)
    return Rounded((number + base // 2) // base * base, base) or Few(base)


def is_known(parts: Iterable[int]) -> bool:
    """Tell whether the sum of protected counts is known to a quarter: well enough for the share of one of them."""
    parts = list(parts)
    known = [part.multiple / (1 if isinstance(part, Few) else 2) for part in parts if isinstance(part, Rounded)]
    widest = max((part.multiple for part in parts if isinstance(part, Rounded)), default=0)
    return 0 < sum(known) + widest * (len(parts) - len(known)) <= sum(parts) / 4


def told(value: float | None) -> float | None:
    """Return an average with two digits, as the median of five patients is the value of one of them."""
    return value and float(f"{value:.1e}")


def hides_rows(has_permission: Callable[[str], bool]) -> bool:
    """Tell whether counts of rows are protected as those of patients: not for who sees the runs, which show them."""
    return applies() and not has_permission("ingest.view_pipelinerun")


def protected(name: str, rows: list[Row]) -> list[Row]:
    """Return the rows of the query `name` as they may be shown."""
    if not applies():
        return rows
    if name not in QUERIES:
        raise UnprotectedError(f"{name} is for who may see patients: small_numbers.py does not say what others see")
    return QUERIES[name](rows)


def note() -> str:
    """Return what the page says of its figures, if one of them was protected."""
    found = _seen.get()
    if not (found and found.is_protected):
        return ""
    few = settings.SMALL_NUMBERS_BELOW
    return (
        f"Small numbers: a figure of fewer than {few} patients is not shown, and other counts are rounded to what {few}"
        " patients have, so that no difference of two figures tells of one. Sums and shares are of what is shown. "
        "Who may see patients sees all of it exactly."
    )


def _few(*, of_patients: bool) -> Few:
    _note()
    few = settings.SMALL_NUMBERS_BELOW
    return Few(few, few if of_patients else 0)


def _note() -> None:
    if found := _seen.get():
        found.is_protected = True


def _base_from(least: int) -> int:
    bases: Iterator[int] = (factor * 10**power for power in range(20) for factor in (1, 2, 5))
    return next(base for base in bases if base >= least)


# --- What each query gives

Protection = Callable[[list[Row]], list[Row]]


def _as_it_is(rows: list[Row]) -> list[Row]:
    return rows


# Each column is named with the one that has the patients behind it; a null there says that it counts none.
def _counts(**patients: str) -> Protection:
    def protect(rows: list[Row]) -> list[Row]:
        return [
            row | {name: rounded(row[name], row[of]) for name, of in patients.items() if row[of] is not None}
            for row in rows
        ]

    return protect


def _if_many(protect: Protection, name: str) -> Protection:
    def many(rows: list[Row]) -> list[Row]:
        # In the order of what is shown, so that no place tells more than that.
        return sorted((row for row in protect(rows) if row[name]), key=lambda row: (-row[name], str(row)))

    return many


def _quartiles(rows: list[Row]) -> list[Row]:
    averages = ("lower_quartile", "median", "upper_quartile")
    return [
        row | {name: told(row[name]) for name in averages} | {"patients": patients}
        for row in rows
        if (patients := rounded(row["patients"]))
    ]


def _windows(rows: list[Row]) -> list[Row]:
    # The most of a colour as a whole: that of what the filters leave would tell whom they leave out.
    most: dict[Any, int] = {}
    for row in rows:
        most[row["colour_value"]] = max(row["most"], most.get(row["colour_value"], 1))
    return [
        row | {"windows": rounded(row["windows"], row["patients"], most[row["colour_value"]])}
        for row in rows
        if row["patients"] >= settings.SMALL_NUMBERS_BELOW
    ]


def _tables(rows: list[Row]) -> list[Row]:
    return [row | {"rows": rounded(row["rows"])} if row["rows"] and row["is_about_patients"] else row for row in rows]


def _service(rows: list[Row]) -> list[Row]:
    counted = _counts(operations="operated", missed="missing")(rows)
    # A count that is few is unknown: the chart has no point for it.
    return [row | {name: None for name in ("operations", "missed") if isinstance(row[name], Few)} for row in counted]


QUERIES: dict[str, Protection] = {
    "adherence_patients": _windows,
    "adherence_values": _as_it_is,  # which names there are
    "covid": _service,
    "home_slugs": _counts(windows="patients"),
    "home_weeks": _counts(patients="patients", operations="operated"),
    "newest_result": _as_it_is,  # a day
    "plausibility_counts": _counts(rows="patients"),
    "preview": _as_it_is,  # preview.py protects its cells
    "quality_days": _counts(rows="patients"),
    "quality_sums": _as_it_is,  # quality_sums.py protects them, once it has seen whether they add up
    "score_changes": _quartiles,
    "scores": _quartiles,
    "steps": _quartiles,
    "surveys": _if_many(_counts(results="patients"), "results"),
    "tables": _tables,
}
