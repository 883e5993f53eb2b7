"""The second factor of users of this site: set up, shown, shown twice, lost; and the lock on its door."""

import re
import time
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from pytest_django import Settings

from access.login import PROVED_AT
from tests.access.codes import code
from tests.access.files import status_of

PASSWORD = "correct horse battery staple"
LOGIN, CODE, ENROL = "/admin/login/", "/login/code/", "/second-factor/app/"
QUARTER = 15 * 60


@pytest.fixture
def boss(databases: None, settings: Settings) -> User:
    settings.REQUIRE_MFA = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a slow one is not the matter here
    return User.objects.create_superuser("boss", password=PASSWORD)


def give_password(client: Client, password: str = PASSWORD, name: str = "boss", **query: str) -> Any:
    return client.post(LOGIN, {"username": name, "password": password, **query})


def give_code(client: Client, given: str) -> Any:
    return client.post(CODE, {"code": given})


def enrol(client: Client) -> str:
    """Set up an authenticator app; return its secret."""
    page = client.get(ENROL)
    assert page.status_code == 200
    (secret,) = re.findall(r'<code class="factor-secret">([A-Z2-7]{32})</code>', page.content.decode())
    answer = client.post(ENROL, {"code": code(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/second-factor/codes/")
    return str(secret)


def recovery_codes(client: Client) -> list[str]:
    return re.findall(r"<li><code>(\d{8})</code></li>", client.get("/second-factor/codes/").content.decode())


@pytest.fixture
def enrolled(boss: User) -> str:
    """Return the secret of a boss who has an app, and who has logged out."""
    client = Client()
    give_password(client)
    return enrol(client)


def is_in(client: Client) -> bool:
    return client.get("/tables/").status_code == 200


def errors(answer: Any) -> str:
    return unescape(" ".join(re.findall(r'<p class="errornote">(.*?)</p>', answer.content.decode(), re.DOTALL)))


# --- Nobody gets further without


def addresses(patterns: list[Any], before: str = "") -> list[tuple[str, str]]:
    """Return the address and the name of everything that the site answers to, a number for each part that varies."""
    found = []
    for each in patterns:
        place = before + re.sub(r"<[^>]+>", "1", str(each.pattern)).lstrip("^").rstrip("$")
        if isinstance(each, URLResolver):
            found += addresses(each.url_patterns, place)
        elif isinstance(each, URLPattern):
            found.append((f"/{place}", str(each.name)))
    return found


def test_it_opens_no_address_to_who_has_not_shown_a_second_factor(boss: User) -> None:
    client = Client()
    assert give_password(client)["Location"] == "/admin/"
    opened = {}
    for address, name in addresses(get_resolver().url_patterns):
        answer = client.get(address.replace("(?P1.*)", "x"))
        if answer.status_code not in (302, 404) or (answer.status_code == 302 and answer["Location"] != ENROL):
            opened[address] = name
    assert set(opened.values()) <= {
        *("account_login", "login", "logout", "jsi18n", "favicon", "healthz", "readyz"),
        *("mfa_activate_totp", "mfa_add_webauthn", "mfa_authenticate", "None"),
    }, opened
    assert not [address for address, name in opened.items() if name == "None" and "admin" not in address]


def test_it_tells_no_more_of_the_runs_than_anybody_is_told(boss: User, settings: Settings) -> None:
    client = Client()
    give_password(client)
    assert "details" not in client.get("/readyz").json()
    enrol(client)
    assert "details" in client.get("/readyz").json()


def test_no_browser_keeps_a_page_with_a_secret(boss: User) -> None:
    client = Client()
    give_password(client)
    pages = [client.get(LOGIN), client.get(ENROL)]
    enrol(client)
    pages += [client.get(f"/second-factor/{place}") for place in ("", "codes/", "codes/new/", "passkey/")]
    assert [answer.status_code for answer in pages[1:]] == [200] * 5
    assert all("no-store" in answer["Cache-Control"] for answer in pages)


@pytest.mark.parametrize("given", ["", "{}", "[]", "null", "1", "nonsense", '{"id": 1, "response": {}}', "\0"])
def test_it_takes_nonsense_for_no_passkey(enrolled: str, given: str) -> None:
    client = Client()
    give_password(client)
    assert client.post(CODE, {"credential": given}).status_code == 200
    assert client.post(CODE, {"code": given}).status_code == 200
    assert not is_in(client)


def test_it_has_no_more_addresses_of_allauth_than_it_needs() -> None:
    found = {(place, name) for place, name in addresses(get_resolver().url_patterns)}
    ours = {name for _, name in found if name.startswith(("mfa_", "account_", "socialaccount_", "openid"))}
    assert ours == {
        "account_login",
        "mfa_authenticate",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_add_webauthn",
        "mfa_remove_webauthn",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
    }
    for address in ("/accounts/signup/", "/signup/", "/password/reset/", "/email/", "/3rdparty/", "/accounts/login/"):
        assert Client().get(address).status_code == 404


def test_it_shows_none_of_its_tables_in_the_admin(boss: User) -> None:
    assert {model._meta.app_label for model in admin.site._registry} <= {"auth", "analytics", "ingest", "access"}


def test_it_lets_in_by_password_alone_where_that_was_said(boss: User, settings: Settings) -> None:
    settings.REQUIRE_MFA = False
    client = Client()
    give_password(client)
    assert is_in(client)


def test_a_session_that_began_without_is_asked_for_what_its_user_has_now(boss: User) -> None:
    old = Client()
    old.force_login(boss)  # as before an upgrade
    assert old.get("/")["Location"] == ENROL
    assert old.get(ENROL)["Location"] == f"{LOGIN}?next=%2Fsecond-factor%2Fapp%2F"  # the password first
    assert give_password(old, next=ENROL)["Location"] == ENROL
    enrol(old)
    assert is_in(old)
    other = Client()
    other.force_login(boss)
    assert other.get("/tables/")["Location"] == f"{LOGIN}?next=/tables/"


# --- Set up and shown


def test_it_sets_up_an_app_and_shows_the_recovery_codes_once(boss: User) -> None:
    client = Client()
    give_password(client)
    assert client.get("/")["Location"] == ENROL
    page = client.get(ENROL).content.decode()
    assert "<svg" in page.partition('id="content"')[2]
    assert "style=" not in page.partition('class="factor-code"')[2].partition("</svg>")[0]
    enrol(client)
    codes = recovery_codes(client)
    assert len(set(codes)) == 10
    assert recovery_codes(client) == []
    assert "10 of 10 are left" in client.get("/second-factor/codes/").content.decode()
    assert is_in(client)


def test_it_asks_for_the_code_after_the_password_and_leads_back(enrolled: str) -> None:
    client = Client()
    assert give_password(client, next="/tables/")["Location"] == CODE
    assert not is_in(client)
    assert client.get(CODE).status_code == 200
    assert give_code(client, code(enrolled, later=1))["Location"] == "/tables/"
    assert is_in(client)


def test_it_takes_a_code_once(enrolled: str) -> None:
    first = Client()
    give_password(first)
    answer = give_code(first, code(enrolled))  # with which the app was set up
    assert errors(answer) == "Incorrect code."
    assert give_code(first, code(enrolled, later=1)).status_code == 302
    second = Client()
    give_password(second)
    answer = give_code(second, code(enrolled, later=1))
    assert (answer.status_code, errors(answer)) == (200, "Incorrect code.")
    assert not is_in(second)


@pytest.mark.parametrize("later", [-4, -2, 2, 4])
def test_it_takes_no_code_of_another_time(enrolled: str, later: int) -> None:
    client = Client()
    give_password(client)
    assert errors(give_code(client, code(enrolled, later=later))) == "Incorrect code."


def test_it_takes_a_recovery_code_once(boss: User) -> None:
    client = Client()
    give_password(client)
    enrol(client)
    codes = recovery_codes(client)
    for given, status in ((codes[3], 302), (codes[3], 200), (codes[4], 302)):
        other = Client()
        give_password(other)
        assert give_code(other, given).status_code == status
        assert is_in(other) == (status == 302)
    assert "8 of 10 are left" in client.get("/second-factor/codes/").content.decode()


def test_it_asks_nobody_for_a_code_who_has_not_given_a_password(enrolled: str) -> None:
    client = Client()
    assert client.get(CODE)["Location"] == LOGIN
    assert give_code(client, code(enrolled, later=1))["Location"] == LOGIN
    assert not is_in(client)


def test_it_is_no_second_factor_of_another(enrolled: str) -> None:
    """What one has shown does not count for another, who logs in by the same browser."""
    User.objects.create_superuser("deputy", password=PASSWORD)
    client = Client()
    give_password(client)
    give_code(client, code(enrolled, later=1))
    give_password(client, name="deputy")
    assert client.get("/tables/")["Location"] == ENROL


# --- Changed


def test_it_asks_for_the_password_anew_before_a_change(enrolled: str) -> None:
    client = Client()
    give_password(client)
    give_code(client, code(enrolled, later=1))
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= QUARTER + 1
    session.save()
    for place in ("app/remove/", "codes/new/", "passkey/", "codes/"):
        assert client.get(f"/second-factor/{place}")["Location"].startswith(f"{LOGIN}?next=%2Fsecond-factor%2F"), place
    assert client.get("/second-factor/").status_code == 200


def test_it_lets_the_app_be_changed_for_another(enrolled: str) -> None:
    client = Client()
    give_password(client)
    give_code(client, code(enrolled, later=1))
    assert client.post("/second-factor/app/remove/").status_code == 302
    assert client.get("/")["Location"] == ENROL
    enrol(client)
    assert is_in(client)


def test_a_command_takes_it_away_and_the_next_page_sets_up_a_new_one(enrolled: str) -> None:
    client = Client()
    give_password(client)
    give_code(client, code(enrolled, later=1))
    out = StringIO()
    call_command("reset_mfa", "boss", stdout=out)
    assert out.getvalue() == "boss has no second factor any more: with REQUIRE_MFA=1 the next login sets one up\n"
    assert not Authenticator.objects.exists()
    assert client.get("/tables/")["Location"] == ENROL
    other = Client()
    assert give_password(other)["Location"] == "/admin/"
    enrol(other)
    assert is_in(other)


def test_the_command_says_who_is_not_there(boss: User) -> None:
    with pytest.raises(CommandError, match=r"^there is no user nobody: look the name up at /admin/auth/user/$"):
        call_command("reset_mfa", "nobody")


# --- The lock


def test_it_locks_a_name_after_five_wrong_codes_even_to_the_right_one(enrolled: str) -> None:
    client = Client()
    give_password(client)
    assert [give_code(client, "000000").status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    assert give_code(client, code(enrolled, later=1)).status_code == 429
    assert give_password(Client()).status_code == 429
    assert not is_in(client)


def test_wrong_codes_count_with_wrong_passwords(enrolled: str) -> None:
    client = Client()
    for _ in range(3):
        give_password(client, "a wrong one")
    give_password(client)  # the right one alone forgives nothing
    assert give_code(client, "000000").status_code == 200
    answer = give_code(client, "000000")
    assert answer.status_code == 429
    assert "There were 5 failed attempts" in answer.content.decode()


def test_it_opens_by_itself_and_forgets_once_the_code_was_right(enrolled: str) -> None:
    client = Client()
    give_password(client)
    for _ in range(4):
        give_code(client, "000000")
    assert give_code(client, code(enrolled, later=1)).status_code == 302
    assert not AccessAttempt.objects.exists()
    for _ in range(5):
        give_password(client, "a wrong one")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert give_password(client).status_code == 302


def test_it_lets_no_machine_try_codes_from_many_addresses(enrolled: str) -> None:
    """The lock is of a name and an address: who knows the password, and has many, tries five codes in five minutes."""
    statuses = []
    for number in range(7):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        give_password(client)
        statuses.append(errors(give_code(client, "000000")))
    assert statuses[:5] == ["Incorrect code."] * 5
    assert statuses[5:] == ["Too many failed login attempts. Try again later."] * 2


def test_it_keeps_no_code_that_was_wrong(enrolled: str) -> None:
    client = Client()
    give_password(client)
    give_code(client, "13371337")
    assert "13371337" not in str(list(AccessAttempt.objects.values()))


# --- Files about patients


EXPORT = "/admin/analytics/patientdimension/?_export=csv"


def aged(client: Client, seconds: int) -> Client:
    session = client.session
    session[PROVED_AT] = time.time() - seconds
    session.save()
    return client


def test_it_asks_for_password_and_code_before_a_file_about_patients(enrolled: str, settings: Settings) -> None:
    client = Client()
    give_password(client)
    give_code(client, code(enrolled, later=1))
    assert status_of(client, EXPORT) == 200
    answer = aged(client, QUARTER + 1).get(EXPORT)
    assert answer["Location"] == f"{LOGIN}?next=/admin/analytics/patientdimension/%3F_export%3Dcsv"
    page = client.get(answer["Location"]).content.decode()
    assert "You are boss, and are asked to log in once more" in page
    assert "The file comes by itself afterwards" in page
    assert give_password(client, next=EXPORT)["Location"] == CODE
    settings.MFA_TOTP_TOLERANCE = 2
    assert give_code(client, code(enrolled, later=2))["Location"] == EXPORT
    assert status_of(client, EXPORT) == 200


def test_it_asks_for_the_password_alone_where_no_second_factor_is_asked_for(boss: User, settings: Settings) -> None:
    settings.REQUIRE_MFA = False
    client = Client()
    give_password(client)
    assert status_of(aged(client, QUARTER + 1), EXPORT) == 302
    assert give_password(client, next=EXPORT)["Location"] == EXPORT
    assert status_of(client, EXPORT) == 200


@pytest.mark.parametrize(
    ("group", "place", "status"),
    [
        ("care manager", "analytics/stepresultfact", 302),
        ("care manager", "analytics/activityadherence", 302),
        ("care manager", "ingest/rejectedrow", 302),
        ("care manager", "analytics/surveydimension", 200),
        ("analyst", "analytics/surveydimension", 200),
        ("operator", "ingest/pipelinerun", 200),
    ],
)
def test_it_asks_anew_for_files_about_patients_alone(databases: None, group: str, place: str, status: int) -> None:
    user = User.objects.create_user("reader", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    assert status_of(aged(client, QUARTER + 1), f"/admin/{place}/?_export=csv") == status
    assert status_of(aged(client, QUARTER - 60), f"/admin/{place}/?_export=csv") == 200


def test_nobody_who_is_logged_in_is_led_to_another_site(boss: User) -> None:
    answer = give_password(Client(), next="https://elsewhere.example.org/")
    assert answer["Location"] == "/admin/"
