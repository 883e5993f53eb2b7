"""The preview of an override: it says what the next run does, leaves nothing behind, and waits for nobody."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from analytics.loads.star import load_msk
from analytics.models import ScheduleDimension
from analytics.pages import preview as previews
from analytics.pages.preview import Preview
from ingest.models import PipelineRun, ScheduleOverride
from ingest.msk.extract import extract_msk
from ingest.msk.parse import parse_slugs
from ingest.runs.run import pipeline_run
from tests.analytics.admin.pages import Run, address
from tests.analytics.pages.conftest import Reader, reader  # noqa: F401
from tests.conftest import Source, Warehouse, written

Values = dict[str, str]
# How each window of a schedule stands today, from the windows and completions themselves.
STANDING = """
select w.patient_journey_id, w.activity_id, coalesce(p.hospital, 'unknown'), w.window_start_date, w.window_end_date,
       case when w.window_start_date is null and w.window_end_date is null then 'undated'
            when 'in_window' = any(d.done) then 'completed'
            when 'late' = any(d.done) then 'completed_late'
            when 'early' = any(d.done) then 'completed_early'
            when w.window_end_date < (now() at time zone 'UTC')::date then 'missed'
            when w.window_start_date > (now() at time zone 'UTC')::date then 'upcoming'
            else 'open' end
  from patient_journey_schedule_window w
  join patient_dimension p on p.patient_id = w.patient_id
  left join (select patient_journey_id, activity_id, array_agg(status) as done
               from activity_completion_fact
              where completed_date <= (now() at time zone 'UTC')::date
              group by 1, 2) d
    on d.patient_journey_id = w.patient_journey_id and d.activity_id = w.activity_id
 where w.schedule_id = %s
