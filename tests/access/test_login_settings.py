"""The settings of the login: what is taken, what is refused, and what holds without a word."""

import runpy

import pytest
from django.core.exceptions import ImproperlyConfigured

from access.groups import GROUPS, is_about_patients
from tests.pipeline_project.test_refusals import SETTINGS
from tests.pipeline_project.test_settings import OWN_KEY, SERVER

ISSUER = "https://login.example.org/realms/care"
OIDC = {"OIDC_ISSUER": ISSUER, "OIDC_CLIENT_ID": "msk", "OIDC_CLIENT_SECRET": "s3cret"}
PRODUCTION = SERVER | {"SECRET_KEY": OWN_KEY, "POSTGRES_PASSWORD": "of one's own", "DEBUG": "0"}
NO_ISSUER = (
    "OIDC_ISSUER must be what the provider gives as its issuer, such as https://login.example.org/realms/care, "
    "in 200 characters at most: with DEBUG=0 by https, and never with a user, a ? or a #"
)
NO_CLIENT = "OIDC_ISSUER is set: set OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, which it gave you, too"


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"OIDC_ISSUER": "login.example.org"}, NO_ISSUER),
        ({"OIDC_ISSUER": "http://login.example.org"}, NO_ISSUER),
        ({"OIDC_ISSUER": "ftp://login.example.org"}, NO_ISSUER),
        ({"OIDC_ISSUER": "https://ann:s3cret@login.example.org"}, NO_ISSUER),
        ({"OIDC_ISSUER": f"{ISSUER}?tenant=s3cret"}, NO_ISSUER),
        ({"OIDC_ISSUER": ISSUER + "s3cret" * 40}, NO_ISSUER),
        ({"OIDC_CLIENT_ID": ""}, NO_CLIENT),
        ({"OIDC_CLIENT_SECRET": ""}, NO_CLIENT),
        ({"OIDC_GROUPS": "analyst"}, "OIDC_GROUPS holds analyst: write VALUE=MEANING, with commas between several"),
        ({"OIDC_GROUPS": "=analyst"}, "OIDC_GROUPS holds =analyst: write VALUE=MEANING, with commas between several"),
        (
            {"OIDC_GROUPS": "a=analyst,b=superuser"},
            f"OIDC_GROUPS holds b=superuser, which is no group: {', '.join(GROUPS)}",
        ),
        ({"REQUIRE_MFA": "often"}, "REQUIRE_MFA=often must be one of 1, true, yes, on or 0, false, no, off"),
    ],
)
def test_it_refuses_a_wrong_setting_in_one_line(monkeypatch, environment: dict[str, str], line: str) -> None:
    monkeypatch.setattr("os.environ", PRODUCTION | OIDC | environment)
    with pytest.raises(ImproperlyConfigured) as refused:
        runpy.run_path(SETTINGS)
    assert str(refused.value) == line


def test_it_takes_what_is_said(monkeypatch, tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    said = {"OIDC_CLIENT_SECRET_FILE": str(secret), "OIDC_GROUPS": "/care=nurses=care manager, 4f1c=analyst"}
    monkeypatch.setattr("os.environ", PRODUCTION | OIDC | said | {"OIDC_CLIENT_SECRET": ""})
    found = runpy.run_path(SETTINGS)
    assert found["OIDC_CLIENT_SECRET"] == "s3cret"
    assert found["OIDC_GROUPS"] == [("/care=nurses", "care manager"), ("4f1c", "analyst")]


def test_http_is_for_development_alone(monkeypatch) -> None:
    monkeypatch.setattr("os.environ", SERVER | OIDC | {"DEBUG": "1", "OIDC_ISSUER": "http://localhost:9400"})
    assert runpy.run_path(SETTINGS)["OIDC_ISSUER"] == "http://localhost:9400"


@pytest.mark.parametrize(
    ("environment", "required"),
    [
        (PRODUCTION, True),
        (PRODUCTION | {"REQUIRE_MFA": "0"}, False),
        (SERVER | {"DEBUG": "1"}, False),
        (SERVER | {"DEBUG": "1", "REQUIRE_MFA": "1"}, True),
    ],
)
def test_a_second_factor_is_required_in_production(monkeypatch, environment: dict[str, str], required: bool) -> None:
    monkeypatch.setattr("os.environ", environment)
    found = runpy.run_path(SETTINGS)
    assert found["REQUIRE_MFA"] is required
    assert found["OIDC_ISSUER"] == ""
    assert found["OIDC_GROUPS"] == [(group, group) for group in GROUPS]


def test_it_takes_a_table_for_one_about_patients_unless_others_see_it() -> None:
    assert is_about_patients("analytics.view_patientdimension")
    assert is_about_patients("analytics.view_whatever_comes_next")
    assert is_about_patients("ingest.view_rejectedrow")
    assert not is_about_patients("analytics.view_surveydimension")
    assert not is_about_patients("ingest.view_scheduleoverride")
