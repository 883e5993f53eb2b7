"""People of each group, a loaded star, and a page's table as CSV."""

import csv
import io
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

GROUPS = ("care manager", "analyst", "steward", "operator")  # those who see the data, or whether it is well
EXACTLY = ("care manager", "operator")  # who see each rejected row counted, and each row of a table
Reader = Callable[[str], Client]


@pytest.fixture
def reader(databases: None) -> Reader:
    """Return a function that gives a browser in which a new member of a group is logged in."""

    def reader(group: str) -> Client:
        user = User.objects.create_user(f"{group} {User.objects.count()}", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        return client

    return reader


@pytest.fixture
def manager(reader: Reader) -> Client:
    """A browser in which a care manager is logged in."""
    return reader("care manager")


def table(client: Client, address: str) -> list[dict[str, str]]:
    """Return the table of a page: a row as its CSV has it."""
    response = client.get(address + ("&" if "?" in address else "?") + "format=csv")
    assert response.status_code == 200, response.content
    return list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))
