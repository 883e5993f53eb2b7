"""What became of an override: whether it waits for the next run, and which run brought it into the star."""

import re
from html import unescape

import pytest
from django.core.management import CommandError
from django.test import Client
from django.urls import reverse

from analytics.loads.star import load_msk
from ingest.models import PipelineRun, ScheduleOverride
from ingest.msk.extract import extract_msk
from ingest.msk.parse import parse_slugs
from ingest.runs.run import pipeline_run
from tests.analytics.admin.pages import Run, address
from tests.analytics.pages.conftest import Reader, reader  # noqa: F401
from tests.conftest import Source, Warehouse

WAITS = "waits for the next run"
OVERRIDE = {"milestone_slug": "operation", "offset_start_days": "3", "offset_end_days": "5", "note": ""}


@pytest.fixture
def unparsed(small_world: Source, run: Run) -> Source:
    """The small world with a slug that is not understood, loaded."""
    small_world.execute("update schedule set slug = 'baseline'")
    run()
    return small_world


def add(client: Client, **changes: str) -> None:
    response = client.post(address(ScheduleOverride, "add"), OVERRIDE | {"schedule_id": "1"} | changes)
    assert response.status_code == 302


def change(client: Client, **changes: str) -> None:
    assert client.post(address(ScheduleOverride, "change", 1), OVERRIDE | changes).status_code == 302


def listed(client: Client) -> str:
    """Return what the list says of the only override there is."""
    (cell,) = re.findall(r'<td class="field-state">(.*?)</td>', client.get(address(ScheduleOverride)).content.decode())
    return unescape(re.sub("<[^>]+>", "", cell))


def page(client: Client) -> str:
    """Return what the page of the override says of it."""
    html = client.get(address(ScheduleOverride, "change", 1)).content.decode()
    (said,) = re.findall(r'<p class="override-state">(.*?)</p>', html)
    return " ".join(unescape(re.sub("<[^>]+>", " ", said)).split())


def run_of(words: str) -> int:
    """Return the number of the run that is named."""
    found = re.search(r"run (\d+)", words)
    assert found, words
    return int(found[1])


def last() -> int:
    return PipelineRun.objects.latest("pk").pk


def test_it_waits_for_the_next_run_and_then_says_which_one_it_was(unparsed: Source, client: Client, run: Run) -> None:
    add(client)
    assert listed(client) == WAITS
    assert WAITS in page(client)
    run()
    applied = PipelineRun.objects.latest("pk")
    assert listed(client) == f"applied in run {applied.pk} on {applied.finished:%Y-%m-%d %H:%M} UTC"
    assert f"was applied in run {applied.pk} on {applied.finished:%Y-%m-%d %H:%M} UTC" in page(client)
    run()
    run("run_pipeline", "--full-refresh")
    assert run_of(listed(client)) == run_of(page(client)) == applied.pk


def test_it_waits_anew_when_it_is_changed(unparsed: Source, client: Client, run: Run) -> None:
    add(client)
    run()
    for changes in ({"offset_end_days": ""}, {"offset_start_days": "-3"}, {"milestone_slug": "consent"}, {"note": "!"}):
        change(client, **changes)
        assert listed(client) == WAITS
        run()
        assert run_of(listed(client)) == last()


def test_it_names_the_run_of_each_override(unparsed: Source, client: Client, run: Run) -> None:
    unparsed.insert("schedule", id=2, slug="whenever")
    add(client)
    run()
    first = last()
    add(client, schedule_id="2")
    run()
    html = client.get(address(ScheduleOverride)).content.decode()
    assert [run_of(cell) for cell in re.findall(r'<td class="field-state">(.*?)</td>', html)] == [first, last()]


