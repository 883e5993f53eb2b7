from pathlib import Path

import pytest

from pipeline_project import addresses
from tests.pipeline_project.test_env import refusal


@pytest.fixture(autouse=True)
def _unset(monkeypatch) -> None:
    monkeypatch.delenv("THING", raising=False)
    monkeypatch.delenv("THING_FILE", raising=False)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.covidtracking.com/v2",
        "http://mirror:8080",
        "http://[::1]:8080/v2/",
        "https://cdn.example.org/@covid/v2",
        "file:///srv/covid/v2",
        "file://localhost/srv/covid/v2",
        "file:///srv/covid of 2021/v2",
        "sample_data/covid/v2",
        "/srv/covid v2?#",
    ],
)
def test_it_takes_documents_from_an_address_or_a_folder(monkeypatch, address) -> None:
    monkeypatch.setenv("THING", address)
    assert addresses.documents("THING", "default") == address


def test_it_takes_a_folder_with_an_at_sign_for_a_folder(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "covid@2").mkdir()
    monkeypatch.setenv("THING", str(tmp_path / "covid@2"))
    assert addresses.documents("THING", "default") == str(tmp_path / "covid@2")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("https://ann:s3cret@example.org/v2", "has a user or a password in it"),
        ("https://s3cret@example.org/v2", "has a user or a password in it"),
        ("https://:s3cret@example.org:8080/v2?a=b", "has a user or a password in it"),
        ("https://ann:s3cret\\@example.org", "has a user or a password in it"),
        ("https://@s3cret.example.org", "has a user or a password in it"),
        ("file://ann:s3cret@example.org/v2", "has a user or a password in it"),
        ("ftp://ann:s3cret@example.org/v2", "has a user or a password in it"),
        ("//ann:s3cret@example.org/v2", "has a user or a password in it"),
        ("https:/ann:s3cret@example.org/v2", "has a user or a password in it"),
        ("https://example.org/v2?token=s3cret", "goes on with /us/daily.json"),
        ("https://example.org/v2?", "goes on with /us/daily.json"),
        ("https://example.org/v2#s3cret", "goes on with /us/daily.json"),
        ("file:///srv/covid?s3cret", "goes on with /us/daily.json"),
        ("https://ann:s3/cret@example.org/v2", "must be a folder, or an address"),
        ("https://example.org:s3cret/v2", "must be a folder, or an address"),
        ("https://[s3cret/v2", "must be a folder, or an address"),
        ("https:///s3cret", "must be a folder, or an address"),
        ("https://s3 cret/v2", "must be a folder, or an address"),
        ("ftp://s3cret/v2", "must be a folder, or an address"),
        ("file://s3cret/v2", "must be a folder, or an address"),
        ("file://", "must be a folder, or an address"),
    ],
)
def test_it_refuses_other_addresses_of_documents_without_repeating_them(monkeypatch, address, problem) -> None:
    monkeypatch.setenv("THING", address)
    line = refusal(addresses.documents, "default")
    assert line.startswith(f"THING {problem}")
    assert "s3cret" not in line


