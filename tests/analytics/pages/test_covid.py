"""COVID: the figures of the documents by day, averages over calendar days, and what the service did on these days."""

import json
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from analytics.pages import covid
from tests.analytics.pages.conftest import table
from tests.conftest import Source

FIGURES = {
    "new_cases": "cases.total.calculated.change_from_prior_day",
    "new_tests": "testing.total.calculated.change_from_prior_day",
    "currently_hospitalized": "outcomes.hospitalized.currently.value",
    "new_deaths": "outcomes.death.total.calculated.change_from_prior_day",
}
AVERAGED = {"cases": "new_cases", "tests": "new_tests", "deaths": "new_deaths"}
# As the documents of the API have them; a day at the beginning of the history has no figures of some of these.
GAPS = ("2020-03-05", "2020-03-06", "2020-03-07", "2020-03-14", "2020-04-24")

Figures = dict[date, dict[str, int | None]]


def documents(folder: Path) -> Figures:
    """Return the figures by day as they stand in the documents."""
    found: Figures = {}
    for content in json.loads((folder / "us" / "daily.json").read_text())["data"]:
        figures = found[date.fromisoformat(content["date"])] = {}
        for name, path in FIGURES.items():
            value: Any = content
            for key in path.split("."):
                value = value.get(key)
            figures[name] = value
    return found


def average(figures: Figures, name: str, day: date) -> Decimal | None:
    """Return the average of a figure over the day and the six before it, as far as they have one."""
    week = [figures.get(day - timedelta(days), {}).get(name) for days in range(7)]
    known = [value for value in week if value is not None]
    return Decimal(sum(known)) / len(known) if known else None


def text(value: Any) -> str:
    return "" if value is None else str(value)


def nearly(value: Decimal | None) -> Any:
    return value if value is None else pytest.approx(float(value))


@pytest.fixture(params=["whole", "with gaps", "from the first day"])
def figures(request: pytest.FixtureRequest, covid_folder: Path, tmp_path: Path, settings: Settings, run) -> Figures:
    """The figures of documents that are loaded: of 60 days, of some of these, and of the first ones that there are."""
    folder = covid_folder
    if request.param != "whole":
        sample = settings.BASE_DIR / "sample_data" / "covid" / "v2" if request.param == "from the first day" else folder
        history = json.loads((sample / "us" / "daily.json").read_text())
        days = sorted(history["data"], key=lambda content: content["date"])
        kept = days[:60] if request.param == "from the first day" else [d for d in days if d["date"] not in GAPS]
        assert len(kept) == 60 - len(GAPS) * (request.param == "with gaps")
        folder = tmp_path
        (folder / "us").mkdir()
        (folder / "us" / "daily.json").write_text(json.dumps(history | {"data": kept}))
    settings.COVID_API_URL = str(folder)
    run("run_pipeline", "--only", "covid")
    return documents(folder)


def test_it_shows_the_figures_of_the_documents(figures: Figures, manager: Client) -> None:
    rows = table(manager, "/covid/")
    names = ["day", "new_cases", "new_cases_average", "new_tests", "currently_hospitalized", "new_deaths"]
    assert list(rows[0]) == names
    assert [row["day"] for row in rows] == [day.isoformat() for day in sorted(figures)]
    assert [{name: row[name] for name in FIGURES} for row in rows] == [
        {name: text(value) for name, value in figures[day].items()} for day in sorted(figures)
    ]
    assert [float(row["new_cases_average"]) if row["new_cases_average"] else None for row in rows] == [
        nearly(average(figures, "new_cases", day)) for day in sorted(figures)
    ]


def test_it_draws_each_figure_and_its_average_on_one_axis(figures: Figures, manager: Client) -> None:
    charts = {chart.key: chart for chart in manager.get("/covid/").context["charts"]}
    span = (min(figures).toordinal(), max(figures).toordinal())
    assert {key: chart.span for key, chart in charts.items()} == dict.fromkeys(
        ("cases", "tests", "hospital", "deaths", "service"), span
    )
    for key, name in (AVERAGED | {"hospital": "currently_hospitalized"}).items():
        drawn = {line.name: {date.fromordinal(p.x): p.value for p in line.points} for line in charts[key].lines}
        of_day = {day: each[name] for day, each in sorted(figures.items()) if each[name] is not None}
        expected: dict[str, Any] = {"in hospital" if key == "hospital" else "by day": of_day}
        if key in AVERAGED:
            averages = {day: average(figures, name, day) for day in sorted(figures)}
            expected["seven-day average"] = {day: nearly(value) for day, value in averages.items() if value is not None}
        assert drawn == {line: points for line, points in expected.items() if points}


