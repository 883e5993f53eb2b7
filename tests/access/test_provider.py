"""Who comes in by the login provider: a real one, asked over HTTP, whose word is true, or is not."""

import logging
import re
import time
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from django.conf import settings as configured
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from access.groups import GROUPS
from tests.access.files import status_of
from tests.access.oidc import CLIENT, LoginProvider
from tests.ingest.runs.test_failures import own_port

ANN = {"preferred_username": "ann", "given_name": "Ann", "email": "ann@example.org", "groups": ["analyst"]}
HOUR = 3600
INVALID = "The login provider's answer does not hold for this site."


def begin(client: Client, address: str = "/login/provider/") -> str:
    """Return where the site sends a browser that wants to log in."""
    answer = client.get(address)
    assert answer.status_code == 302, said(answer)
    return answer["Location"]


def agree(place: str, sub: str = "1") -> str:
    """Return where the provider sends a browser back to, in which user `sub` has logged in there."""
    answer = requests.post(place, data={"sub": sub}, allow_redirects=False, timeout=60)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def come(client: Client, sub: str = "1") -> Any:
    """Log in by the provider; return the site's answer."""
    return client.get(agree(begin(client), sub))


def said(answer: Any) -> str:
    """Return the line in which the login page says what is the matter."""
    found = re.findall(r'<p class="errornote" role="alert">(.*?)</p>', answer.content.decode())
    return unescape(" ".join(found))


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


@pytest.fixture
def client(databases: None) -> Client:
    return Client()


def test_it_lets_in_who_is_in_a_group_of_the_claim_and_makes_a_user_of_the_staff(
    client: Client, provider: LoginProvider
) -> None:
    provider.knows("1", **ANN)
    answer = come(client)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    user = User.objects.get()
    assert (user.username, user.first_name, user.is_staff, user.is_superuser) == ("ann", "Ann", True, False)
    assert [group.name for group in user.groups.all()] == ["analyst"]
    assert not user.has_usable_password()
    assert user.email == ""  # it is not asked for, and not kept
    assert client.get("/adherence/").status_code != 403
    assert client.get("/patients/1/").status_code == 403


def test_it_asks_for_no_more_than_it_needs_and_binds_the_answer_to_the_browser(
    client: Client, provider: LoginProvider
) -> None:
    asked = parse_qs(urlsplit(begin(client)).query)
    assert set(asked["scope"][0].split()) == {"openid", "profile"}
    assert (asked["client_id"], asked["response_type"]) == ([CLIENT], ["code"])
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 16
    assert asked["redirect_uri"] == ["http://testserver/login/provider/back/"]


def test_it_leads_back_to_the_page_that_was_asked_for_and_to_no_other_site(
    client: Client, provider: LoginProvider
) -> None:
    provider.knows("1", **ANN)
    place = begin(client, reverse("oidc_login", query={"next": "/adherence/?by=sex"}))
    assert client.get(agree(place))["Location"] == "/adherence/?by=sex"
    place = begin(client, reverse("oidc_login", query={"next": "https://elsewhere.example.org/"}))
    assert client.get(agree(place))["Location"] == "/admin/"


def test_it_brings_the_groups_in_step_at_each_login(client: Client, provider: LoginProvider) -> None:
    provider.knows("1", **ANN)
    come(client)
    user = User.objects.get()
    own = Group.objects.create(name="made here")
    user.groups.add(own)
    try:
        provider.knows("1", **ANN | {"groups": ["operator", "steward", "unknown"]})
        come(client)
        assert {group.name for group in user.groups.all()} == {"operator", "steward", "made here"}
    finally:
        own.delete()
    provider.knows("1", **ANN | {"groups": []})
    assert come(client).status_code == 403
    assert not user.groups.exists()  # and a session that is open elsewhere sees nothing any more


