"""A patient's page: milestones, windows and what was done in them, steps and scores, as the star has them."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from tests.analytics.pages.conftest import Reader
from tests.conftest import Source, Warehouse

MILESTONES = ("invitation", "registration", "consent", "operation", "discharge")


def context(client: Client, patient: int = 1) -> Any:
    response = client.get(f"/patients/{patient}/")
    assert response.status_code == 200
    return response.context


def cells(figure: Any) -> list[tuple[str, ...]]:
    """Return the rows of the table beneath a chart."""
    return [tuple(cell.text for cell in row) for row in figure.table]


# --- The time line


def test_it_shows_every_window_of_each_patient_and_what_was_done_in_it(
    star: None, manager: Client, warehouse: Warehouse
) -> None:
    patients = [patient for (patient,) in warehouse.execute("select patient_id from patient_dimension order by 1")]
    assert len(patients) > 50
    seen = assert_windows(manager, warehouse, patients)
    not_scheduled = warehouse.value("select count(*) from activity_completion_fact where status = 'not_scheduled'")
    assert seen == warehouse.value("select count(*) from activity_completion_fact") - not_scheduled > 0


def assert_windows(manager: Client, warehouse: Warehouse, patients: Iterable[int]) -> int:
    """Assert that the pages of patients show their windows and what was done in them; return how much was done."""
    seen = 0
    for patient in patients:
        windows = warehouse.execute(
            """
            select coalesce(w.activity_content_slug, 'unknown'),
                   case when w.schedule_slug = '' then '(blank)' else coalesce(w.schedule_slug, 'no schedule') end,
                   w.window_start_date, w.window_end_date, w.status,
                   (select coalesce(array_agg(c.completed_date || ' ' || c.status order by c.completed_date, c.status),
                                    '{}')
                      from activity_completion_fact c
                     where c.patient_journey_id = w.patient_journey_id and c.activity_id = w.activity_id)
              from activity_adherence w
             where w.patient_id = %s
            """,
            patient,
        )
        spans = context(manager, patient)["time_line"].spans
        found = [(*span[:5], sorted(f"{mark.day} {mark.kind}" for mark in span.marks)) for span in spans]
        assert sorted(found, key=str) == sorted(windows, key=str), patient
        seen += sum(len(span.marks) for span in spans)
    return seen


def test_it_shows_the_milestones_of_each_patient(star: None, manager: Client, warehouse: Warehouse) -> None:
    days: dict[int, list[tuple[str, date]]] = {}
    for patient, *dates in warehouse.execute(
        f"select patient_id, {', '.join(f'{name}_date' for name in MILESTONES)} from patient_journey_fact"
    ):
        days.setdefault(patient, []).extend((n, day) for n, day in zip(MILESTONES, dates, strict=True) if day)
    for patient, expected in days.items():
        page = context(manager, patient)
        found = [tuple(each) for each in page["time_line"].milestones if each.name != "today"]
        assert sorted(found) == sorted(expected)
        assert {each["patient_journey_id"] for each in page["journeys"]} == {
            key
            for (key,) in warehouse.execute(
                "select patient_journey_id from patient_journey_fact where patient_id = %s", patient
            )
        }


def test_it_leads_from_a_window_to_its_row(star: None, manager: Client) -> None:
    spans = context(manager)["time_line"].spans
    assert spans
    for span in spans:
        assert manager.get(span.url).status_code == 200


def test_it_draws_a_window_from_its_first_day_to_the_end_of_its_last_with_a_dot_for_what_was_done(
    small_world: Source, manager: Client, run
) -> None:
    small_world.insert_survey_result()
    run()
    time_line = context(manager)["time_line"]
    assert cells(time_line) == [
        ("pain-diary", "7d-10d-post-op", "2024-03-08 to 2024-03-11", "completed", "2024-03-08 in_window")
    ]
    (drawn,) = time_line.drawn
    assert "pain-diary, 7d-10d-post-op: 2024-03-08 to 2024-03-11, completed" in drawn["says"]
    # On one axis: days are as far apart as they are long.
    first, width = (float(str(drawn[name]).rstrip("%")) for name in ("x", "width"))
    (operation,) = (float(x.rstrip("%")) for x, name, *_ in time_line.names if name == "operation")
    ((dot, _),) = drawn["marks"]
    assert first + width - operation == pytest.approx(11 * width / 4, abs=0.1)
    assert first < float(dot.rstrip("%")) < first + width / 4


def test_it_lists_a_window_without_days_and_does_not_draw_it(small_world: Source, manager: Client, run) -> None:
    small_world.execute("update patient_journey set operation_date = null")
    run()
    time_line = context(manager)["time_line"]
    assert cells(time_line) == [("pain-diary", "7d-10d-post-op", "no days", "undated", "")]
    assert time_line.drawn_spans == []


def test_its_axis_is_not_stretched_by_days_that_stand_for_never(small_world: Source, manager: Client, run) -> None:
    small_world.insert("schedule", id=2, slug="1d-3d-post-reg")
    small_world.insert("activity", id=2, content_slug="video", schedule_id=2)
    small_world.insert("journey_activity", journey_id=1, activity_id=2)
    small_world.execute(
        "update patient_journey set registration_date = '9999-12-31', discharge_date = '0001-01-01',"
        " consent_date = '2024-02-01'"
    )
    small_world.insert_survey_result(id=1)
    for number, day in enumerate(("0001-01-01", "9999-12-31"), 2):
        small_world.insert_survey_result(id=number, start_time="0001-01-01", end_time=day)
        small_world.insert("step_result", patient_id=1, date=day, value="10")
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="4000")
    run()
    page = context(manager)
    low, high = page["time_line"].x.marks
    assert date(2023, 1, 1).toordinal() < low
    assert high < date.today().toordinal() + 60  # noqa: DTZ011
    assert {each.name for each in page["time_line"].milestones} == {"consent", "operation"}
    assert page["steps"].xs == [date(2024, 3, 2).toordinal()]
    assert page["scores"].xs == [date(2024, 3, 8).toordinal()]
    html = manager.get("/patients/1/").content.decode()
    assert "9999-12-31" in html  # it is in the table of the patient journeys, as the source has it


# --- Steps and scores


def test_it_shows_the_steps_and_scores_of_each_patient(star: None, manager: Client, warehouse: Warehouse) -> None:
    steps = "select date::text, to_char(steps, 'FM999,999,999') from step_result_fact where patient_id = %s order by 1"
    scores = """
        select distinct on (s.survey_id, day) s.slug || ' (' || s.survey_id || ')', r.completed_date as day,
               f.score_value
          from survey_result_fact f
          join activity_completion_fact r using (survey_result_id)
          join survey_dimension s using (survey_id)
         where f.patient_id = %s and f.score_value is not null
         order by s.survey_id, day, f.end_time desc, f.survey_result_id desc
    """
    patients = [patient for (patient,) in warehouse.execute("select patient_id from patient_dimension order by 1")]
    points = 0
    for patient in patients[::6]:
        page = context(manager, patient)
        assert cells(page["steps"]) == warehouse.execute(steps, patient)
        found = {
            (line.name, date.fromordinal(point.x), point.value)
            for line in page["scores"].lines
            for point in line.points
        }
        assert found == set(warehouse.execute(scores, patient))
        points += len(found)
    assert points > 10


def test_its_charts_have_one_axis_of_days(small_world: Source, manager: Client, run) -> None:
    small_world.insert_survey_result()
    for day in ("2023-12-24", "2024-03-10"):  # before all windows, and in one
        small_world.insert("step_result", patient_id=1, date=day, value="4000")
    run()
    page = context(manager)
    time_line, steps, scores = (page[name] for name in ("time_line", "steps", "scores"))
    first = time_line.x.marks[0]
    assert first < date(2023, 12, 24).toordinal()
    assert steps.x == scores.x == time_line.x
    (drawn,) = time_line.drawn
    begin, width = (float(str(drawn[name]).rstrip("%")) / 100 for name in ("x", "width"))
    assert begin < steps.x.share(date(2024, 3, 10).toordinal()) < begin + width
    assert begin == pytest.approx(scores.x.share(date(2024, 3, 8).toordinal()), abs=0.001)
    assert steps.y_width == time_line.y_width  # and its edges, too


def test_it_draws_steps_of_a_patient_of_whom_nothing_is_due(small_world: Source, manager: Client, run) -> None:
    small_world.insert("patient", id=2)
    for day in ("2024-03-02", "2024-03-09"):
        small_world.insert("step_result", patient_id=2, date=day, value="4000")
    run()
    page = context(manager, 2)
    assert "No activity is due for this patient" in str(page["time_line"])
    assert page["steps"].xs == [date(2024, 3, day).toordinal() for day in (2, 9)]
    assert [float(x.rstrip("%")) for x, _ in page["steps"].drawn[0].dots] == pytest.approx([18.2, 81.8], abs=0.1)


# --- Who and what is there


def test_it_shows_a_patient_of_whom_nothing_is_known(small_world: Source, manager: Client, run) -> None:
    small_world.insert("patient", id=2)
    run()
    html = manager.get("/patients/2/").content.decode()
    for column in ("Hospital", "age", "sex"):
        assert f"{column} <strong>unknown</strong>" in html
    for said in ("No activity is due for this patient", "No steps of this patient", "No score of this patient"):
        assert said in html
    figures = re.findall(r"<figure.*?</figure>", html, re.DOTALL)
    assert [("chart-empty" in each, "<svg" in each) for each in figures] == [(True, False)] * 3


@pytest.mark.parametrize("patient", ["0", "2", "2147483647", "2147483648", "9223372036854775808", "9" * 40])
def test_it_has_no_page_of_a_patient_that_does_not_exist(small_world: Source, manager: Client, run, patient) -> None:
    run()
    response = manager.get(f"/patients/{patient}/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_it_is_for_care_managers_alone(small_world: Source, reader: Reader, run) -> None:
    run()
    for group, status in (("care manager", 200), ("analyst", 403), ("steward", 403), ("operator", 403)):
        assert reader(group).get("/patients/1/").status_code == status
        # Who may not look is not told either whether there is such a patient.
        assert reader(group).get("/patients/77/").status_code == (404 if status == 200 else 403)


def test_it_takes_no_filter(small_world: Source, manager: Client, run) -> None:
    run()
    assert manager.get("/patients/1/?day=2024-03-01").status_code == 400
