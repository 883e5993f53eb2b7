"""Bars over time: how much each of many happenings took, by one measure or more, and how it ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import ceil, floor
from typing import ClassVar, NamedTuple

from analytics.charts.figure import Cell, Figure
from analytics.charts.scale import Scale, Tick, day_marks, number, round_scale, short, ticks

HEIGHT, LANE, AXIS = 110, 22, 24  # pixels
MARKS = 84  # pixels beside them, for the marks of the upright axes and the names of the lanes
BROAD, THIN = 6, 2  # pixels
FEW = 120  # bars that can be broad without hiding each other, where there is room for more than a phone has
LEAST = 12  # of a thousand parts of the height: a bar of 0 can be seen, too


class TimeBar(NamedTuple):
    """A happening: when it began, how it ended, its value by each measure, and its row of the table.

    `says` names it, and `url` leads to it.
    """

    at: datetime
    kind: str
    values: Sequence[float]
    says: str
    url: str
    cells: Sequence[Cell]


class Panel(NamedTuple):
    """The bars of one measure as they are drawn: a path a kind, within a box of 1000 by 1000."""

    title: str
    y_marks: list[tuple[str, str]]
    paths: list[tuple[str, str]]


class Lane(NamedTuple):
    """The happenings of a kind, each where it began: what a colour says above is said here by a name."""

    kind: str
    style: str
    y: int
    marks: list[tuple[str, str, str]]


@dataclass(frozen=True, kw_only=True)
class TimeBars(Figure):
    """Bars from the `first` to the `last` moment, a picture a measure.

    `kinds` gives each kind with the name of its style in charts.css, the usual one first; the others have each a lane
    below, from which each happening leads to what it is.
    """

    bars: Sequence[TimeBar]
    first: datetime
    last: datetime
    measures: Sequence[str]
    kinds: Mapping[str, str]
    names: Sequence[str]
    template: ClassVar[str] = "charts/times.html"
    height: ClassVar[int] = HEIGHT
    mark_height: ClassVar[int] = LANE - 8
    y_width: ClassVar[int] = MARKS

    @property
    def header(self) -> Sequence[str]:
        return self.names

    @property
    def table(self) -> Iterator[Sequence[Cell]]:
        return (bar.cells for bar in self.bars)

    @property
    def bar_width(self) -> int:
        return BROAD if len(self.bars) <= FEW else THIN

    @cached_property
    def x(self) -> Scale:
        return Scale((_in_days(self.first), _in_days(self.last)))

    @property
    def x_marks(self) -> Iterator[Tick]:
        first, last = self.x.marks
        return ticks(self.x, day_marks(ceil(first), floor(last)))

    @property
    def drawn_kinds(self) -> list[str]:
        found = {bar.kind for bar in self.bars}
        return [kind for kind in self.kinds if kind in found]

    @property
    def panels(self) -> Iterator[Panel]:
        for place, title in enumerate(self.measures):
            y = round_scale([bar.values[place] for bar in self.bars], most=4)
            marks = [(f"{(1 - y.share(mark)) * HEIGHT:.1f}", short(mark)) for mark in y.marks]
            paths = []
            for kind in self.drawn_kinds:  # the usual one first, so that it hides no other
                tops = [(bar.at, y.share(bar.values[place])) for bar in self.bars if bar.kind == kind]
                path = "".join(
                    f"M{self.x.share(_in_days(at)) * 1000:.1f} 1000V{1000 - max(LEAST, top * 1000):.0f}"
                    for at, top in tops
                )
                paths.append((self.kinds[kind], path))
            yield Panel(title, marks, paths)

    @property
    def lanes(self) -> list[Lane]:
        usual = next(iter(self.kinds))
        others = [kind for kind in self.drawn_kinds if kind != usual]
        in_order = sorted(self.bars, key=lambda bar: bar.at)  # where two meet, the later one lies on top
        return [
            Lane(
                kind,
                self.kinds[kind],
                LANE * place,
                [(self.x.percent(_in_days(bar.at)), bar.says, bar.url) for bar in in_order if bar.kind == kind],
            )
            for place, kind in enumerate(others)
        ]

    @property
    def axis_y(self) -> int:
        return LANE * len(self.lanes)

    @property
    def full_height(self) -> int:
        """The height of the lanes with the axis below them."""
        return self.axis_y + AXIS

    @property
    def summary(self) -> str:
        """Say in words what the picture shows."""
        counts = (f"{number(sum(bar.kind == kind for bar in self.bars))} {kind}" for kind in self.drawn_kinds)
        return f"{self.title}: {', '.join(counts)}"


def _in_days(moment: datetime) -> float:
    # Since the year 1, as day_marks takes them.
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return moment.toordinal() + seconds / 86400
