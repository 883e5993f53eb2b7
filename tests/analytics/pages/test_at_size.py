"""The pages of 20,000 patients: their numbers are those that Python finds from the rows themselves."""

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from tests.analytics.pages.conftest import table
from tests.analytics.pages.test_courses import assert_scores, assert_steps
from tests.analytics.pages.test_home import assert_weeks
from tests.analytics.pages.test_patient import assert_windows
from tests.conftest import Source, Warehouse
from tests.days import today

VALUES = {
    "hospital": "p.hospital",
    "activity": "a.content_slug",
    "clinician": "f.clinician_id::text",
    "month": "to_char(f.operation_date, 'YYYY-MM')",
    "joint": "j.joint",
    "age_bracket": "p.age_bracket",
    "status": "''",  # which follows from the days
}


def by_rows(warehouse: Warehouse, by: str, colour: str, day: date) -> list[tuple[str, str, str]]:
    """Return how many windows there are of each two values, counted one by one."""
    done = defaultdict(set)
    for patient_journey, activity, status in warehouse.execute(
        "select patient_journey_id, activity_id, status from activity_completion_fact where completed_date <= %s", day
    ):
        done[patient_journey, activity].add(status)
    counted: Counter[tuple[str, str]] = Counter()
    for patient_journey, activity, first, last, *values in warehouse.execute(
        f"""
        select w.patient_journey_id, w.activity_id, w.window_start_date, w.window_end_date,
               {VALUES[by]}, {VALUES[colour]}
          from patient_journey_schedule_window w
          join patient_journey_fact f on f.patient_journey_id = w.patient_journey_id
          join patient_dimension p on p.patient_id = f.patient_id
          join journey_dimension j on j.journey_id = f.journey_id
          join activity_dimension a on a.activity_id = w.activity_id
        """
    ):
        status = status_of(first, last, done[patient_journey, activity], day)
        found = dict(zip((by, colour), values, strict=True)) | {"status": status}
        one, other = ("unknown" if found[name] is None else found[name] for name in (by, colour))
        counted[one, other] += 1
    return sorted((*pair, str(windows)) for pair, windows in counted.items())


def status_of(first: date | None, last: date | None, done: set[str], day: date) -> str:
    """Return how a window stands on a day, by what was done about it."""
    if first is None and last is None:
        return "undated"
    for kind, status in (("in_window", "completed"), ("late", "completed_late"), ("early", "completed_early")):
        if kind in done:
            return status
    if last and last < day:
        return "missed"
    return "upcoming" if first and first > day else "open"


# A third of the patient journeys is moved into the days of the COVID figures, and a third to today.
MOVED = """
create temp table moved as
select id, case id % 3 when 0 then date '2020-03-20' when 1 then current_date else date '2024-06-01' end
           - date '2024-06-01' as days
  from patient_journey;
update patient_journey j
   set invitation_date = invitation_date + m.days, registration_date = registration_date + m.days,
       consent_date = consent_date + m.days, operation_date = operation_date + m.days,
       discharge_date = discharge_date + m.days
  from moved m
 where m.id = j.id and m.days <> 0;
update survey_result r
   set start_time = start_time + m.days * interval '1 day', end_time = end_time + m.days * interval '1 day'
  from moved m
 where m.id = r.patient_journey_id and m.days <> 0
"""


def assert_service_beside_covid(manager: Client, warehouse: Warehouse) -> None:
    """Assert that the page draws the operations and missed activities of each day as the facts have them."""
    chart = manager.get("/covid/").context["charts"][-1]
    drawn = {line.name: {date.fromordinal(p.x): p.value for p in line.points if p.value} for line in chart.lines}
    first, last = warehouse.execute("select min(last_update_at)::date, max(last_update_at)::date from cases_dimension")[
        0
    ]
    counted: dict[str, Counter[date]] = {"operations": Counter(), "missed activities": Counter()}
    for (day,) in warehouse.execute("select operation_date from patient_journey_fact where operation_date is not null"):
        counted["operations"][day] += first <= day <= last
    for day, status in warehouse.execute("select window_end_date, status from activity_adherence"):
        counted["missed activities"][day] += status == "missed" and first <= day <= last
    assert drawn == {name: dict(+days) for name, days in counted.items()}
    assert sum(drawn["operations"].values()) > 500


@pytest.mark.large
def test_it_shows_the_numbers_of_20_000_patients(
    source: Source, warehouse: Warehouse, manager: Client, covid_folder: Path, settings: Settings, run, tmp_path: Path
) -> None:
    settings.COVID_API_URL = str(covid_folder)
    dump = tmp_path / "msk_db.sql"
    call_command("make_sample_data", patients=20_000, days=90, seed=3, output=dump)
    source.load(dump)
    source.execute(MOVED)
    run()
    run("run_pipeline", "--only", "covid")
    (_, operations, _), _ = assert_weeks(manager, warehouse)
    assert int(operations) > 50
    assert_service_beside_covid(manager, warehouse)
    assert assert_windows(manager, warehouse, range(500, 20_000, 1_000)) > 20
    for by, colour, day in (
        ("hospital", "status", today().isoformat()),
        ("activity", "clinician", "2024-05-15"),
        ("month", "joint", today().isoformat()),
        ("status", "age_bracket", "2024-02-29"),
    ):
        rows = table(manager, f"/adherence/?by={by}&colour={colour}&day={day}")
        assert sorted(tuple(row.values()) for row in rows) == by_rows(warehouse, by, colour, date.fromisoformat(day))
    assert_steps(manager, warehouse, "joint")
    assert_scores(manager, warehouse, "hospital")
