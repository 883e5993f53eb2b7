"""Which values of the environment the settings refuse, and in which words."""

import runpy

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from pipeline_project.settings import EXAMPLE_PASSWORD, EXAMPLE_SECRET_KEY
from tests.pipeline_project.test_settings import (
    EXAMPLE_PASSWORD_REFUSED,
    LOGIN,
    MAKE_KEY,
    OWN_KEY,
    RETIRED,
    SERVER,
    WEAK_KEY_REFUSED,
)

SETTINGS = str(settings.BASE_DIR / "pipeline_project" / "settings.py")
EXAMPLE_KEY_REFUSED = f"SECRET_KEY is the one of .env.example and DEBUG is off: {MAKE_KEY}"
DOCUMENTS = (
    "COVID_API_URL must be a folder, or an address such as https://api.covidtracking.com/v2 or file:///srv/covid/v2"
)
GOES_ON = "COVID_API_URL goes on with /us/daily.json, which cannot follow a ? or a #: leave out what begins there"
SERVER_ALONE = (
    "must be the name or the address of a server alone, without scheme, user, brackets or port: "
    "those have variables of their own"
)
WEBHOOK = "ALERT_WEBHOOK_URL must be an address such as https://hooks.example.org/services/1: copy it whole"
WEAK_TOKEN = (
    "METRICS_TOKEN is weak: it takes 16 letters, digits or signs of ASCII, and no space; set it to what this "
    "prints: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
)
BEFORE_A_PATH = "goes on with /msk, which cannot follow a ? or a #: leave out what begins there"
HOST_NAMES = (
    "which is no host name: write names such as warehouse.example.org, or .example.org for all of them, "
    "without scheme and port"
)
ORIGINS = (
    "which is no origin: write scheme and host such as https://warehouse.example.org or https://*.example.org, "
    "with commas between them"
)
MAILS = "which is no e-mail address: write it as ann@example.org"


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"POSTGRES_PORT": "abc"}, "POSTGRES_PORT=abc must be a whole number from 1 to 65535"),
        ({"POSTGRES_PORT": "65536"}, "POSTGRES_PORT=65536 must be a whole number from 1 to 65535"),
        ({"MSK_SOURCE_PORT": "abc"}, "MSK_SOURCE_PORT=abc must be a whole number from 1 to 65535"),
        ({"DEBUG": "maybe"}, "DEBUG=maybe must be one of 1, true, yes, on or 0, false, no, off"),
        ({"CRON": "never"}, "CRON=never must be one of on, off"),
        ({"MSK_ORPHANS": "keep"}, f"MSK_ORPHANS=keep {RETIRED}"),
        ({"MSK_ORPHANS": "KEEP"}, f"MSK_ORPHANS=KEEP {RETIRED}"),
        ({"MSK_ORPHANS": "perhaps"}, f"MSK_ORPHANS=perhaps {RETIRED}"),
        (
            {"MSK_CRON": "61 * * * *"},
            "MSK_CRON=61 * * * * must be off or five fields such as 30 5 * * *: "
            "minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6",
        ),
        (
            {"COVID_CRON": "daily"},
            "COVID_CRON=daily must be off or five fields such as 30 5 * * *: "
            "minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6",
        ),
        ({"SECRET_KEY": EXAMPLE_SECRET_KEY, "DEBUG": "0"}, EXAMPLE_KEY_REFUSED),
        ({"SECRET_KEY": EXAMPLE_SECRET_KEY}, EXAMPLE_KEY_REFUSED),
        ({"SECRET_KEY": "x"}, WEAK_KEY_REFUSED),
        ({"SECRET_KEY": OWN_KEY[:49]}, WEAK_KEY_REFUSED),
        ({"SECRET_KEY": OWN_KEY[:49] + " "}, WEAK_KEY_REFUSED),
        ({"SECRET_KEY": "abcd" * 20}, WEAK_KEY_REFUSED),
        ({"SECRET_KEY": f"django-insecure-{OWN_KEY}"}, WEAK_KEY_REFUSED),
        ({"SECRET_KEY": " "}, "SECRET_KEY is blank: write the secret into it, or remove SECRET_KEY"),
        (
            {"SECRET_KEY": "\n", "DEBUG": "1"},
            "SECRET_KEY is blank: write the secret into it, or remove SECRET_KEY",
        ),
        (
            {"MSK_MAX_DELETE_PERCENT": "0" * 18 + "101"},
            f"MSK_MAX_DELETE_PERCENT={'0' * 18}101 must be a whole number from 0 to 100",
        ),
        ({"WEB_CONCURRENCY": "two"}, "WEB_CONCURRENCY=two must be a whole number from 1 to 256"),
        ({"COVID_API_URL": "https://ann:s3cret@covid.example.org/v2"}, LOGIN),
        ({"COVID_API_URL": "https://s3cret@covid.example.org/v2"}, LOGIN),
        ({"COVID_API_URL": "ann:s3cret@covid.example.org/v2"}, LOGIN),
        ({"COVID_API_URL": "https://covid.example.org/v2?token=s3cret"}, GOES_ON),
        ({"COVID_API_URL": "https://covid.example.org/v2#s3cret"}, GOES_ON),
        ({"COVID_API_URL": "ftp://covid.example.org/s3cret"}, DOCUMENTS),
        ({"POSTGRES_HOST": "postgresql://ann:s3cret@db.example.org/msk_db"}, f"POSTGRES_HOST {SERVER_ALONE}"),
        ({"MSK_SOURCE_HOST": "db.example.org:5433"}, f"MSK_SOURCE_HOST {SERVER_ALONE}"),
        ({"EMAIL_HOST": "smtp.example.org:587"}, f"EMAIL_HOST {SERVER_ALONE}"),
        (
            {"POSTGRES_ANALYTICS_DB": "msk_db"},
            "POSTGRES_DB, POSTGRES_ANALYTICS_DB and POSTGRES_SECONDARY_DB must be three databases: "
            "msk_db is named twice",
        ),
        ({"ALLOWED_HOSTS": "a.org,https://b.org"}, f"ALLOWED_HOSTS holds https://b.org, {HOST_NAMES}"),
        ({"CSRF_TRUSTED_ORIGINS": "example.org"}, f"CSRF_TRUSTED_ORIGINS holds example.org, {ORIGINS}"),
        ({"CSRF_TRUSTED_ORIGINS": "https://a.org,https://"}, f"CSRF_TRUSTED_ORIGINS holds https://, {ORIGINS}"),
        ({"ADMINS": "ann@example.org,bob"}, f"ADMINS holds bob, {MAILS}"),
        ({"SERVER_EMAIL": "warehouse"}, f"SERVER_EMAIL holds warehouse, {MAILS}"),
        ({"ALERT_WEBHOOK_URL": "hooks.example.org/s3cret"}, WEBHOOK),
        ({"METRICS_TOKEN": "s3cret-of-15-ch"}, WEAK_TOKEN),
        ({"METRICS_TOKEN": "s3cret with spaces in it"}, WEAK_TOKEN),
        ({"METRICS_TOKEN": "s3cret-of-Zo\u00eb-and-others"}, WEAK_TOKEN),
        ({"PING_URL": "https://hc-ping.example.org/s3cret?create=1"}, f"PING_URL {BEFORE_A_PATH}"),
        ({"PING_URL": "hc-ping.example.org/s3cret"}, WEBHOOK.replace("ALERT_WEBHOOK_URL", "PING_URL")),
        (
            {"POSTGRES_USER": "ann\nbob"},
            "POSTGRES_USER has a line break or another invisible character in it: write it anew, in one line",
        ),
        ({"POSTGRES_PASSWORD": EXAMPLE_PASSWORD, "DEBUG": "0"}, EXAMPLE_PASSWORD_REFUSED),
        ({"POSTGRES_PASSWORD": EXAMPLE_PASSWORD}, EXAMPLE_PASSWORD_REFUSED),
        (
            {"POSTGRES_PASSWORD": "s3cret", "POSTGRES_PASSWORD_FILE": "/nowhere"},
            "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set: remove one of them",
        ),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE=/nowhere cannot be read: No such file or directory"),
        (
            {"SECRET_KEY_FILE": "/dev/null"},
            "SECRET_KEY_FILE=/dev/null is empty: write the secret into it, or remove SECRET_KEY_FILE",
        ),
        ({"BEHIND_TLS_PROXY": "nginx"}, "BEHIND_TLS_PROXY=nginx must be one of 1, true, yes, on or 0, false, no, off"),
    ],
)
def test_it_refuses_a_wrong_setting_in_one_line_that_names_it(monkeypatch, environment, line) -> None:
    monkeypatch.setattr("os.environ", SERVER | environment)
    with pytest.raises(ImproperlyConfigured) as refused:
        runpy.run_path(SETTINGS)
    assert str(refused.value) == line


