"""Column lineage: from which columns each column of the warehouse is made.

What SQL makes is worked out from the SQL when it changes (trace.py, `make lineage`) and kept in lineage.json, so that
production needs no parser of SQL. What else becomes a column stands in declared.py.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self, TypeVar

from analytics.dictionary.declared import HOPS, MADE_HERE, READS
from ingest.models import SOURCES

KEPT = Path(__file__).with_name("lineage.json")
Place = TypeVar("Place")
NAME = re.compile(r"((?:msk_db\.)?\w+)\.(.+)")


@dataclass(frozen=True, order=True)
class Origin:
    """A column and its table: of this project, `msk_db.<table>`, or `covid` with a path of its documents.

    It can be a place in a column, `document.cases`, and `*` is a whole row.
    """

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def whole_column(self) -> str:
        """The column that it is in, as the database has it; "" for a whole row."""
        return self.column.partition(".")[0].replace("*", "")

    @classmethod
    def of(cls, name: str) -> Self:
        """Return the origin that is written so; raise ValueError for what names no table and column."""
        found = NAME.fullmatch(name)
        if not found:
            raise ValueError(f"{name} names no table and column")
        return cls(*found.groups())


@dataclass(frozen=True)
class Lineage:
    """What SQL says: the columns that each column is made of, and the tables that the statement of each table reads.

    `copies` are the columns that are another one as it is.
    """

    columns: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, tuple[str, ...]]
    copies: Sequence[str]

    def origins(self, of: Origin) -> tuple[Origin, ...]:
        """Return the columns that one is made of; none for one of a source, and for one that is made here."""
        return tuple(map(Origin.of, self.columns.get(str(of)) or HOPS.get(str(of), ())))

    def sources(self, of: Origin) -> tuple[Origin, ...]:
        """Return where the values of a column begin: in a source, or with who makes them here."""
        return tuple(sorted(each for each in self.ancestors(of) if not self.origins(each)))

    def ancestors(self, of: Origin) -> set[Origin]:
        """Return all columns of which one is made, by however many steps."""
        return _reached(of, self.origins)

    def is_copy(self, of: Origin) -> bool:
        """Tell whether a column has the values of another one as they are."""
        return str(of) in self.copies or str(of) in HOPS

    def reads(self, table: str) -> tuple[str, ...]:
        """Return the tables from which one is filled, or that its rows are checked against."""
        return self.tables.get(table) or READS.get(table, ())

    def tables_behind(self, table: str) -> set[str]:
        """Return all tables from which one is filled, by however many steps."""
        return _reached(table, self.reads)


def _reached(start: Place, following: Callable[[Place], Iterable[Place]]) -> set[Place]:
    found: set[Place] = set()
    waiting = [*following(start)]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += following(each)
    return found


def is_in_a_source(place: Origin) -> bool:
    """Tell whether a place is a column of a source, or in a document of one."""
    return place.table.startswith("msk_db.") or place.table in SOURCES


def made_here(column: Origin) -> str:
    """Return who or what makes a column that comes from no other; "" for what does."""
    return MADE_HERE.get(str(column)) or MADE_HERE.get(f"{column.table}.*", "")


@cache
def lineage() -> Lineage:
    """Return the lineage as it is kept."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    columns, tables = ({name: tuple(each) for name, each in kept[part].items()} for part in ("columns", "tables"))
    return Lineage(columns, tables, kept["copies"])
