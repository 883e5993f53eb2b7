"""The list of the windows behind a number: all of them, page by page, as far as its bound, each with its patient."""

import datetime as dt
import re
from urllib.parse import urlencode

import pytest
from django.test import Client

from analytics.pages import adherence
from tests.conftest import Source, Warehouse

ADDRESS = "/adherence/windows/"
DAY = "2024-05-15"


def rows(client: Client, query: str = "") -> list[int]:
    """Return the ids of the windows of a page."""
    response = client.get(ADDRESS + query)
    assert response.status_code == 200
    return [row["id"] for row in response.context["rows"]]


def said(client: Client, query: str = "") -> str:
    page = client.get(ADDRESS + query).content.decode()
    return " ".join(re.sub("<[^>]+>", " ", page.split('id="content"')[-1]).split())


def test_it_lists_every_window_once_those_that_ended_last_first(
    star: None, manager: Client, warehouse: Warehouse
) -> None:
    expected = warehouse.execute("select id, window_end_date from activity_adherence")
    ends = dict(expected)
    listed = [each for page in range(1, -(-len(expected) // 100) + 1) for each in rows(manager, f"?page={page}")]
    assert len(listed) == len(expected) > 200
    assert set(listed) == set(ends)
    dated = [ends[each] for each in listed if ends[each]]
    assert dated == sorted(dated, reverse=True)
    assert [ends[each] for each in listed[len(dated) :]] == [None] * (len(listed) - len(dated))


def test_it_shows_each_window_as_the_view_has_it(star: None, manager: Client, warehouse: Warehouse) -> None:
    columns = "id, status, patient_id, window_start_date, window_end_date, first_completed_date"
    by_id = {row[0]: row for row in warehouse.execute(f"select {columns} from activity_adherence")}
    shown = manager.get(ADDRESS + "?status=completed_late").context["rows"]
    assert len(shown) > 10
    for row in shown:
        assert tuple(row[name] for name in columns.split(", ")) == by_id[row["id"]]


def test_it_lists_the_windows_that_its_filters_leave(star: None, manager: Client, warehouse: Warehouse) -> None:
    hospital = warehouse.value("select mode() within group (order by hospital) from patient_dimension")
    expected = warehouse.execute(
        """
        select w.id
          from patient_journey_schedule_window w
          join patient_dimension p using (patient_id)
         where p.hospital = %s and w.schedule_milestone_slug = 'operation' and w.window_end_date < %s
           and not exists (select from activity_completion_fact c
                            where c.patient_journey_id = w.patient_journey_id and c.activity_id = w.activity_id
                              and c.completed_date <= %s)
        """,
        hospital,
        DAY,
        DAY,
    )
    assert len(expected) > 1
    asked = {"hospital": hospital, "milestone": "operation", "status": "missed", "day": DAY}
    pages = range(1, len(expected) // 100 + 2)
    found = [each for page in pages for each in rows(manager, "?" + urlencode(asked | {"page": str(page)}))]
    assert sorted(found) == sorted(key for (key,) in expected)


def test_it_lists_the_windows_of_a_schedule(
    star: None, manager: Client, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adherence, "ROWS", 20)
    schedule, windows = warehouse.execute(
        "select schedule_id, count(*) from patient_journey_schedule_window"
        " where schedule_id is not null group by 1 order by 2 desc, 1 limit 1"
    )[0]
    ids = {
        key
        for (key,) in warehouse.execute(
            "select id from patient_journey_schedule_window where schedule_id = %s", schedule
        )
    }
    response = manager.get(f"{ADDRESS}?schedule={schedule}")
    assert response.context["total"] == f"{windows:,}"
    seen = {row["id"] for row in response.context["rows"]}
    while after := response.context["after"]:
        assert f"schedule={schedule}" in after
        response = manager.get(after)
        seen |= {row["id"] for row in response.context["rows"]}
    assert seen == ids
    assert len(ids) > 20
    slug = warehouse.value("select slug from schedule_dimension where schedule_id = %s", schedule)
    assert f", schedule {slug} ({schedule})" in said(manager, f"?schedule={schedule}")
    missed = warehouse.value(
        "select count(*) from activity_adherence where schedule_id = %s and status = 'missed'", schedule
    )
    assert manager.get(f"{ADDRESS}?schedule={schedule}&status=missed").context["total"] == f"{missed:,}"


def test_it_leads_from_the_windows_of_a_schedule_to_numbers_that_are_not_of_it_alone(
    small_world: Source, manager: Client, run
) -> None:
    run()
    response = manager.get(f"{ADDRESS}?schedule=1&day={DAY}")
    assert response.context["back"] == f"/adherence/?day={DAY}"
    assert "The numbers of all schedules" in response.content.decode()
    assert "Their numbers" in manager.get(ADDRESS).content.decode()
    assert manager.get("/adherence/?schedule=1").status_code == 400


def test_it_says_when_a_window_was_first_done_as_of_the_day(small_world: Source, manager: Client, run) -> None:
    for number, day in enumerate(("2024-03-05", "2024-03-09", "2024-03-14"), 1):
        small_world.insert_survey_result(id=number, start_time=day, end_time=day)
    run()
    found = {
        day: manager.get(f"{ADDRESS}?day=2024-03-{day:02}").context["rows"][0]["first_completed_date"]
        for day in (4, 5, 31)
    }
    assert found == {4: None, 5: dt.date(2024, 3, 5), 31: dt.date(2024, 3, 5)}


def test_it_says_when_a_window_without_dates_was_first_done(
    small_world: Source, manager: Client, warehouse: Warehouse, run
) -> None:
    small_world.insert("patient", id=2, age_bracket="60-69", sex="m", hospital="South")
    small_world.insert("patient_journey", id=2, patient_id=2, journey_id=1, operation_date=None)
    small_world.execute("update patient_journey set operation_date = null")
    for number, day in enumerate(("2024-03-14", "2024-03-08", dt.datetime.now(dt.UTC).date() + dt.timedelta(1)), 1):
        small_world.insert_survey_result(id=number, start_time=day, end_time=day)
    run()
    view = "select status, completions, first_completed_date from activity_adherence order by patient_id"
    assert warehouse.execute(view) == [("undated", 2, dt.date(2024, 3, 8)), ("undated", 0, None)]
    for query, first in (
        ("", dt.date(2024, 3, 8)),
        ("?day=2024-03-08", dt.date(2024, 3, 8)),
        ("?day=2024-03-07", None),
    ):
        shown = manager.get(ADDRESS + query).context["rows"]
        assert [(row["status"], row["first_completed_date"]) for row in shown] == [
            ("undated", first),
            ("undated", None),
        ]
    assert " 2024-03-08 7d-10d-post-op THR North" in said(manager)


def test_it_leads_to_the_patient_the_window_and_back_to_the_numbers(star: None, manager: Client) -> None:
    query = f"?joint=knee&status=missed&day={DAY}"
    response = manager.get(ADDRESS + query)
    page = response.content.decode()
    first = response.context["rows"][0]
    assert f'href="/patients/{first["patient_id"]}/"' in page
    assert f'href="/admin/analytics/activityadherence/{first["id"]}/change/"' in page
    assert manager.get(response.context["back"]).context["windows"] == response.context["total"]


def test_it_leads_from_page_to_page_with_what_was_asked(star: None, manager: Client) -> None:
    response = manager.get(f"{ADDRESS}?day={DAY}&joint=knee")
    assert response.context["before"] == ""
    seen = {row["id"] for row in response.context["rows"]}
    while after := response.context["after"]:
        assert "joint=knee" in after
        assert f"day={DAY}" in after
        before, response = response, manager.get(after)
        seen |= {row["id"] for row in response.context["rows"]}
        assert rows(manager, response.context["before"].partition("windows/")[2]) == [
            row["id"] for row in before.context["rows"]
        ]
    assert f"{len(seen):,}" == response.context["total"]
    assert len(seen) > 100


@pytest.fixture
def many(warehouse: Warehouse) -> None:
    """10,001 windows: one more than the list comes to."""
    warehouse.execute(
        """
        insert into adherence_fact (id, patient_id, patient_journey_id, activity_id, window_end_date)
        select row_id(n, 1), n, n, 1, date '2024-01-01' + n % 100 from generate_series(1, 10001) n
        """
    )


def test_it_comes_to_an_end_after_ten_thousand_windows_and_says_so(many: None, manager: Client) -> None:
    assert "Windows 1 to 100 of 10,001" in said(manager)
    assert "the list ends after 10,000: narrow it to see others" in said(manager)
    last = manager.get(ADDRESS + "?page=100")
    assert (last.status_code, last.context["after"]) == (200, "")
    assert "Windows 9,901 to 10,000 of 10,001" in said(manager, "?page=100")
    refused = manager.get(ADDRESS + "?page=101")
    assert refused.status_code == 400
    assert "page=101 is not there: the pages are 1 to 100" in refused.content.decode()


def test_it_says_nothing_of_an_end_where_all_are_listed(many: None, manager: Client, warehouse: Warehouse) -> None:
    warehouse.execute("delete from adherence_fact where patient_id = 1")
    assert "Windows 9,901 to 10,000 of 10,000" in said(manager, "?page=100")
    assert "the list ends" not in said(manager)


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "", "1.0", "%C2%B2", "%D9%A1", "9" * 5000])
def test_it_refuses_a_page_that_is_not_there(small_world: Source, manager: Client, run, page: str) -> None:
    run()
    response = manager.get(f"{ADDRESS}?page={page}")
    assert response.status_code == 400
    assert "the pages are 1 to 1" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("by=sex", "This page knows no by"),
        ("colour=sex", "This page knows no colour"),
        ("day=yesterday", "day=yesterday is no day"),
        ("page=1&page=1", "page is given 2 times"),
        ("format=csv", "no format csv"),
        ("schedule=7d-post-op", "schedule=7d-post-op is not in the star"),
        ("schedule=77", "schedule=77 is not in the star"),
        ("schedule=9999999999", "schedule=9999999999 is not in the star"),
        ("schedule=", "is not in the star"),
    ],
)
def test_it_refuses_what_it_does_not_understand(manager: Client, query: str, reason: str) -> None:
    response = manager.get(f"{ADDRESS}?{query}")
    assert (response.status_code, reason in response.content.decode()) == (400, True)


def test_it_says_that_no_window_is_as_the_filters_ask(small_world: Source, manager: Client, run) -> None:
    run()
    assert "No window is as the filters ask. Choose fewer." in said(manager, "?hospital=Nowhere")
    assert "Windows 0 to 0 of 0" in said(manager, "?hospital=Nowhere")
