"""Axes: round marks, and where a value lies between the first and the last of them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple


@dataclass(frozen=True)
class Scale:
    """An axis from the first of its marks to the last one."""

    marks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Return how far along the axis a value lies: 0 at the first mark, 1 at the last."""
        first, last = self.marks[0], self.marks[-1]
        return (value - first) / (last - first)

    def percent(self, value: float) -> str:
        """Return where a value lies, as an attribute of SVG."""
        return f"{self.share(value) * 100:.2f}%"


class Tick(NamedTuple):
    """A mark of a level axis: where it is, what it says, and which end of the text is there.

    Every second one is spare: a narrow screen has no room for it.
    """

    at: str
    text: str
    anchor: str = "middle"
    is_spare: bool = False


def ticks(scale: Scale, marks: Sequence[tuple[float, str]]) -> Iterator[Tick]:
    """Yield the marks of a level axis, those at its ends with their text inside."""
    for place, (value, text) in enumerate(marks):
        share = scale.share(value)
        anchor = "start" if share < 0.08 else "end" if share > 0.92 else "middle"
        yield Tick(scale.percent(value), text, anchor, place % 2 == 1)


def round_scale(values: Sequence[float], *, most: int = 6) -> Scale:
    """Return the axis that begins at or below 0 and the least value, and ends at or above the greatest one.

    Its marks, `most` of them at most, are multiples of 1, 2 or 5 times a power of ten.
    """
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    if low == high:
        return Scale((0.0, 1.0))
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (factor * power for factor in (1, 2, 5, 10, 20, 50)):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < most:
            return Scale(tuple(round(number * step, 10) for number in range(first, last + 1)))
    raise AssertionError("a step of fifty times a sixth of the span is enough for any span")


def even_marks(low: float, high: float, *, most: int = 7) -> list[int]:
    """Return at most `most` whole numbers from `low` to `high`: multiples of 1, 2 or 5 times a power of ten."""
    step = max(1, math.ceil((high - low) / (most - 1)))
    power = 10 ** int(math.log10(step))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step)
    return list(range(math.ceil(low / step) * step, math.floor(high) + 1, step))


def day_marks(first: int, last: int, *, most: int = 8) -> list[tuple[float, str]]:
    """Return at most `most` days, as numbers, from `first` to `last`, each with its words.

    They are each day or each second one, each Monday or each second one, or the first days of months, quarters, half
    years or years.
    """
    begin, end = date.fromordinal(first), date.fromordinal(last)
    for step, most_of_it in ((1, most), (2, most), (7, most), (14, 6)):
        start = begin + timedelta(days=-begin.weekday() % 7 if step >= 7 else 0)
        if (end - start).days // step < most_of_it:
            days = range(start.toordinal(), last + 1, step)
            return [(day, date.fromordinal(day).isoformat()) for day in days]
    for months in (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200):
        numbers = (month for month in range(begin.year * 12, end.year * 12 + 12) if month % months == 0)
        firsts = [date(month // 12, month % 12 + 1, 1) for month in numbers]
        found = [day for day in firsts if begin <= day <= end]
        if len(found) <= most:
            return [(day.toordinal(), f"{day:%Y-%m}" if months < 12 else f"{day:%Y}") for day in found]
    raise AssertionError("in all the years that there are, the centuries are fewer")


def short(value: float) -> str:
    """Return a number as an axis has room for it: 2.5 M for 2,500,000."""
    for size, letter in ((1e9, "bn"), (1e6, "M")):
        if abs(value) >= size:
            return f"{number(value / size, 2)} {letter}"
    return number(value, 2)


def number(value: float | None, places: int = 0) -> str:
    """Return a number as people read it, 12,345 or 3.5; nothing for None."""
    if value is None:
        return ""
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
