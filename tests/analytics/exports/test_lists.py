"""A list of the admin as a file: the rows that it lists, all of them, or as many as a file holds."""

import csv
import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from openpyxl.utils.escape import unescape

from analytics.admin.base import BoundedAdmin
from analytics.exports import lists
from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    CasesFact,
    DeviceDimension,
    PatientDimension,
    PatientJourneyFact,
    ScheduleDimension,
    StepResultFact,
    SurveyDimension,
    SurveyResultFact,
)
from ingest.models import PipelineRun
from tests.analytics.admin.pages import address, registered, results
from tests.analytics.admin.test_lists import COMPLETIONS
from tests.analytics.exports.conftest import AWKWARD, TAGS, connect_duckdb, sheet
from tests.analytics.exports.taken import FORMATS, name_of, named, take
from tests.conftest import Database, Source, Warehouse

Row = dict[str, Any]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], list[Row]]:
    """Return a function that gives the rows of an answer: in CSV all values are texts."""

    def read(response: Any) -> list[Row]:
        path = tmp_path / name_of(response)
        path.write_bytes(response.getvalue())
        if path.suffix == ".csv":
            return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
        if path.suffix == ".xlsx":
            return sheet(path)
        with connect_duckdb() as duck:
            kinds = duck.execute(f"describe '{path}'").fetchall()
            shown = [
                f"strftime(\"{column}\" at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00') as \"{column}\""
                if kind == "TIMESTAMP WITH TIME ZONE"
                else f'"{column}"'
                for column, kind, *_ in kinds
            ]
            found = duck.execute(f"select {', '.join(shown)} from '{path}'").fetchall()
        return [dict(zip([column for column, *_ in kinds], row, strict=True)) for row in found]

    return read


def alike(value: Any) -> Any:
    """Return a value as a text that is the same whichever file it comes from, or the database; a null is empty."""
    if isinstance(value, dt.datetime):
        return f"{round(value.replace(tzinfo=dt.UTC).timestamp() * 1000)} ms"  # a sheet knows no shorter time
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return f"{value:.9g}"
    text = "" if value is None else str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", text):
        return alike(dt.datetime.fromisoformat(text))
    return f"{float(text):.9g}" if re.fullmatch(r"-?\d+\.\d+", text) else text


def in_database(model: type[Model], condition: str = "true", order: str = "") -> list[Row]:
    """Return the rows of a table, of all its columns."""
    database = Database("analytics")
    order = order or str(model._meta.pk.column)
    names = [str(field.column) for field in model._meta.concrete_fields]
    columns = ", ".join(f'"{name}"' for name in names)
    rows = database.execute(f"select {columns} from {model._meta.db_table} where {condition} order by {order}")
    database.connection.close()
    return [dict(zip(names, row, strict=True)) for row in rows]


def as_texts(rows: list[Row]) -> list[dict[str, str]]:
    return [{name: alike(value) for name, value in row.items()} for row in rows]


# --- What is in the file


# Of a list, its filters, what they mean, and its order.
LISTS: list[tuple[type[Model], dict[str, str], str, str]] = [
    (StepResultFact, {}, "true", "patient_id, date"),
    (StepResultFact, {"patient_id": "7"}, "patient_id = 7", "patient_id, date"),
    (ActivityCompletionFact, {"status": "late"}, "status = 'late'", "survey_result_id"),
    (ActivityCompletionFact, {"status": "late", "o": "-1"}, "status = 'late'", "survey_result_id desc"),
    (SurveyResultFact, {}, "true", "survey_result_id"),
    (ScheduleDimension, {"parse_status": "unparsed"}, "parse_status = 'unparsed'", "schedule_id"),
    (PatientDimension, {"q": "9"}, "patient_id = 9", "patient_id"),
    (PatientDimension, {"q": "nobody"}, "false", "patient_id"),
    (ActivityAdherence, {}, "true", "patient_journey_id, activity_id"),
    (ActivityAdherence, {"patient_id": "7"}, "patient_id = 7", "patient_journey_id, activity_id"),
    (ActivityAdherence, {"q": "nobody"}, "false", "patient_journey_id"),
]


@pytest.mark.parametrize("form", FORMATS)
def test_it_holds_all_rows_that_the_filters_leave_in_the_lists_order(
    client: Client, loaded: None, read: Callable[[Any], list[Row]], form: str
) -> None:
    for model, query, condition, order in LISTS:
        response = take(client, model, form, **query)
        assert name_of(response) == named(model._meta.db_table, form)
        expected = in_database(model, condition, order)
        assert as_texts(read(response)) == as_texts(expected), (model, query)
        listed = client.get(address(model), query)
        assert listed.context["cl"].result_count == len(expected)
        assert results(listed) == [row[str(model._meta.pk.column)] for row in expected[:50]]
        assert len(expected) > 50 or query


