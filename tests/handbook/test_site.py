"""The site, built as `make docs` builds it, is whole and needs no other host."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from handbook.assemble import assemble

ROOT: Path = settings.BASE_DIR
CONFIG = ROOT / "handbook" / "mkdocs.yml"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Elements that a browser fetches something for, and the attribute that says what; of links, those that are no link.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "video": "src"}


def build(pages: Path, site: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Build the site from the folder `pages` into the folder `site`, as strictly as make docs does."""
    config = CONFIG.read_text(encoding="utf-8").replace("../.build/docs", str(pages)).replace("[..]", f"[{ROOT}]")
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    return subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs", "build", "--strict"),
            *("--config-file", str(tmp_path / "mkdocs.yml"), "--site-dir", str(site)),
        ],
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any) -> Path:
    folder = tmp_path_factory.mktemp("handbook") / "docs"
    with django_db_blocker.unblock():
        assemble(folder)
    return folder


@pytest.fixture(scope="module")
def site(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(pages, folder, tmp_path_factory.mktemp("config"))
    assert built.returncode == 0, built.stdout
    return folder


class Page(HTMLParser):
    """What a page of the site fetches, and its paragraphs."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.fetches: list[str] = []
        self.paragraphs: list[str] = []
        self.in_paragraph = False
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if (
            tag in FETCHED
            and (address := said.get(FETCHED[tag]))
            and said.get("rel") not in ("canonical", "next", "prev")
        ):
            self.fetches.append(address)
        if tag == "p":
            self.in_paragraph = True
            self.paragraphs.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self.in_paragraph = False

    def handle_data(self, data: str) -> None:
        if self.in_paragraph:
            self.paragraphs[-1] += data


def test_it_fetches_nothing_from_another_host(site: Path) -> None:
    found = {file: Page(file).fetches for file in site.rglob("*.html")}
    assert len(found) > 15
    assert all(found.values())
    assert [address for fetched in found.values() for address in fetched if re.match(r"(?:\w+:)?//", address)] == []
    styles = [file.read_text(encoding="utf-8") for file in site.rglob("*.css")]
    assert len(styles) > 2
    assert not [style for style in styles if re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", style)]


def test_it_shows_a_diagram_as_a_picture(site: Path) -> None:
    assert not [file.name for file in site.rglob("*.html") if "erDiagram" in file.read_text(encoding="utf-8")]
    assert 'src="index-1.svg"' in (site / "index.html").read_text(encoding="utf-8")
    picture = (site / "index-1.svg").read_text(encoding="utf-8")
    assert {"patient_dimension", "adherence_fact"} <= set(re.findall(r">(\w+)<", picture))
    assert not re.search(r"<script|(?:href|src)=[\"']?https?:", picture)


def test_the_first_mention_of_a_table_leads_to_what_it_holds(site: Path) -> None:
    page = (site / "star.html").read_text(encoding="utf-8")
    assert page.count('<a href="tables/activity_adherence.html"><code>activity_adherence</code></a>') == 1


def test_it_takes_every_list_and_table_for_one(site: Path) -> None:
    """A list or table that follows on a paragraph is part of that to the site, and none to the repository's view."""
    lines = [
        line
        for file in site.rglob("*.html")
        for paragraph in Page(file).paragraphs
        for line in paragraph.splitlines()[1:]
        if re.match(r"- |\d\. |\|", line)
    ]
    assert lines == []


def test_it_has_each_public_function_with_its_types(site: Path) -> None:
    text = re.sub("<[^>]+>", "", (site / "api" / "msk.html").read_text(encoding="utf-8"))
    assert "extract_msk(run: Run, *, full_refresh: bool = False, allow_deletes: bool = False) -> None" in " ".join(
        text.replace("&gt;", ">").split()
    )
    assert "Bring every staging table in step with msk_db" in text


def test_a_broken_link_or_a_page_without_a_place_fails_the_build(pages: Path, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    shutil.copytree(pages, folder)
    with (folder / "glossary.md").open("a", encoding="utf-8") as file:
        file.write("\n[x](security.md#nowhere) [x](nowhere.md)\n")
    (folder / "lost.md").write_text("# Lost\n", encoding="utf-8")
    built = build(folder, tmp_path / "site", tmp_path)
    assert built.returncode != 0
    assert "does not contain an anchor '#nowhere'" in built.stdout
    assert "'nowhere.md', but the target is not found" in built.stdout
    assert 'not included in the "nav" configuration:\n  - lost.md' in built.stdout
    assert "Aborted with 3 warnings in strict mode" in built.stdout


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")
def test_a_reader_without_a_network_finds_a_word_follows_it_and_copies_a_command(site: Path) -> None:
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site.as_uri()}/index.html")
        page.keyboard.press("/")
        page.locator(".md-search-result__meta", has_text="Type to start searching").wait_for(state="attached")
        page.keyboard.type("MSK_MAX_DELETE_PERCENT")
        page.locator(".md-search-result__link").first.click()
        page.wait_for_url("**?h=*")
        assert "MSK_MAX_DELETE_PERCENT" in page.locator("article").inner_text()
        page.goto(f"{site.as_uri()}/first-hour.html")
        commands = page.locator("pre code", has_text="make superuser")
        commands.evaluate("element => element.setAttribute('data-md-copying', '')")  # as the theme's button does
        assert commands.inner_text().split("\n")[:2] == ["make run-pipeline", "make superuser"]
        browser.close()
    assert [address for address in asked if not address.startswith(("file:", "data:", "about:", "blob:"))] == []
