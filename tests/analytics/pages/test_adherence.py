"""Adherence: the numbers of the page are those that SQL finds without it, and each leads to its windows."""

import re
from datetime import date
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.analytics.pages.conftest import Reader, table
from tests.conftest import Source, Warehouse
from tests.days import today

# Written apart from the page, from the windows and completions themselves.
BY_HAND = """
with seen as (
    select w.patient_journey_id, w.activity_id, w.window_start_date as first_day, w.window_end_date as last_day,
           array_agg(c.status) filter (where c.completed_date <= %(day)s) as done
      from patient_journey_schedule_window w
      left join activity_completion_fact c
        on c.patient_journey_id = w.patient_journey_id and c.activity_id = w.activity_id
     group by 1, 2, 3, 4
),
judged as (
    select f.*, p.hospital, p.age_bracket, p.sex, j.joint, j.abbreviation as journey, a.content_slug as activity,
           s.milestone_slug as milestone, f.clinician_id::text as clinician, last_day,
           to_char(f.operation_date, 'YYYY-MM') as month,
           case when first_day is null and last_day is null then 'undated'
                when 'in_window' = any(done) then 'completed'
                when 'late' = any(done) then 'completed_late'
                when 'early' = any(done) then 'completed_early'
                when last_day < %(day)s then 'missed'
                when first_day > %(day)s then 'upcoming'
                else 'open' end as status
      from seen
      join patient_journey_fact f using (patient_journey_id)
      join patient_dimension p on p.patient_id = f.patient_id
      join journey_dimension j on j.journey_id = f.journey_id
      join activity_dimension a using (activity_id)
      left join schedule_dimension s on s.schedule_id = a.schedule_id
)
select coalesce({0}, 'unknown'), coalesce({1}, 'unknown'), count(*)::text
  from judged
 where coalesce({2}, 'unknown') = %(value)s or %(value)s is null
 group by 1, 2
"""


def by_hand(warehouse: Warehouse, by: str, colour: str, day: str = "", filtered: str = "sex", value=None):
    with warehouse.connection.cursor() as cursor:
        cursor.execute(BY_HAND.format(by, colour, filtered), {"day": day or today(), "value": value})
        return sorted(cursor.fetchall())


@pytest.mark.parametrize(
    ("by", "colour"),
    [
        ("hospital", "status"),
        ("joint", "month"),
        ("journey", "status"),
        ("activity", "clinician"),
        ("milestone", "status"),
        ("clinician", "sex"),
        ("month", "status"),
        ("age_bracket", "hospital"),
        ("sex", "status"),
        ("status", "milestone"),
    ],
)
def test_it_counts_windows_by_any_two_dimensions(
    star: None, manager: Client, warehouse: Warehouse, by: str, colour: str
) -> None:
    for day in ("", "2024-05-15"):
        rows = table(manager, f"/adherence/?by={by}&colour={colour}" + (f"&day={day}" if day else ""))
        assert list(rows[0]) == [by, colour, "windows"]
        assert sorted(tuple(row.values()) for row in rows) == by_hand(warehouse, by, colour, day)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sex", "unknown"),
        ("joint", "knee"),
        ("milestone", "operation"),
        ("status", "missed"),
        ("month", "2024-03"),
        ("month", "unknown"),
        ("clinician", "12"),
    ],
)
def test_it_counts_the_windows_that_a_filter_leaves(
    star: None, manager: Client, warehouse: Warehouse, name: str, value: str
) -> None:
    rows = table(manager, f"/adherence/?{name}={value}&day=2024-05-15&by=activity&colour=hospital")
    expected = by_hand(warehouse, "activity", "hospital", "2024-05-15", name, value)
    assert expected
    assert sorted(tuple(row.values()) for row in rows) == expected


def test_it_stands_today_as_the_view_does(star: None, manager: Client, warehouse: Warehouse) -> None:
    rows = table(manager, "/adherence/?by=milestone")
    of_view = warehouse.execute("select status, count(*) from activity_adherence group by 1 order by 1")
    statuses = {status: sum(int(r["windows"]) for r in rows if r["status"] == status) for status, _ in of_view}
    assert statuses == dict(of_view)