def test_it_takes_a_single_group_and_the_names_of_another_claim(
    client: Client, provider: LoginProvider, settings: Settings
) -> None:
    settings.OIDC_GROUPS_CLAIM = "roles"
    settings.OIDC_GROUPS = [("4f1c", "steward"), ("4f1c", "operator")]
    provider.knows("1", **ANN | {"roles": "4f1c"})
    assert come(client).status_code == 302
    assert {group.name for group in User.objects.get().groups.all()} == {"steward", "operator"}
    provider.knows("2", roles=["analyst"])  # a name of ours says nothing where others were agreed on
    assert come(Client(), "2").status_code == 403


def test_it_asks_for_the_groups_that_the_token_does_not_have_and_takes_no_others(
    client: Client, provider: LoginProvider
) -> None:
    provider.knows("1", **ANN)
    provider.says(groups=None)  # in the ID token: userinfo has them
    assert come(client).status_code == 302
    assert [group.name for group in User.objects.get().groups.all()] == ["analyst"]
    provider.says(groups=None, sub="2")  # and is about 1
    answer = come(Client())
    assert (answer.status_code, said(answer)[: len(INVALID)]) == (403, INVALID)
    assert User.objects.count() == 1


@pytest.mark.parametrize("claims", [{}, {"groups": []}, {"groups": ["nurses", "superuser"]}, {"groups": None}])
def test_it_refuses_who_is_in_no_known_group_in_one_line_and_logs_what_was_said(
    client: Client, provider: LoginProvider, caplog: pytest.LogCaptureFixture, claims: dict[str, Any]
) -> None:
    provider.knows("7", **claims)
    answer = come(client, "7")
    assert answer.status_code == 403
    assert said(answer) == (
        "The login provider puts you into no group that this site knows. "
        f"Ask whoever looks after it for one of: {', '.join(GROUPS)}."
    )
    assert "nurses" not in answer.content.decode()
    (record,) = [each for each in caplog.records if each.name == "access.openid"]
    assert vars(record)["claim"] == (claims.get("groups") or [])
    assert not User.objects.exists()
    assert not is_in(client)


def test_it_makes_nobody_a_superuser(client: Client, provider: LoginProvider) -> None:
    provider.knows("1", **ANN | {"is_superuser": True, "is_staff": True, "groups": ["analyst", "superuser", "boss"]})
    come(client)
    assert not User.objects.get().is_superuser


def test_it_does_not_take_over_a_user_of_the_same_name_or_mail(client: Client, provider: LoginProvider) -> None:
    local = User.objects.create_superuser("ann", "ann@example.org", "a password")
    provider.knows("1", **ANN)
    assert come(client).status_code == 302
    other = User.objects.exclude(pk=local.pk).get()
    assert client.session["_auth_user_id"] == str(other.pk)
    local.refresh_from_db()
    assert local.check_password("a password")
    assert not local.groups.exists()
    assert not other.is_superuser


def test_it_knows_a_user_by_issuer_and_sub_alone(client: Client, provider: LoginProvider, settings: Settings) -> None:
    provider.knows("1", **ANN)
    come(client)
    provider.knows("1", **ANN | {"preferred_username": "anna", "email": "other@example.org"})
    come(Client())
    assert User.objects.count() == 1
    provider.knows("2", **ANN)  # another one of the same name
    come(Client(), "2")
    assert User.objects.count() == 2
    other = LoginProvider()
    try:
        settings.OIDC_ISSUER = other.issuer
        other.knows("1", **ANN)
        come(Client())
    finally:
        other.stop()
    assert User.objects.count() == 3


def test_it_lets_nobody_connect_a_user_of_this_site(client: Client, provider: LoginProvider) -> None:
    local = User.objects.create_superuser("boss")
    client.force_login(local)
    provider.knows("1", **ANN)
    client.get(agree(begin(client, "/login/provider/?process=connect")))
    assert client.session["_auth_user_id"] != str(local.pk)


