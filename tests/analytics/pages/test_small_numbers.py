"""Small numbers: who may not see patients is told nothing of a few of them, nor can find it out by subtraction."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import combinations, zip_longest
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from pytest_django import Settings

from analytics.pages import small_numbers
from analytics.pages.answers import kept_part, read
from analytics.pages.courses import GROUPS as BY
from analytics.pages.dimensions import DIMENSIONS
from analytics.pages.small_numbers import QUERIES, UnprotectedError, seen
from analytics.pages.urls import urlpatterns
from tests.analytics.pages.conftest import Reader, table
from tests.conftest import Source, Warehouse
from tests.days import monday

FEW = "fewer than 5"
WITHOUT_LEAVE = ("analyst", "steward", "operator", "auditor")
OPERATION = date(2020, 4, 10)  # among the COVID days of the tests
# What is of the run and of who asks, and not of patients.
OF_THE_RUN = [
    *(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", r"\d+\s(minute|second)s?", r"the run took [\d.]+ s", r"at \d\d:\d\d UTC"),
    *(r'<input type="hidden" name="csrfmiddlewaretoken"[^>]*>', r"\b(analyst|steward|operator|auditor) \d+\b"),
]
# What of home and quality says rows of the pipeline to an operator, whom the runs tell, too.
OF_AN_OPERATOR = r'<section [^>]*aria-labelledby="(?:sums|rejects|source-msk)">.*?</section>|source_table,reason.*'
# Where what each query counts is shown, and to whom.
SHOWN_ON = {
    "adherence_patients": "/adherence/",
    "covid": "/covid/",
    "home_slugs": "/",
    "home_weeks": "/",
    "plausibility_counts": "/quality/",
    "quality_days": "/quality/",
    "score_changes": "/scores/?survey=1",
    "scores": "/scores/?survey=1",
    "steps": "/steps/?format=csv",
    "surveys": "/scores/",
    "tables": "/tables/",
}


def of_few(source: Source, number: int, score: int) -> None:
    """Fill the source with so many patients, half of whom follow a journey whose schedule nobody understands.

    No table of it has five rows about patients.
    """
    source.insert("schedule", id=1, slug="7d-10d-post-op")
    source.insert("schedule", id=2, slug="baseline")
    source.insert("device", id=1, platform="iOS", os_version="17.1")
    source.insert("survey", id=1, slug="pain", version="1", tags=["short"])
    for journey in (1, 2):
        source.insert("activity", id=journey, content_slug=f"diary-{journey}", schedule_id=journey)
        source.insert("journey", id=journey, abbreviation="THR", joint_slug="hip")
        source.insert("journey_activity", journey_id=journey, activity_id=journey)
    for patient in range(1, number + 1):
        source.insert("patient", id=patient, age_bracket="60-69", sex="f", hospital="North")
        source.insert(
            "patient_journey",
            id=patient,
            patient_id=patient,
            journey_id=2 - patient % 2,
            registration_date=monday() - timedelta(days=3),
            operation_date=OPERATION,
            clinician_id=1,
        )
        value = 1000 * score + patient if patient % 2 else -1
        source.insert("step_result", patient_id=patient, date=OPERATION, value=str(value))
        at = OPERATION + timedelta(days=8 if patient % 2 else -2)
        source.insert_survey_result(
            id=patient,
            patient_journey_id=patient - 1 + patient % 2,
            score_value=score + patient,
            start_time=f"{at} 09:00",
            end_time=f"{at} 09:05",
        )


def pages() -> Iterator[str]:
    """Yield every address of a page but those of runs and of the access log."""
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.name not in ("runs", "run", "run_now", "access"):
            address = str(pattern.pattern).replace("<key:patient_id>", "1").replace("<slug:name>", "step_result_fact")
            assert "<" not in address
            yield f"/{address}"


def choices() -> Iterator[str]:
    """Yield addresses of those with a choice."""
    for by in DIMENSIONS:
        yield f"/adherence/?by={by}&colour={'hospital' if by == 'status' else 'status'}"
    yield "/adherence/?by=hospital&colour=activity&sex=f&day=2020-04-20"
    yield "/adherence/?hospital=North&status=missed"
    yield "/adherence/?hospital=South"
    yield "/adherence/?day=2020-05-01"  # the windows ended in weeks of its trend
    yield from (f"/{page}/?by={by}" for page in ("steps", "scores") for by in BY)
    yield "/scores/?survey=1"


def looks(clients: dict[str, Client]) -> dict[tuple[str, str], str]:
    """Return what each may see of every page, and of a preview."""
    found = {}
    for group, client in clients.items():
        for page in (*pages(), *(choices() if group == "analyst" else ())):
            for address in (page, f"{page}{'&' if '?' in page else '?'}format=csv"):
                response = client.get(address)
                assert response.status_code in (200, 400, 403), address
                found[group, address] = told(response.getvalue().decode())
        address = "/admin/ingest/scheduleoverride/add/"
        values = {"schedule_id": 1, "milestone_slug": "operation", "offset_start_days": 700, "offset_end_days": 710}
        found[group, address] = told(client.post(address, values | {"_preview": "Preview"}).getvalue().decode())
        if group == "operator":
            for address in ("/", "/quality/", "/quality/?format=csv"):
                found[group, address] = re.sub(OF_AN_OPERATOR, "", found[group, address], flags=re.DOTALL)
    return found


def differences(one: dict[Any, str], other: dict[Any, str]) -> Iterator[tuple[Any, str, str]]:
    """Yield each address that says something else, and the first lines that differ."""
    for address, text in one.items():
        for line, beside in zip_longest(text.splitlines(), other[address].splitlines()):
            if line != beside:
                yield address, str(line), str(beside)
                break


def told(text: str) -> str:
    for pattern in OF_THE_RUN:
        text = re.sub(pattern, "…", text)
    return text


@pytest.fixture
def of_both(
    source: Source, covid_folder: Path, run: Callable[..., str], settings: Settings
) -> Callable[[Callable[[], Any]], tuple[Any, Any]]:
    """Return a function that gives what it is to find of four patients, and of two."""
    settings.COVID_API_URL = str(covid_folder)
    run("run_pipeline", "--only", "covid")

    def of_both(find: Callable[[], Any]) -> tuple[Any, Any]:
        found = []
        for number, score in ((4, 60), (2, 20)):
            source.clear()
            of_few(source, number, score)
            run("run_pipeline", "--only", "msk", "--full-refresh", "--allow-deletes")
            run()  # home compares a load with the one before
            found.append(find())
        return found[0], found[1]

    return of_both


def test_no_page_tells_four_patients_from_two(of_both: Any, reader: Reader) -> None:
    clients = {group: reader(group) for group in WITHOUT_LEAVE}
    four, two = of_both(lambda: looks(clients))
    assert four.keys() == two.keys()
    assert not list(differences(four, two))
    assert {"/", "/adherence/", "/quality/"} <= {
        address for (group, address), text in four.items() if group == "analyst" and FEW in text
    }
    assert FEW in four["steward", "/admin/ingest/scheduleoverride/add/"]


def test_it_notices_each_query_that_is_not_protected(
    of_both: Any, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the test above would hold of pages that show nothing."""
    analyst = reader("analyst")
    assert {name for name, of in QUERIES.items() if of is not small_numbers._as_it_is} == set(SHOWN_ON)

    def find() -> dict[str, str]:
        found = {}
        for name, address in SHOWN_ON.items():
            with monkeypatch.context() as patch:
                patch.setitem(QUERIES, name, small_numbers._as_it_is)
                patch.setattr("analytics.pages.courses.FEWEST", 1)  # below which nobody is shown a point
                if "survey=1" in address:
                    patch.setitem(QUERIES, "surveys", small_numbers._as_it_is)
                found[name] = told(analyst.get(address).getvalue().decode())
        return found

    four, two = of_both(find)
    assert [name for name in SHOWN_ON if four[name] == two[name]] == []


