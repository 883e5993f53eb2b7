"""A time line: spans of days one below the other, with marks in them, and days that stand for all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import ClassVar, NamedTuple

from analytics.charts.figure import Cell, Figure, name_of
from analytics.charts.lines import MARKS
from analytics.charts.scale import Scale, Tick, day_marks, ticks

ROW, LABEL, BAR, AXIS = 32, 18, 10, 24  # pixels
NAMES = 18  # the height of a name of a milestone
# The part of a phone's width that a letter of such a name takes, and the least part that can be seen of a bar.
LETTER, LEAST = 0.027, 0.006


class Mark(NamedTuple):
    """Something done on a day."""

    day: date
    kind: str


class Span(NamedTuple):
    """A span of days, open where an end is None; without both it stands in the table alone."""

    label: str
    note: str
    first: date | None
    last: date | None
    status: str
    marks: Sequence[Mark]
    url: str = ""


class Milestone(NamedTuple):
    """A day that has a name, such as that of the operation."""

    name: str
    day: date


@dataclass(frozen=True, kw_only=True)
class TimeLine(Figure):
    """Spans in their order, beneath the names of the milestones; and today, unless all else is long ago.

    Its axis begins where that of a line chart does, and ends where it does: charts of `days_beside` it can share it.
    """

    spans: Sequence[Span]
    milestones: Sequence[Milestone]
    today: date
    days_beside: Sequence[date] = ()
    template: ClassVar[str] = "charts/timeline.html"
    bar_height: ClassVar[int] = BAR
    label_height: ClassVar[int] = LABEL
    y_width: ClassVar[int] = MARKS

    @cached_property
    def drawn_spans(self) -> list[Span]:
        return [span for span in self.spans if span.first or span.last]

    @cached_property
    def days(self) -> list[date]:
        """The first and the last day that the picture is about; none if there is nothing in it."""
        days = [day for span in self.spans for day in (span.first, span.last, *(m.day for m in span.marks)) if day]
        days += [milestone.day for milestone in self.milestones]
        if not days:
            return []
        first, last = min(days), max(days)
        # A year of nothing would press all that there is into a corner.
        is_near = first - timedelta(days=366) <= self.today <= last + max(timedelta(days=60), (last - first) / 2)
        return [min(first, self.today), max(last, self.today)] if is_near else [first, last]

    @cached_property
    def x(self) -> Scale:
        days = [day.toordinal() for day in (*self.days, *self.days_beside)]
        first, last = min(days), max(days)
        room = max(2, (last - first) // 40)
        return Scale((max(1, first - room), min(date.max.toordinal(), last + room)))

    @property
    def shared_axis(self) -> tuple[int, int] | None:
        """The first and the last day of the axis, for charts that share it; None if it has none."""
        if not (self.days or self.days_beside):
            return None
        first, last = map(int, self.x.marks)
        return first, last

    @cached_property
    def names(self) -> list[tuple[str, str, int, str, str]]:
        """Each milestone: where it is, its name, the height of the name, which end of it is there, and its day.

        A name is in the uppermost row in which it meets no other, on a phone either.
        """
        milestones = [*self.milestones, Milestone("today", self.today)]
        taken: list[float] = []  # how far the names of each row reach
        found = []
        for milestone in sorted(milestones, key=lambda each: each.day):
            if not self.days or not self.days[0] <= milestone.day <= self.days[1]:
                continue
            share = self.x.share(milestone.day.toordinal())
            width = len(milestone.name) * LETTER
            is_at_end = share + width > 1
            begin = share - width if is_at_end else share
            row = next((row for row, reach in enumerate(taken) if reach <= begin), len(taken))
            taken[row : row + 1] = [begin + width + LETTER]
            anchor = "end" if is_at_end else "start"
            found.append((f"{share * 100:.2f}%", milestone.name, NAMES * (row + 1), anchor, milestone.day.isoformat()))
        return found

    @property
    def top(self) -> int:
        """Where the spans begin, below the names of the milestones."""
        return max((y for _, _, y, _, _ in self.names), default=0) + 6

    @property
    def axis_y(self) -> int:
        return self.top + len(self.drawn_spans) * ROW

    @property
    def height(self) -> int:
        return self.axis_y + AXIS

    @property
    def marks(self) -> Iterator[Tick]:
        return ticks(self.x, day_marks(*map(int, self.x.marks)))

    @property
    def statuses(self) -> list[str]:
        """The statuses of the spans that are drawn, for the legend."""
        return sorted({span.status for span in self.drawn_spans})

    @property
    def drawn(self) -> Iterator[dict[str, object]]:
        """Yield each span with where it, its label and its marks are."""
        for place, span in enumerate(self.drawn_spans):
            low, high = self.x.marks
            first = self.x.share(span.first.toordinal() if span.first else low)
            last = self.x.share(span.last.toordinal() + 1 if span.last else high)
            width = max(last - first, LEAST)
            y = self.top + place * ROW
            is_at_end = first > 0.5  # its label ends where it ends, or else begins where it begins
            yield {
                "label": name_of(span.label),
                "status": span.status,
                "url": span.url,
                "says": f"{name_of(span.label)}, {span.note}: {_days(span)}, {span.status}",
                "top": y,
                "y": y + LABEL,
                "x": _percent(first),
                "width": _percent(width),
                "is_at_end": is_at_end,
                "label_x": _percent(0 if is_at_end else first),
                "label_width": _percent(first + width if is_at_end else 1 - first),
                "marks": [(self.x.percent(mark.day.toordinal() + 0.5), y + LABEL + BAR / 2) for mark in span.marks],
            }

    @property
    def header(self) -> Sequence[str]:
        return ["activity", "schedule", "window", "status", "done"]

    @property
    def table(self) -> Iterator[Sequence[Cell]]:
        for span in self.spans:
            done = ", ".join(f"{mark.day} {mark.kind}" for mark in span.marks)
            yield [Cell(name_of(span.label), span.url), *map(Cell, (span.note, _days(span), span.status, done))]


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"


def _days(span: Span) -> str:
    if not (span.first or span.last):
        return "no days"
    return f"{span.first or '…'} to {span.last or '…'}"