"""


def says(milestone: str, start: int | None, end: int | None) -> Values:
    """Return what the form of an override sends."""
    offsets = {"offset_start_days": start, "offset_end_days": end}
    return {"milestone_slug": milestone, "note": "Dr. O'Hara"} | {
        name: "" if value is None else str(value) for name, value in offsets.items()
    }


def form(schedule: int) -> str:
    """Return the address of the form for the override of a schedule."""
    if ScheduleOverride.objects.filter(pk=schedule).exists():
        return address(ScheduleOverride, "change", schedule)
    return address(ScheduleOverride, "add")


def previewed(client: Client, schedule: int, values: Values | None) -> Any:
    """Return the page with the preview of an override; None for its deletion."""
    if values is None:
        response = client.get(address(ScheduleOverride, "delete", schedule))
    else:
        response = client.post(form(schedule), values | {"schedule_id": str(schedule), "_preview": "Preview"})
    assert response.status_code == 200
    return response


def preview(client: Client, schedule: int, values: Values | None) -> Preview:
    found: Preview = previewed(client, schedule, values).context["preview"]
    return found


def save(client: Client, schedule: int, values: Values | None) -> None:
    if values is None:
        response = client.post(address(ScheduleOverride, "delete", schedule), {"post": "yes"})
    else:
        response = client.post(form(schedule), values | {"schedule_id": str(schedule)})
    assert response.status_code == 302


def said(response: Any) -> str:
    html = response.content.decode().split('id="preview"')[1].split("</section>")[0]
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def standing(warehouse: Warehouse, schedule: int) -> dict[Any, tuple[Any, ...]]:
    """Return hospital, days and status of the windows of a schedule."""
    return {row[:2]: row[2:] for row in warehouse.execute(STANDING, schedule)}


def schedule_of(warehouse: Warehouse, slug: str) -> int:
    """Return the schedule with a slug that has most windows."""
    found: int = warehouse.value(
        """
        select s.schedule_id
          from schedule_dimension s
          left join patient_journey_schedule_window w on w.schedule_id = s.schedule_id
         where s.slug = %s
         group by 1 order by count(w.id) desc, 1 limit 1
        """,
        slug,
    )
    return found


def busiest(warehouse: Warehouse) -> int:
    """Return the dated schedule in which most was done."""
    found: int = warehouse.value(
        """
        select w.schedule_id
          from patient_journey_schedule_window w
          join activity_completion_fact c
            on c.patient_journey_id = w.patient_journey_id and c.activity_id = w.activity_id
         where c.status = 'in_window' and w.window_start_date is not null and w.window_end_date is not null
         group by 1 order by count(*) desc, 1 limit 1
        """
    )
    return found


def foretold(client: Client, warehouse: Warehouse, run: Run, schedule: int, values: Values | None) -> Preview:
    """Preview, save and run; return the preview, once sure that the star has become what it said."""
    before = standing(warehouse, schedule)
    found = preview(client, schedule, values)
    assert standing(warehouse, schedule) == before
    save(client, schedule, values)
    run()
    after = standing(warehouse, schedule)
    assert after.keys() == before.keys()
    windows: Counter[Any] = Counter()
    changed: Counter[Any] = Counter()
    for key, (hospital, *days, status) in before.items():
        cell = (hospital, status, after[key][-1])
        windows[cell] += 1
        changed[cell] += [*days, status] != list(after[key][1:])
    assert {cell[:3]: (cell.windows, cell.changed) for cell in found.cells} == {
        cell: (count, changed[cell]) for cell, count in windows.items()
    }
    assert found.patient_journeys == len({journey for journey, _ in before if differ(before, after, journey)})
    for each in found.examples:
        ((key, _),) = [(k, w) for k, w in before.items() if window_id(warehouse, *k) == each["id"]]
        assert (each["status_before"], each["status_after"]) == (before[key][-1], after[key][-1])
        days = [each[name] for name in ("start_before", "end_before", "start_after", "end_after")]
        assert days == [day and day.isoformat() for day in (*before[key][1:3], *after[key][1:3])]
    row = ScheduleDimension.objects.get(pk=schedule)
    assert found.after == (row.milestone_slug, row.offset_start_days, row.offset_end_days)
    return found


def differ(before: Any, after: Any, journey: int) -> bool:
    return any(before[key] != after[key] for key in before if key[0] == journey)


def window_id(warehouse: Warehouse, journey: int, activity: int) -> int:
    found: int = warehouse.value("select row_id(%s, %s)", journey, activity)
    return found


def turns(found: Preview) -> set[tuple[str, str]]:
    """Return from which status to which windows change."""
    return {(before, after) for before, after, _ in found.becomes}


# --- It is right


def test_it_foretells_that_an_unparsed_slug_becomes_dated(
    star: None, client: Client, warehouse: Warehouse, run: Run
) -> None:
    schedule = schedule_of(warehouse, "7x-post-op")
    found = foretold(client, warehouse, run, schedule, says("registration", 0, 60))
    assert found.windows == found.changed + sum(cell.windows for cell in found.cells if cell.after == "undated")
    assert turns(found) >= {("undated", "completed"), ("undated", "missed")}
    assert found.examples


def test_it_foretells_that_what_was_done_in_time_was_late_or_early_when_a_window_is_moved(
    star: None, client: Client, warehouse: Warehouse, run: Run
) -> None:
    schedule = busiest(warehouse)
    row = ScheduleDimension.objects.get(pk=schedule)
    assert row.milestone_slug
    assert row.offset_start_days is not None
    assert row.offset_end_days is not None
    seen = set()
    for days in (-20, 20, 20_000, 0):
        values = says(row.milestone_slug, row.offset_start_days + days, row.offset_end_days + days)
        seen |= turns(foretold(client, warehouse, run, schedule, values))
    assert seen >= {
        ("completed", "completed_late"),
        ("completed_late", "completed_early"),
        ("completed_early", "completed"),
        ("missed", "missed"),
        ("missed", "upcoming"),
        ("upcoming", "missed"),
    }


def test_it_foretells_another_milestone_and_an_open_end(
    star: None, client: Client, warehouse: Warehouse, run: Run
) -> None:
    schedule = busiest(warehouse)
    for values, status in (
        (says("appointment", 0, 7), "undated"),  # of which the source has no date
        (says("operation", -5, None), "open"),
        (says("operation", None, 5), "missed"),
        (says("registration", 0, 40), "completed_late"),
        (says("discharge", -36_500, 36_500), "completed"),
    ):
        found = foretold(client, warehouse, run, schedule, values)
        assert status in {cell.after for cell in found.cells}
        assert found.changed


def test_it_foretells_the_change_and_the_deletion_of_an_override(
    star: None, client: Client, warehouse: Warehouse, run: Run
) -> None:
    schedule = busiest(warehouse)
    foretold(client, warehouse, run, schedule, says("operation", 1, 2))
    found = foretold(client, warehouse, run, schedule, says("consent", 3, 400))
    assert found.before == ("operation", 1, 2)
    assert found.changed
    found = foretold(client, warehouse, run, schedule, None)
    assert found.before == ("consent", 3, 400)
    assert found.changed
    assert not ScheduleOverride.objects.exists()


def test_it_foretells_the_deletion_of_the_override_of_each_kind_of_slug(
    star: None, client: Client, warehouse: Warehouse, run: Run
) -> None:
    for status in ("unparsed", "partial", "parsed"):
        schedule = warehouse.value(
            """
            select s.schedule_id
              from schedule_dimension s join patient_journey_schedule_window w using (schedule_id)
             where s.parse_status = %s group by 1 order by count(*) desc, 1 limit 1
            """,
            status,
        )
        foretold(client, warehouse, run, schedule, says("registration", 0, 9))
        found = foretold(client, warehouse, run, schedule, None)
        assert found.changed
        assert ScheduleDimension.objects.get(pk=schedule).parse_status == status


def test_it_foretells_nothing_of_an_override_that_no_run_has_seen_yet_and_is_deleted(
    star: None, client: Client, warehouse: Warehouse, run: Run
) -> None:
    schedule = busiest(warehouse)
    save(client, schedule, says("operation", 1, 2))
    found = foretold(client, warehouse, run, schedule, None)
    assert found.changed == 0
    assert "It changes nothing" in found.summary


def test_it_says_that_a_schedule_without_activities_has_no_windows(
    star: None, source: Source, client: Client, warehouse: Warehouse, run: Run
) -> None:
    source.insert("schedule", id=900, slug="whenever")
    run()
    found = foretold(client, warehouse, run, 900, says("operation", 1, 2))
    assert found.summary == "It changes nothing: no patient journey has an activity with this schedule."


def test_it_says_that_an_override_changes_nothing_that_says_what_the_slug_says(
    star: None, client: Client, warehouse: Warehouse, run: Run
) -> None:
    schedule = busiest(warehouse)
    row = ScheduleDimension.objects.get(pk=schedule)
    values = says(row.milestone_slug or "", row.offset_start_days, row.offset_end_days)
    page = said(previewed(client, schedule, values))
    assert "That is what the slug says by itself: it needs no override." in page
    assert "It changes nothing: this is what the schedule means already" in page
    assert "By hospital" not in page
    foretold(client, warehouse, run, schedule, values)
    other = said(previewed(client, schedule, says("operation", 1, 2)))
    assert "It changes nothing" not in other
    assert "needs no override" not in other


def test_it_says_that_an_override_changes_nothing_where_no_patient_has_the_milestone(
    small_world: Source, client: Client, run: Run
) -> None:
    small_world.execute("update schedule set slug = 'baseline'")
    run()
    page = said(previewed(client, 1, says("discharge", 0, 3)))
    assert "baseline means today: nothing that was understood." in page
    assert "It would mean: milestone discharge, start 0, end 3" in page
    assert "It changes nothing: 1 window of this schedule keep" in page


def test_it_shows_what_it_foretells(small_world: Source, client: Client, run: Run) -> None:
    small_world.execute("update schedule set slug = '7x-post-op'")
    small_world.insert("patient", id=2, hospital="South")
    small_world.insert("patient_journey", id=2, patient_id=2, journey_id=1, operation_date="2024-03-01")
    small_world.insert_survey_result()
    run()
    page = said(previewed(client, 1, says("operation", 7, 10)))
    assert "It changes 2 of 2 windows, in 2 patient journeys." in page
    assert "Before After Windows undated completed 1 undated missed 1" in page
    assert "Hospital completed missed undated" in page
    assert "All 0 \N{RIGHTWARDS ARROW} 1 0 \N{RIGHTWARDS ARROW} 1 2 \N{RIGHTWARDS ARROW} 0" in page
    assert "North 0 \N{RIGHTWARDS ARROW} 1 0 1 \N{RIGHTWARDS ARROW} 0" in page
    assert "1 pain-diary undated completed, 2024-03-08 … 2024-03-11" in page


# --- It is saved, or not


def test_it_saves_nothing_and_can_be_left_out(star: None, client: Client, warehouse: Warehouse) -> None:
    schedule = busiest(warehouse)
    page = previewed(client, schedule, says("operation", 7, 10))
    assert not ScheduleOverride.objects.exists()
    assert 'value="Dr. O' not in page.content.decode()  # the note is a text area
    assert "Dr. O&#x27;Hara" in page.content.decode()
    save(client, schedule, says("operation", 7, 10))
    previewed(client, schedule, says("operation", 8, 11))
    previewed(client, schedule, None)
    assert ScheduleOverride.objects.get().offset_start_days == 7


def test_it_shows_no_preview_of_what_cannot_be_saved(star: None, client: Client, warehouse: Warehouse) -> None:
    page = previewed(client, busiest(warehouse), says("operation", 9, 8))
    assert "preview" not in page.context
    assert "The start must not lie after the end." in page.content.decode()


def hidden(page: Any) -> Values:
    """Return what the page of a preview sends along."""
    return dict(re.findall(r'<input type="hidden" name="(_previewed)" value="([^"]*)">', page.content.decode()))


def test_it_saves_the_values_that_were_previewed_and_no_others(
    star: None, client: Client, warehouse: Warehouse
) -> None:
    schedule = busiest(warehouse)
    sent = hidden(previewed(client, schedule, says("operation", 7, 10)))
    key = {"schedule_id": str(schedule)}
    refused = client.post(form(schedule), says("operation", 7, 11) | key | sent)
    assert refused.status_code == 200
    assert "The preview was of other values than these, and nothing is saved." in refused.content.decode()
    assert not ScheduleOverride.objects.exists()
    assert hidden(refused) == {}  # so that it can be saved as it is
    # The note changes no window.
    saved = client.post(form(schedule), says("operation", 7, 10) | key | sent | {"note": "another"})
    assert saved.status_code == 302
    sent = hidden(previewed(client, schedule, says("operation", 7, 12)))
    again = client.post(form(schedule), says("operation", 7, 13) | {"_preview": "Preview"} | sent)
    assert again.context["preview"].after == ("operation", 7, 13)
    assert client.post(form(schedule), says("operation", 7, 13) | hidden(again)).status_code == 302
    assert ScheduleOverride.objects.get().offset_end_days == 13


def test_it_says_that_there_is_no_preview_of_a_schedule_that_has_left_the_source(client: Client) -> None:
    ScheduleOverride.objects.create(schedule_id=7, milestone_slug="consent", offset_start_days=1)
    for values in (says("operation", 1, 2), None):
        assert "the schedule is not in the star" in said(previewed(client, 7, values))


# --- Who sees it


def test_it_shows_a_steward_counts_and_examples_to_who_may_see_patients(
    star: None,
    client: Client,
    reader: Reader,  # noqa: F811
    warehouse: Warehouse,
) -> None:
    schedule = busiest(warehouse)
    for browser, sees in ((client, True), (reader("steward"), False)):
        page = previewed(browser, schedule, says("operation", 700, 710))
        assert page.context["preview"].changed > 10
        assert bool(page.context["preview"].examples) == sees
        assert ("/patients/" in page.content.decode()) == sees
        assert ("Examples" in said(page)) == sees


def test_it_previews_for_nobody_who_may_not_save(
    star: None,
    reader: Reader,  # noqa: F811
    warehouse: Warehouse,
) -> None:
    schedule = busiest(warehouse)
    ScheduleOverride.objects.create(schedule_id=schedule, milestone_slug="consent", offset_start_days=1)
    manager = reader("care manager")
    sent = says("operation", 7, 10) | {"_preview": "Preview"}
    for page in (address(ScheduleOverride, "add"), address(ScheduleOverride, "change", schedule)):
        assert manager.post(page, sent).status_code == 403
    assert manager.get(address(ScheduleOverride, "delete", schedule)).status_code == 403
    assert 'name="_preview"' not in manager.get(address(ScheduleOverride, "change", schedule)).content.decode()


# --- It leaves nothing behind, and waits for nobody


def test_it_writes_nothing(star: None, client: Client, warehouse: Warehouse) -> None:
    schedule = busiest(warehouse)
    save(client, schedule, says("operation", 7, 10))
    before = written()
    assert preview(client, schedule, says("operation", 8, 11)).changed
    assert preview(client, schedule, None)
    assert written() == before


@contextmanager
def run_at_work() -> Iterator[None]:
    """Hold a run open that has written all it writes, for the time of the block."""
    done, go_on = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with pipeline_run("run_pipeline", "msk") as at_work:
                extract_msk(at_work)
                parse_slugs(at_work)
                load_msk(at_work)
                done.set()
                go_on.wait(60)
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert done.wait(60)
        yield
    finally:
        go_on.set()
        thread.join()
    assert not failures


def test_it_sees_the_last_load_while_a_run_is_at_work_and_does_not_wait_for_it(
    star: None, source: Source, client: Client, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = busiest(warehouse)
    values = says("operation", 700, 710)
    expected = preview(client, schedule, values)
    source.execute("update schedule set slug = slug || '-'; delete from activity where schedule_id = %s", schedule)
    with run_at_work():
        found = preview(client, schedule, values)
        assert (found.cells, found.patient_journeys) == (expected.cells, expected.patient_journeys)
        assert found.seconds < previews.PATIENCE_SECONDS
    assert PipelineRun.objects.latest("pk").status == PipelineRun.Status.SUCCEEDED
    assert preview(client, schedule, values).windows == 0


MANY = """
insert into patient_dimension (patient_id) select n from generate_series(1, 8000) n;
insert into journey_dimension (journey_id) values (1);
insert into schedule_dimension (schedule_id, slug, parse_status) values (1, 'baseline', 'unparsed');
insert into activity_dimension (activity_id, schedule_id) values (1, 1);
insert into journey_activity_bridge (id, journey_id, activity_id) values (row_id(1, 1), 1, 1);
insert into patient_journey_fact (patient_journey_id, patient_id, journey_id, operation_date)
select n, n, 1, date '2024-01-01' from generate_series(1, 8000) n;
insert into survey_result_fact (survey_result_id, patient_journey_id, patient_id, survey_id, activity_id,
                                start_time, end_time, duration_seconds)