def test_it_does_not_count_what_was_done_later(small_world: Source, manager: Client, run) -> None:
    small_world.insert_survey_result()  # on 8 March, in the window from 8 to 11 March
    run()
    days = ("2024-02-01", "2024-03-07", "2024-03-08", "2024-03-12")
    assert [table(manager, f"/adherence/?day={day}")[0]["status"] for day in days] == [
        "upcoming",
        "upcoming",
        "completed",
        "completed",
    ]


def test_it_prefers_a_late_completion_to_an_early_one_and_one_in_time_to_both(
    small_world: Source, manager: Client, run
) -> None:
    for number, day in enumerate(("2024-03-05", "2024-03-14"), 1):
        small_world.insert_survey_result(id=number, start_time=day, end_time=day)
    run()
    days = ("2024-03-04", "2024-03-05", "2024-03-13", "2024-03-14")
    found = [table(manager, f"/adherence/?day={day}")[0]["status"] for day in days]
    assert found == ["upcoming", "completed_early", "completed_early", "completed_late"]
    small_world.insert_survey_result(id=3)
    run()
    assert table(manager, "/adherence/?day=2024-03-14")[0]["status"] == "completed"


def test_it_leads_from_each_number_to_as_many_windows(star: None, manager: Client) -> None:
    page = manager.get("/adherence/?by=joint&milestone=operation")
    chart = page.context["chart"]
    cells = [(cell.text, cell.url) for row in chart.table for cell in row[1:] if cell.url]
    assert len(cells) > 10
    for text, address in cells:
        listed = manager.get(address)
        assert listed.context["total"] == text, address


def test_it_gives_an_analyst_the_numbers_and_no_way_to_the_windows(star: None, reader: Reader) -> None:
    analyst = reader("analyst")
    page = analyst.get("/adherence/?by=activity").content.decode()
    assert "completed" in page
    assert "/adherence/windows/" not in page
    assert "/patients/" not in page
    assert analyst.get("/adherence/windows/").status_code == 403


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("by=colour", "by=colour is not known"),
        ("by=status", "by and colour are both status"),
        ("by=sex&colour=sex", "by and colour are both sex"),
        ("day=2024-13-01", "day=2024-13-01 is no day"),
        ("day=", "is no day"),
        ("clinician=x", "clinician=x is not understood"),
        ("clinician=%C2%B2", "is not understood"),
        ("month=March", "month=March is not understood"),
        ("month=2024-13", "month=2024-13 is not understood"),
        ("month=2024-3", "month=2024-3 is not understood"),
        ("clinician=1_0", "clinician=1_0 is not understood"),
        ("status=mised", "status=mised is not known: status is one of completed"),
        ("hospitals=North", "This page knows no hospitals"),
        ("sex=f&sex=m", "sex is given 2 times"),
        ("sex=%00", "null character"),
        ("format=xlsx", "no format xlsx"),
    ],
)
def test_it_refuses_what_it_does_not_understand(manager: Client, query: str, reason: str) -> None:
    response = manager.get(f"/adherence/?{query}")
    assert response.status_code == 400
    assert reason in response.content.decode()


@pytest.mark.parametrize("day", ["0001-01-01", "0001-06-01", "9999-12-31"])
def test_it_takes_any_day_of_the_calendar(small_world: Source, manager: Client, run, day: str) -> None:
    run()
    (row,) = table(manager, f"/adherence/?day={day}")
    assert row["status"] == ("missed" if day.startswith("9") else "upcoming")
    assert manager.get(f"/adherence/windows/?day={day}").status_code == 200


def test_it_says_what_to_do_where_there_is_nothing(manager: Client) -> None:
    page = manager.get("/adherence/?hospital=Nowhere")
    assert page.status_code == 200
    assert "choose fewer" in page.content.decode()


