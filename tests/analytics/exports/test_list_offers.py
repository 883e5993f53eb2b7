"""The way to a list of the admin as a file: who is led there, and what is refused."""

import re
from urllib.parse import unquote

import pytest
from django.test import Client

from analytics.exports import lists
from analytics.models import ActivityCompletionFact, DeviceDimension, StepResultFact, SurveyDimension
from ingest.models import PipelineRun, RejectedRow, ScheduleOverride
from tests.analytics.admin.pages import address, registered
from tests.analytics.admin.test_lists import COMPLETIONS, NOT_UNDERSTOOD
from tests.analytics.exports.taken import FORMATS, name_of, named, said
from tests.analytics.pages.conftest import GROUPS, Reader
from tests.conftest import Warehouse


def offered(page: str) -> list[str]:
    return [unquote(link.replace("&amp;", "&")) for link in re.findall(r'<a href="(\?[^"]*_export=\w+[^"]*)"', page)]


def test_each_list_leads_to_its_files_and_keeps_the_filter(client: Client, many_steps: None) -> None:
    for query in ({}, {"patient_id": "7"}, {"q": "7"}, {"p": "2"}, {"all": ""}):
        links = offered(client.get(address(StepResultFact), query).content.decode())
        kept = "".join(f"&{name}={value}" for name, value in query.items() if name not in ("p", "all"))
        for form, link in zip(FORMATS, links, strict=True):
            assert sorted(link.removeprefix("?").split("&")) == sorted([f"_export={form}", *kept.split("&")[1:]])
            response = client.get(address(StepResultFact) + link)
            assert (response.status_code, name_of(response)) == (200, named("step_result_fact", form))
            response.getvalue()


def test_a_list_that_is_only_to_choose_from_or_not_understood_offers_no_file(client: Client, many_steps: None) -> None:
    assert not offered(client.get(address(StepResultFact), {"_popup": "1"}).content.decode())
    assert not offered(client.get(address(StepResultFact), {"patient_id": "x"}).content.decode())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("query", NOT_UNDERSTOOD)
def test_it_refuses_an_address_that_the_list_does_not_understand(
    client: Client, warehouse: Warehouse, form: str, query: str
) -> None:
    warehouse.execute(COMPLETIONS, 2)
    response = client.get(f"{address(ActivityCompletionFact)}?{query}&_export={form}")
    assert (response.status_code, "Content-Disposition" in response) == (400, False)
    assert "Nothing is listed, because " in said(response)
    assert "is not understood" in said(response)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("_export=pdf", "This list can be taken away as one of csv, xlsx, parquet"),
        ("_export=", "This list can be taken away as one of csv, xlsx, parquet"),
        ("_export=csv&_export=xlsx", "This list can be taken away as one of csv, xlsx, parquet"),
        ("_export=csv&p=201", "There is no page p=201"),
        ("_export=csv&p=x", "There is no page p=x"),
        ("_export=csv&o=3", "This list has no such order"),
    ],
)
def test_it_refuses_what_there_is_not(client: Client, many_steps: None, query: str, reason: str) -> None:
    response = client.get(f"{address(StepResultFact)}?{query}")
    assert (response.status_code, "Content-Disposition" in response) == (400, False)
    assert reason in said(response)


def test_it_gives_a_file_to_who_may_see_the_list_alone(
    loaded: None, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "ROWS", 3)
    given = {}
    for group in GROUPS:
        client = reader(group)
        for model in registered():
            listed = client.get(address(model)).status_code
            for form in FORMATS if model in (StepResultFact, PipelineRun) else ("csv",):
                taken = client.get(address(model), {"_export": form})
                assert taken.status_code == listed, (group, model, form)
                assert ("Content-Disposition" in taken) == (listed == 200)
                taken.close()
            given[group, model] = listed
    assert given["care manager", StepResultFact] == given["analyst", SurveyDimension] == 200
    assert (
        given["analyst", StepResultFact] == given["steward", RejectedRow] == given["operator", DeviceDimension] == 403
    )
    assert given["steward", ScheduleOverride] == given["operator", PipelineRun] == 200


def test_it_asks_a_stranger_to_log_in(databases: None) -> None:
    for model in registered():
        for form in FORMATS:
            assert Client().get(address(model), {"_export": form}).status_code == 302