def test_it_waits_on_when_a_run_fails_or_loads_no_star(unparsed: Source, client: Client, run: Run) -> None:
    add(client)
    unparsed.execute("alter table device rename to lost")
    with pytest.raises(CommandError):
        run()
    assert listed(client) == WAITS
    unparsed.execute("alter table lost rename to device")
    run("run_pipeline", "--skip-analytics")
    with pytest.raises(RuntimeError):
        fail_after_the_load()
    run("run_pipeline", "--only", "covid")
    run("run_pipeline", "--dry-run")
    assert listed(client) == WAITS
    run()
    assert run_of(listed(client)) == last()


def fail_after_the_load() -> None:
    with pipeline_run("run_pipeline", "msk") as at_work:
        extract_msk(at_work)
        parse_slugs(at_work)
        load_msk(at_work)
        raise RuntimeError


def test_it_waits_on_when_a_run_was_at_work_that_had_read_the_overrides_before(
    unparsed: Source, client: Client, run: Run
) -> None:
    with pipeline_run("run_pipeline", "msk") as at_work:
        extract_msk(at_work)
        parse_slugs(at_work)
        load_msk(at_work)
        saved_by_another_process()
    assert PipelineRun.objects.get(pk=at_work.id).finished > ScheduleOverride.objects.get().changed_at  # type: ignore[operator]
    assert listed(client) == WAITS
    run()
    assert run_of(listed(client)) == last() != at_work.id


def test_it_names_the_run_that_was_at_work_where_that_has_read_it(unparsed: Source, client: Client, run: Run) -> None:
    with pipeline_run("run_pipeline", "msk") as at_work:
        extract_msk(at_work)
        parse_slugs(at_work)
        saved_by_another_process()
        load_msk(at_work)
    assert run_of(listed(client)) == at_work.id
    run()
    assert run_of(listed(client)) == at_work.id


def saved_by_another_process() -> None:
    """Save an override by a connection of its own, as a web process does beside a run."""
    warehouse = Warehouse("analytics")
    warehouse.execute(
        "insert into schedule_override (schedule_id, milestone_slug, offset_start_days, changed_at)"
        " values (1, 'operation', 0, clock_timestamp())"
    )
    warehouse.connection.close()


def test_it_names_no_run_where_none_can_be_known(unparsed: Source, client: Client, run: Run) -> None:
    add(client)
    run()
    assert run_of(listed(client)) == last()
    change(client)  # to what it is: the star says so, and no run has written anything of it
    assert listed(client) == "applied"
    assert page(client).startswith("This override is applied.")
    change(client, note="!")
    run()
    assert run_of(listed(client)) == last()
    PipelineRun.objects.all().delete()  # as after RUN_HISTORY_DAYS
    assert listed(client) == "applied"


def test_it_says_that_an_override_without_a_schedule_has_no_effect(unparsed: Source, client: Client, run: Run) -> None:
    add(client)
    unparsed.execute("delete from schedule")
    run("run_pipeline", "--allow-deletes")
    assert listed(client) == "of no effect: its schedule is not in the star"
    assert "of no effect" in page(client)


def test_it_leads_to_the_run_and_the_windows_who_may_see_them(
    unparsed: Source,
    client: Client,
    reader: Reader,  # noqa: F811
    run: Run,
) -> None:
    add(client)
    run()
    link = reverse("run", args=[last()])
    windows = "/adherence/windows/?schedule=1"
    for browser, sees_run, sees_windows in (
        (client, True, True),
        (reader("steward"), False, False),
        (reader("care manager"), False, True),
    ):
        html = browser.get(address(ScheduleOverride, "change", 1)).content.decode()
        assert (link in html, windows in html) == (sees_run, sees_windows)
        assert (link in browser.get(address(ScheduleOverride)).content.decode()) == sees_run
        assert run_of(listed(browser)) == last()
    assert [row["id"] for row in client.get(windows).context["rows"]]


def test_it_says_of_a_deleted_override_from_when_on_it_no_longer_holds(
    unparsed: Source, client: Client, run: Run
) -> None:
    add(client)
    run()
    response = client.post(address(ScheduleOverride, "delete", 1), {"post": "yes"}, follow=True)
    assert "From the next run on the schedule means what its slug says." in response.content.decode()
