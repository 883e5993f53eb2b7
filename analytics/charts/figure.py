"""What all charts are: a figure with a title, and the table that says the same as its picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe


@dataclass(frozen=True)
class Cell:
    """A cell of the table beneath a chart, and where it leads."""

    text: str
    url: str = ""

    def __str__(self) -> str:
        """Return it as markup."""
        return f'<a href="{escape(self.url)}">{escape(self.text)}</a>' if self.url else escape(self.text)


def name_of(label: str) -> str:
    """Return a label as a chart shows it: one in which there is nothing to see is said to be blank."""
    return label if any(letter.isprintable() and not letter.isspace() for letter in label) else "(blank)"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`key` tells the charts of a page apart; `unit` says what is counted; `empty` what to do where there is nothing.

    The table is open where it is what people come for, and folded elsewhere.
    """

    key: str
    title: str
    unit: str
    empty: str = "There is nothing to show: choose fewer filters."
    is_open: bool = False

    template: ClassVar[str]

    def __str__(self) -> SafeString:
        return render_to_string(self.template, {"chart": self})

    __html__ = __str__  # what format_html asks for

    @property
    def header(self) -> Sequence[str]:
        """The names of the table's columns."""
        raise NotImplementedError

    @property
    def table(self) -> Iterable[Sequence[Cell]]:
        """The rows of the table; the first cell of each names it."""
        raise NotImplementedError

    @property
    def left_out_of_table(self) -> int:
        """How many rows stand in the page's CSV alone."""
        return 0

    @property
    def body(self) -> SafeString:
        """The rows of the table as markup: a template would take a second for ten thousand cells."""
        return mark_safe("\n".join(map(row, self.table)))  # noqa: S308  (each cell is escaped)


def row(cells: Sequence[Cell], attributes: str = "") -> str:
    """Return a row of a table as markup."""
    name, *values = cells
    return f'<tr{attributes}><th scope="row">{name}</th>{"".join(f"<td>{value}</td>" for value in values)}</tr>'
