"""The data dictionary: every table of the star, what it means, where it comes from, how fresh it is, its columns."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.urls import reverse

from analytics.analyst import star
from analytics.charts.scale import number
from analytics.loads.statements import FOLDER
from analytics.loads.tables import STAR_TABLES
from analytics.pages.answers import Row, kept
from analytics.pages.page import Content, asked, page
from analytics.pages.small_numbers import rounded
from ingest.cursors import raw_cursor
from ingest.models import LoadState
from ingest.placement import Placement, placement, rows_known, shares

COLUMNS = ("table_name", "column_name", "type", "comment", "made_from", "source")


@dataclass(frozen=True)
class Table:
    name: str
    meaning: str
    rows: str
    source: str
    made_from: str
    loaded_at: datetime | None
    list_address: str
    columns: list[Row]


@page("Tables")
def tables(request: HttpRequest) -> Content:
    """Show every table of the star."""
    asked(request, [])
    found = _tables(request)
    return Content("pages/tables.html", {"tables": found, "workers": shares()}, COLUMNS, _rows(found))


@page("Table")
def table(request: HttpRequest, name: str) -> Content:
    """Show a table of the star with its columns."""
    asked(request, [])
    found = [each for each in _tables(request) if each.name == name]
    if not found:
        raise Http404(f"There is no table {name} in the star.")
    return Content("pages/table.html", {"title": name, "table": found[0]}, COLUMNS, _rows(found))


def _rows(found: list[Table]) -> list[Row]:
    return [column | {"made_from": each.made_from, "source": each.source} for each in found for column in each.columns]


def _tables(request: HttpRequest) -> list[Table]:
    loads = {load.source: load.loaded_at for load in LoadState.objects.all()}
    models = {model._meta.db_table: model for model in apps.get_app_config("analytics").get_models()}
    return [_table(request, models[name], columns, loads) for name, columns in _columns().items()]


def rows_by_table() -> dict[str, int | None]:
    """Return how many rows each table of the star has: None of a view, and where the server has not counted yet."""
    return {name: columns[0]["rows"] for name, columns in _columns().items()}


def _columns() -> dict[str, list[Row]]:
    """Return the columns of each table of the star, the first of them with how many rows the table has."""
    by_name: dict[str, list[Row]] = {}
    for row in kept("tables", tables=star("analytics")):
        by_name.setdefault(row["table_name"], []).append(row)
    with raw_cursor("analytics") as warehouse:  # of what is on workers the catalog does not know the rows
        for name, columns in by_name.items():
            if placement(warehouse, name) is not Placement.LOCAL:
                rows = max(rows_known(warehouse, name), 0)
                is_about_patients = any(column["column_name"] == "patient_id" for column in columns)
                columns[0]["rows"] = rounded(rows) if is_about_patients else rows
    return by_name


def _table(request: HttpRequest, model: type[Model], columns: list[Row], loads: dict[str, datetime]) -> Table:
    name = model._meta.db_table
    source = "covid" if model.__module__.endswith("covid") else "msk"
    rows = columns[0]["rows"]
    return Table(
        name,
        columns[0]["meaning"] or "",
        "a view" if columns[0]["shows"] else "not counted yet" if rows is None else f"about {number(rows)}",
        source,
        columns[0]["shows"] or LINEAGE.get(name, "the documents of the COVID API"),
        loads.get(source),
        _list_address(request, model),
        columns,
    )


def _list_address(request: HttpRequest, model: type[Model]) -> str:
    """Return where the rows of a table are listed; "" for who may not see them."""
    shown = admin.site._registry.get(model)
    if not shown or not shown.has_view_permission(request):
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _lineage() -> dict[str, str]:
    """Return what each table that load_msk fills is made from: a table of the source, and those its statement reads."""
    names = {each.name for each in STAR_TABLES}
    lineage = {}
    for each in STAR_TABLES:
        text = (FOLDER / f"{each.statement}.sql").read_text(encoding="utf-8")
        read = dict.fromkeys(name for name in re.findall(r"\b(?:from|join) ([a-z_]+)", text) if name in names)
        read.pop(each.name, None)
        lineage[each.name] = ", ".join([f"msk_db.{each.source}"] * bool(each.source) + list(read))
    return lineage


LINEAGE = _lineage()