@pytest.mark.parametrize("switch", ["is_active", "is_staff"])
def test_it_refuses_who_was_switched_off_here(client: Client, provider: LoginProvider, switch: str) -> None:
    provider.knows("1", **ANN)
    come(client)
    User.objects.update(**{switch: False})
    answer = come(Client())
    assert answer.status_code == 403
    assert said(answer) == "Your user is switched off on this site. Ask whoever runs it."


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"aud": "another-site"}, "InvalidAudienceError"),
        ({"aud": [CLIENT, "another-site"], "azp": "another-site"}, "made for another site"),
        ({"aud": None}, "MissingRequiredClaimError"),
        ({"iss": "https://elsewhere.example.org"}, "InvalidIssuerError"),
        ({"exp": 1_000_000_000}, "ExpiredSignatureError"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"iat": 9_000_000_000}, "ImmatureSignatureError"),
        ({"sub": None}, "MissingRequiredClaimError"),
        ({"forged": True}, "InvalidSignatureError"),
    ],
)
def test_it_refuses_a_token_that_is_not_for_it(
    client: Client, provider: LoginProvider, caplog: pytest.LogCaptureFixture, lie: dict[str, Any], reason: str
) -> None:
    provider.knows("1", **ANN)
    provider.says(**lie)
    answer = come(client)
    assert answer.status_code == 403
    assert said(answer).startswith(INVALID)
    assert reason in " ".join(str(vars(each).get("error")) for each in caplog.records)
    assert not User.objects.exists()
    assert not is_in(client)


def test_it_bears_with_a_clock_that_is_a_little_ahead(client: Client, provider: LoginProvider) -> None:
    provider.knows("1", **ANN)
    provider.says(iat=int(time.time()) + 30)
    assert come(client).status_code == 302


def test_it_takes_an_answer_once(client: Client, provider: LoginProvider) -> None:
    provider.knows("1", **ANN)
    back = agree(begin(client))
    assert client.get(back).status_code == 302
    client.logout()
    answer = client.get(back)
    assert answer.status_code == 400
    assert said(answer) == "This way in from the login provider has been used, or is too old: begin once more here."
    assert not is_in(client)


@pytest.mark.parametrize("query", ["", "?state=made-up&code=1", "?code=1"])
def test_it_takes_no_answer_that_it_has_not_asked_for(client: Client, provider: LoginProvider, query: str) -> None:
    provider.knows("1", **ANN)
    back = agree(begin(client))
    stranger = Client()
    assert stranger.get(back).status_code == 400  # another's browser
    assert stranger.get(reverse("oidc_callback") + query).status_code == 400
    assert not is_in(stranger)


def test_it_says_in_one_line_that_the_provider_is_down_and_lets_a_user_of_the_site_in(
    client: Client, provider: LoginProvider, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a slow one is not the matter here
    settings.OIDC_ISSUER = f"http://localhost:{own_port()}"
    answer = client.get("/login/provider/")
    assert answer.status_code == 503
    assert said(answer) == (
        "The login provider does not answer. Try again in a few minutes; who has a user of this site, too, can log in "
        "with that."
    )
    (record,) = [each for each in caplog.records if each.name == "access.openid"]
    assert "ConnectionError" in vars(record)["error"]
    assert record.exc_info is None
    User.objects.create_superuser("boss", password="right")
    assert client.post("/admin/login/", {"username": "boss", "password": "right"}).status_code == 302
    assert is_in(client)


def test_it_says_that_the_provider_went_down_on_the_way(
    client: Client, provider: LoginProvider, settings: Settings
) -> None:
    provider.knows("1", **ANN)
    place = begin(client)
    other = LoginProvider()
    settings.OIDC_ISSUER = other.issuer
    back = agree(place)
    answer = client.get(back)  # what was begun with one provider does not end with another
    assert answer.status_code == 400
    other_client = Client()
    back = agree(begin(other_client))
    other.stop()
    answer = other_client.get(back)
    assert (answer.status_code, said(answer)[:40]) == (503, "The login provider does not answer. Try ")


def test_it_says_that_a_provider_speaks_something_else(
    client: Client, provider: LoginProvider, settings: Settings, httpserver: Any
) -> None:
    settings.OIDC_ISSUER = httpserver.url_for("")
    for content in ("{}", "[]", "null", '"text"', "<html>"):
        httpserver.expect_request("/.well-known/openid-configuration").respond_with_data(content)
        answer = client.get("/login/provider/")
        assert answer.status_code in (403, 503), content
        assert said(answer)
        httpserver.clear()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("access_denied", "Nobody was logged in: the login provider was told to cancel."),
        ("server_error", "The login provider let nobody in."),
    ],
)
def test_it_says_that_the_provider_let_nobody_in(
    client: Client, provider: LoginProvider, error: str, line: str
) -> None:
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    answer = client.get(reverse("oidc_callback", query={"error": error, "state": state}))
    assert answer.status_code == 403
    assert said(answer).startswith(line)