@pytest.mark.parametrize("value", ["reject", "Reject", " ", ""])
def test_it_passes_over_a_retired_setting_that_asks_for_what_is_done_anyhow(monkeypatch, value: str) -> None:
    monkeypatch.setattr("os.environ", SERVER | {"MSK_ORPHANS": value})
    assert "MSK_ORPHANS" not in runpy.run_path(SETTINGS)


def test_it_keeps_what_it_accepts(monkeypatch) -> None:
    said = {
        "SECRET_KEY": f" {OWN_KEY}",
        "ALLOWED_HOSTS": ".example.org",
        "CSRF_TRUSTED_ORIGINS": "https://a.org, https://*.b.org",
        "COVID_API_URL": "file:///srv/covid",
        "SERVER_EMAIL": "MSK pipeline <warehouse@example.org>",
        "ADMINS": "ann@example.org,bob@example.org",
        "ALERT_WEBHOOK_URL": "https://hooks.example.org/?token=s3cret",
        "MSK_MAX_DELETE_PERCENT": "0" * 5000,
    }
    monkeypatch.setattr("os.environ", SERVER | said)
    kept = runpy.run_path(SETTINGS)
    assert {name: kept.get(name) for name in said} == said | {
        "ALLOWED_HOSTS": ["127.0.0.1", ".example.org"],
        "CSRF_TRUSTED_ORIGINS": ["https://a.org", "https://*.b.org"],
        "ADMINS": None,
        "MSK_MAX_DELETE_PERCENT": 0,
    }
    assert kept["ALERT_MAIL_TO"] == ["ann@example.org", "bob@example.org"]
