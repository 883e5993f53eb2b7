"""A lineage: names one below the other, in groups, and an arc from each to those that are made of it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

from analytics.charts.figure import Cell, Figure

ROW, GUTTER = 24, 84  # pixels: the height of a line, and the width of the room for arcs
NEAR, FAR = 18, 110  # how far to the left the control points of an arc are, of neighbours and at most


class Node(NamedTuple):
    """What is made of others: `made_of` are their keys."""

    key: str
    group: str
    name: str
    url: str
    made_of: Collection[str] = ()


class Line(NamedTuple):
    """A line of the picture: the name of a group, or a name within it."""

    text: str
    y: float
    top: float
    url: str = ""
    is_group: bool = False
    is_here: bool = False


@dataclass(frozen=True, kw_only=True)
class Lineage(Figure):
    """Names in their order: what others are made of comes before them, and nodes of a group come together.

    `here` is the key of the one that it is about.
    """

    nodes: Sequence[Node]
    here: str
    template: ClassVar[str] = "charts/lineage.html"
    row: ClassVar[int] = ROW
    gutter: ClassVar[int] = GUTTER

    @cached_property
    def lines(self) -> list[Line]:
        found: list[Line] = []
        group = None
        for node in self.nodes:
            if node.group != group:
                group = node.group
                found.append(_line(len(found), group, is_group=True))
            found.append(_line(len(found), node.name, url=node.url, is_here=node.key == self.here))
        return found

    @cached_property
    def _heights(self) -> dict[str, float]:
        names = [line for line in self.lines if not line.is_group]
        return {node.key: line.y for node, line in zip(self.nodes, names, strict=True)}

    @property
    def arcs(self) -> Iterator[tuple[str, bool]]:
        """Yield each arc as a path of SVG, and whether it begins or ends here; those that do come last, on top."""
        pairs = [(above, node.key) for node in self.nodes for above in node.made_of if above in self._heights]
        for pair in sorted(pairs, key=lambda pair: self.here in pair):
            yield self._arc(*pair), self.here in pair

    def _arc(self, above: str, below: str) -> str:
        first, last = self._heights[above], self._heights[below]
        bend = GUTTER - min(FAR, NEAR + abs(last - first) / ROW * 6)
        return f"M{GUTTER} {first} C{bend:.0f} {first} {bend:.0f} {last} {GUTTER} {last}"

    @property
    def height(self) -> int:
        return len(self.lines) * ROW

    @property
    def header(self) -> Sequence[str]:
        return ["name", "made of"]

    @property
    def table(self) -> Iterator[Sequence[Cell]]:
        for node in self.nodes:
            yield [Cell(node.key, node.url), Cell(", ".join(key for key in node.made_of if key in self._heights))]


def _line(place: int, text: str, *, url: str = "", is_group: bool = False, is_here: bool = False) -> Line:
    return Line(text, (place + 0.5) * ROW, place * ROW, url, is_group, is_here)
