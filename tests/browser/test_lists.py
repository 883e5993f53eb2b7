"""The lists of the admin in a browser: what somebody looks for is found, and a list fits the screen that it is on."""

import re

import pytest
from django.urls import reverse

from tests.browser.conftest import PASSWORD, Open, Window, size
from tests.browser.test_tasks import log_in
from tests.conftest import Warehouse

MAIN = (
    *("activityadherence", "patientjourneyschedulewindow", "patientjourneyfact", "surveyresultfact"),
    *("activitycompletionfact", "patientdimension"),
)
OVERFLOW = "(e) => e.scrollWidth - e.clientWidth"


def missing_result(world: Warehouse) -> tuple[str, str]:
    """Return the key of a survey result that has no activity, and the entry about it."""
    ((key, entry),) = world.execute(
        "select source_key, id from rejected_row where source_table = 'survey_result' and reason = 'missing_key' "
        "and detail #> '{row,activity_id}' = 'null' order by id limit 1"
    )
    return key, str(entry)


def test_it_leads_a_care_manager_from_the_login_to_why_a_survey_result_is_not_in_the_star(
    window: Open, world: Warehouse
) -> None:
    key, entry = missing_result(world)
    browser = window()
    browser.go("/admin/login/")
    log_in(browser, "care manager", PASSWORD)
    browser.follow("Admin", within=".site-nav")
    browser.follow("Survey results", within="#content")
    assert browser.heading() == "Survey results"
    browser.page.get_by_label("Search").fill(key)
    browser.page.get_by_role("button", name="Search").click()
    browser.page.wait_for_load_state()
    assert f"The source's survey result {key} was rejected" in browser.page.locator(".messagelist").inner_text()
    browser.follow("a key, day or time that is null", within=".messagelist")
    browser.page.wait_for_url(f"**/rejectedrow/{entry}/**")
    assert "activity_id is null" in browser.page.locator("#content").inner_text()

    browser.go(reverse("admin:analytics_surveyresultfact_change", args=[key]))
    assert f"/rejectedrow/{entry}/" in browser.page.url
    assert "activity_id is null" in browser.page.locator("#content").inner_text()
    assert not browser.complaints


def test_a_list_is_narrowed_by_its_form(window: Open, world: Warehouse) -> None:
    hospital = world.value("select mode() within group (order by hospital) from patient_dimension")
    browser = window("care manager")
    browser.go(reverse("admin:analytics_activityadherence_changelist"))
    browser.page.locator("#list-filters select[name=status]").select_option("missed")
    browser.page.locator("#list-filters select[name=hospital]").select_option(hospital)
    browser.page.get_by_role("button", name="Show").click()
    browser.page.wait_for_url("**status=missed**")
    assert "form=" not in browser.page.url
    windows = world.value(
        "select count(*) from activity_adherence a join patient_dimension p using (patient_id) "
        "where p.hospital = %s and a.status = 'missed'",
        hospital,
    )
    assert re.search(rf"\b{windows:,} windows\b", browser.page.locator(".paginator").first.inner_text())
    assert set(browser.page.locator("#result_list .window-status").all_inner_texts()) == {"missed"}
    assert browser.page.locator("#list-filters select[name=hospital]").input_value() == hospital
    browser.follow("Those that ended last first", within="#content")
    assert f"of {windows:,}," in browser.page.locator("#content").inner_text()
    browser.follow("In the admin", within="#content")
    assert browser.heading() == "Adherence"
    browser.follow("Clear", within="#list-filters")
    assert "status" not in browser.page.url
    assert not browser.complaints


def look(browser: Window, name: str, width: int) -> tuple[float, float]:
    """Return by how much the page, and by how much the table within it, is wider than there is room."""
    browser.page.set_viewport_size(size(width))
    browser.go(reverse(f"admin:analytics_{name}_changelist"))
    browser.keep(f"list-{name}-{width}")
    page = browser.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    return page, browser.page.locator("#changelist-form .results").evaluate(OVERFLOW)


@pytest.mark.parametrize("name", MAIN)
def test_a_list_fits_a_wide_screen_and_scrolls_within_itself_on_a_phone(window: Open, name: str) -> None:
    browser = window("boss")
    assert look(browser, name, 1280) == (0, 0)
    page, table = look(browser, name, 390)
    assert page <= 0
    if table > 0:
        assert browser.page.get_by_text("Scroll the table sideways").is_visible()
    results = browser.page.locator("#changelist-form .results")
    first = results.locator("tbody tr").first.locator("th, td").first
    left = first.bounding_box()
    results.evaluate("(e) => e.scrollLeft = e.scrollWidth")
    assert first.bounding_box() == left  # it stays in view
    assert not browser.complaints


@pytest.mark.parametrize("name", ["activityadherence", "activitycompletionfact"])
def test_on_a_phone_the_status_comes_first(window: Open, name: str) -> None:
    browser = window("boss", width=390)
    browser.go(reverse(f"admin:analytics_{name}_changelist"))
    cell = browser.page.locator("#result_list tbody tr").first.locator(".field-status")
    box = cell.bounding_box()
    assert box
    assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    table = browser.page.locator("#changelist-form .results").bounding_box()
    assert table
    assert box["x"] == pytest.approx(table["x"], abs=1)