select n, n, n, 1, 1, date '2024-01-01' + n % 10, date '2024-01-01' + n % 10, 0 from generate_series(1, 8000) n;
insert into adherence_fact (id, patient_id, patient_journey_id, activity_id)
select row_id(n, 1), n, n, 1 from generate_series(1, 8000) n;
analyze
"""


def test_it_is_quick_though_windows_are_thousands(client: Client, warehouse: Warehouse) -> None:
    warehouse.execute(MANY)
    found = preview(client, 1, says("operation", 3, 5))
    assert found.becomes == [
        ("undated", "completed_late", "3,200"),
        ("undated", "completed", "2,400"),
        ("undated", "completed_early", "2,400"),
    ]
    assert found.patient_journeys == 8000
    assert found.seconds < previews.PATIENCE_SECONDS


def test_it_gives_up_in_time_says_so_and_lets_it_be_saved(
    star: None, client: Client, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = busiest(warehouse)
    monkeypatch.setattr(previews, "PATIENCE_SECONDS", 0.001)
    for values in (says("operation", 7, 10), None):
        page = previewed(client, schedule, values)
        assert "There is no preview: it was not worked out within 5 seconds" in said(page)
        if values:
            sent = hidden(page)
            assert client.post(form(schedule), values | {"schedule_id": str(schedule)} | sent).status_code == 302
    assert ScheduleOverride.objects.get().offset_end_days == 10
