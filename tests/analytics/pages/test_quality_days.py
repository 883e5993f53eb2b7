"""Quality: days without data, and data that no longer come."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from ingest.models import WarehouseCheck
from tests.analytics.pages.conftest import GROUPS, Reader
from tests.analytics.pages.quality import ADDRESS, days_with, says
from tests.conftest import Source, Warehouse
from tests.days import today


def gaps(client: Client, kind: str = "steps") -> dict[str, Any]:
    (found,) = [each for each in client.get(ADDRESS).context["days"] if each["kind"] == kind]
    return dict(found)


def test_it_names_each_day_without_steps(small_world: Source, manager: Client, run) -> None:
    first = date(2024, 5, 1)
    days_with(small_world, *(first + timedelta(n) for n in range(12) if n not in (2, 5, 6, 7)))
    run()
    assert "4 days without steps: no steps from 2024-05-06 to 2024-05-08 (3 days), on 2024-05-03." in says(
        manager, "days"
    )
    steps, none = gaps(manager)["chart"].lines
    assert [date.fromordinal(point.x).day for point in steps.points] == [1, 2, 4, 5, 9, 10, 11, 12]
    assert [(date.fromordinal(point.x).day, point.value) for point in none.points] == [(3, 0), (6, 0), (7, 0), (8, 0)]
    assert (steps.name, none.name) == ("steps", "no steps")


def test_it_counts_rows_by_day_over_the_last_year_of_each(star: None, warehouse: Warehouse, reader: Reader) -> None:
    queries = {
        "steps": "select date, count(*) from step_result_fact group by 1",
        "survey results": "select (end_time at time zone 'UTC')::date, count(*) from survey_result_fact group by 1",
        "COVID figures": "select (last_update_at at time zone 'UTC')::date, count(*) from cases_dimension group by 1",
    }
    for group in GROUPS:
        client = reader(group)
        for kind, query in queries.items():
            counted = dict(warehouse.execute(query))
            first = max(min(counted), max(counted) - timedelta(364))
            days = [first + timedelta(n) for n in range((max(counted) - first).days + 1)]
            found = gaps(client, kind)
            drawn = {line.name: {date.fromordinal(p.x): p.value for p in line.points} for line in found["chart"].lines}
            rows = {day: counted[day] for day in days if day in counted}
            if group == "care manager" or kind == "COVID figures":
                assert drawn[kind] == rows
            else:
                assert drawn[kind].items() <= {day: (number + 2) // 5 * 5 for day, number in rows.items()}.items()
                assert len(drawn[kind]) > 10
            assert set(drawn.get(f"no {kind}", {})) == {day for day in days if day not in counted}


def test_it_says_that_no_day_is_missing(small_world: Source, manager: Client, run) -> None:
    days_with(small_world, *(today() - timedelta(n) for n in range(1, 4)))
    run()
    said = says(manager, "days")
    assert "No day is without steps." in said
    assert "There are no survey results." in said
    assert [line.name for line in gaps(manager)["chart"].lines] == ["steps"]


@pytest.mark.parametrize(("days_ago", "word"), [(0, "Yes"), (13, "Yes"), (14, "Not wholly"), (60, "Not wholly")])
def test_it_does_not_wholly_trust_steps_that_ended_a_fortnight_ago(
    small_world: Source, manager: Client, run, days_ago: int, word: str
) -> None:
    last = today() - timedelta(days_ago)
    days_with(small_world, *(last - timedelta(n) for n in range(3)), today() + timedelta(1))
    run()
    run("check_warehouse")
    assert f"fine {word}: " in says(manager, "source-msk")
    assert f"newest steps {last} (" in says(manager, "source-msk")
    small_world.insert_survey_result(start_time=today(), end_time=today())
    run()
    assert f"fine {word}: " in says(manager, "source-msk")
    WarehouseCheck.objects.all().delete()
    assert f"fine {word.replace('Yes', 'Perhaps')}: " in says(manager, "source-msk")


def test_a_day_that_is_yet_to_come_makes_no_gap_before_it(small_world: Source, manager: Client, run) -> None:
    days_with(small_world, today() - timedelta(2), today(), today() + timedelta(400))
    run()
    assert gaps(manager)["gaps"] == [f"on {today() - timedelta(1)}"]


@pytest.mark.parametrize(
    ("age", "words"), [(0, "today"), (1, "yesterday"), (3, "3 days ago"), (1200, "1,200 days ago")]
)
def test_it_says_which_day_is_the_newest(small_world: Source, manager: Client, run, age: int, words: str) -> None:
    newest = today() - timedelta(age)
    days_with(small_world, newest - timedelta(1), newest, today() + timedelta(400))
    run()
    assert f" ago; newest steps {newest} ({words}); " in says(manager, "source-msk")
    assert "newest" not in says(manager, "source-covid")
    assert f"No day is without steps. The newest day is {newest} ({words})." in says(manager, "days")


def test_it_looks_at_a_year_and_names_the_last_ten_gaps(small_world: Source, manager: Client, run) -> None:
    days_with(small_world, *(date(2024, 12, 31) - timedelta(days) for days in range(0, 400, 20)))
    run()
    found = gaps(manager)
    assert len(found["gaps"]) == 10
    assert found["gaps"][0] == "from 2024-12-12 to 2024-12-30 (19 days)"
    # 18 gaps between 19 days, and what the year leaves of the one before them.
    assert found["more"] == "9"
    assert says(manager, "days").count(", and 9 times before.") == 1
