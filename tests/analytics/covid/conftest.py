"""The API that is asked, and its days loaded."""

from functools import partial

import pytest
from pytest_httpserver import HTTPServer

from ingest.covid import extract
from ingest.covid.client import CovidClient
from tests.conftest import Warehouse
from tests.ingest.covid.documents import Json, Publisher, days


@pytest.fixture
def publisher(httpserver: HTTPServer, settings, monkeypatch) -> Publisher:
    """The API that the commands ask, which is tried again at once when it is unwell."""
    publisher = Publisher(httpserver)
    settings.COVID_API_URL = publisher.url
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(extract, "CovidClient", partial(CovidClient, retries=2, backoff_seconds=0))
    return publisher


@pytest.fixture
def load(run) -> partial[str]:
    return partial(run, "run_pipeline", "--only", "covid")


@pytest.fixture
def loaded(publisher: Publisher, warehouse: Warehouse, load) -> list[Json]:
    """The published days, which are in the star."""
    contents = days(10)
    publisher.publish(*contents)
    load()
    return contents