def test_it_refuses_a_query_of_which_nobody_said_how_to_protect_it(small_world: Source, run) -> None:
    run()
    with pytest.raises(UnprotectedError, match="patient_steps"):
        read("patient_steps", patient=1)
    with seen(exactly=False), pytest.raises(UnprotectedError, match="adherence_sums"):
        kept_part("adherence_sums", 0)
    with seen(exactly=True):
        assert read("patient_steps", patient=1) == []


# --- Subtraction

HOSPITALS = {"North": 24, "South": 17, "East": 3}  # and their patients
ACTIVITIES = 6


def of_many(source: Source) -> None:
    """Fill the source with patients of three hospitals, each with six windows that ended in one of eight weeks."""
    source.insert("device", id=1, platform="iOS", os_version="17.1")
    source.insert("survey", id=1, slug="pain", version="1", tags=["short"])
    source.insert("journey", id=1, abbreviation="THR", joint_slug="hip")
    for activity in range(1, ACTIVITIES + 1):
        source.insert("schedule", id=activity, slug=f"{activity}d-{activity + 3}d-post-op")
        source.insert("activity", id=activity, content_slug=f"diary-{activity}", schedule_id=activity)
        source.insert("journey_activity", journey_id=1, activity_id=activity)
    result = 0
    hospitals = [hospital for hospital, patients in HOSPITALS.items() for _ in range(patients)]
    for patient, hospital in enumerate(hospitals, 1):
        sex, age = "f" if patient % 7 else "m", "60-69" if patient % 9 else "80-89"
        source.insert("patient", id=patient, age_bracket=age, sex=sex, hospital=hospital)
        day = monday() - timedelta(days=21 + 7 * (patient % 8))
        source.insert("patient_journey", id=patient, patient_id=patient, journey_id=1, operation_date=day)
        for activity in range(1, ACTIVITIES + 1):
            if (patient * activity) % 5 < 3:
                result += 1
                at = day + timedelta(days=activity + 1 + (4 if (patient + activity) % 6 == 0 else 0))
                source.insert_survey_result(
                    id=result,
                    patient_journey_id=patient,
                    activity_id=activity,
                    start_time=f"{at} 09:00",
                    end_time=f"{at} 09:05",
                )


