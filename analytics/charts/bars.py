"""Stacked bars, one above the other: how the rows of each group part into some kinds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

from analytics.charts.figure import Cell, Figure, name_of
from analytics.charts.scale import Scale, Tick, number, round_scale, short, ticks

BAR, GAP, LABEL, AXIS = 18, 12, 22, 24  # pixels
STYLES = 7  # how many kinds charts.css can tell apart, and an eye
OTHERS = "others"
MOST_CELLS = 3_000  # of the table: more are for a spreadsheet, and each takes a tenth of a millisecond


@dataclass(frozen=True)
class Part:
    """A part of a bar: how many, and where that many are listed."""

    count: int
    url: str = ""


class Bar(NamedTuple):
    """A group, and its parts by kind; `note` says something of it as a whole."""

    label: str
    parts: Mapping[str, Part]
    url: str = ""
    note: str = ""

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts.values())


class Drawn(NamedTuple):
    """A part as it is drawn."""

    style: str
    url: str
    x: str
    width: str
    says: str


@dataclass(frozen=True, kw_only=True)
class StackedBars(Figure):
    """A bar a group, all of one length: a part shows its share of the group, and says how many it is.

    With `is_scaled` a bar is as long as the group is large, beside the others.
    `kinds` gives the kinds in their order, each with the name of its style in charts.css or "". Of more kinds than an
    eye can tell apart, and of more bars than `most`, the rest stands in the table alone; of very many in the CSV alone.
    """

    bars: Sequence[Bar]
    kinds: Mapping[str, str]
    group: str
    noted: str = ""  # what the notes of the bars are, as the table calls it
    nothing: int = 0  # what a bar has of a kind of which it has no part
    most: int = 40
    is_scaled: bool = False
    template: ClassVar[str] = "charts/bars.html"
    bar_height: ClassVar[int] = BAR
    label_height: ClassVar[int] = LABEL

    @property
    def styles(self) -> list[tuple[str, str]]:
        """The kinds that are drawn, each with its style; of more than there are styles the last are one, the others."""
        styles = [
            (name_of(kind), style or f"chart-kind-{place}") for place, (kind, style) in enumerate(self.kinds.items())
        ]
        if len(styles) > STYLES:
            styles[STYLES - 1 :] = [(OTHERS, f"chart-kind-{STYLES - 1}")]
        return styles

    @property
    def left_out(self) -> int:
        """How many bars are in the table and not drawn."""
        return max(0, min(len(self.bars), self._rows_of_table) - self.most)

    @property
    def axis_y(self) -> int:
        return min(len(self.bars), self.most) * (LABEL + BAR + GAP)

    @property
    def height(self) -> int:
        return self.axis_y + AXIS

    @cached_property
    def x(self) -> Scale:
        """The axis of bars that differ in length."""
        return round_scale([bar.total for bar in self.bars[: self.most]])

    @property
    def marks(self) -> Iterator[Tick]:
        if self.is_scaled:
            yield from ticks(self.x, [(mark, short(mark)) for mark in self.x.marks])
            return
        for share in range(0, 101, 25):
            yield Tick(f"{share}%", f"{share} %", {0: "start", 100: "end"}.get(share, "middle"))

    @property
    def drawn(self) -> Iterator[dict[str, object]]:
        """Yield each bar with where it and its parts are."""
        for place, bar in enumerate(self.bars[: self.most]):
            top = place * (LABEL + BAR + GAP)
            yield {
                "label": name_of(bar.label),
                "says": f"{number(bar.total)} {self.unit}" + (f" · {bar.note} {self.noted}" if bar.note else ""),
                "top": top,
                "y": top + LABEL,
                "parts": list(self._parts(bar)),
            }

    def _parts(self, bar: Bar) -> Iterator[Drawn]:
        parts = [bar.parts.get(kind, Part(0)) for kind in self.kinds]
        if len(parts) > STYLES:
            parts[STYLES - 1 :] = [Part(sum(part.count for part in parts[STYLES - 1 :]), bar.url)]
        whole = self.x.marks[-1] if self.is_scaled else bar.total
        before = 0
        for part, (kind, style) in zip(parts, self.styles, strict=True):
            if part.count:
                says = f"{name_of(bar.label)}, {kind}: {number(part.count)} {self.unit}"
                if not self.is_scaled:
                    says += f", {number(part.count / bar.total * 100, 1)} %"
                width = f"{part.count / whole * 100:.3f}%"
                yield Drawn(style, part.url, f"{before / whole * 100:.3f}%", width, says)
                before += part.count

    @property
    def header(self) -> Sequence[str]:
        return [self.group, *map(name_of, self.kinds), "all", *([self.noted] if self.noted else [])]

    @property
    def left_out_of_table(self) -> int:
        return max(0, len(self.bars) - self._rows_of_table)

    @property
    def _rows_of_table(self) -> int:
        # At least all that are drawn, and more where they have few columns.
        return max(self.most, MOST_CELLS // len(self.header))

    @property
    def table(self) -> Iterator[Sequence[Cell]]:
        nothing = Part(self.nothing)
        for bar in self.bars[: self._rows_of_table]:
            parts = (bar.parts.get(kind, nothing) for kind in self.kinds)
            yield [
                Cell(name_of(bar.label), bar.url),
                *(Cell(number(part.count), part.url if part.count else "") for part in parts),
                Cell(number(bar.total), bar.url),
                *([Cell(bar.note)] if self.noted else []),
            ]
