"""The ways in, in a browser: by the login provider, and by password with an app, a recovery code or a passkey."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from pytest_django import Settings

from tests.access.codes import code
from tests.access.conftest import provider, running_provider  # noqa: F401
from tests.access.oidc import LoginProvider
from tests.browser.conftest import PASSWORD, Open, Window
from tests.browser.test_downloads import download
from tests.browser.test_every_page import PHONE, serious
from tests.browser.test_tasks import log_in
from tests.ingest.runs.test_failures import own_port

EXPORT = reverse("admin:analytics_patientdimension_changelist", query={"_export": "csv"})


@pytest.fixture
def nurse(site: str, settings: Settings) -> Iterator[User]:
    """A user of the site who may see patients, where a second factor is asked for."""
    settings.REQUIRE_MFA = True
    user = User.objects.create_user("nurse", is_staff=True, password=PASSWORD)
    user.groups.add(Group.objects.get(name="care manager"))
    yield user
    user.delete()


@pytest.fixture
def guests(site: str) -> Iterator[None]:
    """Take away who has come from the provider."""
    yield
    User.objects.filter(socialaccount__isnull=False).delete()


def looked_at(window: Window, name: str) -> None:
    """Keep pictures of a page, wide and narrow; nobody is kept from using it."""
    window.keep(name)
    wide = window.page.viewport_size
    window.page.set_viewport_size({"width": PHONE, "height": 844})
    window.keep(f"{name}-phone")
    assert window.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE
    assert wide
    window.page.set_viewport_size(wide)
    complaints, window.complaints = window.complaints, []
    assert not complaints
    assert serious(window.page) == []
    window.complaints = []  # axe brings styles of its own


def give_code(window: Window, given: str) -> None:
    window.page.get_by_label("Code").fill(given)
    window.page.get_by_role("button", name="Log in").click()
    window.page.wait_for_load_state()


def agree(window: Window, sub: str) -> None:
    """Log in at the provider's page."""
    window.page.locator("input[name=sub]").fill(sub)
    window.page.get_by_role("button", name="Authorize").click()
    window.page.wait_for_load_state()
    window.complaints = [each for each in window.complaints if each.startswith(window.site)]  # the provider's own


def enrol(window: Window) -> tuple[str, list[str]]:
    """Set up an app as somebody does who is led there; return its secret and the recovery codes."""
    secret = window.page.locator(".factor-secret").inner_text()
    window.page.get_by_role("textbox", name="Code").fill(code(secret))
    window.page.get_by_role("button", name="Set up").click()
    window.page.wait_for_load_state()
    assert window.heading() == "Recovery codes"
    return secret, window.page.locator(".factor-codes code").all_inner_texts()


def test_it_lets_in_by_the_provider(window: Open, provider: LoginProvider, guests: None) -> None:  # noqa: F811
    provider.knows("4711", preferred_username="ann", given_name="Ann", groups=["analyst"])
    browser = window()
    browser.go("/adherence/?by=sex")
    looked_at(browser, "login-provider")
    browser.follow("Log in with your organisation")
    agree(browser, "4711")
    assert browser.page.url == f"{browser.site}/adherence/?by=sex"
    assert browser.heading() == "Adherence"
    browser.go("/admin/")
    assert "ANN" in browser.page.locator("#user-tools").inner_text()
    assert browser.page.get_by_role("link", name="Second factor").count() == 0
    assert not browser.complaints


def test_it_says_why_the_provider_lets_nobody_in(
    window: Open,
    provider: LoginProvider,  # noqa: F811
    settings: Settings,
    guests: None,
) -> None:
    provider.knows("4712", groups=["nurses"])
    browser = window()
    browser.go("/admin/login/")
    browser.follow("Log in with your organisation")
    agree(browser, "4712")
    assert "into no group that this site knows" in browser.page.get_by_role("alert").inner_text()
    looked_at(browser, "login-no-group")
    settings.OIDC_ISSUER = f"http://localhost:{own_port()}"
    browser.follow("Log in with your organisation")
    assert "The login provider does not answer" in browser.page.get_by_role("alert").inner_text()
    looked_at(browser, "login-provider-down")
    log_in(browser, "analyst", PASSWORD)
    assert browser.page.url == f"{browser.site}/admin/"


