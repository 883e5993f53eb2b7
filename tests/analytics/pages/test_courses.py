"""Steps and scores: quartiles by time since the operation are those that Python finds from the rows themselves."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client

from analytics.pages.answers import read
from analytics.pages.courses import GROUPS as BY
from analytics.pages.small_numbers import seen
from tests.analytics.pages.conftest import Reader, table
from tests.conftest import Source, Warehouse


def quartiles(values: Iterable[float]) -> list[float]:
    values = sorted(values)
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def as_numbers(rows: list[dict[str, str]], by: str, time: str) -> dict[tuple[str, int], list[Any]]:
    names = ("patients", "lower_quartile", "median", "upper_quartile")
    return {(row[by], int(row[time])): [pytest.approx(float(row[name])) for name in names] for row in rows}


def operated(warehouse: Warehouse, by: str) -> dict[int, tuple[object, set[str]]]:
    """Return of each patient the day of the first operation, and the groups that its steps count for."""
    found: dict[int, tuple[object, set[str]]] = {}
    rows = warehouse.execute(
        f"""
        select patient_id, operation_date, coalesce({by}, 'unknown') from patient_journey_fact
          join patient_dimension using (patient_id) join journey_dimension using (journey_id)
         where operation_date is not null order by operation_date
        """
    )
    for patient, day, group in rows:
        first, groups = found.setdefault(patient, (day, set()))
        if first == day:
            groups.add(group)
    return found


def assert_steps(manager: Client, warehouse: Warehouse, by: str) -> None:
    """Hold the page of steps against what Python finds from the rows themselves."""
    expected = defaultdict(list)
    patients = operated(warehouse, by)
    for patient, day, steps in warehouse.execute("select patient_id, date, steps from step_result_fact"):
        operation, groups = patients.get(patient, (None, ()))
        if operation and -30 <= (day - operation).days <= 180:
            for group in groups:
                expected[group, (day - operation).days].append(steps)
    rows = table(manager, f"/steps/?by={by}")
    assert list(rows[0]) == [by, "day", "patients", "lower_quartile", "median", "upper_quartile"]
    assert as_numbers(rows, by, "day") == {key: [len(of), *quartiles(of)] for key, of in expected.items()}
    assert len({row[by] for row in rows}) > 1


def assert_scores(manager: Client, warehouse: Warehouse, by: str) -> None:
    """Hold the page of scores against what Python finds from the rows themselves."""
    survey = warehouse.value(
        "select survey_id from survey_result_fact group by 1 order by count(*) desc, 1 limit 1"  # the default
    )
    expected = defaultdict(list)
    for group, patient, end, operation, score in warehouse.execute(
        f"""
        select coalesce({by}, 'unknown'), r.patient_id, (r.end_time at time zone 'UTC')::date, operation_date,
               score_value
          from survey_result_fact r join patient_journey_fact f using (patient_journey_id)
          join patient_dimension p on p.patient_id = f.patient_id join journey_dimension using (journey_id)
         where survey_id = %s and score_value is not null and operation_date is not null
        """,
        survey,
    ):
        expected[group, (end - operation).days // 7].append((patient, score))
    rows = table(manager, f"/scores/?by={by}")
    assert rows == table(manager, f"/scores/?by={by}&survey={survey}")
    assert as_numbers(rows, by, "week") == {
        key: [len({patient for patient, _ in of}), *quartiles(score for _, score in of)] for key, of in expected.items()
    }


@pytest.mark.parametrize("by", BY)
def test_it_shows_steps_by_day_since_the_first_operation(
    star: None, manager: Client, warehouse: Warehouse, by: str
) -> None:
    assert_steps(manager, warehouse, by)


@pytest.mark.parametrize("by", BY)
def test_it_shows_scores_by_week_since_the_operation_of_their_patient_journey(
    star: None, manager: Client, warehouse: Warehouse, by: str
) -> None:
    assert_scores(manager, warehouse, by)


def test_it_counts_the_change_from_the_last_score_before_the_operation(
    small_world: Source, manager: Client, run
) -> None:
    # Operated on 1 March. The score of that day itself is no longer one before it.
    for number, (day, score) in enumerate(
        [("2024-01-01", 90), ("2024-02-29", 40), ("2024-03-01", 44), ("2024-03-09", 55)], 1
    ):
        small_world.insert_survey_result(id=number, start_time=day, end_time=f"{day} 10:00", score_value=score)
    run()
    rows = table(manager, "/scores/")
    assert [(int(row["week"]), float(row["median"])) for row in rows] == [(-9, 90), (-1, 40), (0, 44), (1, 55)]
    with seen(exactly=True):
        changes = read("score_changes", grouped_by=BY["sex"], survey=1)
    assert [(row["week"], row["median"]) for row in changes] == [(0, 4), (1, 15)]


def test_it_draws_no_point_of_fewer_than_five_patients_and_lists_it_for_who_sees_patients_alone(
    small_world: Source, reader: Reader, run
) -> None:
    for patient in range(2, 7):
        small_world.insert("patient", id=patient, sex="f" if patient < 6 else "m")
        small_world.insert("patient_journey", id=patient, patient_id=patient, journey_id=1, operation_date="2024-03-01")
    for patient in range(1, 7):
        small_world.insert("step_result", patient_id=patient, date="2024-03-02", value=str(100 * patient))
    run()
    manager, analyst = reader("care manager"), reader("analyst")
    points = [
        (line.name, point.weight)
        for line in manager.get("/steps/?by=sex").context["chart"].lines
        for point in line.points
    ]
    assert points == [("f", 5)]
    assert [(row["sex"], row["patients"]) for row in table(manager, "/steps/?by=sex")] == [("f", "5"), ("m", "1")]
    assert [(row["sex"], row["patients"]) for row in table(analyst, "/steps/?by=sex")] == [("f", "5")]


@pytest.mark.parametrize("page", ["steps", "scores"])
def test_it_draws_the_band_of_one_group_and_of_several_the_medians_alone(
    small_world: Source, manager: Client, run, page: str
) -> None:
    for patient in range(1, 11):
        if patient > 1:
            small_world.insert("patient", id=patient, sex="f" if patient < 6 else "m", hospital="North")
            small_world.insert(
                "patient_journey", id=patient, patient_id=patient, journey_id=1, operation_date="2024-03-01"
            )
        for week in range(2):
            day = f"2024-03-{8 + 7 * week:02}"
            small_world.insert_survey_result(
                id=10 * patient + week, patient_journey_id=patient, start_time=day, end_time=f"{day} 10:00"
            )
        for day in ("2024-03-02", "2024-03-03"):
            small_world.insert("step_result", patient_id=patient, date=day, value=str(100 * patient))
    small_world.execute("update patient set sex = 'f', hospital = 'North' where id = 1")
    run()

    def drawn(by: str) -> tuple[int, bool, bool]:
        html = manager.get(f"/{page}/?by={by}").content.decode().split("</figure>")[0]
        return html.count('class="chart-band"'), "Lines are medians" in html, "lower quartile" in html

    assert drawn("hospital") == (1, False, True)
    assert drawn("sex") == (0, True, True)
    assert manager.get(f"/{page}/?by=hospital").context["chart"].title.endswith("the band in which the middle half is")
    assert manager.get(f"/{page}/?by=sex").context["chart"].title.endswith("by sex: median of each")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("/steps/?by=journey", "by=journey is not known"),
        ("/steps/?survey=1", "This page knows no survey"),
        ("/scores/?survey=999", "survey=999 has no results"),
        ("/scores/?survey=x", "survey=x has no results"),
    ],
)
def test_it_refuses_what_it_does_not_understand(manager: Client, address: str, reason: str) -> None:
    response = manager.get(address)
    assert (response.status_code, reason in response.content.decode()) == (400, True)


@pytest.mark.parametrize("address", ["/steps/", "/scores/"])
def test_it_says_that_there_is_nothing_while_there_is_nothing(manager: Client, address: str) -> None:
    page = manager.get(address)
    assert page.status_code == 200
    assert "chart-empty" in page.content.decode()
