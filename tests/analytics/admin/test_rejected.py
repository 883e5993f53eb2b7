"""Where a row of the source is that is not in the star: its key leads to the entry that says why it was rejected."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client

from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    JourneyActivityBridge,
    PatientDimension,
    PatientJourneyFact,
    StepResultFact,
    SurveyResultFact,
)
from ingest.models import RejectedRow
from tests.analytics.admin.pages import Run, address, results, said
from tests.conftest import Source
from tests.recompute import row_id

DAY = 738_945  # 2024-03-01, as days since 0001-01-01
# The key of a row that is not there, by its list, and what rejected_row calls it.
KEYS: dict[type[Model], tuple[int, str, str]] = {
    SurveyResultFact: (8, "survey_result", "8"),
    ActivityCompletionFact: (8, "survey_result", "8"),
    PatientJourneyFact: (5, "patient_journey", "5"),
    PatientDimension: (2, "patient", "2"),
    StepResultFact: (row_id(1, DAY), "step_result", "1/2024-03-01"),
    JourneyActivityBridge: (row_id(-7, -3), "journey_activity", "-7/-3"),
}


@pytest.fixture
def flawed(small_world: Source, run: Run) -> Source:
    """The small world, with a row of each kind that does not fit."""
    small_world.insert_survey_result()
    small_world.insert_survey_result(id=8, activity_id=None)
    small_world.insert("patient_journey", id=5, patient_id=99, journey_id=1)
    small_world.insert("step_result", patient_id=1, date="2024-03-01", value="many")
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="10")
    small_world.insert("journey_activity", journey_id=-7, activity_id=-3)
    run()
    RejectedRow.objects.create(
        run_id=1, source_table="patient", source_key="2", reason="missing_key", detail={"row": {}}
    )
    return small_world


def test_it_says_what_mends_the_row(client: Client, flawed: Source) -> None:
    entry = RejectedRow.objects.get(source_table="patient_journey", source_key="5")
    page = client.get(address(RejectedRow, "change", entry.pk)).content.decode()
    assert "there is no patient_id 99" in page
    assert "Add the row that its key names, or correct the key; it then enters by itself." in page


@pytest.mark.parametrize("model", KEYS)
def test_the_page_of_a_rejected_row_leads_to_the_reason(client: Client, flawed: Source, model: type[Model]) -> None:
    key, table, source_key = KEYS[model]
    entry = RejectedRow.objects.get(source_table=table, source_key=source_key)
    response = client.get(address(model, "change", key), follow=True)
    assert response.redirect_chain == [(address(RejectedRow, "change", entry.pk), 302)]
    assert said(response) == [
        f"There is no {model._meta.verbose_name} {key} in the star: the source's row was rejected, as is said here."
    ]


@pytest.mark.parametrize("model", KEYS)
def test_a_search_for_a_rejected_row_names_the_reason_with_a_link(
    client: Client, flawed: Source, model: type[Model]
) -> None:
    key, table, source_key = KEYS[model]
    entry = RejectedRow.objects.get(source_table=table, source_key=source_key)
    response = client.get(address(model), {"q": f" {key} "})
    assert response.status_code == 200
    assert said(response) == [
        f"The source's {table.replace('_', ' ')} {source_key} was rejected: {entry.get_reason_display()}."
    ]
    assert f'href="{address(RejectedRow, "change", entry.pk)}"' in response.content.decode()


def test_a_search_for_a_row_that_is_there_says_nothing_of_rejected_ones(client: Client, flawed: Source) -> None:
    for model, key in ((SurveyResultFact, 1), (PatientJourneyFact, 1), (StepResultFact, row_id(1, DAY + 1))):
        response = client.get(address(model), {"q": str(key)})
        assert (results(response), said(response)) == ([key], [])
        assert client.get(address(model, "change", key)).status_code == 200


@pytest.mark.parametrize("key", ["77", "abc", "8.5", "9" * 30, "8#2", "%", "8 8"])
def test_what_is_no_rejected_row_leads_to_the_list(client: Client, flawed: Source, key: str) -> None:
    response = client.get(address(SurveyResultFact, "change", key), follow=True)
    assert response.redirect_chain == [(address(SurveyResultFact), 302)]
    assert "Its row has left the source or is among the rejected rows" in said(response)[0]
    assert said(client.get(address(SurveyResultFact), {"q": key})) == []


def test_a_made_id_of_no_day_is_no_rejected_row(client: Client, flawed: Source) -> None:
    for days in (-1, -(2**31), 2**31 - 1, 3_652_059):  # before the first day, after the last one
        response = client.get(address(StepResultFact, "change", row_id(1, days)), follow=True)
        assert response.redirect_chain == [(address(StepResultFact), 302)]


def test_a_window_has_no_row_in_the_source(client: Client, flawed: Source) -> None:
    response = client.get(address(ActivityAdherence, "change", row_id(5, 1)), follow=True)
    assert response.redirect_chain == [(address(ActivityAdherence), 302)]


def test_who_may_not_see_rejected_rows_is_told_of_none(flawed: Source) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_surveyresultfact"))
    client = Client()
    client.force_login(reader)
    response: Any = client.get(address(SurveyResultFact, "change", 8), follow=True)
    assert response.redirect_chain == [(address(SurveyResultFact), 302)]
    assert said(response) == [
        "There is no survey result 8. Its row has left the source or is among the rejected rows, or never was."
    ]
    response = client.get(address(SurveyResultFact), {"q": "8"})
    assert said(response) == []
    assert not re.search("rejectedrow|was rejected", response.content.decode())