@pytest.mark.parametrize("form", FORMATS)
def test_it_takes_away_every_list_with_the_columns_of_its_table(
    client: Client, loaded: None, read: Callable[[Any], list[Row]], form: str
) -> None:
    for model in registered():
        rows = read(take(client, model, form))
        shown = admin.site._registry[model]
        assert isinstance(shown, BoundedAdmin)
        assert list(rows[0]) == [*shown.columns, *(name for name in shown.taken if name not in shown.columns)], model
        assert len(rows) == model._default_manager.count(), model
        listed = results(client.get(address(model)))
        assert [alike(row[shown.key]) for row in rows[: len(listed)]] == [alike(key) for key in listed], model


@pytest.mark.parametrize("form", FORMATS)
def test_it_says_of_which_day_a_figure_is(
    client: Client, loaded: None, warehouse: Warehouse, read: Callable[[Any], list[Row]], form: str
) -> None:
    expected = warehouse.execute(
        "select last_update_at, total_cases from cases_fact join cases_dimension using (cases_id) order by 1 desc"
    )
    rows = as_texts(read(take(client, CasesFact, form)))
    assert [(row["last_update_at"], row["total_cases"]) for row in rows] == [
        (alike(day), alike(cases)) for day, cases in expected
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_it_counts_no_row_that_was_rolled_back(
    client: Client, loaded: None, read: Callable[[Any], list[Row]], form: str
) -> None:
    PipelineRun.objects.create(command="run_pipeline", status="failed", inserted=7, rows_read=9)
    rows = as_texts(read(take(client, PipelineRun, form)))
    assert (rows[0]["inserted"], rows[0]["rows_read"]) == ("", "9")
    assert (rows[1]["inserted"], rows[1]["status"]) != ("", "failed")


@pytest.fixture
def awkward_texts(source: Source, run) -> None:
    for number, text in enumerate(AWKWARD[:-1], 1):
        source.insert("device", id=number, platform=text)
    for number, tags in enumerate(TAGS, 1):
        source.insert("survey", id=number, tags=tags)
    run()


def test_its_texts_come_through(client: Client, awkward_texts: None, read: Callable[[Any], list[Row]]) -> None:
    texts = list(AWKWARD[:-1])
    parquet = read(take(client, DeviceDimension, "parquet"))
    assert [row["platform"] for row in parquet] == texts
    assert [row["tags"] for row in read(take(client, SurveyDimension, "parquet"))] == list(TAGS)
    csv_texts = [row["platform"].removeprefix("'") for row in read(take(client, DeviceDimension, "csv"))]
    assert csv_texts == [(text or "").removeprefix("'") for text in texts]
    cells = [unescape(row["platform"] or "") for row in read(take(client, DeviceDimension, "xlsx"))]
    assert cells == [text or "" for text in texts]
    tags = [row["tags"] for row in read(take(client, SurveyDimension, "csv"))]
    assert [json.loads(cell) if cell else None for cell in tags] == list(TAGS)


FORMULAS = ("=1+1", "-1+1", "+49 30", "@sum", "\t=1", "\r=1")


@pytest.fixture
def formulas(source: Source, run) -> None:
    for number, text in enumerate((*FORMULAS, "-5", "+7", "plain"), 1):
        source.insert("device", id=number, platform=text)
    run()


def test_its_csv_has_no_formula(client: Client, formulas: None, read: Callable[[Any], list[Row]]) -> None:
    cells = [row["platform"] for row in read(take(client, DeviceDimension, "csv"))]
    assert cells == [*(f"'{text}" for text in FORMULAS), "-5", "+7", "plain"]


def test_its_sheet_has_texts_and_no_formula(client: Client, formulas: None, tmp_path: Path) -> None:
    path = tmp_path / "taken.xlsx"
    path.write_bytes(take(client, DeviceDimension, "xlsx").getvalue())
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    cells = [row[1] for row in openpyxl.load_workbook(path)["rows"].iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    # As if an apostrophe had been typed before it, so that whoever edits the cell makes no formula of it either.
    assert [cell.quotePrefix for cell in cells] == [True] * len(FORMULAS) + [False] * 3


def test_its_parquet_has_texts_as_they_are(client: Client, formulas: None, read: Callable[[Any], list[Row]]) -> None:
    cells = [row["platform"] for row in read(take(client, DeviceDimension, "parquet"))]
    assert cells == [*FORMULAS, "-5", "+7", "plain"]


def test_its_sheet_has_days_times_and_numbers(client: Client, small_world: Source, run, tmp_path: Path) -> None:
    small_world.execute("update patient_journey set discharge_date = '1850-05-17', clinician_id = 12")
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="4000")
    small_world.insert_survey_result()
    run()
    path = tmp_path / "taken.xlsx"

    def cells(model: type[Model]) -> dict[str, Any]:
        path.write_bytes(take(client, model, "xlsx").getvalue())
        head, row = openpyxl.load_workbook(path)["rows"].iter_rows()
        return {name.value: cell for name, cell in zip(head, row, strict=True)}

    journey = cells(PatientJourneyFact)
    assert journey["operation_date"].is_date
    assert journey["operation_date"].value == dt.datetime.fromisoformat("2024-03-01")
    assert journey["discharge_date"].value == "1850-05-17"  # before the first day that a sheet can hold
    assert journey["clinician_id"].value == 12
    assert journey["consent_date"].value is None
    result = cells(SurveyResultFact)
    assert result["end_time"].value == dt.datetime.fromisoformat("2024-03-08T09:05")
    assert result["end_time"].number_format == 'yyyy-mm-dd"T"hh:mm:ss"+00:00"'
    assert cells(StepResultFact)["id"].value == StepResultFact.objects.get().pk


@pytest.mark.parametrize("form", FORMATS)
def test_it_loses_no_digit_of_a_key(
    client: Client, warehouse: Warehouse, read: Callable[[Any], list[Row]], form: str
) -> None:
    warehouse.execute(
        "insert into step_result_fact values (row_id(2147483647, 1), 2147483647, date '0001-01-02', 2147483647)"
    )
    (row,) = read(take(client, StepResultFact, form))
    assert int(row["id"]) == warehouse.value("select id from step_result_fact") > 2**62


def test_its_sheet_says_where_a_text_is_too_long_for_a_cell(
    client: Client, databases: None, read: Callable[[Any], list[Row]]
) -> None:
    PipelineRun.objects.create(command="run_pipeline", status="failed", error="x" * 40_000)
    (row,) = read(take(client, PipelineRun, "xlsx"))
    assert len(row["error"]) == 32_767
    assert row["error"].endswith("x… (cut: a cell has no room for more)")
    (row,) = read(take(client, PipelineRun, "csv"))
    assert row["error"] == "x" * 40_000


# --- A list that is longer than a file


@pytest.mark.parametrize("form", FORMATS)
def test_it_cuts_a_list_that_is_too_long_and_says_so_where_no_row_is(
    client: Client,
    many_steps: None,
    read: Callable[[Any], list[Row]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    form: str,
) -> None:
    monkeypatch.setattr(lists, "ROWS", 11_000)
    page = client.get(address(StepResultFact)).content.decode()
    assert "Rows to take away, the first 11,000 of about 12,000: <a" in page
    response = take(client, StepResultFact, form)
    name = named("step_result_fact", form, "-first-11000-of-about-12000")
    assert name_of(response) == name
    rows = read(response)
    assert [row["id"] for row in as_texts(rows)] == [
        str(key) for key in StepResultFact.objects.order_by("patient_id", "date").values_list("id", flat=True)[:11_000]
    ]
    if form == "xlsx":
        about = dict(openpyxl.load_workbook(tmp_path / name)["about"].iter_rows(values_only=True))
        assert about["rows"] == "the first 11,000 of about 12,000: the others are not in this file"


@pytest.mark.parametrize(("rows", "is_cut"), [(39, True), (40, False)])
@pytest.mark.parametrize("form", FORMATS)
def test_it_knows_whether_a_filtered_list_is_too_long(
    client: Client,
    many_steps: None,
    read: Callable[[Any], list[Row]],
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    rows: int,
    is_cut: bool,
) -> None:
    monkeypatch.setattr(lists, "ROWS", rows)
    page = client.get(address(StepResultFact), {"patient_id": "7"}).content.decode()
    assert f"Rows to take away, {'the first 39 of 40' if is_cut else 'all 40'}: <a" in page
    response = take(client, StepResultFact, form, patient_id="7")
    assert name_of(response) == named("step_result_fact", form, "-first-39-of-40" if is_cut else "")
    assert len(read(response)) == rows


@pytest.mark.parametrize(("rows", "cut"), [(10_499, "-first-10499"), (10_500, "")])
@pytest.mark.parametrize("form", FORMATS)
def test_it_knows_it_also_where_nobody_has_counted(
    client: Client,
    warehouse: Warehouse,
    read: Callable[[Any], list[Row]],
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    rows: int,
    cut: str,
) -> None:
    warehouse.execute(COMPLETIONS, 10_500)
    monkeypatch.setattr(lists, "ROWS", rows)
    page = client.get(address(ActivityCompletionFact), {"status": "late"}).content.decode()
    assert f"Rows to take away, all, but no more than the first {rows:,}: <a" in page
    response = take(client, ActivityCompletionFact, form, status="late")
    assert name_of(response) == named("activity_completion_fact", form, cut)
    assert len(read(response)) == rows


def test_its_sheet_says_what_it_holds(client: Client, many_steps: None, tmp_path: Path) -> None:
    path = tmp_path / "taken.xlsx"
    path.write_bytes(take(client, StepResultFact, "xlsx", patient_id="7").getvalue())
    about = dict(openpyxl.load_workbook(path)["about"].iter_rows(values_only=True))
    taken_at = dt.datetime.fromisoformat(about.pop("taken at"))
    assert timezone.now() - taken_at < dt.timedelta(minutes=5)
    assert about == {
        "table": "step_result_fact",
        "list": f"http://testserver{address(StepResultFact)}?patient_id=7",
        "rows": "40, all",
    }
