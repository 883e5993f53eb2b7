"""What holds of every page: it breaks no rule, can be read by everybody, and fits a phone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from django.urls import reverse

from ingest.models import PipelineRun
from tests.browser.conftest import Open, Window, opened, size
from tests.conftest import Warehouse

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE = 390
MAIN = (
    "home",
    "adherence",
    "windows",
    "steps",
    "scores",
    "covid",
    "quality",
    "patient",
    "runs",
    "run",
    "tables",
    "table",
    "table-column",
    "access",
)  # kept as pictures
COLOURS = {"runOnly": ["color-contrast"]}  # what differs in the dark


class Place(NamedTuple):
    name: str
    address: str
    status: int = 200
    user: str = "boss"


class Found(NamedTuple):
    """What was found of a place."""

    status: int
    complaints: list[str]
    width: float
    content_width: float
    violations: list[str]
    violations_in_the_dark: list[str]


def places(world: Warehouse) -> Iterator[Place]:
    """Yield a page of each kind, those of a patient and a window with much in them."""
    patient = world.value("select patient_id from survey_result_fact group by 1 order by count(*) desc, 1 limit 1")
    row = world.value("select min(id) from activity_adherence where patient_id = %s", patient)
    yield Place("home", "/")
    yield Place("adherence", "/adherence/")
    yield Place("adherence-two", "/adherence/?by=activity&colour=journey&milestone=operation")
    yield Place("adherence-none", "/adherence/?hospital=nowhere")
    yield Place("windows", "/adherence/windows/?status=missed")
    yield Place("steps", "/steps/?by=joint")
    yield Place("scores", "/scores/")
    yield Place("covid", "/covid/")
    yield Place("quality", "/quality/")
    yield Place("implausible", "/quality/rows/?rule=score")
    yield Place("implausible-none", "/quality/rows/?rule=hospital")
    yield Place("patient", f"/patients/{patient}/")
    failed, loaded = (PipelineRun.objects.filter(status=each).earliest("pk") for each in ("failed", "succeeded"))
    yield Place("runs", "/runs/")
    yield Place("run", f"/runs/{loaded.pk}/")
    yield Place("run-failed", f"/runs/{failed.pk}/")
    yield Place("tables", "/tables/")
    yield Place("tables-found", "/tables/?q=window")
    yield Place("table", "/tables/patient_journey_schedule_window/")
    yield Place("table-column", "/tables/patient_journey_schedule_window/?column=window_start_date")
    yield Place("access", f"/access/?patient={patient}")
    yield Place("access-all", "/access/")
    yield Place("refused", "/adherence/?by=nothing", 400)
    yield Place("not-for-you", "/adherence/", 403, "steward")
    yield Place("not-found", "/nothing/", 404)
    yield Place("admin", "/admin/")
    yield Place("admin-list", reverse("admin:analytics_activityadherence_changelist"))
    yield Place("admin-results", reverse("admin:analytics_surveyresultfact_changelist"))
    yield Place("admin-row", reverse("admin:analytics_activityadherence_change", args=[row]))
    yield Place("login", "/admin/login/", user="")


@pytest.fixture(scope="module")
def found(chromium: "Browser", world: Warehouse, site: str) -> dict[Place, Found]:
    """Look at each place once, wide and narrow, light and dark; axe comes last, as it puts styles of its own in."""
    windows = {user: opened(chromium, site, user) for user in ("boss", "steward", "")}
    return {place: look_at(place, windows[place.user]) for place in places(world)}


def look_at(place: Place, window: Window) -> Found:
    page = window.page
    status = window.go(place.address)
    if place.name in MAIN:
        window.keep(place.name)
    page.set_viewport_size(size(PHONE))
    if place.name in MAIN:
        window.keep(f"{place.name}-phone")
    width = page.evaluate("document.scrollingElement.scrollWidth")
    content = page.locator("#content").bounding_box()
    page.set_viewport_size(size(1280))
    complaints, window.complaints = window.complaints, []
    violations = serious(page)
    page.emulate_media(color_scheme="dark")
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")  # links fade into their colours
    if place.name in MAIN:
        window.keep(f"{place.name}-dark")
    in_the_dark = serious(page, **COLOURS)
    page.emulate_media(color_scheme="light")
    return Found(status, complaints, width, content["width"] if content else 0, violations, in_the_dark)


def serious(page: Any, **options: Any) -> list[str]:
    """Return what axe finds on a page that keeps people from using it."""
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page, options={"resultTypes": ["violations"]} | options).response["violations"]
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"][:3]
    ]


def test_each_page_answers_as_it_should(found: dict[Place, Found]) -> None:
    assert {place.name: each.status for place, each in found.items()} == {place.name: place.status for place in found}


def test_no_page_logs_an_error_or_breaks_the_policy_of_contents(found: dict[Place, Found]) -> None:
    assert {place.name: each.complaints for place, each in found.items() if each.complaints} == {}


def test_the_policy_blocks_what_stands_in_a_page_and_the_browser_says_so(window: Open) -> None:
    browser = window("analyst")
    browser.go("/")
    browser.page.evaluate("document.body.setAttribute('style', 'opacity: 0.5')")
    assert browser.page.evaluate("getComputedStyle(document.body).opacity") == "1"
    assert any("against the policy: style-src-attr" in complaint for complaint in browser.complaints)


def test_no_page_scrolls_sideways_on_a_phone(found: dict[Place, Found]) -> None:
    assert {place.name: each.width for place, each in found.items() if each.width > PHONE} == {}
    assert {place.name: each.content_width for place, each in found.items() if each.content_width < 0.7 * PHONE} == {}


def test_axe_finds_nothing_serious_on_any_page(found: dict[Place, Found]) -> None:
    assert {place.name: each.violations for place, each in found.items() if each.violations} == {}


def test_axe_finds_every_text_readable_in_the_dark(found: dict[Place, Found]) -> None:
    assert {
        place.name: each.violations_in_the_dark for place, each in found.items() if each.violations_in_the_dark
    } == {}
