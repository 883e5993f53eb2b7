"""What people come for, done in a browser by clicks and keys alone."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from pytest_django import Settings

from ingest.models import Alert, PipelineRun, RunRequest, WarehouseCheck
from tests.analytics.pages.conftest import GROUPS
from tests.browser.conftest import FEW, PASSWORD, Open, Window, size
from tests.browser.test_every_page import PHONE, serious
from tests.conftest import Warehouse
from tests.ingest.runs.test_requests import locked, worker

DARK, LIGHT = "rgb(18, 18, 18)", "rgb(255, 255, 255)"


def log_in(window: Window, user: str, password: str) -> None:
    window.page.get_by_label("Username").fill(user)
    window.page.get_by_label("Password").fill(password)
    window.page.get_by_role("button", name="Log in").click()
    window.page.wait_for_load_state()


def background(window: Window) -> str:
    return str(window.page.evaluate("getComputedStyle(document.body).backgroundColor"))


def state(window: Window, source: str) -> str:
    return window.page.locator(f"#source-{source} .site-state").inner_text()


def test_it_leads_a_care_manager_from_the_login_to_the_windows_that_a_hospital_misses(
    window: Open, world: Warehouse
) -> None:
    browser = window()
    browser.go("/admin/login/")
    log_in(browser, "care manager", PASSWORD)
    browser.follow("Adherence", within=".site-nav")
    browser.page.locator("select[name=milestone]").select_option("operation")
    browser.page.get_by_role("button", name="Show").click()
    browser.page.wait_for_url("**milestone=operation**")

    def missed(row: dict[str, str]) -> int:
        return int(row["missed"].replace(",", ""))

    worst = max(browser.table("adherence"), key=missed)
    ((hospital, windows),) = world.execute(
        """
        select p.hospital, count(*)
          from activity_adherence a join patient_dimension p on p.patient_id = a.patient_id
         where a.schedule_milestone_slug = 'operation' and a.status = 'missed'
         group by p.hospital order by count(*) desc, p.hospital limit 1
        """
    )
    assert (worst["hospital"], missed(worst)) == (hospital, windows)

    browser.page.get_by_role("link", name=f"{hospital}, missed: ").click()
    browser.page.wait_for_load_state()
    assert browser.heading() == "Windows"
    rows = browser.page.locator("tbody tr")
    assert rows.count() == min(windows, FEW)
    assert {row.split("\t")[0].strip() for row in rows.all_inner_texts()} == {"missed"}
    assert f"of {windows}," in browser.page.locator("#content").inner_text()

    patient = rows.first.locator("td").nth(1).inner_text()
    browser.follow(patient, within="tbody")
    assert browser.heading() == f"Patient {patient}"
    time_line = browser.page.locator("#chart-time-line svg.chart-time-line")
    assert time_line.is_visible()
    assert time_line.locator("text", has_text="operation").first.is_visible()
    assert time_line.locator("a.chart-status-missed").count() >= 1
    assert not browser.complaints


def test_home_says_that_all_is_well(window: Open, world: Warehouse) -> None:
    browser = window("care manager")
    browser.go("/")
    assert [state(browser, source) for source in ("msk", "covid")] == ["fine", "fine"]
    steps = browser.page.get_by_role("row", name=re.compile("^step_result_fact ")).inner_text().split()
    assert int(steps[-1].replace(",", "")) == pytest.approx(
        world.value("select count(*) from step_result_fact"), rel=0.1
    )


def test_home_says_which_source_is_failing_and_leads_an_operator_to_the_error(window: Open, settings: Settings) -> None:
    settings.COVID_API_URL = "/nowhere"
    with pytest.raises(CommandError):
        call_command("run_pipeline", "--only", "covid", verbosity=0)
    run = PipelineRun.objects.latest("pk")
    try:
        browser = window("operator")
        browser.go("/")
        assert [state(browser, source) for source in ("msk", "covid")] == ["fine", "failing"]
        browser.keep("home-failing")
        browser.follow(f"Run {run.pk}")
        assert run.error.splitlines()[-1] in browser.page.locator("#content").inner_text()

        manager = window("care manager")
        manager.go("/")
        assert state(manager, "covid") == "failing"
        assert "the last load that succeeded" in manager.page.locator("#content").inner_text()
        assert manager.page.get_by_role("link", name=f"Run {run.pk}").count() == 0
    finally:
        Alert.objects.all().delete()
        run.delete()


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("care manager", {}),
        ("analyst", {"width": PHONE}),
        ("steward", {"dark": True}),
        ("operator", {"width": PHONE, "dark": True}),
    ],
)
def test_it_answers_on_one_page_whether_the_data_of_this_morning_is_there_and_can_be_trusted(
    window: Open, world: Warehouse, group: str, kind: dict[str, Any]
) -> None:
    WarehouseCheck.objects.all().delete()
    call_command("check_warehouse", stdout=StringIO())
    browser = window(group, **kind)
    browser.go("/")
    browser.follow("Can the data be trusted?")
    assert browser.heading() == "Quality"
    for source in ("msk", "covid"):
        answer = browser.page.locator(f"section[aria-labelledby=source-{source}] p").inner_text()
        # The dump ends in 2024: what it says is there, but nobody walks or answers any more.
        word = {"msk": "Not wholly", "covid": "Yes"}[source]
        assert answer.startswith(f"{word}: loaded today at ")
        promises = WarehouseCheck.objects.filter(source=source).count()
        assert f"{promises} of {promises} promises kept" in answer
        assert answer.rstrip().endswith("rows rejected.")
        place = browser.page.locator(f"section[aria-labelledby=source-{source}]").bounding_box()
        assert place
        assert place["y"] < 600
    adds_up = browser.page.locator("section[aria-labelledby=sums] tbody td:nth-child(2)").all_inner_texts()
    assert adds_up == ["yes"] * 11
    assert browser.page.evaluate("document.scrollingElement.scrollWidth") <= kind.get("width", 1280)
    assert serious(browser.page) == []
    listed = browser.page.locator("section[aria-labelledby=rejects] a[href*=rejectedrow]")
    assert bool(listed.count()) == (group == "care manager")
    if listed.count():
        table = browser.page.locator("section[aria-labelledby=rejects] tbody tr").first
        rows = table.locator("td").nth(1).inner_text()
        listed.first.click()
        browser.page.wait_for_load_state()
        assert re.search(rf"\b{rows} rejected row", browser.page.locator("#content").inner_text())
    assert not browser.complaints


def test_an_operator_finds_out_why_last_nights_run_failed_and_what_to_do(window: Open, settings: Settings) -> None:
    settings.COVID_API_URL = "/nowhere"
    with pytest.raises(CommandError):
        call_command("run_pipeline", "--only", "covid", verbosity=0)
    run = PipelineRun.objects.latest("pk")
    try:
        browser = window("operator")
        browser.go("/")
        browser.follow("Runs", within=".site-nav")
        browser.page.get_by_role("link", name=re.compile(f"^Run {run.pk}, covid: failed, ")).click()
        browser.page.wait_for_url(f"**/runs/{run.pk}/")
        assert browser.heading() == f"Run {run.pk}"
        content = browser.page.locator("#content")
        for said in (run.error.splitlines()[-1], "Mend what the error of the run names"):
            place = content.get_by_text(said).first.bounding_box()
            assert place
            assert place["y"] + place["height"] < 400  # without scrolling
        assert not content.get_by_text("Traceback (most recent call last)").is_visible()
        content.get_by_text("The error with its traceback").click()
        content.get_by_text("Traceback (most recent call last)").wait_for()
        for width in (390, 1280):
            browser.page.set_viewport_size(size(width))
            assert browser.page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert not browser.complaints
    finally:
        Alert.objects.all().delete()
        run.delete()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_an_operator_starts_a_run_and_sees_how_it_gets_on_until_it_is_done(window: Open, scripts: bool) -> None:
    browser = window("operator", scripts=scripts)
    requests = browser.page.locator("#requests")
    try:
        browser.go("/runs/")
        assert requests.count() == 0
        browser.page.get_by_label("Run of").select_option("msk")
        browser.page.get_by_role("button", name="Run now").click()
        browser.page.get_by_text("A run of msk is asked for.").wait_for()
        requests.get_by_text("by operator").wait_for()
        browser.keep(f"runs-asked-{'with' if scripts else 'without'}-scripts")
        requests.get_by_text("not taken up yet").wait_for()
        with locked("msk_db", "step_result") as go_on, worker():
            requests.get_by_text("at work: extract_msk, step_result since ").wait_for()
            browser.keep("runs-at-work")
            go_on()
            requests.get_by_text("succeeded").wait_for()
        assert RunRequest.objects.get().outcome == "succeeded"
        run = PipelineRun.objects.latest("pk")
        browser.page.locator("#chart-runs").get_by_role("link", name=str(run.pk), exact=True).wait_for()
        assert browser.page.get_by_text("A run of msk is asked for.").count() == 0
        browser.follow(f"Run {run.pk}", within="#requests")
        assert browser.heading() == f"Run {run.pk}"
        assert "by operator" in requests.inner_text()
        assert not browser.complaints
    finally:
        RunRequest.objects.all().delete()


def test_it_shows_the_same_numbers_to_whom_a_link_is_sent(window: Open) -> None:
    browser = window("care manager")
    browser.go("/adherence/")
    everything = browser.table("adherence")
    browser.page.locator("select[name=sex]").select_option("female")
    browser.page.locator("select[name=by]").select_option("joint")
    browser.page.get_by_role("button", name="Show").click()
    browser.page.wait_for_url("**sex=female**")
    narrowed = browser.table("adherence")
    assert narrowed
    assert narrowed != everything
    assert "sex female" in browser.page.locator("#content").inner_text()

    link = browser.page.url.removeprefix(browser.site)
    colleague = window("care manager")
    assert colleague.go(link) == 200
    assert colleague.table("adherence") == narrowed
    analyst = window("analyst")
    assert analyst.go(link) == 200
    assert analyst.page.locator("#small-numbers").inner_text().startswith("Small numbers:")
    assert analyst.page.locator("select[name=sex]").input_value() == "female"
    assert analyst.page.locator("#chart-adherence a[href*=windows]").count() == 0


def test_it_is_dark_for_who_likes_it_so_and_at_a_click(window: Open) -> None:
    browser = window("analyst", dark=True)
    browser.go("/adherence/")
    assert background(browser) == DARK
    label = browser.page.locator(".chart-says").first
    assert label.evaluate("e => getComputedStyle(e).color") == "rgb(192, 192, 192)"

    browser = window("analyst")
    browser.go("/steps/")
    assert background(browser) == LIGHT
    browser.page.locator("#header .theme-toggle").click()
    assert background(browser) == DARK
    browser.go("/covid/")
    assert background(browser) == DARK


def test_a_line_can_be_read_by_the_keyboard(window: Open) -> None:
    browser = window("analyst")
    browser.go("/covid/")
    chart = browser.page.locator("#chart-cases")
    slider = chart.get_by_role("slider", name="Read a point")
    slider.focus()
    browser.page.keyboard.press("ArrowRight")
    browser.page.keyboard.press("ArrowRight")
    third = browser.table("cases")[2]
    said = " · ".join(f"{name}: {value}" for name, value in third.items() if value)
    assert chart.locator("output").inner_text() == slider.get_attribute("aria-valuetext") == said
    assert chart.locator("line.chart-cursor.chart-read").count() == 1


def test_a_part_of_a_bar_can_be_reached_and_opened_by_the_keyboard(window: Open) -> None:
    browser = window("care manager")
    browser.go("/adherence/")
    skip = browser.page.get_by_role("link", name="Skip the bars")
    skip.focus()
    assert skip.evaluate("e => e.getBoundingClientRect().left") >= 0
    browser.page.keyboard.press("Tab")
    focused = "document.activeElement"
    said = browser.page.evaluate(f"{focused}.getAttribute('aria-label')")
    windows = re.search(r": ([\d,]+) windows, ", said)
    assert windows
    assert browser.page.evaluate(f"getComputedStyle({focused}.querySelector('.chart-part')).strokeWidth") == "3px"
    browser.page.keyboard.press("Enter")
    browser.page.wait_for_url("**/adherence/windows/**")
    assert f"of {windows[1]}," in browser.page.locator("#content").inner_text()


@pytest.mark.parametrize("group", GROUPS)
def test_each_link_of_the_navigation_opens(window: Open, group: str) -> None:
    browser = window(group)
    browser.go("/")
    links = browser.page.locator(".site-nav a")
    addresses = {link.inner_text(): link.get_attribute("href") or "" for link in links.all()}
    assert {"Home", "Tables", "Admin"} <= set(addresses)
    assert ("Adherence" in addresses) == (group in ("care manager", "analyst"))
    for title, address in addresses.items():
        assert browser.go(address) == 200
        assert browser.page.locator(".site-nav a[aria-current=page]").inner_text() == title
    assert not browser.complaints


def test_paper_is_light_and_has_no_navigation(window: Open) -> None:
    browser = window("care manager", dark=True)
    browser.go("/adherence/")
    browser.page.emulate_media(media="print")
    for part in (".site-nav", "#user-tools", ".site-form", ".chart-reader"):
        assert not browser.page.locator(part).first.is_visible(), part
    assert browser.page.locator("#chart-adherence svg.chart-bars").is_visible()
    assert browser.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    label = browser.page.locator(".chart-says").first
    assert label.evaluate("e => getComputedStyle(e).color") == "rgb(89, 89, 89)"


def test_the_page_of_a_lock_looks_like_the_site_and_says_what_to_do(window: Open, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # each guess costs half a second
    browser = window(width=390)
    browser.go(reverse("admin:login"))
    for guess in range(5):
        log_in(browser, "steward", f"guess {guess}")
    assert browser.heading() == "Locked for a while"
    assert "Wait 15 minutes" in browser.page.locator("#content").inner_text()
    assert "axes_reset" in browser.page.locator("#content").inner_text()
    assert browser.page.locator("#site-name").inner_text() == "MSK warehouse"
    assert browser.page.evaluate("document.scrollingElement.scrollWidth") <= 390
    browser.keep("locked-out")
    assert not browser.complaints