def test_no_token_gets_into_the_log(client: Client, provider: LoginProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="access")
    provider.knows("1", **ANN)
    for lie in ({"aud": "another-site"}, {"exp": 1}, {}):
        provider.says(**lie)
        come(Client())
    assert "eyJ" not in caplog.text + "".join(
        str(vars(each)) for each in caplog.records if each.name == "access.openid"
    )


def test_without_a_provider_there_is_no_way_to_one(client: Client) -> None:
    assert not configured.OIDC_ISSUER
    assert client.get("/login/provider/").status_code == 404
    assert client.get("/login/provider/back/?state=1&code=1").status_code == 404
    assert "login-provider" not in client.get("/admin/login/").content.decode()


def test_its_own_second_factor_is_no_affair_of_who_comes_from_the_provider(
    client: Client, provider: LoginProvider, settings: Settings
) -> None:
    settings.REQUIRE_MFA = True
    provider.knows("1", **ANN)
    come(client)
    assert is_in(client)
    assert client.get("/second-factor/app/").status_code == 403


# --- Files about patients ask for a login of the last quarter of an hour

EXPORT = "/admin/analytics/patientdimension/?_export=csv"
MANAGER = ANN | {"groups": ["care manager"]}


def test_it_asks_the_provider_to_ask_anew_before_a_file_about_patients(
    client: Client, provider: LoginProvider, star: None
) -> None:
    provider.knows("1", **MANAGER)
    provider.says(auth_time=None)  # how long ago the user logged in there
    come(client)
    answer = client.get(EXPORT)
    assert answer["Location"] == f"/admin/login/?next={EXPORT.replace('=', '%3D').replace('?', '%3F')}"
    page = client.get(answer["Location"]).content.decode()
    (link,) = re.findall(r'href="(/login/provider/[^"]*)"', page)
    place = begin(client, unescape(link))
    asked = parse_qs(urlsplit(place).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    provider.says(auth_time=int(time.time()))
    assert client.get(agree(place))["Location"] == EXPORT
    assert status_of(client, EXPORT) == 200


def test_it_takes_no_answer_for_a_proof_that_does_not_say_when_it_was(
    client: Client, provider: LoginProvider, star: None
) -> None:
    provider.knows("1", **MANAGER)
    provider.says(auth_time=None)  # as if somebody had taken max_age out of the address
    come(client)
    answer = client.get(agree(begin(client, f"/login/provider/?next={EXPORT}")))
    assert answer.status_code == 403
    assert "does not say when you proved who you are" in answer.content.decode()
    assert status_of(client, EXPORT) == 302


@pytest.mark.parametrize(("age", "status"), [(60, 200), (HOUR, 302)])
def test_it_believes_the_provider_when_somebody_last_logged_in_there(
    client: Client, provider: LoginProvider, star: None, age: int, status: int
) -> None:
    provider.knows("1", **MANAGER)
    provider.says(auth_time=int(time.time()) - age)
    come(client)
    assert status_of(client, EXPORT) == status


def test_the_provider_signs_as_the_standard_says(provider: LoginProvider) -> None:
    keys = jwt.PyJWKSet.from_dict(requests.get(f"{provider.issuer}/jwks", timeout=60).json())
    assert [key.algorithm_name for key in keys.keys] == ["RS256"]
