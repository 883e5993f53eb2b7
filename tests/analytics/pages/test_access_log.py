"""The page of the access log: who saw a patient, what a user did, for auditors alone."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from access.models import AccessLog
from analytics.pages import access_log
from tests.access.looks import look
from tests.analytics.pages.conftest import Reader, table

NONE = "\N{EN DASH}"


@pytest.fixture
def auditor(reader: Reader) -> Client:
    """A browser in which an auditor is logged in."""
    return reader("auditor")


def rows(client: Client, address: str) -> list[list[str]]:
    """Return the cells of the tables of the page, which are two where it asks for a patient."""
    response = client.get(address)
    assert response.status_code == 200, response.content
    bodies = re.findall(r"<tbody>(.*?)</tbody>", response.content.decode(), re.DOTALL)
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", " ".join(bodies), re.DOTALL):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        found.append([unescape(re.sub("<[^>]+>", "", cell)) for cell in cells])
    return found


def users(client: Client, address: str) -> list[str]:
    return [row[1] for row in rows(client, address) if not row[1].startswith("auditor")]


def text(client: Client, address: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", client.get(address).content.decode())).split())


def test_it_lists_who_was_shown_which_patients_the_last_first(auditor: Client) -> None:
    look(days=2, user_name="ann", patients=[4711])
    look(days=1, user_name="bob", what="list", path="/admin/analytics/stepresultfact/", filter="q=4711",
         patients=list(range(50)), patient_count=50, rows=50)  # fmt: skip
    look(user_name="eve", path="/patients/4711/", patients=[], patient_count=0, answered=False)
    found = rows(auditor, "/access/")
    assert [row[1:] for row in found] == [
        ["eve", "page", "/patients/4711/", NONE, NONE, "refused", "192.0.2.7"],
        ["bob", "list", "/admin/analytics/stepresultfact/?q=4711", "50 of them", "50", "shown", "192.0.2.7"],
        ["ann", "page", "/patients/1/", "4711", NONE, "shown", "192.0.2.7"],
    ]
    assert found[0][0].startswith(f"{datetime.now(UTC):%Y-%m-%d} ")


def test_it_says_who_saw_a_patient_and_who_may_have_among_others(auditor: Client) -> None:
    look(user_name="ann", patients=[1, 4711], patient_count=2)
    look(user_name="bob", patients=[4712])
    look(user_name="eve", path="/patients/4711/", patients=[], patient_count=0, answered=False)
    look(user_name="kim", what="export", patients=None, patient_count=900, names_all=False, rows=70_000)
    look(user_name="joe", what="export", patients=None, patient_count=900, names_all=False, answered=False)
    look(user_name="lou", path="/runs/7/", patient_count=None, names_all=False, patients=[])
    assert users(auditor, "/access/?patient=4711") == ["ann", "lou", "kim"]
    assert [row[4] for row in rows(auditor, "/access/?patient=4711")] == ["1, 4711", "some, perhaps", "900 of them"]
    assert "Perhaps among others" in text(auditor, "/access/?patient=4711")
    assert "Perhaps among others" not in text(auditor, "/access/?user=ann")


def test_it_says_what_a_user_did_and_took_away(auditor: Client) -> None:
    for days in (1, 2):
        look(days=days, user_name="ann", patients=[days])
    whole = look(days=3, user_name="ann", what="export", rows=70_000, patient_count=900, patients=None, names_all=False)
    look(days=3, what="end", begun=whole.pk, rows=70_000, user_name="ann", patients=[], patient_count=0)
    broken = look(days=4, user_name="ann", what="export", rows=70_000)
    look(days=4, what="end", begun=broken.pk, rows=2000, user_name="ann", answered=False)
    look(days=5, user_name="ann", what="export", rows=70_000)
    look(days=3, user_name="bob", what="export")
    assert users(auditor, "/access/?user=ann") == ["ann"] * 5
    taken = rows(auditor, "/access/?user=ann&what=export")
    assert [row[5] for row in taken] == [
        "70,000, all sent",
        "70,000, broken off after 2,000",
        "70,000, no end on record",
    ]


def test_it_lists_by_days_the_last_thirty_by_itself(auditor: Client) -> None:
    for days in (0, 29, 30, 400):
        look(days=days, user_name=f"user {days}")

    def day(days: int) -> str:
        return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"

    assert users(auditor, "/access/") == ["user 0", "user 29"]
    assert users(auditor, f"/access/?from={day(30)}&to={day(29)}") == ["user 29", "user 30"]
    assert users(auditor, f"/access/?to={day(400)}") == ["user 400"]


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        ("patient=x", "patient=x is no key of a patient: it is a whole number."),
        ("patient=1+or+1", "is no key of a patient"),
        ("from=yesterday", "from=yesterday is no day: write it as 2024-03-31."),
        ("from=2024-03-02&to=2024-03-01", "from=2024-03-02 is after to=2024-03-01"),
        ("to=0001-01-01", "to=0001-01-01 is too long ago"),
        ("what=end", "what=end is not known: what is one of page, list, export."),
        ("page=2", "This page knows no page"),
        ("user=ann&user=bob", "user is given 2 times"),
        ("user=%00", "No user holds a null character."),
        ("format=xlsx", "There is no format xlsx of this page: csv is the one there is."),
    ],
)
def test_it_refuses_what_it_does_not_understand(auditor: Client, asks: str, says: str) -> None:
    assert auditor.get(f"/access/?{asks}").status_code == 400
    assert says in text(auditor, f"/access/?{asks}")


def test_it_says_where_its_list_ends(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        look(days=number)
    monkeypatch.setattr(access_log, "MOST", 3)
    assert "The list ends here, after 3 of 4 lines" in text(auditor, "/access/")
    monkeypatch.setattr(access_log, "REACH", 3)
    assert "The list ends here, after 3 of more than 3 lines" in text(auditor, "/access/")
    monkeypatch.setattr(access_log, "MOST_TAKEN", 2)
    assert len(table(auditor, "/access/")) == 2


def test_its_csv_has_all_that_a_line_has_and_no_formula(auditor: Client) -> None:
    begun = look(
        user_name="=cmd()", what="export", filter="patient_id=1", patients=[1, 2, 3, 4], patient_count=4, rows=9
    )
    look(what="end", begun=begun.pk, rows=5, answered=False)
    own, row = table(auditor, "/access/")
    assert (own["path"], own["what"]) == ("/access/", "export")
    person = {"user_id": "7", "user_name": "'=cmd()", "address": "192.0.2.7", "what": "export", "path": "/patients/1/"}
    shown = {"filter": "patient_id=1", "answered": "True", "patient_count": "4", "patients": "1 2 3 4"}
    ended = {"names_all": "True", "rows": "9", "all_sent": "False", "rows_sent": "5"}
    assert row == {"at": row["at"]} | person | shown | ended
    assert datetime.fromisoformat(row["at"]).tzinfo == UTC


def test_a_look_at_it_leaves_a_line_too(auditor: Client) -> None:
    auditor.get("/access/?patient=4711")
    look()
    table(auditor, "/access/")
    written = AccessLog.objects.order_by("pk")
    assert [(line.what, line.path, line.filter, line.patients, line.rows) for line in written] == [
        ("page", "/access/", "patient=4711", [], None),
        ("page", "/patients/1/", "", [1], None),
        ("export", "/access/", "format=csv", [], None),
        ("end", "/access/", "format=csv", [], 3),  # its own beginning among them
    ]


def test_an_auditor_sees_no_patient_and_nobody_else_sees_the_log(star: None, reader: Reader) -> None:
    auditor = reader("auditor")
    for place in ("/patients/1/", "/adherence/windows/", "/adherence/", "/quality/", "/runs/"):
        assert auditor.get(place).status_code == 403
    for group in ("care manager", "analyst", "steward", "operator"):
        assert reader(group).get("/access/").status_code == 403
    assert Client().get("/access/").status_code == 302
    assert not re.findall('href="/patients', auditor.get("/access/").content.decode())


def test_what_is_in_a_line_is_text_on_the_page(auditor: Client) -> None:
    look(user_name="<script>", path="/<b>", filter="a=<i>")
    html: Any = auditor.get("/access/").content.decode()
    assert "<script>" not in html.split('id="content"')[1]
    assert "&lt;script&gt;" in html
