"""What people take away from the site, downloaded by a browser and read back."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from tests.analytics.exports.conftest import connect_duckdb, sheet
from tests.browser.conftest import FEW, Open, Window

SHOWN = ("survey_result_id", "status", "days_from_window")


def shown(window: Window) -> list[dict[str, str]]:
    """Return what the list shows, by the names of the columns."""
    cells = (
        "(row, names) => Object.fromEntries(names.map(name => [name, row.querySelector(`.field-${name}`).innerText]))"
    )
    return [row.evaluate(cells, list(SHOWN)) for row in window.page.locator("#result_list tbody tr").all()]


def download(window: Window, link: str, folder: Path) -> Path:
    with window.page.expect_download() as started:
        window.page.get_by_role("link", name=link, exact=True).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".xlsx":
        return sheet(path)
    with connect_duckdb() as duck:
        found = duck.execute(f"select * from '{path}'")
        names = [name for name, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize(("link", "suffix"), [("CSV", ".csv"), ("XLSX", ".xlsx"), ("Parquet", ".parquet")])
def test_a_filtered_list_can_be_taken_away_and_read_back(window: Open, tmp_path: Path, link: str, suffix: str) -> None:
    browser = window("care manager")
    browser.go(reverse("admin:analytics_activitycompletionfact_changelist", query={"status": "late"}))
    browser.keep("admin-list-offer")
    listed = shown(browser)
    count = browser.page.locator(".paginator").first.inner_text().split(" completions")[0].split()[-1]
    path = download(browser, link, tmp_path)
    assert path.name == f"activity_completion_fact-{datetime.now(UTC):%Y-%m-%d}{suffix}"
    rows = read(path)
    assert len(rows) == int(count.replace(",", "")) > FEW
    assert [{name: str(row[name]) for name in SHOWN} for row in rows[:FEW]] == listed
    assert {row["status"] for row in rows} == {"late"}
    assert not browser.complaints


@pytest.mark.parametrize(("name", "kind"), [("phone", {"width": 390}), ("dark", {"dark": True})])
def test_the_offer_fits_a_phone_and_the_dark(window: Open, name: str, kind: dict[str, Any]) -> None:
    browser = window("care manager", **kind)
    browser.go(reverse("admin:analytics_activityadherence_changelist"))
    box = browser.page.get_by_role("link", name="Parquet", exact=True).bounding_box()
    browser.keep(f"admin-list-offer-{name}")
    assert box
    assert box["x"] + box["width"] <= kind.get("width", 1280)
    assert browser.page.evaluate("document.scrollingElement.scrollWidth") <= kind.get("width", 1280)