Cells = dict[tuple[str, str], int]


def cells(client: Client, address: str) -> Cells:
    """Return the windows of the CSV of a page on adherence, by its two values, but those that are not told."""
    found = {}
    for row in table(client, address):
        one, other, windows = row.values()
        if windows.isdecimal():
            found[one, other] = int(windows)
    return found


ALL = "/adherence/?by=hospital&colour=status"


def test_no_difference_of_two_figures_is_of_fewer_patients(
    source: Source, warehouse: Warehouse, reader: Reader, run, settings: Settings
) -> None:
    of_many(source)
    run()
    manager, analyst = reader("care manager"), reader("analyst")
    # All the patients' windows of one status are at most six, and a multiple of what five patients have is one of 50.
    most = warehouse.execute(
        """
        select status, max(windows) from (
            select window_status(w, current_date) as status, count(*) as windows
              from window_detail w group by patient_id, 1
        ) as p group by status
        """
    )
    bases = {status: next(base for base in (5, 10, 20, 50) if base >= 5 * windows) for status, windows in most}
    filters = ["", "&sex=f", "&sex=m", "&age_bracket=60-69", "&age_bracket=80-89", "&sex=f&age_bracket=60-69"]
    filters += [f"&month={(monday() - timedelta(days=21 + 7 * week)).isoformat()[:7]}" for week in range(8)]
    filters += [f"&day={(monday() - timedelta(days=days)).isoformat()}" for days in (0, 1, 2, 3)]
    shown, true = [], []
    for chosen in dict.fromkeys(filters):
        shown.append(cells(analyst, ALL + chosen))
        true.append(cells(manager, ALL + chosen))
        for (hospital, status), windows in shown[-1].items():
            assert hospital != "East"
            assert windows % 5 == 0
            if "day" not in chosen:
                assert windows % bases[status] == 0
            assert abs(windows - true[-1][hospital, status]) <= bases.get(status, 50) / 2
    assert len([each for each in shown if each]) > 5
    # Less than five patients lie between some of these, and no difference of what is shown says how many windows.
    least = min(bases.values())
    for one, other in combinations(range(len(shown)), 2):
        told = Counter(shown[one])
        told.subtract(shown[other])
        assert all(difference % least == 0 for difference in told.values())

    # The total less all other hospitals.
    of_east = sum(windows for (hospital, _), windows in true[0].items() if hospital == "East")
    assert of_east == HOSPITALS["East"] * ACTIVITIES
    by_sex = cells(analyst, "/adherence/?by=sex&colour=status")
    others = sum(windows for (hospital, _), windows in shown[0].items() if hospital != "East")
    assert (sum(by_sex.values()) - others) % least == 0
    assert sum(by_sex.values()) - others != of_east
    page = analyst.get("/adherence/").content.decode()
    assert "East" not in page.split('id="chart-adherence"')[1].split("</figure>")[0]
    assert cells(analyst, "/adherence/?hospital=East") == cells(analyst, "/adherence/?hospital=West") == {}
    page = analyst.get("/adherence/?hospital=East").content.decode()
    assert "too few patients are behind each figure, or none" in page
    assert "<strong>0</strong> windows" not in page


def test_a_filter_that_leaves_out_who_has_most_does_not_change_how_a_figure_is_rounded(
    source: Source, reader: Reader, run
) -> None:
    of_many(source)
    # A second journey of 30 activities, which one patient follows.
    source.insert("journey", id=2, abbreviation="TKR", joint_slug="knee")
    for activity in range(101, 131):
        source.insert("activity", id=activity, content_slug=f"exercise-{activity}", schedule_id=1)
        source.insert("journey_activity", journey_id=2, activity_id=activity)
    source.insert("patient_journey", id=101, patient_id=7, journey_id=2, operation_date=monday() - timedelta(days=60))
    run()
    manager, analyst = reader("care manager"), reader("analyst")
    assert cells(manager, "/adherence/?sex=m")["North", "missed"] > 30  # patient 7 is one of the three
    without = cells(manager, "/adherence/?sex=f")["North", "missed"]
    assert 40 < without < 60
    for address in ("/adherence/", "/adherence/?sex=f", "/adherence/?age_bracket=60-69"):
        assert [windows % 200 for (_, status), windows in cells(analyst, address).items() if status == "missed"] in (
            [],
            [0],
        )


