"""Quality: what is hardly right, in counts for all and row by row for who may see patients."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.test import Client

from analytics.pages import plausibility
from tests.analytics.pages.conftest import GROUPS, Reader
from tests.analytics.pages.quality import ADDRESS, cells, days_with, says, shown, text
from tests.conftest import Source, Warehouse


def counts(client: Client) -> dict[str, str]:
    """Return how many there are by rule, as the page shows it."""
    by_title = {title: rows for title, _, rows in cells(client, "plausibility")}
    return {name: by_title[rule.title] for name, rule in plausibility.RULES.items()}


def listed(client: Client, rule: str) -> list[list[str]]:
    """Return the rows that break a rule."""
    response = client.get(f"/quality/rows/?rule={rule}")
    assert response.status_code == 200
    (body, *_) = re.findall(r"<tbody>(.*?)</tbody>", response.content.decode(), re.S) or [""]
    return [
        [text(each) for each in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in body.split("<tr>")[1:]
    ]


NOTHING = dict.fromkeys(plausibility.RULES, "0")


def test_nothing_is_odd_in_a_small_world(small_world: Source, manager: Client, run) -> None:
    small_world.insert_survey_result()
    days_with(small_world, date(2024, 3, 1))
    run()
    assert counts(manager) == NOTHING
    for rule in plausibility.RULES:
        assert listed(manager, rule) == []


def test_a_score_is_odd_outside_the_usual_range_of_its_own_survey(small_world: Source, manager: Client, run) -> None:
    small_world.insert("survey", id=2, slug="walk", version="1", tags=[])
    # Of survey 1 the quartiles are 20 and 30: usual is 0 to 60. Of survey 2 they are 200 and 300: 0 to 600.
    scores = {1: (10, 20, 25, 30, 60), 2: (100, 200, 250, 300, 600)}
    number = 0
    for survey, of_survey in scores.items():
        for score in of_survey:
            number += 1
            small_world.insert_survey_result(id=number, survey_id=survey, score_value=score)
    small_world.insert_survey_result(id=90, score_value=None)
    run()
    assert counts(manager) == NOTHING
    small_world.execute("update survey_result set score_value = 61 where id = 5")
    small_world.execute("update survey_result set score_value = -1 where id = 6")
    run()
    assert counts(manager) == NOTHING | {"score": "2"}
    assert listed(manager, "score") == [
        ["5", "1", "2024-03-08", "score 61; usual of survey 1 is 0.0 to 60.0"],
        ["6", "1", "2024-03-08", "score -1; usual of survey 2 is 0.0 to 600.0"],
    ]


def test_more_than_a_hundred_thousand_steps_are_odd(small_world: Source, manager: Client, run) -> None:
    for number, value in ((1, "100000"), (2, "100001")):
        small_world.insert("step_result", patient_id=1, date=date(2024, 3, number), value=value)
    run()
    assert counts(manager) == NOTHING | {"steps": "1"}
    ((_, patient, day, odd),) = listed(manager, "steps")
    assert (patient, day, odd) == ("1", "2024-03-02", "100001 steps")


@pytest.mark.parametrize(
    ("milestones", "rule", "odd"),
    [
        ({"registration_date": "2024-03-01", "operation_date": "2024-02-29"}, "operation", "registered on 2024-03-01"),
        ({"registration_date": "2024-03-01", "operation_date": "2024-03-01"}, "", ""),
        ({"registration_date": None, "operation_date": "2024-03-01"}, "", ""),
        ({"operation_date": "2024-03-02", "discharge_date": "2024-03-01"}, "discharge", "operation on 2024-03-02"),
        ({"operation_date": "2024-03-02", "discharge_date": "2024-03-02"}, "", ""),
    ],
)
def test_milestones_are_odd_in_the_wrong_order(
    small_world: Source, manager: Client, run, milestones: dict[str, str | None], rule: str, odd: str
) -> None:
    small_world.insert("patient_journey", id=2, patient_id=1, journey_id=1, **milestones)
    run()
    assert counts(manager) == NOTHING | ({rule: "1"} if rule else {})
    if rule:
        ((key, patient, _, said),) = listed(manager, rule)
        assert (key, patient, said) == ("2", "1", odd)


LAST = date(2024, 6, 30)


def weekly(source: Source, patient: int, hospital: str, *days_before: int) -> None:
    """Give a patient of a hospital steps so many days before the last day of the data."""
    source.insert("patient", id=patient, hospital=hospital)
    for days in days_before:
        source.insert("step_result", patient_id=patient, date=LAST - timedelta(days), value="5")


def test_a_hospital_is_odd_that_had_data_each_week_and_fell_silent(small_world: Source, manager: Client, run) -> None:
    weekly(small_world, 11, "At work", 0, 7, 14, 21)
    weekly(small_world, 12, "Silent", 14, 21, 28, 35)
    weekly(small_world, 13, "Heard of in time", 13, 20, 27, 34)
    weekly(small_world, 14, "Seldom", 14, 28, 42)
    weekly(small_world, 15, "Gone for years", 365, 372, 379, 386)
    weekly(small_world, 16, "By surveys", 14, 21, 28, 35)
    small_world.insert("patient_journey", id=16, patient_id=16, journey_id=1)
    small_world.insert_survey_result(patient_journey_id=16, start_time=LAST, end_time=LAST)
    run()
    assert counts(manager) == NOTHING | {"hospital": "1"}
    assert listed(manager, "hospital") == [["Silent", "2024-06-16"]]
    assert 'href="/adherence/windows/?hospital=Silent"' in manager.get("/quality/rows/?rule=hospital").content.decode()


def test_what_is_odd_stays_in_the_star(small_world: Source, warehouse: Warehouse, manager: Client, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-01", value="100001")
    run()
    assert counts(manager)["steps"] == "1"
    assert warehouse.value("select steps from step_result_fact") == 100_001


def test_it_shows_counts_to_all_and_rows_to_care_managers(star: None, warehouse: Warehouse, reader: Reader) -> None:
    of_all = {group: counts(reader(group)) for group in GROUPS}
    expected = {
        "steps": "select count(*) from step_result_fact where steps > 100000",
        "operation": "select count(*) from patient_journey_fact where operation_date < registration_date",
        "discharge": "select count(*) from patient_journey_fact where discharge_date < operation_date",
    }
    for group, found in of_all.items():
        if group != "care manager":
            assert all(rows in ("0", "of fewer than 5 patients") or int(rows) % 5 == 0 for rows in found.values())
            continue
        assert {name: found[name] for name in expected} == {
            name: shown(warehouse.value(query)) for name, query in expected.items()
        }
    thresholds = says(reader("analyst"), "plausibility")
    for threshold in ("more than 100,000", "3 interquartile ranges", "in each of 4 weeks", "the last 14 days"):
        assert threshold in thresholds
    for group in GROUPS:
        client = reader(group)
        for rule, rows in of_all[group].items():
            address = f"/quality/rows/?rule={rule}"
            assert client.get(address).status_code == (200 if group == "care manager" else 403)
            has_link = f'href="{address}"' in client.get(ADDRESS).content.decode()
            assert has_link == (group == "care manager" and rows != "0")


@pytest.mark.parametrize("rule", list(plausibility.RULES))
def test_each_listed_row_leads_to_the_row_and_the_patient(small_world: Source, manager: Client, run, rule: str) -> None:
    weekly(small_world, 12, "Silent", 14, 21, 28, 35)
    small_world.insert("step_result", patient_id=1, date=LAST, value="100001")
    small_world.insert_survey_result(score_value=-1)
    small_world.execute("update patient_journey set registration_date = '2024-03-02', discharge_date = '2024-02-01'")
    run()
    html = manager.get(f"/quality/rows/?rule={rule}").content.decode()
    addresses = [
        unescape(each) for each in re.findall(r'href="([^"]+)"', re.findall(r"<tbody>.*</tbody>", html, re.S)[0])
    ]
    assert len(addresses) == (1 if rule == "hospital" else 2)
    for address in addresses:
        assert manager.get(address).status_code == 200


def test_it_lists_the_last_thousand_and_says_of_how_many(
    small_world: Source, manager: Client, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plausibility, "ROWS", 2)
    for day in (1, 2, 3):
        small_world.insert("step_result", patient_id=1, date=date(2024, 3, day), value="100001")
    run()
    assert [day for _, _, day, _ in listed(manager, "steps")] == ["2024-03-03", "2024-03-02"]
    assert "3 of them, the last 2 are listed." in text(manager.get("/quality/rows/?rule=steps").content.decode())