def test_its_form_leads_to_an_address_with_what_was_chosen_alone(manager: Client) -> None:
    response = manager.get("/adherence/?form=1&by=sex&colour=status&day=&hospital=&joint=hip")
    assert (response.status_code, response["Location"]) == (302, "/adherence/?by=sex&colour=status&joint=hip")


def test_it_gives_adherence_as_one_number(small_world: Source, manager: Client, run) -> None:
    # Of five patient journeys one each is completed in time, late and early, one missed, and one not over yet.
    for number in range(2, 6):
        small_world.insert("patient", id=number, sex="f", hospital="North")
        operated = "2024-03-01" if number < 5 else "2024-06-01"
        small_world.insert("patient_journey", id=number, patient_id=number, journey_id=1, operation_date=operated)
    for number, day in ((1, "2024-03-09"), (2, "2024-03-20"), (3, "2024-03-02")):
        small_world.insert_survey_result(id=number, patient_journey_id=number, start_time=day, end_time=day)
    run()
    for by in ("by=hospital", "by=status&colour=sex"):
        page = manager.get(f"/adherence/?day=2024-05-01&{by}")
        assert (page.context["windows"], page.context["adherence"]) == ("5", "25.0 %")
    (point,) = page.context["trend"].lines[0].points
    assert (point.x, point.value, point.weight) == (
        date(2024, 3, 11).toordinal(),
        25,
        4,
    )  # the Monday on which all four ended


def test_it_reckons_the_trend_of_all_windows_that_ended_whatever_status_is_asked_for(
    star: None, manager: Client
) -> None:
    of_all, of_missed = (
        manager.get(f"/adherence/?day=2024-06-01{status}").context["trend"].lines for status in ("", "&status=missed")
    )
    assert of_all == of_missed
    assert len(of_all[0].points) > 10


def test_it_leads_from_each_week_to_as_many_windows(star: None, manager: Client) -> None:
    (line,) = manager.get("/adherence/?day=2024-06-01&milestone=operation").context["trend"].lines
    for point in line.points:
        assert manager.get(point.url).context["total"] == f"{point.weight:,}", point.url


def test_it_tells_no_adherence_of_windows_that_were_picked_by_their_status(star: None, manager: Client) -> None:
    page = manager.get("/adherence/?status=missed")
    assert page.context["adherence"] == ""
    assert "adherence" not in page.context["chart"].header


def test_it_reads_and_writes_the_month_of_a_year_with_few_digits(small_world: Source, manager: Client, run) -> None:
    small_world.execute("update patient_journey set operation_date = '0024-05-10'")
    run()
    assert [row["month"] for row in table(manager, "/adherence/?by=month")] == ["0024-05"]
    assert len(table(manager, "/adherence/?by=month&month=0024-05&colour=sex")) == 1


@pytest.mark.parametrize("hospital", ["", "a\nb", "unknown", "=1+1"])
def test_its_form_keeps_the_filter_that_the_address_has(
    small_world: Source, manager: Client, run, hospital: str
) -> None:
    small_world.execute("update patient set hospital = %s", hospital)
    run()
    page = manager.get("/adherence/", {"hospital": hospital})
    assert page.context["windows"] == "1"
    (field,) = (field for field in page.context["fields"] if field["name"] == "hospital")
    (chosen,) = (option["value"] for option in field["options"] if option["is_chosen"])
    sent = manager.get("/adherence/", {"form": "1", "hospital": chosen, "sex": ""}, follow=True)
    assert sent.redirect_chain == [("/adherence/?" + urlencode({"hospital": hospital}), 302)]
    assert sent.context["windows"] == "1"


def test_its_form_keeps_a_filter_that_no_window_has(manager: Client) -> None:
    assert b'<option value="Nowhere" selected>' in manager.get("/adherence/?hospital=Nowhere").content


