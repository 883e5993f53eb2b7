"""A provider of logins, and a site that knows it."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from pytest_django import Settings

from tests.access.oidc import CLIENT, SECRET, LoginProvider


@pytest.fixture(scope="session")
def running_provider() -> Iterator[LoginProvider]:
    if find_spec("oidc_provider_mock") is None:
        pytest.skip("these tests need the package oidc-provider-mock: make install")
    provider = LoginProvider()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running_provider: LoginProvider, settings: Settings) -> LoginProvider:
    """The provider, which tells the truth, and to which the site's settings lead."""
    running_provider.says()
    settings.OIDC_ISSUER = running_provider.issuer
    settings.OIDC_CLIENT_ID = CLIENT
    settings.OIDC_CLIENT_SECRET = SECRET
    return running_provider
