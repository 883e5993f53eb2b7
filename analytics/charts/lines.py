"""Lines over days or weeks, one alone with the band in which half of what it stands for lies, if there is one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import ClassVar, NamedTuple

from django.utils.safestring import SafeString, mark_safe

from analytics.charts.figure import Cell, Figure, row
from analytics.charts.scale import Scale, Tick, day_marks, even_marks, number, round_scale, short, ticks

HEIGHT, AXIS = 240, 24  # pixels
MARKS = 60  # pixels beside them, for the marks of the upright axis
STYLES = 7  # how many lines charts.css can tell apart


class Point(NamedTuple):
    """A value at `x`, the ends of its band, and how many there are behind it of what the chart says it is `weighed` by.

    `url` leads to what is behind it.
    """

    x: int
    value: float
    low: float | None = None
    high: float | None = None
    weight: int | None = None
    url: str = ""


class Line(NamedTuple):
    """A line of a chart: its name in the legend, and its points from left to right."""

    name: str
    points: Sequence[Point]


class Drawn(NamedTuple):
    """A line as it is drawn: paths within a box of 1000 by 1000, and a dot for each point that no line reaches."""

    name: str
    style: str
    path: str
    band: str
    dots: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Lines(Figure):
    """Lines over one axis of whole numbers.

    A line is interrupted where more than `gap` numbers have no point. Of several lines no band is drawn, as nobody
    could tell it from those that lie over it: its ends are in the table. `span` is the first and the last number of the
    axis, for charts that share one; without it the points say so.
    """

    lines: Sequence[Line]
    x_title: str
    weighed: str = ""
    gap: int = 1
    places: int = 0
    span: tuple[int, int] | None = None
    top: float = 0  # the least end of the upright axis
    template: ClassVar[str] = "charts/lines.html"
    height: ClassVar[int] = HEIGHT
    full_height: ClassVar[int] = HEIGHT + AXIS
    y_width: ClassVar[int] = MARKS

    @cached_property
    def xs(self) -> list[int]:
        return sorted({point.x for line in self.lines for point in line.points})

    @cached_property
    def y(self) -> Scale:
        points = [point for line in self.lines for point in line.points]
        values = [point.value for point in points]
        if self.is_banded:
            values += [value for point in points for value in (point.low, point.high) if value is not None]
        return round_scale([*values, self.top])

    @cached_property
    def x(self) -> Scale:
        first, last = self.span or (self.xs[0], self.xs[-1])
        return Scale((first, last if last > first else first + 1))

    @property
    def y_marks(self) -> list[tuple[str, str]]:
        """Each mark of the upright axis: where it is, in pixels, and what it says."""
        return [(f"{self._down(mark) * HEIGHT / 1000:.1f}", short(mark)) for mark in self.y.marks]

    @property
    def x_marks(self) -> Iterator[Tick]:
        return ticks(self.x, self.marked(*map(int, self.x.marks)))

    def marked(self, first: int, last: int) -> list[tuple[float, str]]:
        """Return the numbers that are marked on the level axis, each with its words."""
        return [(mark, number(mark)) for mark in even_marks(first, last)]

    def x_label(self, x: int) -> str:
        """Return what the table calls a number of the level axis."""
        return str(x)

    @property
    def drawn(self) -> list[Drawn]:
        return [self._drawn(f"chart-kind-{place % STYLES}", line) for place, line in enumerate(self.lines)]

    def _drawn(self, style: str, line: Line) -> Drawn:
        path, bands, dots = [], [], []
        for run in self._runs_without_gap(line.points):
            path.append("M" + "L".join(f"{self._across(p.x)} {self._down(p.value)}" for p in run))
            if len(run) == 1:
                dots.append((self.x.percent(run[0].x), f"{self._down(run[0].value) * HEIGHT / 1000:.1f}"))
            banded = [p for p in run if p.low is not None and p.high is not None]
            if self.is_banded and len(banded) > 1:
                there = [f"{self._across(p.x)} {self._down(p.high or 0)}" for p in banded]
                back = [f"{self._across(p.x)} {self._down(p.low or 0)}" for p in reversed(banded)]
                bands.append("M" + "L".join(there + back) + "Z")
        return Drawn(line.name, style, "".join(path), "".join(bands), dots)

    def _runs_without_gap(self, points: Sequence[Point]) -> list[list[Point]]:
        runs: list[list[Point]] = []
        for point in points:
            if runs and point.x - runs[-1][-1].x <= self.gap:
                runs[-1].append(point)
            else:
                runs.append([point])
        return runs

    def _across(self, x: int) -> float:
        return round(self.x.share(x) * 1000, 1)

    def _down(self, value: float) -> float:
        return round((1 - self.y.share(value)) * 1000, 1)

    @property
    def header(self) -> Sequence[str]:
        parts = [self.unit, *(["lower quartile", "upper quartile"] if self._has_bands else [])]
        parts += [self.weighed] if self.weighed else []
        if len(self.lines) == 1:
            return [self.x_title, *parts]
        return [self.x_title, *(f"{line.name}: {part}" for line in self.lines for part in parts)]

    @cached_property
    def _has_bands(self) -> bool:
        return any(point.low is not None for line in self.lines for point in line.points)

    @property
    def is_banded(self) -> bool:
        """Whether bands are drawn."""
        return self._has_bands and len(self.lines) == 1

    @property
    def leaves_bands_out(self) -> bool:
        """Whether there are bands in the table alone."""
        return self._has_bands and not self.is_banded

    @property
    def table(self) -> Iterator[list[Cell]]:
        by_line = [{point.x: point for point in line.points} for line in self.lines]
        for x in self.xs:
            yield [Cell(self.x_label(x)), *(cell for points in by_line for cell in self._cells(points.get(x)))]

    @property
    def body(self) -> SafeString:
        """The rows of the table, each with where its number is on the axis, by which the script finds it."""
        places = (f' data-share="{self.x.share(x):.4f}"' for x in self.xs)
        return mark_safe("\n".join(map(row, self.table, places)))  # noqa: S308  (each cell is escaped)

    def _cells(self, point: Point | None) -> Iterator[Cell]:
        yield Cell(number(point.value, self.places), point.url) if point else Cell("")
        if self._has_bands:
            yield Cell(number(point.low, self.places) if point else "")
            yield Cell(number(point.high, self.places) if point else "")
        if self.weighed:
            yield Cell(number(point.weight) if point else "")


class DayLines(Lines):
    """Lines over days: the numbers are days since the year 1."""

    def marked(self, first: int, last: int) -> list[tuple[float, str]]:
        """Return the days that are marked on the level axis, each with its words."""
        return day_marks(first, last)

    def x_label(self, x: int) -> str:
        """Return what the table calls a day: its date as YYYY-MM-DD."""
        return date.fromordinal(x).isoformat()