@pytest.mark.parametrize(
    ("hospital", "cell"),
    [("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("-cmd", "'-cmd"), ("@sum", "'@sum"), ("-7", "-7"), ("North", "North")],
)
def test_its_csv_has_no_formula(small_world: Source, manager: Client, run, hospital: str, cell: str) -> None:
    small_world.execute("update patient set hospital = %s", hospital)
    run()
    assert [row["hospital"] for row in table(manager, "/adherence/")] == [cell]


def test_it_leads_to_a_patient_with_a_negative_key(small_world: Source, manager: Client, run) -> None:
    small_world.execute("update patient set id = -7; update patient_journey set patient_id = -7")
    run()
    assert 'href="/patients/-7/"' in manager.get("/adherence/windows/").content.decode()
    assert [manager.get(f"/patients/{key}/").status_code for key in (-7, 7, -(2**31) - 1)] == [200, 404, 404]


def test_it_begins_with_the_group_that_misses_the_largest_share(small_world: Source, manager: Client, run) -> None:
    small_world.execute("update patient set hospital = 'done'")
    small_world.insert_survey_result()
    for number, (hospital, operated) in enumerate(
        [("missed", "2024-03-01"), ("missed", "2024-03-01"), ("half", "2024-03-01"), ("half", "2025-03-01")], 2
    ):
        small_world.insert("patient", id=number, hospital=hospital)
        small_world.insert("patient_journey", id=number, patient_id=number, journey_id=1, operation_date=operated)
    small_world.insert("patient", id=6, hospital="not over")
    small_world.insert("patient_journey", id=6, patient_id=6, journey_id=1, operation_date="2025-03-01")
    small_world.insert_survey_result(id=2, patient_journey_id=5, start_time="2025-03-09", end_time="2025-03-09")
    run()
    rows = table(manager, "/adherence/?day=2025-03-10")
    assert list(dict.fromkeys(row["hospital"] for row in rows)) == ["missed", "half", "done", "not over"]
    rows = table(manager, "/adherence/?day=2025-03-10&status=missed")
    assert [row["hospital"] for row in rows] == ["missed", "half"]  # as many as there are


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "The hospital that misses the largest share of what has ended comes first."),
        ("?by=age_bracket", "The age bracket that misses the largest share of what has ended comes first."),
        ("?status=missed", "The hospital with most windows comes first."),
        ("?by=joint&colour=sex", "The joint with most windows comes first."),
        ("?by=month", ""),
        ("?by=status&colour=hospital", ""),
        ("?hospital=nowhere", ""),
    ],
)
def test_it_says_what_comes_first(star: None, manager: Client, query: str, says: str) -> None:
    html = manager.get(f"/adherence/{query}").content.decode()
    assert re.findall(r"<p>(The [^<]* comes first\.)</p>", html) == [says] * bool(says)


def test_it_says_that_the_windows_of_a_milestone_lie_before_and_after_it(
    small_world: Source, manager: Client, run
) -> None:
    small_world.insert("schedule", id=2, slug="7d-10d-pre-op")
    small_world.insert("activity", id=2, content_slug="video", schedule_id=2)
    small_world.insert("journey_activity", journey_id=1, activity_id=2)
    run()
    note = "The windows of a milestone lie before it as well as after it: both are counted."
    for query in ("?milestone=operation", "?by=milestone", "?by=sex&colour=milestone"):
        page = manager.get(f"/adherence/{query}")
        assert note in page.content.decode()
        assert page.context["windows"] == "2"
    assert note in manager.get("/adherence/windows/?milestone=operation").content.decode()
    assert note not in manager.get("/adherence/").content.decode()


def test_it_says_where_no_survey_result_has_come_for_two_weeks(small_world: Source, manager: Client, run) -> None:
    small_world.insert_survey_result()  # of 8 March 2024
    run()
    said = "The last survey result is of 2024-03-08: windows that ended later count as missed"
    assert said in manager.get("/adherence/").content.decode()
    assert said in manager.get("/adherence/?day=2024-03-22").content.decode()
    assert said not in manager.get("/adherence/?day=2024-03-21").content.decode()