def test_it_sets_up_an_app_and_then_asks_for_its_code(window: Open, nurse: User, tmp_path: Path) -> None:
    browser = window()
    browser.go("/adherence/")
    log_in(browser, "nurse", PASSWORD)
    assert browser.heading() == "Set up an authenticator app"
    picture = browser.page.locator(".factor-code svg").bounding_box()
    assert picture
    assert picture["width"] == pytest.approx(picture["height"])
    assert picture["width"] > 200
    looked_at(browser, "second-factor-app")
    secret, codes = enrol(browser)
    looked_at(browser, "second-factor-codes")
    assert download(browser, "Download them", tmp_path).read_text().split() == codes
    browser.follow("I have kept them: go on")
    assert browser.page.url == f"{browser.site}/"

    other = window()
    other.go("/tables/")
    log_in(other, "nurse", PASSWORD)
    looked_at(other, "login-code")
    give_code(other, "000000")
    assert "Incorrect code." in other.page.locator(".errornote").inner_text()
    looked_at(other, "login-code-wrong")
    next_code = code(secret, later=1)
    give_code(other, next_code)
    assert other.page.url == f"{other.site}/tables/"

    third = window()
    third.go("/tables/")
    log_in(third, "nurse", PASSWORD)
    give_code(third, next_code)  # a second time
    assert "Incorrect code." in third.page.locator(".errornote").inner_text()
    give_code(third, codes[0])
    assert third.page.url == f"{third.site}/tables/"
    third.follow("Tables", within=".site-nav")
    third.go("/second-factor/")
    assert "Recovery codes: 9 left" in third.page.locator("#content").inner_text()
    looked_at(third, "second-factor")
    assert not [*browser.complaints, *other.complaints, *third.complaints]


def test_it_takes_a_passkey_as_the_second_factor(window: Open, nurse: User) -> None:
    browser = window()
    session = browser.context.new_cdp_session(browser.page)
    session.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": key | {"automaticPresenceSimulation": True}})
    browser.go("/")
    log_in(browser, "nurse", PASSWORD)
    browser.follow("Use a passkey")
    looked_at(browser, "second-factor-passkey")
    browser.page.get_by_label("Name").fill("The laptop")
    browser.page.get_by_role("button", name="Add").click()
    browser.page.wait_for_url("**/second-factor/codes/")
    browser.go("/second-factor/")
    assert "Passkey The laptop" in browser.page.locator("#content").inner_text()
    browser.page.get_by_role("button", name="Log out").click()
    browser.page.wait_for_load_state()

    browser.go("/tables/")
    log_in(browser, "nurse", PASSWORD)
    browser.page.get_by_role("button", name="Use a passkey").click()
    browser.page.wait_for_url("**/tables/")
    browser.go("/second-factor/")
    browser.follow("Remove", within=".factor-list")
    looked_at(browser, "second-factor-passkey-remove")
    browser.page.get_by_role("button", name="Remove").click()
    browser.page.wait_for_load_state()
    assert browser.heading() == "Set up an authenticator app"  # it was the only one
    assert not browser.complaints


def test_it_asks_for_password_and_code_before_a_file_about_patients_and_then_gives_it(
    window: Open, nurse: User, tmp_path: Path, settings: Settings
) -> None:
    browser = window()
    browser.go("/")
    log_in(browser, "nurse", PASSWORD)
    secret, _ = enrol(browser)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    browser.go(EXPORT.partition("?")[0])
    browser.follow("CSV")
    assert "asked to log in once more" in browser.page.locator("#content").inner_text()
    looked_at(browser, "login-again")
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
    log_in(browser, "nurse", PASSWORD)
    with browser.page.expect_download() as started:
        browser.page.get_by_label("Code").fill(code(secret, later=1))
        browser.page.get_by_role("button", name="Log in").click()
    path = tmp_path / started.value.suggested_filename
    started.value.save_as(path)
    assert path.read_text(encoding="utf-8").startswith("patient_id,")
    browser.go("/")
    assert browser.heading() != "Log in"
    assert not browser.complaints