def test_it_takes_calendar_days_into_an_average_not_rows(
    covid_folder: Path, tmp_path: Path, settings: Settings, manager: Client, run
) -> None:
    history = json.loads((covid_folder / "us" / "daily.json").read_text())
    kept = []
    for content in history["data"]:
        if content["date"] in ("2020-03-20", "2020-03-25", "2020-03-26", "2020-03-27"):
            content["cases"]["total"]["calculated"]["change_from_prior_day"] = 700 - 100 * (
                content["date"] > "2020-03-20"
            )
            kept.append(content)
    (tmp_path / "us").mkdir()
    (tmp_path / "us" / "daily.json").write_text(json.dumps(history | {"data": kept}))
    settings.COVID_API_URL = str(tmp_path)
    run("run_pipeline", "--only", "covid")
    # A week before the 26th there is the 20th, before the 27th there is not.
    assert [(row["day"][-2:], round(float(row["new_cases_average"]))) for row in table(manager, "/covid/")] == [
        ("20", 700),
        ("25", 650),
        ("26", 633),
        ("27", 600),
    ]


def test_it_shows_operations_and_missed_activities_by_day(
    small_world: Source, covid_folder: Path, settings: Settings, manager: Client, run
) -> None:
    settings.COVID_API_URL = str(covid_folder)
    first, last = min(documents(covid_folder)), max(documents(covid_folder))
    small_world.execute("delete from patient_journey")
    # The window is from the 7th to the 10th day after the operation; answered on which day after it, if at all.
    operated: dict[int, tuple[date, int | None]] = {
        1: (date(2020, 3, 20), None),
        2: (date(2020, 3, 20), 8),
        3: (date(2020, 3, 20), 3),
        4: (date(2020, 3, 21), 400),
        5: (date(2020, 3, 21), None),
        6: (first - timedelta(1), None),  # an operation before the axis, missed within it
        7: (last, None),  # and the other way round
        8: (last - timedelta(10), None),
    }
    for number, (day, answered) in operated.items():
        if number > 1:
            small_world.insert("patient", id=number)
        small_world.insert("patient_journey", id=number, patient_id=number, journey_id=1, operation_date=day)
        if answered:
            done = day + timedelta(answered)
            small_world.insert_survey_result(id=number, patient_journey_id=number, start_time=done, end_time=done)
    run()
    run("run_pipeline", "--only", "covid")
    chart = manager.get("/covid/").context["charts"][-1]
    found = {
        line.name: {date.fromordinal(point.x): point.value for point in line.points if point.value}
        for line in chart.lines
    }
    assert found == {
        "operations": {date(2020, 3, 20): 3, date(2020, 3, 21): 2, last: 1, last - timedelta(10): 1},
        "missed activities": {
            date(2020, 3, 30): 1,
            date(2020, 3, 31): 1,
            first + timedelta(9): 1,
            last: 1,
        },
    }
    # A day on which nothing happened is a day with nothing, not one that is not known: no window ended before.
    days = {line.name: [date.fromordinal(point.x) for point in line.points] for line in chart.lines}
    known_from = {"operations": first, "missed activities": first + timedelta(9)}
    assert days == {
        name: [day + timedelta(n) for n in range((last - day).days + 1)] for name, day in known_from.items()
    }


@pytest.mark.parametrize("operated", [date(2018, 3, 1), date(2024, 3, 1)])
def test_it_draws_no_line_of_the_service_where_its_data_have_none_of_the_days(
    small_world: Source, covid_folder: Path, settings: Settings, manager: Client, run, operated: date
) -> None:
    settings.COVID_API_URL = str(covid_folder)
    small_world.execute("update patient_journey set operation_date = %s", operated)
    run()
    run("run_pipeline", "--only", "covid")
    page = manager.get("/covid/")
    *others, service = page.context["charts"]
    assert all(chart.lines for chart in others)
    assert service.lines == []
    assert page.content.decode().count("data have none of these days: they begin later, or ended before.") == 1


def test_a_window_that_is_not_over_is_no_day_without_missed_activities(
    small_world: Source, covid_folder: Path, settings: Settings, manager: Client, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return cls(2020, 4, 10, tzinfo=tz)

    monkeypatch.setattr(covid, "datetime", Clock)
    settings.COVID_API_URL = str(covid_folder)
    small_world.execute("update patient_journey set operation_date = '2020-03-20'")
    small_world.insert("patient_journey", id=2, patient_id=1, journey_id=1, operation_date="2020-04-01")
    run()
    run("run_pipeline", "--only", "covid")
    operations, missed = manager.get("/covid/").context["charts"][-1].lines
    assert [date.fromordinal(line.points[0].x).isoformat() for line in (operations, missed)] == [
        *("2020-03-20", "2020-03-30")
    ]
    assert [date.fromordinal(line.points[-1].x).isoformat() for line in (operations, missed)] == [
        *("2020-04-01", "2020-04-09")
    ]


def test_it_says_what_to_do_where_there_are_no_figures(manager: Client) -> None:
    page = manager.get("/covid/")
    assert page.status_code == 200
    assert page.content.decode().count("run manage.py run_pipeline --only covid") == 5
    assert table(manager, "/covid/") == []


def test_it_refuses_what_it_does_not_understand(manager: Client) -> None:
    for query, reason in (("day=2021-01-01", "This page knows no day"), ("format=xlsx", "csv is the one there is")):
        response = manager.get(f"/covid/?{query}")
        assert (response.status_code, reason in response.content.decode()) == (400, True)
