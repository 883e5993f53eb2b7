"""The data dictionary: every table, what it means, where its columns come from, how fresh it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.http import Http404, HttpRequest
from django.urls import reverse

from analytics.analyst import star
from analytics.charts.scale import number
from analytics.dictionary.tables import KINDS, LEGEND, PSEUDONYMOUS, STAR, Column, Table, dictionary, made_from
from analytics.pages.answers import Row, kept
from analytics.pages.lineage import of_column, of_table
from analytics.pages.page import Content, RefusedError, asked, page
from analytics.pages.small_numbers import rounded
from ingest.cursors import raw_cursor
from ingest.models import LoadState
from ingest.placement import Placement, placement, rows_known, shares

LONGEST_SEARCH = 200  # characters
COLUMNS = (
    *("table_name", "column_name", "type", "comment", "made_from", "source"),
    *("unit", "null", "key", "origins", "sources", "size", "written_by", "read_by"),
)


@dataclass(frozen=True)
class Entry:
    """A table with what changes from run to run, or with who asks."""

    table: Table
    rows: str
    made_from: str
    loaded_at: datetime | None
    list_address: str = ""


@page("Tables")
def tables(request: HttpRequest) -> Content:
    """Show every table, or what the words of `q` pick of all tables and columns."""
    words = asked(request, ["q"]).get("q", "")
    if len(words) > LONGEST_SEARCH:
        raise RefusedError(f"q has {len(words)} characters: it takes {LONGEST_SEARCH} at most.")
    found = dictionary()
    entries = list(_entries(found.values()))
    columns = _columns_with_words(found.values(), words)
    values = {
        "q": words,
        "legend": LEGEND,
        "groups": [(kind, [each for each in entries if each.table.kind == kind]) for kind in KINDS],
        "columns": columns if words else [],
        "workers": shares(),
    }
    return Content("pages/tables.html", values, COLUMNS, _rows(entries, columns))


@page("Table")
def table(request: HttpRequest, name: str) -> Content:
    """Show a table with its columns, and the lineage of the table or of one `column`."""
    found = dictionary()
    if name not in found:
        raise Http404(f"There is no table {name} in the dictionary.")
    chosen = asked(request, ["column"]).get("column", "")
    columns = {column.name: column for column in found[name].columns}
    if chosen and chosen not in columns:
        raise RefusedError(f"{name} has no column {chosen}: it has {', '.join(columns)}.")
    (entry,) = _entries([found[name]], request)
    drawing = of_column(columns[chosen]) if chosen else of_table(found, name)
    values = {"title": name, "entry": entry, "chosen": chosen, "drawing": drawing}
    return Content("pages/table.html", values, COLUMNS, _rows([entry], columns.values()))


def _columns_with_words(tables: Iterable[Table], words: str) -> list[Column]:
    """Return the columns of which each of the words is said; all where there are no words.

    First come those whose names, or their tables', the words are, then those in whose names the words stand, then those
    in whose meaning, unit or sources they stand.
    """
    wanted = words.lower().split()
    found = []
    for table in tables:
        for column in table.columns:
            names = {table.name, column.name, str(column.place)}
            text = " ".join((str(column.place), column.meaning, table.meaning, column.unit, *map(str, column.sources)))
            if all(word in text.lower() for word in wanted):
                is_named, is_in_name = names.issuperset(wanted), all(word in str(column.place) for word in wanted)
                found.append((2 - is_named - is_in_name, column))
    return [column for _, column in sorted(found, key=lambda each: each[0])]


def _entries(found: Iterable[Table], request: HttpRequest | None = None) -> Iterator[Entry]:
    loads = {load.source: load.loaded_at for load in LoadState.objects.all()}
    rows = rows_by_table()
    for each in found:
        yield Entry(
            each,
            _rows_in_words(each, rows),
            made_from(each),
            loads.get(each.source),
            _list_address(request, each.name) if request else "",
        )


def rows_by_table() -> dict[str, int | None]:
    """Return how many rows each table of the star has: None of a view, and where the server has not counted yet."""
    rows = kept("tables", tables=star("analytics"))
    with raw_cursor("analytics") as warehouse:  # of what is on workers the catalog does not know the rows
        for row in rows:
            if placement(warehouse, row["table_name"]) is not Placement.LOCAL:
                known = max(rows_known(warehouse, row["table_name"]), 0)
                row["rows"] = rounded(known) if row["is_about_patients"] else known
    return {row["table_name"]: row["rows"] for row in rows}


def _rows_in_words(table: Table, rows: dict[str, int | None]) -> str:
    if table.is_view:
        return "a view"
    if table.kind != STAR:
        return "not counted"  # nor told: small_numbers.py protects the star alone
    known = rows[table.name]
    return "not counted yet" if known is None else f"about {number(known)}"


def _rows(entries: Iterable[Entry], columns: Iterable[Column]) -> list[Row]:
    by_name = {entry.table.name: entry for entry in entries}
    return [_row(by_name[column.place.table], column) for column in columns]


def _row(entry: Entry, column: Column) -> Row:
    table = entry.table
    return {
        "table_name": table.name,
        "column_name": column.name,
        "type": column.type,
        "comment": column.meaning,
        "made_from": entry.made_from,
        "source": table.source,
        "unit": column.unit,
        "null": column.null,
        "key": column.key,
        "origins": ", ".join(map(str, column.origins)) or f"made here: {column.made_here}",
        "sources": ", ".join(map(str, column.sources)),
        "size": table.size,
        "written_by": table.written_by,
        "read_by": ", ".join(role for role in table.readers if role != PSEUDONYMOUS or column.is_for_research),
    }


def _list_address(request: HttpRequest, name: str) -> str:
    for model, shown in admin.site._registry.items():
        if model._meta.db_table == name and shown.has_view_permission(request):
            return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return ""  # there is no list, or it is not for who asks
