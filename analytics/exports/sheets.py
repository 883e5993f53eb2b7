"""Rows as XLSX: a sheet of them, and one that says what they are.

XlsxWriter makes the file. The rows it is given as XML, as it would write them by itself: cell by cell it takes ten
times as long, a minute and a half for half a million windows. Each row goes to the disk as it comes.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from analytics.exports.formats import NUMERIC, Column
from ingest.quoting import no_formula

CHARACTERS = 32_767  # that a cell holds
CUT = "… (cut: a cell has no room for more)"
EXACT = 10**15  # whole numbers from here on lose digits
ORIGIN, DAY = datetime(1899, 12, 30), timedelta(days=1)  # noqa: DTZ001  (a sheet knows no zone)
FIRST_DAY = date(1900, 3, 1)  # programs count the days before it differently: 1900 had no 29 February
DAYS, TIMES = "yyyy-mm-dd", 'yyyy-mm-dd"T"hh:mm:ss"+00:00"'
SPECIAL = re.compile("[\x00-\x1f&<>_\ufffe\uffff]|^ | $")  # what cannot stand in XML as it is
REMEMBERED = 4096  # values of a column: most come again and again

About = Callable[[int], Sequence[tuple[str, str]]]


def write_book(path: Path, columns: Sequence[Column], rows: Iterable[Sequence[Any]], about: About) -> None:
    """Write rows, whose values are those that psycopg2 gives, on a sheet, and on a second one what is `about` them."""
    import xlsxwriter  # here, as duckdb in formats.py

    book = xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": str(path.parent)})
    with _closing_files_of_rows(book), book:
        bold = book.add_format({"bold": True})
        sheet = Sheet(book, columns, bold)
        for row in rows:
            sheet.write(row)
        sheet.end()
        notes = book.add_worksheet("about")
        notes.set_column(0, 1, 20)
        for place, (name, value) in enumerate(about(sheet.rows)):
            notes.write_string(place, 0, name, bold)
            notes.write_string(place, 1, value)


@contextmanager
def _closing_files_of_rows(book: Any) -> Iterator[None]:
    # XlsxWriter leaves the file of each sheet's rows open, and on the disk, when it fails.
    try:
        yield
    finally:
        for sheet in book.worksheets():
            with suppress(OSError):
                sheet.row_data_fh.close()


class Sheet:
    """The sheet of the rows, under their names."""

    def __init__(self, book: Any, columns: Sequence[Column], bold: Any) -> None:
        self.sheet = book.add_worksheet("rows")
        self.sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            self.sheet.set_column(place, place, max(12, len(column.name) + 2))
            self.sheet.write_string(0, place, column.name, bold)
        self.sheet._write_single_row(1)  # or it would come after those below
        self.rows = 0
        cells = Cells(self.sheet, book)
        self.places = [(_letters(place), cells.of(column.kind)) for place, column in enumerate(columns)]

    def write(self, row: Sequence[Any]) -> None:
        """Write the next row: of each cell its place, then the rest of it."""
        self.rows += 1
        number = self.rows + 1
        cells = "".join(
            [
                f'<c r="{letters}{number}"{cell(value)}'
                for (letters, cell), value in zip(self.places, row, strict=True)
                if value is not None
            ]
        )
        self.sheet.row_data_fh.write(f'<row r="{number}">{cells}</row>')

    def end(self) -> None:
        """Say how far the rows go."""
        self.sheet.dim_rowmax = self.rows


class Cells:
    """How values are written into cells, after their place."""

    def __init__(self, sheet: Any, book: Any) -> None:
        self.sheet = sheet
        self.day = self._style(book, num_format=DAYS)
        self.time = self._style(book, num_format=TIMES)
        self.quoted = self._style(book, quote_prefix=True)

    def _style(self, book: Any, **how: Any) -> str:
        return f' s="{book.add_format(how)._get_xf_index()}"'

    def of(self, kind: str) -> Callable[[Any], str]:
        """Return what writes the values of a column of this type in duckdb."""
        kinds: dict[str, Callable[[Any], str]] = {
            **dict.fromkeys(("BIGINT", "SMALLINT", "INTEGER"), self._whole_number),
            **dict.fromkeys(("DOUBLE", NUMERIC), self._number),
            "DATE": lru_cache(REMEMBERED)(self._date),
            "TIMESTAMPTZ": self._timestamp,
            "BOOLEAN": self._truth,
            "VARCHAR": lru_cache(REMEMBERED)(self._text),
        }
        return kinds.get(kind, self._other)

    def _text(self, value: str) -> str:
        text = value if len(value) <= CHARACTERS else value[: CHARACTERS - len(CUT)] + CUT
        # As if an apostrophe had been typed before it, so that who edits the cell makes no formula of it either.
        style = "" if no_formula(text) is text else self.quoted
        if not SPECIAL.search(text):
            return f'{style} t="inlineStr"><is><t>{text}</t></is></c>'
        text = self.sheet._escape_data(self.sheet._escape_control_characters(text))
        return f'{style} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'

    def _other(self, value: Any) -> str:
        return self._text(json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value))

    def _whole_number(self, value: int) -> str:
        return f"><v>{value}</v></c>" if abs(value) < EXACT else self._text(str(value))

    def _number(self, value: float | Decimal) -> str:
        return f"><v>{float(value)!r}</v></c>"

    def _date(self, value: date) -> str:
        if value < FIRST_DAY:
            return self._text(value.isoformat())
        return f"{self.day}><v>{(value - ORIGIN.date()).days}</v></c>"

    def _timestamp(self, value: datetime) -> str:
        value = value.astimezone(UTC)
        if value.date() < FIRST_DAY:
            return self._text(value.isoformat())
        return f"{self.time}><v>{(value.replace(tzinfo=None) - ORIGIN) / DAY!r}</v></c>"

    def _truth(self, value: bool) -> str:
        return f' t="b"><v>{value:d}</v></c>'


def _letters(place: int) -> str:
    before, last = divmod(place, 26)  # A to Z, then AA
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)
