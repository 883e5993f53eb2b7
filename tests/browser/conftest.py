"""A server with the star of a small dump, and Chromium to look at it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.test.testcases import LiveServerThread

from analytics.admin.base import BoundedAdmin
from analytics.pages import adherence
from ingest.models import PipelineRun
from tests.analytics.pages.conftest import GROUPS
from tests.conftest import TRUNCATE_EVERYTHING, Source, Warehouse

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, ViewportSize

PASSWORD = "the-quiet-knee"
SECONDS = 30
FEW = 20  # rows of a list: what holds of them holds of a hundred, and axe looks at each
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PICTURES = Path(os.environ.get("SCREENSHOTS") or settings.BASE_DIR / ".local" / "screenshots")
# A message of the browser's own, for each answer that is no success: the tests look at the status itself.
STATUS = "Failed to load resource: the server responded with a status of"
TELL_OF_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`against the policy: ${event.violatedDirective} ${event.blockedURI}`));
"""

Open = Callable[..., "Window"]


class Window:
    """A window of the browser: its page, and what it complained about."""

    def __init__(self, context: "BrowserContext", site: str) -> None:
        self.context = context
        self.site = site
        self.page: Page = context.new_page()
        self.page.set_default_timeout(SECONDS * 1000)
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: "ConsoleMessage") -> None:
        is_status = message.text.startswith(STATUS) and message.location["url"] == self.page.url
        if message.type in ("error", "warning") and not is_status:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def go(self, address: str) -> int:
        """Go to an address of the site and return the status of the answer."""
        response: Response | None = self.page.goto(self.site + address)
        assert response
        return response.status

    def follow(self, link: str, within: str = "body") -> None:
        """Click the link of that name."""
        self.page.locator(within).get_by_role("link", name=link, exact=True).first.click()
        self.page.wait_for_load_state()

    def heading(self) -> str:
        return self.page.locator("h1").first.inner_text()

    def table(self, figure: str) -> list[dict[str, str]]:
        """Return the table of a chart, as it says the same as the picture."""
        table = self.page.locator(f"#chart-{figure} table")
        names = [name.strip() for name in table.locator("thead th").all_text_contents()]
        rows = table.locator("tbody tr").evaluate_all("rows => rows.map(row => [...row.cells].map(c => c.textContent))")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def keep(self, name: str) -> None:
        """Keep a picture of the page for people to look at."""
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture(scope="package")
def world(
    chromium: "Browser", django_db_setup: None, django_db_blocker: Any, dump: Path, covid_folder: Path
) -> Iterator[Warehouse]:
    """The star of a small dump and of some COVID days, and somebody of each group: made once, as it takes seconds."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        # Playwright's loop runs in this thread, and Django takes it for one that its queries would block.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        patch.setattr(settings, "COVID_API_URL", str(covid_folder))
        patch.setattr(adherence, "ROWS", FEW)
        patch.setattr(BoundedAdmin, "list_per_page", FEW)
        for alias in ("default", "analytics"):
            with connections[alias].cursor() as cursor:
                cursor.execute(TRUNCATE_EVERYTHING)
        PipelineRun.objects.create(command="run_pipeline", status="failed", error=f"Traceback:\n{'no-word-' * 60}")
        Source("msk_db").load(dump)
        call_command("run_pipeline", verbosity=0)
        for group in GROUPS:
            User.objects.create_user(group, is_staff=True, password=PASSWORD).groups.add(Group.objects.get(name=group))
        User.objects.create_superuser("boss")
        yield Warehouse("analytics")
        connections.close_all()


@pytest.fixture(scope="package")
def site(world: Warehouse) -> Iterator[str]:
    """Return the address of the site, served as a process of the web server does it."""
    server = LiveServerThread("localhost", StaticFilesHandler, connections_override={})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert not server.error
    yield f"http://localhost:{server.port}"
    server.terminate()


@pytest.fixture(scope="package")
def chromium() -> Iterator["Browser"]:
    reason = "the tests in a browser need the package playwright: make install"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    if CHROMIUM is None:
        pytest.skip("the tests in a browser need Chromium: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with playwright.sync_playwright() as started:
        arguments = ["--no-sandbox"] if os.getuid() == 0 else []  # root has none
        browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def opened(
    chromium: "Browser", site: str, user: str = "", *, width: int = 1280, dark: bool = False, scripts: bool = True
) -> Window:
    """Open a window, in which a user is logged in if one is named."""
    context = chromium.new_context(
        viewport=size(width), color_scheme="dark" if dark else "light", java_script_enabled=scripts
    )
    context.add_init_script(TELL_OF_VIOLATIONS)
    if user:
        client = Client()
        client.force_login(User.objects.get(username=user))
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    return Window(context, site)


def size(width: int) -> "ViewportSize":
    return {"width": width, "height": 844 if width < 500 else 900}


@pytest.fixture
def window(chromium: "Browser", site: str) -> Iterator[Open]:
    """Return a function that opens a window as `opened` does, for one test."""
    windows = []

    def window(user: str = "", **kind: Any) -> Window:
        windows.append(opened(chromium, site, user, **kind))
        return windows[-1]

    yield window
    for each in windows:
        each.context.close()
