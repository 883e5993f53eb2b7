"""A steward says what a slug means: sees beforehand what that changes, and afterwards that it has come about."""

import io
import re
from collections.abc import Iterator

import pytest
from django.core.management import call_command

from ingest.models import PipelineRun, RunRequest, ScheduleOverride
from tests.browser.conftest import Open, Window, size
from tests.browser.test_every_page import COLOURS, PHONE, serious
from tests.conftest import Warehouse
from tests.ingest.runs.test_requests import worker

SLUG = "7x-post-op"
LIST = re.compile("/scheduleoverride/(#|$)")


@pytest.fixture
def mended(world: Warehouse) -> Iterator[None]:
    """Leave the star as it was: it is that of all tests in a browser."""
    yield
    RunRequest.objects.all().delete()
    if ScheduleOverride.objects.exists():
        ScheduleOverride.objects.all().delete()
        call_command("run_pipeline", "--only", "msk", verbosity=0)


def text(window: Window, part: str = "#content") -> str:
    return " ".join(window.page.locator(part).inner_text().split())


def told(windows: int) -> int:
    """Return how many windows of many patients a steward is told of."""
    return (windows + 2) // 5 * 5


def look_at(window: Window, name: str) -> None:
    """Keep pictures of the page, and see that it fits a phone and can be read by everybody."""
    page = window.page
    window.keep(name)
    page.set_viewport_size(size(PHONE))
    window.keep(f"{name}-phone")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE
    page.set_viewport_size(size(1280))
    assert not window.complaints
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
    window.keep(f"{name}-dark")
    assert serious(page, **COLOURS) == []
    page.emulate_media(color_scheme="light")
    window.complaints = []  # axe puts styles of its own in


def test_a_steward_mends_a_slug_and_sees_its_windows_dated(window: Open, world: Warehouse, mended: None) -> None:
    ((schedule, windows, operated),) = world.execute(
        """
        select schedule_id, count(*), count(f.operation_date)
          from patient_journey_schedule_window w join patient_journey_fact f using (patient_journey_id)
         where schedule_slug = %s
         group by 1
        """,
        SLUG,
    )
    steward = window("steward")
    steward.go("/")
    row = steward.page.locator("section[aria-labelledby=slugs] tbody tr", has_text=SLUG)
    assert row.locator("td").inner_text() == f"{told(windows):,}"
    row.get_by_role("link", name="say what it means").click()
    steward.page.wait_for_load_state()

    steward.page.get_by_label("Milestone slug").select_option("operation")
    steward.page.get_by_label("Offset start days").fill("7")
    steward.page.get_by_label("Offset end days").fill("10")
    steward.page.get_by_label("Note").fill("a week after the operation, says Dr. Hip")
    steward.page.get_by_role("button", name="Preview").click()
    steward.page.wait_for_url("**#preview")
    assert f"It changes {told(operated):,} of {told(windows):,} windows" in text(steward, "#preview")
    assert steward.page.locator("#preview a").count() == 0  # counts alone
    look_at(steward, "override-preview")
    ((missed,),) = world.execute(
        """
        select count(*)
          from patient_journey_schedule_window w join patient_journey_fact f using (patient_journey_id)
         where w.schedule_id = %s and f.operation_date + 10 < current_date
           and not exists (select from activity_completion_fact c
                            where c.patient_journey_id = w.patient_journey_id and c.activity_id = w.activity_id)
        """,
        schedule,
    )
    becomes = steward.page.get_by_role("region", name="Windows that change").locator("tbody tr")
    rows = [tuple(each.split("\t")) for each in becomes.all_inner_texts()]
    assert ("undated", "missed", f"{told(missed):,}") in rows

    steward.page.get_by_role("button", name="Save", exact=True).click()
    steward.page.wait_for_url(LIST)
    assert "waits for the next run" in text(steward)
    steward.go("/")
    assert "an override waits for the next run" in row.inner_text()
    assert f"1 override waits for the next run: {SLUG}" in text(steward)
    steward.keep("home-override-waits")

    operator = window("operator")
    operator.go("/runs/")
    operator.page.get_by_label("Run of").select_option("msk")
    operator.page.get_by_role("button", name="Run now").click()
    with worker():
        operator.page.locator("#requests").get_by_text("succeeded").wait_for()
    steward.go("/")
    assert row.count() == 0
    assert "the next run" not in text(steward)

    boss = window("boss")
    boss.go(f"/admin/ingest/scheduleoverride/{schedule}/change/")
    assert f"This override was applied in run {PipelineRun.objects.latest('pk').pk} on " in text(boss)
    look_at(boss, "override-applied")
    boss.follow("Windows of this schedule")
    assert f"schedule {SLUG} ({schedule})" in text(boss)
    assert f"of {windows:,}, those" in text(boss)
    cells = boss.page.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells[0] != "undated"
    assert cells[3].count("-") == 4  # two days
    assert not boss.complaints