def test_it_shows_what_is_of_many_roughly_as_it_is(star: None, reader: Reader) -> None:
    manager, analyst = reader("care manager"), reader("analyst")
    exact = cells(manager, "/adherence/?by=activity&colour=status")
    shown = cells(analyst, "/adherence/?by=activity&colour=status")
    assert len(shown) > 3
    assert all(abs(windows - exact[cell]) <= max(5, exact[cell] / 2) for cell, windows in shown.items())
    page = analyst.get("/adherence/?by=activity").content.decode()
    assert re.search(r"about \d+ %", page)
    assert FEW in page


# --- Who sees it, and how it is said


def test_it_changes_nothing_for_who_may_see_patients(star: None, reader: Reader, settings: Settings) -> None:
    manager, analyst = {"care manager": reader("care manager")}, reader("analyst")
    for address in ("/", "/adherence/", "/steps/", "/scores/", "/covid/", "/quality/", "/tables/"):
        assert analyst.get(address).status_code == 200  # what is kept now is not what the analyst was shown
    with_protection = looks(manager)
    settings.SMALL_NUMBERS_BELOW = 0
    assert looks(manager) == with_protection
    assert not [address for address, text in with_protection.items() if FEW in text or "Small numbers" in text]


@pytest.mark.parametrize("below", [0, 1])
def test_it_can_be_switched_off(star: None, reader: Reader, settings: Settings, below: int) -> None:
    settings.SMALL_NUMBERS_BELOW = below
    manager, analyst = reader("care manager"), reader("analyst")
    for address in ("/adherence/", "/adherence/?by=sex&colour=activity&hospital=unknown"):
        assert table(analyst, address) == table(manager, address)
    assert "Small numbers" not in analyst.get("/adherence/").content.decode()


def test_it_protects_as_many_patients_as_it_is_told_to(
    star: None, reader: Reader, warehouse: Warehouse, settings: Settings
) -> None:
    settings.SMALL_NUMBERS_BELOW = 20
    analyst = reader("analyst")
    of = dict(warehouse.execute("select coalesce(hospital, 'unknown'), count(*) from patient_dimension group by 1"))
    shown = {hospital for hospital, _ in cells(analyst, ALL)}
    assert all(of[hospital] >= 20 for hospital in shown)
    assert "fewer than 20" in analyst.get("/adherence/").content.decode()
    assert all(int(row["patients"]) >= 20 for row in table(analyst, "/steps/?by=sex"))


def test_it_says_so_on_the_page_and_in_the_name_of_a_file(star: None, reader: Reader) -> None:
    for group, says in (("analyst", True), ("care manager", False)):
        client = reader(group)
        for address in ("/", "/adherence/", "/steps/", "/scores/", "/quality/", "/tables/"):
            assert ('id="small-numbers"' in client.get(address).content.decode()) == says, address
        for address in ("/adherence/", "/steps/", "/scores/", "/quality/"):
            name = client.get(f"{address}?format=csv")["Content-Disposition"]
            assert name.endswith('-small-numbers-protected.csv"') == says


def test_it_offers_no_survey_that_few_have_answered(small_world: Source, reader: Reader, run) -> None:
    small_world.insert("survey", id=2, slug="sleep", version="1", tags=["short"])
    for patient in range(2, 8):
        small_world.insert("patient", id=patient, sex="f", hospital="North")
        small_world.insert("patient_journey", id=patient, patient_id=patient, journey_id=1, operation_date="2024-03-01")
        small_world.insert_survey_result(id=patient, patient_journey_id=patient, survey_id=2, score_value=40 + patient)
    small_world.insert_survey_result(survey_id=1)
    run()
    manager, analyst = reader("care manager"), reader("analyst")
    assert [each["slug"] for each in manager.get("/scores/").context["surveys"]] == ["sleep", "pain"]
    assert [(each["slug"], each["results"]) for each in analyst.get("/scores/").context["surveys"]] == [("sleep", 5)]
    assert analyst.get("/scores/?survey=1").status_code == 400
    (row,) = table(analyst, "/scores/")
    assert (row["patients"], row["median"]) == ("5", "44.0")  # six patients, 44.5
