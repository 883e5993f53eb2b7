"""What people see for keys, tables, times and numbers: names beside keys, and no words of the database."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils.text import capfirst

from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    ActivityDimension,
    CasesFact,
    JourneyActivityBridge,
    PatientDimension,
    PatientJourneyFact,
    PatientJourneyScheduleWindow,
    StepResultFact,
    SurveyResultFact,
)
from ingest.models import PipelineRun
from tests.analytics.admin.pages import address, first, queries, registered
from tests.conftest import Source, Warehouse


def cells(page: str, column: str) -> list[str]:
    """Return the texts of a column of a list."""
    found = re.findall(rf'<t[dh] class="field-{column}[^"]*">(.*?)</t[dh]>', page, re.DOTALL)
    return [unescape(re.sub("<[^>]+>", "", cell)) for cell in found]


NAMED = (
    (SurveyResultFact, "survey_id", "survey_dimension", "slug"),
    (SurveyResultFact, "activity_id", "activity_dimension", "content_slug"),
    (SurveyResultFact, "patient_id", "patient_dimension", "hospital"),
    (ActivityCompletionFact, "patient_id", "patient_dimension", "hospital"),
    (ActivityAdherence, "patient_id", "patient_dimension", "hospital"),
    (PatientJourneyScheduleWindow, "patient_id", "patient_dimension", "hospital"),
    (PatientJourneyFact, "journey_id", "journey_dimension", "abbreviation"),
    (ActivityDimension, "schedule_id", "schedule_dimension", "slug"),
    (JourneyActivityBridge, "activity_id", "activity_dimension", "content_slug"),
)


@pytest.mark.parametrize(("model", "key", "table", "name"), NAMED)
def test_a_key_has_its_name_beside_it_in_the_list_and_on_the_page_of_a_row(
    client: Client, loaded: None, warehouse: Warehouse, model: type[Model], key: str, table: str, name: str
) -> None:
    names = dict(warehouse.execute(f"select {key}, {name} from {table}"))
    response = client.get(address(model))
    shown = cells(response.content.decode(), key)
    rows = response.context["cl"].result_list
    expected = [
        "-" if row is None else f"{row} · {names[row]}" if names[row] else str(row)
        for row in (getattr(row, key) for row in rows)
    ]
    assert shown == expected
    assert any(" · " in each for each in shown)
    named = next(row for row, text in zip(rows, shown, strict=True) if " · " in text)
    page = client.get(address(model, "change", named.pk)).content.decode()
    assert f"{getattr(named, key)} · {names[getattr(named, key)]}</a>" in unescape(page)


def test_a_patient_journey_is_called_by_its_journey(client: Client, loaded: None, warehouse: Warehouse) -> None:
    names = dict(
        warehouse.execute(
            "select patient_journey_id, abbreviation"
            " from patient_journey_fact join journey_dimension using (journey_id)"
        )
    )
    response = client.get(address(ActivityAdherence))
    assert cells(response.content.decode(), "patient_journey_id") == [
        f"{row.patient_journey_id} · {names[row.patient_journey_id]}" for row in response.context["cl"].result_list
    ]


@pytest.mark.parametrize("model", [SurveyResultFact, ActivityAdherence, ActivityCompletionFact, PatientJourneyFact])
def test_it_looks_names_up_for_a_page_at_once(
    client: Client, loaded: None, warehouse: Warehouse, model: type[Model]
) -> None:
    patient = warehouse.value("select patient_id from survey_result_fact group by 1 order by count(*) desc, 1 limit 1")
    client.get(address(model))  # which looks up once what the filters can be
    with queries() as of_many:
        assert len(client.get(address(model), {"sex": "female"}).context["cl"].result_list) > 20
    with queries() as of_few:
        assert 0 < len(client.get(address(model), {"patient_id": str(patient)}).context["cl"].result_list) <= 50
    assert len(of_many) == len(of_few) <= 16, of_many


def test_who_may_see_the_results_alone_sees_keys_alone(loaded: None) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_surveyresultfact"))
    client = Client()
    client.force_login(reader)
    page = client.get(address(SurveyResultFact)).content.decode()
    for key in ("patient_id", "survey_id", "activity_id"):
        assert all(text.isdigit() for text in cells(page, key)), key
    row = client.get(address(SurveyResultFact, "change", first(SurveyResultFact).pk)).content.decode()
    assert " · " not in row.split('id="content"')[1]


# --- Titles


def test_a_list_is_called_what_people_call_its_rows(client: Client, loaded: None) -> None:
    for model in registered():
        page = client.get(address(model)).content.decode()
        (heading,) = re.findall(r"<h1>(.*?)</h1>", page)
        assert heading == capfirst(str(model._meta.verbose_name_plural))
        assert "to view" not in page
        assert not re.search("dimension|fact|bridge", heading, re.IGNORECASE), heading


def test_the_first_page_calls_the_tables_so_as_well(client: Client, loaded: None) -> None:
    page = client.get(reverse("admin:index")).content.decode()
    for name in ("Adherence", "Windows", "Completions", "Survey results", "Step results", "Patients", "COVID deaths"):
        assert re.search(rf">\s*{name}\s*</a>", page), name
    assert not re.search(r">\s*[^<]*\b(dimension|fact|bridge)s?\s*</a>", page)


def test_adherence_counts_windows(client: Client, loaded: None, warehouse: Warehouse) -> None:
    windows = warehouse.value("select count(*) from activity_adherence")
    assert windows > 1000
    assert f"{windows:,} windows" in client.get(address(ActivityAdherence)).content.decode()
    one = warehouse.value("select min(id) from activity_adherence")
    assert re.search(r"\b1 window\s", client.get(address(ActivityAdherence), {"q": str(one)}).content.decode())


# --- Times and numbers


def test_times_have_24_hours_seconds_and_their_zone(client: Client, small_world: Source, run) -> None:
    small_world.insert_survey_result(start_time="2024-03-08 14:05:09", end_time="2024-03-08 23:59:59")
    run()
    page = client.get(address(SurveyResultFact)).content.decode()
    assert cells(page, "end_time") == ["2024-03-08 23:59:59 UTC"]
    assert "2024-03-08 14:05:09 UTC" in client.get(address(SurveyResultFact, "change", 1)).content.decode()
    assert cells(client.get(address(PatientJourneyFact)).content.decode(), "operation_date") == ["2024-03-01"]
    run = PipelineRun.objects.latest("pk")
    assert (
        cells(client.get(address(PipelineRun)).content.decode(), "started")[0] == f"{run.started:%Y-%m-%d %H:%M:%S} UTC"
    )


def test_counts_have_commas_and_keys_have_none(client: Client, small_world: Source, run) -> None:
    small_world.insert("patient", id=12345, age_bracket=None, sex=None, hospital=None)
    small_world.insert("step_result", patient_id=12345, date="2024-03-02", value="10987")
    small_world.insert_survey_result(start_time="2024-03-08 10:00", end_time="2024-03-08 11:00")
    run()
    page = client.get(address(StepResultFact)).content.decode()
    assert cells(page, "steps") == ["10,987"]
    assert cells(page, "patient_id") == ["12345"]
    assert cells(page, "id") == [str(first(StepResultFact).pk)]
    assert cells(client.get(address(SurveyResultFact)).content.decode(), "duration_seconds") == ["3,600"]
    assert "12345" in cells(client.get(address(PatientDimension)).content.decode(), "patient_id")
    row = client.get(address(StepResultFact, "change", first(StepResultFact).pk)).content.decode()
    assert "10,987" in row
    assert "12,345" not in row


def test_figures_of_covid_have_commas(client: Client, loaded: None) -> None:
    page = client.get(address(CasesFact)).content.decode()
    figures = [text for text in cells(page, "total_cases") if text != "-"]
    assert figures
    assert all(re.fullmatch(r"\d{1,3}(,\d{3})*", text) for text in figures)
    assert any("," in text for text in figures)


# --- Order of columns


@pytest.mark.parametrize("model", [ActivityAdherence, ActivityCompletionFact])
def test_a_list_with_a_status_begins_with_it_and_leads_to_each_row(
    client: Client, loaded: None, model: type[Model]
) -> None:
    response = client.get(address(model))
    rows = re.findall(r"<tr>(<t[dh] class=\"field-.*?)</tr>", response.content.decode(), re.DOTALL)
    assert len(rows) == 50
    for row, shown in zip(response.context["cl"].result_list, rows, strict=True):
        assert re.match(rf'<t[dh] class="field-status">(<span[^>]*>)?{row.status}<', shown)
        assert f'href="{address(model, "change", row.pk)}"' in shown