def test_a_preview_of_a_deletion_shows_examples_to_who_may_see_patients(
    window: Open, world: Warehouse, mended: None
) -> None:
    schedule = world.value("select min(schedule_id) from schedule_dimension where slug = %s", SLUG)
    ScheduleOverride.objects.create(schedule_id=schedule, milestone_slug="operation", offset_start_days=7)
    call_command("run_pipeline", "--only", "msk", verbosity=0)
    boss = window("boss")
    boss.go(f"/admin/ingest/scheduleoverride/{schedule}/delete/")
    assert "It would mean: nothing that was understood." in text(boss, "#preview")
    look_at(boss, "override-delete")
    boss.page.locator("#preview a").first.click()
    boss.page.wait_for_load_state()
    assert boss.heading().startswith("Patient ")


def test_the_key_enter_previews_and_saves_nothing(window: Open, world: Warehouse, mended: None) -> None:
    schedule = world.value("select min(schedule_id) from schedule_dimension where slug = %s", SLUG)
    steward = window("steward")
    steward.go(f"/admin/ingest/scheduleoverride/add/?schedule_id={schedule}")
    steward.page.get_by_label("Milestone slug").select_option("operation")
    steward.page.get_by_label("Offset start days").fill("7")
    steward.page.get_by_label("Offset start days").press("Enter")
    steward.page.wait_for_url("**#preview")
    assert steward.page.get_by_label("Offset start days").input_value() == "7"
    assert not ScheduleOverride.objects.exists()

    steward.page.get_by_label("Offset start days").fill("8")
    steward.page.get_by_role("button", name="Save", exact=True).click()
    steward.page.wait_for_load_state()
    assert "The preview was of other values than these, and nothing is saved." in text(steward)
    steward.keep("override-other-values")
    steward.page.get_by_role("button", name="Save", exact=True).click()
    steward.page.wait_for_url(LIST)
    assert ScheduleOverride.objects.get().offset_start_days == 8


@pytest.mark.parametrize("dark", [False, True])
def test_a_wide_table_on_a_phone_is_shaded_where_there_is_more(window: Open, dark: bool) -> None:
    image = pytest.importorskip("PIL.Image", reason="the tests in a browser need the package pillow: make install")
    browser = window("analyst", width=PHONE, dark=dark)
    browser.go("/adherence/?by=joint")
    table = browser.page.locator("#chart-adherence .chart-scroll")
    assert table.evaluate("e => e.scrollWidth > e.clientWidth + 50")

    def brightness() -> float:
        """Return how bright the right edge of the rows is, from 0 to 255."""
        picture = image.open(io.BytesIO(table.screenshot())).convert("L")
        edge = [picture.getpixel((picture.width - 2, y)) for y in range(picture.height // 2, picture.height - 16)]
        return float(sum(edge)) / len(edge)

    at_first = brightness()
    browser.keep(f"table-phone{'-dark' if dark else ''}")
    table.evaluate("e => e.scrollLeft = e.scrollWidth")
    at_the_end = brightness()
    assert (at_first > at_the_end + 20) if dark else (at_first < at_the_end - 20)


def test_steps_lie_above_the_windows_of_the_same_days(window: Open, world: Warehouse) -> None:
    patient = world.value("select patient_id from step_result_fact group by 1 order by count(*) desc, 1 limit 1")
    for width in (1280, PHONE):
        browser = window("care manager", width=width)
        browser.go(f"/patients/{patient}/")
        boxes = [
            browser.page.locator(f"#chart-{figure} svg.{picture}").bounding_box()
            for figure, picture in (("steps", "chart-lines"), ("time-line", "chart-time-line"))
        ]
        assert boxes[0]
        assert boxes[1]
        assert (boxes[0]["x"], boxes[0]["width"]) == (boxes[1]["x"], boxes[1]["width"])
        assert boxes[0]["y"] < boxes[1]["y"]
        marks = [
            browser.page.locator(f"#chart-{figure} .chart-mark[text-anchor]").evaluate_all(
                "each => each.filter(e => e.textContent.includes('-')).map(e => [e.textContent, e.getAttribute('x')])"
            )
            for figure in ("steps", "time-line")
        ]
        assert marks[0] == marks[1] != []
