"""How a list of the admin is searched and filtered, and that it says what it leaves out."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    JourneyActivityBridge,
    PatientJourneyFact,
    PatientJourneyScheduleWindow,
    ScheduleDimension,
    StepResultFact,
)
from ingest.models import PipelineRun, RejectedRow, ScheduleOverride
from tests.analytics.admin.pages import address, first, queries, registered, results, said
from tests.conftest import Source, Warehouse

# --- Searching and filtering


def test_it_finds_a_patients_steps_and_a_row_by_its_made_key(client: Client, many_steps: None) -> None:
    found = client.get(address(StepResultFact), {"q": " 7 "})
    assert {key >> 32 for key in results(found)} == {7}
    assert found.context["cl"].result_count == 40
    key = results(found)[3]
    assert results(client.get(address(StepResultFact), {"q": str(key)})) == [key]
    assert results(client.get(address(StepResultFact), {"q": str(key + 2**32)})) == []  # the left half of patient 8


@pytest.mark.parametrize("left", [-(2**31), -7, 0, 2**31 - 1])
def test_it_opens_and_finds_a_row_by_a_made_id_of_any_sign(client: Client, warehouse: Warehouse, left: int) -> None:
    day = "date '2024-01-01'"
    warehouse.execute(
        f"""
        insert into step_result_fact values (row_id(%s, {day} - date '0001-01-01'), %s, {day}, 10);
        insert into journey_activity_bridge values (row_id(%s, 3), %s, 3);
        insert into patient_journey_schedule_window (id, patient_id, patient_journey_id, activity_id)
        values (row_id(%s, 3), 5, %s, 3);
        insert into adherence_fact (id, patient_id, patient_journey_id, activity_id) values (row_id(%s, 3), 5, %s, 3)
        """,
        *(left,) * 8,
    )
    for model in (StepResultFact, JourneyActivityBridge, PatientJourneyScheduleWindow, ActivityAdherence):
        key = first(model).pk
        assert key >> 32 == left
        assert results(client.get(address(model), {"q": str(key)})) == [key]
        response = client.get(address(model, "change", key))
        assert (response.status_code, response.context["original"].pk) == (200, key)
        refused = client.get(address(model), {"id": str(key)})
        assert (refused.status_code, results(refused)) == (400, [])


def test_it_finds_nothing_for_what_a_key_cannot_be(client: Client, loaded: None, bare_lists: None) -> None:
    wrong = {}
    for term in (
        "abc",
        "1.5",
        "-",
        '"',
        "9" * 10,
        "9" * 30,
        "9" * 5000,
        "-1",
        "1 2",
        "%",
        "'; drop table x",
        "\U0001f600",
    ):
        for model in registered():
            response = client.get(address(model), {"q": term})
            if response.status_code != 200 or (admin.site._registry[model].search_fields and results(response)):
                wrong[model.__name__, term] = response.status_code
    assert not wrong


@pytest.mark.long
def test_it_survives_any_address(client: Client, loaded: None, bare_lists: None) -> None:
    failed: dict[Any, int] = {}
    for model in registered():
        for query in (
            *("q=%00", "p=abc", "p=0", "p=-5", "p=999999", "p=" + "9" * 5000, "all=", "o=1", "o=2.-3", "o=x", "o=99"),
            *("e=1", "_facets=True", "_popup=1", "_to_field=id", "_to_field=x", "nonsense=1", "pk=1", "pk__in=1"),
            *("patient_id=abc", "patient_id=%00", "patient_id=99999999999999999999", "patient_id=", "patient_id=1"),
            *("patient_id=1&activity_id=x", "patient_id=1&schedule_slug=%00", "patient_id__regex=.", "steps__gte=1"),
            *("status=nobody", "status=%00", "reason=%00", "source_table=%00", "source=%00", "slug=%00", "date=x"),
            *("operation_date_within=x", "operation_date_within=30", "patient_id=1&patient_id=2"),
        ):
            response = client.get(f"{address(model)}?{query}", follow=True)
            if response.status_code not in (200, 400) or response.redirect_chain:
                failed[model.__name__, query] = response.status_code
        for key in ("abc", "9" * 5000, "99999999999999999999", "-1", "_00", "%00"):
            page = address(model, "change", "KEY").replace("KEY", key)
            if (status := client.get(page, follow=True).status_code) != 200:
                failed[page] = status
    for key in ("abc", "9" * 5000, "9" * 30, "-1", "%00", ""):
        page = f"{address(ScheduleOverride, 'add')}?schedule_id={key}"
        if (status := client.get(page).status_code) != 200:
            failed[page] = status
    assert not failed


def test_it_says_that_a_nul_cannot_be_searched_for(client: Client, source: Source) -> None:
    page = client.get(f"{address(StepResultFact)}?q=%00").content.decode()
    assert "Null characters are not allowed." in page


def test_it_filters_by_values_known_beforehand(client: Client, loaded: None) -> None:
    for model, query in (
        (RejectedRow, {"source_table": "activity", "reason": "orphan"}),
        (ScheduleDimension, {"parse_status": "unparsed"}),
        (ScheduleDimension, {"milestone_slug": "operation"}),
        (ActivityCompletionFact, {"status": "late"}),
        (PipelineRun, {"status": "failed"}),
    ):
        matching = model._default_manager.filter(**query)
        response = client.get(address(model), query)
        assert response.context["cl"].result_count == matching.count() > 0, model
        assert set(results(response)) <= {row.pk for row in matching}, model
    # That no row has another value is not found out from the table, which that would read through.
    with queries() as sent:
        assert results(client.get(address(ActivityCompletionFact), {"status": "x"})) == []
    assert not [sql for sql in sent if "activity_completion_fact" in sql and "reltuples" not in sql]


def test_it_filters_patient_journeys_by_a_recent_operation(client: Client, warehouse: Warehouse) -> None:
    for key, days in enumerate((-10, 5, 20, 200)):
        warehouse.execute(
            "insert into patient_journey_fact (patient_journey_id, patient_id, journey_id, operation_date) "
            "values (%s, 1, 1, (now() at time zone 'UTC')::date - %s)",
            key,
            days,
        )
    for span, found in (("7", [1]), ("30", [1, 2]), ("365", [1, 2, 3])):
        assert results(client.get(address(PatientJourneyFact), {"operation_date_within": span})) == found


# --- What a list leaves out, it says


NARROWED_BY = (
    "status, activity, hospital, joint, journey, clinician, sex, age_bracket, completed_date_from, completed_date_to, "
    "survey_result_id, patient_id"
)
NOT_UNDERSTOOD = {
    "patient_id=abc": "patient_id=abc is not understood: “abc” value must be an integer.",
    "patient_id=": "patient_id= is not understood: “” value must be an integer.",
    "patient_id=1&patient_id=x": "patient_id=1&patient_id=x is not understood: “x” value must be an integer.",
    f"patient_id={'9' * 5000}x": f"patient_id={'9' * 48}… is not understood: “{'9' * 98}….",
    "patient_id=%00": "patient_id=\\0 is not understood: no text holds a null character.",
    "patient_id=7&activity_id=x": "activity_id=x is not understood: “x” value must be an integer.",
    "activity_id=7": "activity_id=7 is not understood: a patient_id has to stand beside it.",
    "status=nonsense": "status=nonsense is not understood: it must be one of in_window, early, late, undated, "
    "not_scheduled.",
    "status=": "status= is not understood: it must be one of in_window,",
    "status=late&status=early": "status=late&status=early is not understood: it is given more than once.",
    "patient_id=2147483648": "patient_id=2147483648 is not understood: Ensure this value is less than or equal to "
    "2147483647.",
    "patient=7": f"patient=7 is not understood: this list can be narrowed by {NARROWED_BY}.",
    "days_from_window__gte=1": f"days_from_window__gte=1 is not understood: this list can be narrowed by {NARROWED_BY}",
    "nonsense=<b>": "nonsense=<b> is not understood: this list can be narrowed by ",
    "q=%00": "q=\\0 is not understood: no text holds a null character.",
}


COMPLETIONS = """
    insert into activity_completion_fact
           (survey_result_id, patient_id, patient_journey_id, activity_id, completed_date, status)
    select n, n, 0, n, date '2024-01-01', 'late'
      from generate_series(1, %s) n