@pytest.mark.parametrize(
    "value",
    ["db", "db.example.org", "127.0.0.1", "::1", "fe80::1%eth0", "/run/my pg", "@abstract", "one,two", "db,/run/pg"],
)
def test_it_reads_the_name_of_a_server(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    assert addresses.server("THING", "default") == value


@pytest.mark.parametrize(
    "value",
    ["db:5432", "db:", "postgresql://ann:s3cret@db/x", "s3cret@db", "[::1]", "db/msk", "db port=1", ":5432", "a:1,b:2"],
)
def test_it_refuses_what_is_more_than_the_name_of_a_server(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    line = refusal(addresses.server, "default")
    assert line.startswith("THING must be the name or the address of a server alone")
    assert "s3cret" not in line


@pytest.mark.parametrize(
    "value", ["*", "localhost", "Warehouse.example.org", ".example.org", "10.0.0.1", "[::1]", "a_b"]
)
def test_it_reads_names_of_hosts(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", f"a.org, {value}")
    assert addresses.hosts("THING", "default") == ["a.org", value]


@pytest.mark.parametrize(
    "value",
    [
        "https://b.org",
        "b.org:8000",
        "b.org/",
        "*.b.org",
        "b.org.",
        "b.org c.org",
        "::1",
        "[::1]:80",
        "b..org",
        "büro.org",
    ],
)
def test_it_refuses_what_no_browser_would_ask_for(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", f"a.org,{value}")
    assert refusal(addresses.hosts, "default").startswith(f"THING holds {value}, which is no host name: ")


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("https://warehouse.example.org", "https://warehouse.example.org"),
        ("HTTPS://Warehouse.example.org", "https://warehouse.example.org"),
        ("https://*.example.org", "https://*.example.org"),
        ("https://a.org:8443", "https://a.org:8443"),
        ("https://a.org:443", "https://a.org"),
        ("http://a.org:80", "http://a.org"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_it_reads_origins_as_browsers_write_them(monkeypatch, value, origin) -> None:
    monkeypatch.setenv("THING", f"http://10.0.0.1:8000, {value}")
    assert addresses.origins("THING") == ["http://10.0.0.1:8000", origin]


@pytest.mark.parametrize(
    "value",
    [
        "example.org",
        "https://",
        "https:///",
        "://a.org",
        "ftp://a.org",
        "https://a.org/",
        "https://a.org/x",
        "https://ann@a.org",
        "https://a.org?",
        "https://a.org:",
        "https://a.org:99999",
        "https://a.org https://b.org",
        "https://*",
        "https://*a.org",
        "https://a.*.org",
        "https://büro.org",
        "null",
    ],
)
def test_it_refuses_what_is_no_origin(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", f"https://first.org,{value}")
    assert refusal(addresses.origins).startswith(f"THING holds {value}, which is no origin: ")


@pytest.mark.parametrize(
    "value",
    ["ann@example.org", "msk-pipeline@localhost", "root@db-server", "MSK pipeline <ann@example.org>", "Ann <ann@mail>"],
)
def test_it_reads_addresses_of_people(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", f"bob@example.org,{value}")
    assert addresses.mails("THING") == ["bob@example.org", value]


@pytest.mark.parametrize(
    "value", ["ann", "@example.org", "ann@", "a@b.org; c@d.org", "a@b.org c@d.org", "Ann <ann>", "<>"]
)
def test_it_refuses_what_is_no_address_of_a_person(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", f"bob@example.org,{value}")
    assert refusal(addresses.mails) == f"THING holds {value}, which is no e-mail address: write it as ann@example.org"


@pytest.mark.parametrize(
    ("value", "mail"), [("", "root@localhost"), ("Clinic, warehouse <ann@example.org>",) * 2, ("ann@example.org",) * 2]
)
def test_it_reads_the_address_of_one(monkeypatch, value, mail) -> None:
    monkeypatch.setenv("THING", value)
    assert addresses.mail("THING", "root@localhost") == mail


def test_it_refuses_two_addresses_for_one(monkeypatch) -> None:
    monkeypatch.setenv("THING", "ann@example.org, bob@example.org")
    assert refusal(addresses.mail, "root@localhost").startswith(
        "THING holds ann@example.org, bob@example.org, which is no "
    )


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("", ""),
        ("https://hooks.example.org/t/s3cret?a=b", "https://hooks.example.org/t/s3cret?a=b"),
        (" http://ann:s3cret@10.0.0.1:8065/hooks/1\n", "http://ann:s3cret@10.0.0.1:8065/hooks/1"),
    ],
)
def test_it_reads_an_address_that_is_a_secret(monkeypatch, value, address) -> None:
    monkeypatch.setenv("THING", value)
    assert addresses.secret_url("THING") == address


@pytest.mark.parametrize(
    "value",
    [
        "hooks.example.org/s3cret",
        "https://",
        "https:///s3cret",
        "https:/s3cret",
        "ftp://s3cret",
        "file:///s3cret",
        "https://h:s3cret/x",
        "https://[s3cret",
        "https://h/s3 cret",
        "https://h/s3\ncret",
        "https://h,https://s3cret:",
    ],
)
def test_it_refuses_another_address_without_repeating_it(monkeypatch, value) -> None:
    monkeypatch.setenv("THING", value)
    line = refusal(addresses.secret_url)
    assert line == "THING must be an address such as https://hooks.example.org/services/1: copy it whole"
