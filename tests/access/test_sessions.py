"""How long a login lasts, and what ends it sooner."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

WORKING_DAY = timedelta(hours=12)
PASSWORD = "correct horse battery staple"
PAGE = "/second-factor/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse() -> User:
    return User.objects.create_user("nurse", password=PASSWORD, is_staff=True)


def test_a_login_ends_after_a_working_day_and_with_its_password(nurse: User, client: Client) -> None:
    client.post("/admin/login/", {"username": "nurse", "password": PASSWORD})
    session = Session.objects.get(pk=client.session.session_key)
    assert timedelta() <= timezone.now() + WORKING_DAY - session.expire_date < timedelta(minutes=1)
    assert client.cookies["sessionid"]["max-age"] == WORKING_DAY.total_seconds()
    assert client.get(PAGE).status_code == 200
    # Who goes on looking gets no more time.
    assert Session.objects.get(pk=session.pk).expire_date == session.expire_date

    Session.objects.update(expire_date=timezone.now())
    assert client.get(PAGE).status_code == 302

    client.force_login(nurse)
    assert client.get(PAGE).status_code == 200
    nurse.set_password("another horse, another staple")
    nurse.save()
    assert client.get(PAGE).status_code == 302


def test_a_session_that_is_written_again_and_again_ends_all_the_same(nurse: User, client: Client) -> None:
    client.force_login(nurse)
    session = client.session
    session["logged_in_at"] = time.time() - WORKING_DAY.total_seconds() + 60
    session.save()
    client.get("/second-factor/codes/new/")  # which writes to the session, and so gives it another day
    assert client.get(PAGE).status_code == 200
    session = client.session
    session["logged_in_at"] -= 61
    session.save()
    assert client.get(PAGE)["Location"].startswith("/admin/login/")
    assert client.session.is_empty()


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("post", "/admin/auth/user/add/"),
        ("post", "/admin/auth/user/{user}/password/"),
        ("post", "/admin/auth/user/{user}/change/"),
        ("post", "/admin/password_change/"),
        ("get", "/admin/password_change/"),
    ],
)
def test_it_asks_who_somebody_is_before_it_changes_who_comes_in(
    admin_client: Client, admin_user: User, method: str, address: str
) -> None:
    session = admin_client.session
    session["proved_at"] = time.time() - 16 * 60
    session.save()
    address = address.format(user=admin_user.pk)
    answer = getattr(admin_client, method)(address)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={address}")
    session["proved_at"] = time.time()
    session.save()
    assert getattr(admin_client, method)(address).status_code == 200  # the form, which is not filled in


def test_a_login_ends_when_its_user_is_switched_off(nurse: User, client: Client) -> None:
    client.force_login(nurse)
    User.objects.update(is_active=False)
    assert client.get(PAGE).status_code == 302
