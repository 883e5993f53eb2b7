"""The groups: who sees which page, and that nobody is shown a link that leads to a refusal."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.staticfiles.finders import find
from django.test import Client
from pytest_django import Settings

from tests.analytics.pages import conftest
from tests.analytics.pages.conftest import Reader, reader  # noqa: F401

GROUPS = (*conftest.GROUPS, "auditor")
EVERYBODY = set(GROUPS)
TOTALS = {"care manager", "analyst"}
MANAGER = {"care manager"}
WITH_DATA = EVERYBODY - {"auditor"}
PLACES = {
    "/": EVERYBODY,
    "/tables/": EVERYBODY,
    "/tables/step_result_fact/": EVERYBODY,
    "/adherence/": TOTALS,
    "/steps/": TOTALS,
    "/scores/": TOTALS,
    "/covid/": TOTALS,
    "/quality/": WITH_DATA,
    "/access/": {"auditor"},
    "/quality/rows/": MANAGER,
    "/adherence/windows/": MANAGER,
    "/patients/1/": MANAGER,
    "/admin/analytics/patientdimension/": MANAGER,
    "/admin/analytics/stepresultfact/": MANAGER,
    "/admin/analytics/activityadherence/": MANAGER,
    "/admin/ingest/rejectedrow/": MANAGER,
    "/admin/analytics/surveydimension/": TOTALS,
    "/admin/analytics/casesfact/": TOTALS,
    "/admin/analytics/scheduledimension/": {"care manager", "analyst", "steward"},
    "/admin/ingest/scheduleoverride/": {"care manager", "steward"},
    "/admin/ingest/scheduleoverride/add/": {"steward"},
    "/runs/": {"operator"},
    "/admin/ingest/pipelinerun/": {"operator"},
    "/admin/ingest/alert/": {"operator"},
    "/admin/auth/user/": set(),
}


def test_it_opens_each_place_to_its_groups_alone(star: None, reader: Reader) -> None:  # noqa: F811
    clients = {group: reader(group) for group in GROUPS}
    found = {
        place: {group for group, client in clients.items() if client.get(place).status_code == 200} for place in PLACES
    }
    assert found == PLACES
    refused = [
        clients[group].get(place).status_code for place, groups in PLACES.items() for group in EVERYBODY - groups
    ]
    assert set(refused) == {403}


@pytest.mark.parametrize("group", GROUPS)
def test_it_shows_nobody_a_link_that_leads_to_a_refusal(star: None, reader: Reader, group: str) -> None:  # noqa: F811
    client = reader(group)
    seen: set[str] = set()
    refused = {}
    pages = [place for place, groups in PLACES.items() if group in groups]
    for page in pages:
        for address in sorted(links(client, page) - seen):
            seen.add(address)
            status = client.get(address).status_code
            if status not in (200, 302):
                refused[page, address] = status
    assert not refused
    assert len(seen) > 10


def links(client: Client, page: str) -> set[str]:
    """Return the addresses of this site that a page leads to; of links that differ in their values alone a few."""
    found = re.findall(r'href="(/[^"#]*)"', client.get(page).content.decode())
    kinds: dict[str, list[str]] = {}
    for address in dict.fromkeys(each.replace("&amp;", "&") for each in found):
        if not address.startswith("/static/"):
            kinds.setdefault(re.sub(r"\d+|=[^&]*", "", address), []).append(address)
    return {address for alike in kinds.values() for address in alike[:2]}


def test_it_asks_a_stranger_to_log_in_and_leads_back(databases: None) -> None:
    response = Client().get("/adherence/?by=sex")
    assert response.status_code == 302
    assert response["Location"] == "/admin/login/?next=/adherence/%3Fby%3Dsex"


def test_it_keeps_what_is_about_single_patients_from_all_but_care_managers(databases: None) -> None:
    about_patients = {
        "view_patientdimension",
        "view_patientjourneyfact",
        "view_stepresultfact",
        "view_surveyresultfact",
        "view_patientjourneyschedulewindow",
        "view_activitycompletionfact",
        "view_adherencefact",
        "view_activityadherence",
        "view_windowdetail",
        "view_rejectedrow",
    }
    for group in GROUPS:
        may = set(Permission.objects.filter(group__name=group).values_list("codename", flat=True))
        assert may & about_patients == (about_patients if group == "care manager" else set()), group


def test_it_lets_stewards_change_overrides_and_operators_ask_for_runs_and_nobody_else_anything(
    databases: None,
) -> None:
    changes = Permission.objects.exclude(codename__startswith="view_").filter(group__isnull=False)
    assert {(each.codename, group.name) for each in changes for group in each.group_set.all()} == {
        *((f"{verb}_scheduleoverride", "steward") for verb in ("add", "change", "delete")),
        ("add_runrequest", "operator"),
    }


def test_a_user_without_a_group_sees_home_and_what_tables_there_are(databases: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("new", is_staff=True))
    assert Group.objects.count() == len(GROUPS)
    assert [client.get(place).status_code for place in ("/", "/tables/", "/adherence/", "/quality/")] == [
        200,
        200,
        403,
        403,
    ]
    assert "put it in the group" in client.get("/adherence/").content.decode()


# --- Pages that refuse


def said(response: Any) -> str:
    """Return the text of a page within the frame of the site, once sure that it is in it."""
    html = response.content.decode()
    assert '<div id="site-name"><a href="/">MSK warehouse</a></div>' in html
    assert 'href="/static/analytics/site.css"' in html
    assert "<style" not in html
    return " ".join(unescape(re.sub("<[^>]+>", " ", html.split('id="content"')[1])).split())


@pytest.mark.parametrize("place", ["/adherence/", "/patients/1/", "/admin/analytics/stepresultfact/"])
def test_it_says_what_to_do_where_a_page_is_not_for_who_asks(databases: None, reader: Reader, place: str) -> None:  # noqa: F811
    steward = reader("steward")
    response = steward.get(place)
    assert response.status_code == 403
    text = said(response)
    assert "You may not see this page" in text
    assert "Ask whoever gave you the user" in text
    assert all(group in text for group in GROUPS)
    assert links(steward, place) >= {"/", "/tables/"}
    assert "/adherence/" not in links(steward, place)


@pytest.mark.parametrize(
    "place",
    ["/nowhere/", "/patients/77/", "/patients/x/", "/tables/nothing/", "/admin/nowhere/", "/runs/x/"],
)
def test_it_says_what_to_do_where_there_is_no_such_page(databases: None, reader: Reader, place: str) -> None:  # noqa: F811
    response = reader("care manager").get(place)
    assert response.status_code == 404
    text = said(response)
    assert "There is no such page" in text
    assert "can be looked for in their lists" in text


def test_it_tells_a_stranger_of_no_page_that_is_not_there(databases: None) -> None:
    response = Client().get("/nowhere/")
    assert response.status_code == 404
    assert said(response)
    assert links(Client(), "/nowhere/") <= {"/", "/tables/"}


def test_it_says_how_long_a_lock_lasts_and_who_opens_it(databases: None, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.create_superuser("boss", password="right")
    answers = [Client().post("/admin/login/", {"username": "boss", "password": "wrong"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    text = said(answers[-1])
    assert "Locked for a while" in text
    assert "There were 5 failed attempts" in text
    assert "Wait 15 minutes and try again" in text
    assert "manage.py axes_reset" in text


def test_it_says_what_to_do_with_a_form_that_was_open_too_long(databases: None) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/admin/login/", {"username": "boss", "password": "right"})
    assert response.status_code == 403
    text = said(response)
    assert "Load the page again" in text
    assert "group" not in text


# --- One site


@pytest.mark.parametrize("place", ["/admin/", "/admin/ingest/loadstate/", "/adherence/"])
def test_view_site_leads_home(databases: None, reader: Reader, place: str) -> None:  # noqa: F811
    manager = reader("care manager")
    assert re.findall(r'<a href="([^"]*)">View site</a>', manager.get(place).content.decode()) == ["/"]
    assert manager.get("/").status_code == 200


NAVIGATION = {
    "care manager": ["Home", "Adherence", "Steps", "Scores", "COVID", "Quality", "Tables", "Admin"],
    "analyst": ["Home", "Adherence", "Steps", "Scores", "COVID", "Quality", "Tables", "Admin"],
    "steward": ["Home", "Quality", "Tables", "Admin"],
    "operator": ["Home", "Quality", "Runs", "Tables", "Admin"],
    "auditor": ["Home", "Tables", "Access", "Admin"],
}


@pytest.mark.parametrize("group", GROUPS)
def test_it_has_one_navigation_with_what_each_may_see(star: None, reader: Reader, group: str) -> None:  # noqa: F811
    client = reader(group)
    for place in (place for place, groups in PLACES.items() if group in groups):
        html = client.get(place).content.decode()
        (navigation,) = re.findall(r'<nav class="site-nav"[^>]*>(.*?)</nav>', html)
        assert re.findall(r">([^<]+)</a>", navigation) == NAVIGATION[group], place
        current = re.findall(r'<a href="([^"]+)" aria-current="page">', navigation)
        assert len(current) == (not place.startswith("/patients/")), place  # a patient is under none of them
        assert all(place.startswith(address) for address in current)


def test_it_has_an_icon(databases: None) -> None:
    (icon,) = re.findall(r'<link rel="icon" href="([^"]+)"', Client().get("/admin/login/").content.decode())
    response = Client().get("/favicon.ico")  # browsers ask for it wherever they are
    assert (response.status_code, response["Location"]) == (302, icon)
    assert Path(str(find(icon.removeprefix("/static/")))).read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize("place", [place for place in PLACES if not place.startswith("/admin/")])
def test_it_shows_no_page_to_a_stranger_or_to_who_is_not_of_the_staff(databases: None, place: str) -> None:
    stranger, patient = Client(), Client()
    patient.force_login(User.objects.create_user("patient"))
    for client in (stranger, patient):
        response = client.get(place)
        assert response.status_code == 302
        assert response["Location"] == f"/admin/login/?next={place}"


@pytest.mark.parametrize("place", ["/", "/adherence/", "/tables/"])
def test_its_pages_are_for_reading_alone_and_kept_by_no_browser(databases: None, reader: Reader, place: str) -> None:  # noqa: F811
    manager = reader("care manager")
    assert [manager.post(place).status_code, manager.delete(place).status_code] == [405, 405]
    assert "no-store" in manager.get(place)["Cache-Control"]
