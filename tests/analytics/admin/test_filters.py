"""The filters of the lists: each finds what independent SQL finds, and none is passed over in silence."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from analytics.admin import filters
from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    AdherenceFact,
    PatientDimension,
    PatientJourneyFact,
    PatientJourneyScheduleWindow,
    SurveyResultFact,
)
from tests.analytics.admin.pages import address, queries, results, said
from tests.conftest import Source, Warehouse

# What each list has of a patient journey and an activity, for SQL of which the lists know nothing.
ROWS: dict[type[Model], str] = {
    PatientDimension: "select p.patient_id as key, p.* from patient_dimension p",
    PatientJourneyFact: """
        select f.patient_journey_id as key, p.*, j.joint, j.abbreviation, f.clinician_id, f.operation_date
          from patient_journey_fact f
          join patient_dimension p using (patient_id)
          join journey_dimension j using (journey_id)""",
    **dict.fromkeys(
        (PatientJourneyScheduleWindow, AdherenceFact, ActivityAdherence),
        """
        select a.id as key, p.*, j.joint, j.abbreviation, f.clinician_id, f.operation_date, d.content_slug,
               s.slug, s.milestone_slug, d.schedule_id, a.status, a.window_end_date, a.activity_id
          from activity_adherence a
          join patient_dimension p using (patient_id)
          join patient_journey_fact f using (patient_journey_id)
          join journey_dimension j using (journey_id)
          join activity_dimension d on d.activity_id = a.activity_id
          left join schedule_dimension s on s.schedule_id = d.schedule_id""",
    ),
    **dict.fromkeys(
        (SurveyResultFact, ActivityCompletionFact),
        """
        select r.survey_result_id as key, p.*, j.joint, j.abbreviation, f.clinician_id, d.content_slug, r.survey_id,
               r.end_time, c.status, c.completed_date
          from survey_result_fact r
          join activity_completion_fact c using (survey_result_id)
          join patient_dimension p on p.patient_id = r.patient_id
          join patient_journey_fact f on f.patient_journey_id = r.patient_journey_id
          join journey_dimension j using (journey_id)
          join activity_dimension d on d.activity_id = r.activity_id""",
    ),
}
# What an address asks, and what that is in SQL: of each a value that occurs.
OF_A_PATIENT = {
    "hospital": ("hospital = {}", "select mode() within group (order by hospital) from patient_dimension"),
    "sex": ("sex = {}", "select max(sex) from patient_dimension"),
    "age_bracket": ("age_bracket = {}", "select max(age_bracket) from patient_dimension"),
}
OF_A_JOURNEY = OF_A_PATIENT | {
    "joint": ("joint = {}", "select 'knee'"),
    "journey": ("abbreviation = {}", "select max(abbreviation) from journey_dimension"),
    "clinician": (
        "clinician_id = {}::int",
        "select mode() within group (order by clinician_id) from patient_journey_fact",
    ),
}
MONTH = {
    "month": (
        "to_char(operation_date, 'YYYY-MM') = {}",
        "select to_char(mode() within group (order by operation_date), 'YYYY-MM') from patient_journey_fact",
    )
}
ACTIVITY = {
    "activity": (
        "content_slug = {}",
        "select mode() within group (order by activity_content_slug) from activity_adherence where completions > 0",
    )
}
OF_A_WINDOW = (
    OF_A_JOURNEY
    | MONTH
    | ACTIVITY
    | {
        "schedule": ("slug = {}", "select mode() within group (order by schedule_slug) from activity_adherence"),
        "milestone": ("milestone_slug = {}", "select 'discharge'"),
        "window_end_date_from": ("window_end_date >= {}::date", "select '2024-05-01'"),
        "window_end_date_to": ("window_end_date <= {}::date", "select '2024-05-01'"),
    }
)
FILTERS: dict[type[Model], dict[str, tuple[str, str]]] = {
    PatientDimension: OF_A_PATIENT,
    PatientJourneyFact: OF_A_JOURNEY | MONTH,
    PatientJourneyScheduleWindow: OF_A_WINDOW,
    AdherenceFact: OF_A_WINDOW,
    ActivityAdherence: OF_A_WINDOW
    | {
        "status": ("status = {}", "select 'missed'"),
        "schedule_id": ("schedule_id = {}::int", "select max(schedule_id) from activity_adherence"),
    },
    SurveyResultFact: OF_A_JOURNEY
    | ACTIVITY
    | {
        "survey": ("survey_id = {}::int", "select mode() within group (order by survey_id) from survey_result_fact"),
        "end_time_from": ("(end_time at time zone 'UTC')::date >= {}::date", "select '2024-03-01'"),
        "end_time_to": ("(end_time at time zone 'UTC')::date <= {}::date", "select '2024-03-01'"),
    },
    ActivityCompletionFact: OF_A_JOURNEY
    | ACTIVITY
    | {
        "status": ("status = {}", "select 'late'"),
        "completed_date_from": ("completed_date >= {}::date", "select '2024-03-01'"),
        "completed_date_to": ("completed_date <= {}::date", "select '2024-03-01'"),
    },
}


def listed(client: Client, model: type[Model], query: dict[str, str]) -> list[Any]:
    """Return the keys of all pages of a list."""
    first = client.get(address(model), query)
    assert first.status_code == 200, said(first)
    assert said(first) == []
    pages = first.context["cl"].paginator.num_pages
    others = (results(client.get(address(model), query | {"p": str(page)})) for page in range(2, pages + 1))
    return [*results(first), *(key for page in others for key in page)]


def keys(warehouse: Warehouse, model: type[Model], condition: str) -> set[Any]:
    return {key for (key,) in warehouse.execute(f"select key from ({ROWS[model]}) r where {condition}")}


@pytest.mark.parametrize("model", FILTERS)
def test_each_filter_leaves_what_independent_sql_finds(
    client: Client, loaded: None, warehouse: Warehouse, model: type[Model]
) -> None:
    assert set(FILTERS[model]) | {"operation_date_within"} >= {
        name for each in client.get(address(model)).context["cl"].list_filter for name in each.names
    }
    everything = keys(warehouse, model, "true")
    for name, (condition, value_of) in FILTERS[model].items():
        value = str(warehouse.value(value_of))
        expected = keys(warehouse, model, condition.format("$$" + value + "$$"))
        assert expected, (name, value)
        assert expected != everything, (name, value)
        assert len(found := listed(client, model, {name: value})) == len(set(found))
        assert set(found) == expected, (name, value)


@pytest.mark.parametrize("model", FILTERS)
def test_filters_work_together_and_within_a_search(
    client: Client, loaded: None, warehouse: Warehouse, model: type[Model]
) -> None:
    names: list[str] = [name for name in ("hospital", "joint", "sex") if name in FILTERS[model]]
    values = {name: str(warehouse.value(FILTERS[model][name][1])) for name in names}
    condition = " and ".join(FILTERS[model][name][0].format(f"$${value}$$") for name, value in values.items())
    expected = keys(warehouse, model, condition)
    assert set(listed(client, model, values)) == expected
    assert expected
    patient = warehouse.value(f"select min(patient_id) from ({ROWS[model]}) r where {condition}")
    found = set(listed(client, model, values | {"q": str(patient)}))
    assert found >= keys(warehouse, model, f"{condition} and patient_id = {patient}")
    assert found <= expected


@pytest.mark.parametrize("status", ActivityAdherence.Status.values)
def test_it_lists_the_windows_that_stand_so_today(
    client: Client, small_world: Source, run: Any, warehouse: Warehouse, status: str
) -> None:
    today = datetime.now(UTC).date()
    slugs = {
        2: "0d-1d-post-op",
        3: "2d-4d-post-op",
        4: "0d-5d-post-op",
        5: "40d-50d-post-op",
        6: "soon",
        7: "1d-2d-post-op",
        8: "0d-2d-post-op",
    }
    for key, slug in slugs.items():
        small_world.insert("schedule", id=key, slug=slug)
        small_world.insert("activity", id=key, content_slug=slug, schedule_id=key)
        small_world.insert("journey_activity", journey_id=1, activity_id=key)
    operated = today - timedelta(days=3)
    small_world.execute("update patient_journey set operation_date = %s", operated)
    # What is dated tomorrow, of windows that ended and of one that did not, is not done yet.
    results_of = [(1, 1), (2, 3), (7, 1), (8, 4), (2, 4), (4, 4)]
    for key, (activity, days) in enumerate(results_of, 1):
        day = operated + timedelta(days=days)
        small_world.insert_survey_result(id=key, activity_id=activity, start_time=day, end_time=day)
    run()
    stand = {
        "completed": [7],
        "completed_late": [2],
        "completed_early": [1],
        "missed": [8],
        "open": [3, 4],
        "upcoming": [5],
        "undated": [6],
    }
    by_status = {
        status: [warehouse.value("select row_id(1, %s)", activity) for activity in activities]
        for status, activities in stand.items()
    }
    assert by_status == dict(
        warehouse.execute("select status, array_agg(id order by activity_id) from activity_adherence group by 1")
    )
    response = client.get(address(ActivityAdherence), {"status": status})
    assert results(response) == by_status[status]
    assert {row.status for row in response.context["cl"].result_list} == {status}


def test_unknown_stands_for_what_is_null_too(client: Client, loaded: None, warehouse: Warehouse) -> None:
    warehouse.execute(
        """
        update patient_dimension set sex = null, age_bracket = null where patient_id % 3 = 0;
        update patient_journey_fact set clinician_id = null, operation_date = null where patient_id % 3 = 0
        """
    )
    for model, name, column in (
        (PatientDimension, "sex", "sex"),
        (PatientJourneyFact, "clinician", "clinician_id"),
        (PatientJourneyFact, "month", "operation_date"),
        (ActivityAdherence, "month", "operation_date"),
        (ActivityAdherence, "schedule", "slug"),
        (SurveyResultFact, "age_bracket", "age_bracket"),
    ):
        expected = keys(warehouse, model, f"coalesce({column}::text, 'unknown') = 'unknown'")
        assert expected, (model, name)
        assert set(listed(client, model, {name: "unknown"})) == expected, (model, name)


def test_a_value_that_nobody_has_leaves_nothing(client: Client, loaded: None) -> None:
    for model, names in FILTERS.items():
        for name in names.keys() & {"hospital", "joint", "activity", "schedule"}:
            assert listed(client, model, {name: "Nowhere"}) == []
        if "clinician" in names:
            assert listed(client, model, {"clinician": "9" * 18}) == []


def test_all_rows_are_those_of_all_pages_with_the_columns_of_the_list(
    client: Client, loaded: None, warehouse: Warehouse
) -> None:
    for model in FILTERS:
        query = {"hospital": str(warehouse.value(OF_A_PATIENT["hospital"][1]))}
        rows = client.get(address(model), query).context["cl"].all_rows()
        assert rows.model is model
        assert [row.pk for row in rows] == listed(client, model, query)


REFUSED: dict[tuple[type[Model], str], str] = {
    (PatientDimension, "hospital=%00"): "no text holds a null character",
    (PatientDimension, "joint=knee"): "this list can be narrowed by hospital, sex, age_bracket, patient_id",
    (PatientDimension, "sex=f&sex=m"): "it is given more than once",
    (PatientJourneyFact, "clinician=x"): "it must be a whole number, or unknown",
    (PatientJourneyFact, "clinician="): "it must be a whole number, or unknown",
    (PatientJourneyFact, "month=2024-13"): "it must be a month such as 2024-03, or unknown",
    (PatientJourneyFact, "month=2024"): "it must be a month such as 2024-03, or unknown",
    (ActivityAdherence, "status=late"): "it must be one of completed, completed_late, completed_early, missed",
    (ActivityAdherence, "status="): "it must be one of completed,",
    (ActivityAdherence, "schedule_id=x"): "it must be a whole number",
    (ActivityAdherence, "window_end_date_from=yesterday"): "it must be a day such as 2024-03-31",
    (ActivityAdherence, "window_end_date_to=20240331"): "it must be a day such as 2024-03-31",
    (ActivityAdherence, "day=2024-03-31"): "this list can be narrowed by status, hospital,",
    (ActivityAdherence, "hospital__in=x"): "this list can be narrowed by status, hospital,",
    (SurveyResultFact, "survey=10 oxford"): "it must be a whole number",
    (SurveyResultFact, "survey=2147483648"): "it must be a whole number from -2147483648 to 2147483647",
    (SurveyResultFact, "survey=%C2%B2"): "it must be a whole number",
}


@pytest.mark.parametrize(("model", "query"), REFUSED)
def test_it_refuses_what_a_filter_does_not_understand(
    client: Client, loaded: None, model: type[Model], query: str
) -> None:
    with queries() as sent:
        response = client.get(f"{address(model)}?{query}")
    assert response.status_code == 400
    assert results(response) == []
    (message,) = said(response)
    assert message.startswith("Nothing is listed, because ")
    assert REFUSED[model, query] in message
    assert not [sql for sql in sent if f'FROM "{model._meta.db_table}"' in sql]


# --- The form


def form(page: str) -> str:
    (found,) = re.findall(r'<form class="site-form" id="list-filters".*?</form>', page, re.DOTALL)
    return str(found)


def options(page: str, name: str) -> list[str]:
    (select,) = re.findall(rf'<select name="{name}">(.*?)</select>', form(page), re.DOTALL)
    return [unescape(value) for value in re.findall(r'<option value="([^"]*)"', select)]


def test_the_form_has_what_there_is_to_choose_from(client: Client, loaded: None, warehouse: Warehouse) -> None:
    page = client.get(address(ActivityAdherence)).content.decode()
    assert options(page, "status") == ["", *ActivityAdherence.Status.values]
    for name, query in (
        ("activity", "select content_slug from activity_dimension"),
        ("schedule", "select slug from schedule_dimension"),
        ("clinician", "select clinician_id::text from patient_journey_fact"),
    ):
        occurring = {value or "(blank)" for (value,) in warehouse.execute(query) if value is not None}
        assert set(options(page, name)) - {"", "unknown"} == occurring - {"unknown"}, name
    surveys = client.get(address(SurveyResultFact)).content.decode()
    key, slug = warehouse.execute("select survey_id, slug from survey_dimension order by 1 limit 1")[0]
    assert f'<option value="{key}">{key} · {slug}</option>' in form(surveys)


def test_what_the_form_sends_becomes_an_address_that_says_what_was_chosen(client: Client, loaded: None) -> None:
    sent = {"form": "1", "status": "missed", "hospital": "", "joint": "hip", "schedule": "(blank)", "q": "7"}
    response = client.get(address(ActivityAdherence), sent)
    assert response.status_code == 302
    assert response["Location"] == f"{address(ActivityAdherence)}?status=missed&joint=hip&schedule=&q=7"


def test_the_form_keeps_what_was_chosen_and_what_else_the_address_asks(client: Client, loaded: None) -> None:
    query = {
        "status": "missed",
        "hospital": "Nowhere & <Co>",
        "window_end_date_to": "2024-05-01",
        "q": "7",
        "patient_id": "7",
    }
    page = client.get(address(ActivityAdherence), query).content.decode()
    assert '<option value="missed" selected>' in form(page)
    assert '<option value="Nowhere &amp; &lt;Co&gt;" selected>' in form(page)
    assert '<input type="date" name="window_end_date_to" value="2024-05-01">' in form(page)
    assert re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', form(page)) == [
        ("form", "1"),
        ("q", "7"),
        ("patient_id", "7"),
    ]
    clear = re.findall(r'<a href="([^"]*)">Clear</a>', form(page))[0].replace("&amp;", "&")
    assert client.get(address(ActivityAdherence) + clear).context["cl"].has_active_filters is False


def test_a_page_of_a_filtered_list_leads_to_the_next_one_of_the_same(
    client: Client, loaded: None, short_lists: None
) -> None:
    response = client.get(address(ActivityAdherence), {"status": "missed", "sex": "female"})
    (link,) = set(re.findall(r'href="(\?p=2&[^"]*)"', response.content.decode()))
    following = client.get(address(ActivityAdherence) + link.replace("&amp;", "&"))
    assert results(following)
    assert not set(results(following)) & set(results(response))
    assert {row.status for row in following.context["cl"].result_list} == {"missed"}


def test_among_many_values_a_person_types(
    client: Client, loaded: None, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "MOST_OPTIONS", 10)
    activity = warehouse.value(ACTIVITY["activity"][1])
    page = form(client.get(address(ActivityAdherence), {"activity": activity}).content.decode())
    assert f'<input type="text" name="activity" value="{activity}" list="list-activity"' in page
    (suggested,) = re.findall(r'<datalist id="list-activity">(.*?)</datalist>', page, re.DOTALL)
    assert f'<option value="{activity}">' in suggested
    assert '<select name="status">' in page


def test_a_list_without_filters_has_no_form(client: Client, loaded: None) -> None:
    assert "list-filters" not in client.get(reverse("admin:analytics_stepresultfact_changelist")).content.decode()


# --- Beside the pages


def test_it_leads_from_the_admins_list_to_the_pages_about_the_same_windows_and_back(
    client: Client, loaded: None, warehouse: Warehouse
) -> None:
    asked = {"hospital": str(warehouse.value(OF_A_PATIENT["hospital"][1])), "status": "missed"}
    response = client.get(address(ActivityAdherence), asked)
    query = urlencode(asked)
    beside = dict(response.context["cl"].pages_beside)
    assert beside == {
        f"/adherence/?{query}": "Their numbers",
        f"/adherence/windows/?{query}": "Those that ended last first",
    }
    windows = client.get(f"/adherence/windows/?{query}")
    found = listed(client, ActivityAdherence, asked)
    assert windows.context["total"] == str(len(found))
    assert {row["id"] for row in windows.context["rows"]} <= set(found)
    back = windows.context["list"]
    assert results(client.get(back)) == results(response)
    assert f'<a href="{back.replace("&", "&amp;")}">In the admin</a>' in windows.content.decode()


@pytest.mark.parametrize("query", ["patient_id=7", "q=7", "window_end_date_to=2024-05-01", "status=nonsense"])
def test_it_leads_to_no_page_that_would_show_other_windows(client: Client, loaded: None, query: str) -> None:
    assert client.get(f"{address(ActivityAdherence)}?{query}").context["cl"].pages_beside == []


def test_the_list_of_windows_of_another_day_leads_to_no_list_as_of_today(client: Client, loaded: None) -> None:
    assert client.get("/adherence/windows/?day=2024-05-15").context["list"] == ""
    assert client.get("/adherence/windows/?week=2024-05-13").context["list"] == ""


def test_who_may_not_see_the_pages_is_shown_no_link_to_them(loaded: None) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_activityadherence"))
    client = Client()
    client.force_login(reader)
    response = client.get(address(ActivityAdherence), {"status": "missed"})
    assert response.context["cl"].pages_beside == []
    assert results(response)
