"""The one thing that a person changes in the admin: what a schedule means."""

import re
from typing import Any

import pytest
from django.test import Client

from analytics.models import ScheduleDimension
from ingest.models import ScheduleOverride
from tests.analytics.admin.pages import Run, address
from tests.conftest import Source

OVERRIDE = {"milestone_slug": "operation", "offset_start_days": "-3", "offset_end_days": "5", "note": "Dr. O'Hara"}


def schedule(pk: int) -> tuple[Any, ...]:
    row = ScheduleDimension.objects.get(pk=pk)
    return row.parse_status, row.milestone_slug, row.offset_start_days, row.offset_end_days, row.parse_note


def test_it_takes_an_override_that_wins_at_the_next_run_and_stays(client: Client, source: Source, run: Run) -> None:
    source.insert("schedule", id=7, slug="gibberish")
    run()
    assert schedule(7)[0] == "unparsed"
    response = client.post(address(ScheduleOverride, "add"), OVERRIDE | {"schedule_id": "7"})
    assert (response.status_code, response["Location"]) == (302, address(ScheduleOverride))
    overridden = ("override", "operation", -3, 5, "Dr. O'Hara")
    for arguments in ((), (), ("run_pipeline", "--full-refresh")):
        run(*arguments)
        assert schedule(7) == overridden
    client.post(address(ScheduleOverride, "delete", 7), {"post": "yes"})
    run()
    assert schedule(7)[0] == "unparsed"


def test_it_changes_an_override_but_not_which_schedule_it_is_for(client: Client, source: Source, run: Run) -> None:
    source.insert("schedule", id=7, slug="gibberish")
    source.insert("schedule", id=8, slug="7d-post-op")
    run()
    ScheduleOverride.objects.create(schedule_id=7, milestone_slug="consent", offset_start_days=1)
    changed = OVERRIDE | {"schedule_id": "8", "offset_end_days": ""}
    assert client.post(address(ScheduleOverride, "change", 7), changed).status_code == 302
    assert list(ScheduleOverride.objects.values_list("schedule_id", "offset_start_days", "offset_end_days")) == [
        (7, -3, None)
    ]


def test_it_begins_with_the_days_that_the_slug_says(client: Client, source: Source, run: Run) -> None:
    source.insert("schedule", id=7, slug="7d-10d-checkup")
    source.insert("schedule", id=8, slug="gibberish")
    run()
    for asked, days in (({"schedule_id": "7"}, (7, 10)), ({"schedule_id": "8"}, (None, None)), ({}, (None, None))):
        form = client.get(address(ScheduleOverride, "add"), asked).context["adminform"].form
        assert (form["offset_start_days"].value(), form["offset_end_days"].value()) == days
        assert "null" not in form["offset_start_days"].help_text + form["offset_end_days"].help_text
    form = (
        client.get(address(ScheduleOverride, "add"), {"schedule_id": "7", "offset_end_days": "3"})
        .context["adminform"]
        .form
    )
    assert (form["offset_start_days"].value(), form["offset_end_days"].value()) == (7, "3")


def test_it_keeps_an_override_editable_whose_schedule_has_left_the_source(client: Client) -> None:
    ScheduleOverride.objects.create(schedule_id=7, milestone_slug="consent", offset_start_days=1)
    assert client.post(address(ScheduleOverride, "change", 7), OVERRIDE).status_code == 302


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule_id": "99"}, "There is no schedule 99 in the star."),
        ({"schedule_id": "abc"}, "Enter a whole number."),
        ({"schedule_id": "99999999999999999999"}, "There is no schedule 99999999999999999999 in the star."),
        ({"schedule_id": ""}, "This field is required."),
        ({"schedule_id": "8"}, "Schedule override with this Schedule id already exists."),
        ({"offset_start_days": "", "offset_end_days": ""}, "Give a start, an end or both."),
        ({"offset_start_days": "6"}, "The start must not lie after the end."),
        ({"offset_end_days": "36501"}, "Offsets go from -36500 to 36500 days."),
        ({"offset_start_days": "-99999999999"}, "Ensure this value is greater than or equal to -2147483648."),
        ({"milestone_slug": "birthday"}, "Select a valid choice. birthday is not one of the available choices."),
        ({"note": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_it_refuses_an_override_with_a_reason(
    changes: dict[str, str], message: str, client: Client, source: Source, run: Run
) -> None:
    source.insert("schedule", id=7, slug="gibberish")
    source.insert("schedule", id=8, slug="7d-post-op")
    run()
    ScheduleOverride.objects.create(schedule_id=8, milestone_slug="consent", offset_start_days=1)
    response = client.post(address(ScheduleOverride, "add"), OVERRIDE | {"schedule_id": "7"} | changes)
    assert response.status_code == 200
    assert [message] == [str(e) for errors in response.context["errors"] for e in errors]
    assert not ScheduleOverride.objects.filter(pk=7).exists()


def test_it_shows_what_the_slug_says_while_a_person_overrides_it(client: Client, source: Source, run: Run) -> None:
    source.insert("schedule", id=7, slug="6w+")
    run()
    page = client.get(address(ScheduleDimension), {"q": " 6w+ "}).content.decode()
    (add,) = re.findall(r'class="field-override"><a href="([^"]+)"', page)
    assert "6w+: partial, milestone unknown, start 42, end none." in client.get(add).content.decode()
    client.post(add, OVERRIDE | {"schedule_id": "7"})
    page = client.get(address(ScheduleDimension)).content.decode()
    assert f'class="field-override"><a href="{address(ScheduleOverride, "change", 7)}"' in page
    assert "6w+: partial" in client.get(address(ScheduleOverride, "change", 7)).content.decode()
