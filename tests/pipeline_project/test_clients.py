"""The address that a failed login counts against."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from pipeline_project.clients import address

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("behind_proxy", "forwarded_for", "peer", "expected"),
    [
        (False, None, PROXY, PROXY),
        (False, "1.2.3.4", PROXY, PROXY),
        (True, None, PROXY, PROXY),
        (True, "1.2.3.4", PROXY, "1.2.3.4"),
        (True, "made up, 1.2.3.4", PROXY, "1.2.3.4"),
        (True, "2001:db8::1", PROXY, "2001:db8::1"),
        (True, "made up", PROXY, None),
        (True, "1.2.3.4,", PROXY, PROXY),
        (False, None, "", None),
    ],
)
def test_it_takes_the_proxys_word_and_nobody_elses(
    settings: Settings, behind_proxy: bool, forwarded_for: str | None, peer: str, expected: str | None
) -> None:
    settings.BEHIND_TLS_PROXY = behind_proxy
    headers = {} if forwarded_for is None else {"X-Forwarded-For": forwarded_for}
    assert address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)) == expected