"""


@pytest.mark.parametrize("query", NOT_UNDERSTOOD)
def test_it_lists_nothing_when_it_does_not_understand_a_filter_and_says_so(
    client: Client, warehouse: Warehouse, query: str
) -> None:
    warehouse.execute(COMPLETIONS, 2)
    assert len(results(client.get(address(ActivityCompletionFact)))) == 2
    response = client.get(f"{address(ActivityCompletionFact)}?{query}")
    assert response.status_code == 400
    assert results(response) == []
    message = said(response)[-1]
    assert NOT_UNDERSTOOD[query] in message
    assert message.startswith("Nothing is listed, because ")
    assert f'<a href="{address(ActivityCompletionFact)}">Show the whole list</a>' in response.content.decode()


def test_it_names_the_spans_by_which_operations_are_found(client: Client) -> None:
    response = client.get(address(PatientJourneyFact), {"operation_date_within": "5"})
    (message,) = said(response)
    assert "operation_date_within=5 is not understood: it must be one of 7, 30, 90, 365." in message
    assert results(response) == []


@pytest.mark.parametrize("page", ["201", "0", "-1", "x", "", "1.5", "9" * 5000])
def test_it_says_that_there_is_no_such_page(client: Client, many_steps: None, page: str) -> None:
    response = client.get(address(StepResultFact), {"p": page})
    assert response.status_code == 400
    (message,) = said(response)
    assert message.startswith(f"There is no page p={page[:50]}")
    assert message.endswith(": the pages go from 1 to 200. This is page 1.")
    assert results(response) == results(client.get(address(StepResultFact)))


def test_it_says_that_there_is_no_other_page_of_a_short_list(client: Client) -> None:
    assert "There is no page p=2: the pages go from 1 to 1." in said(client.get(address(PipelineRun), {"p": "2"}))[0]


@pytest.mark.parametrize("order", ["0", "-0", "3", "0.-2", "99", "x"])
def test_it_says_that_a_list_is_not_sorted_as_asked(client: Client, many_steps: None, order: str) -> None:
    response = client.get(address(StepResultFact), {"o": order})
    assert said(response) == [f"The list is sorted by its key: it has no order o={order}."]


def test_it_has_nothing_to_say_of_an_address_that_it_understands(
    client: Client, warehouse: Warehouse, many_steps: None
) -> None:
    warehouse.execute(COMPLETIONS, 100)
    for query in ("", "p=1", "p=2", "o=", "q=7", "patient_id=7", "patient_id=7&patient_id=8", "all="):
        for model in (StepResultFact, ActivityCompletionFact):
            response = client.get(f"{address(model)}?{query}")
            assert (response.status_code, said(response)) == (200, []), query
            assert results(response), query


def test_it_sorts_a_list_by_the_key_that_a_column_shows(client: Client, warehouse: Warehouse) -> None:
    warehouse.execute(COMPLETIONS, 3)
    for query, keys in (("", [1, 2, 3]), ("o=1", [1, 2, 3]), ("o=-1", [3, 2, 1])):  # the second one, after the status
        response = client.get(f"{address(ActivityCompletionFact)}?{query}")
        assert (results(response), said(response)) == (keys, [])
        assert "sortable column-survey_result_id" in response.content.decode()
    assert "sortable" not in client.get(address(StepResultFact)).content.decode()


def test_it_deletes_no_override_that_a_list_not_understood_did_not_show(client: Client, source: Source) -> None:
    ScheduleOverride.objects.create(schedule_id=1, milestone_slug="consent", offset_start_days=1)
    delete = {"action": "delete_selected", "_selected_action": ["1"], "index": "0", "post": "yes"}
    client.post(f"{address(ScheduleOverride)}?schedule_id=x", delete)
    assert ScheduleOverride.objects.exists()
    client.post(f"{address(ScheduleOverride)}?schedule_id=1", delete)
    assert not ScheduleOverride.objects.exists()


def test_it_says_beside_the_count_that_a_list_ends_before_its_rows(client: Client, many_steps: None) -> None:
    others = "To see others, search for the exact patient id or id."
    for page, end in (("1", "Only the first 10,000 are listed."), ("200", "The list ends here, at row 10,000.")):
        text = client.get(address(StepResultFact), {"p": page}).content.decode()
        assert re.search(f"about 12,000 step results\\s*</p>\\s*<p class=.paginator.>{end} {others}</p>", text)
    text = client.get(address(StepResultFact), {"patient_id": "7"}).content.decode()
    assert "To see others" not in text


def test_it_names_the_filters_too_where_a_list_has_some(client: Client, warehouse: Warehouse) -> None:
    warehouse.execute(COMPLETIONS, 10_500)
    text = client.get(address(ActivityCompletionFact)).content.decode()
    assert "To see others, search for the exact survey result id or patient id or choose a filter." in text
