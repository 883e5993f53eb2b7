"""A browser, and what the admin's pages show in it."""

from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from analytics.admin.base import BoundedAdmin
from ingest.models import Alert, PipelineRun, ScheduleOverride, SchemaChange
from tests.analytics.admin.pages import Run, walk
from tests.conftest import Source, Warehouse


@pytest.fixture
def client(databases: None) -> Client:
    """A browser in which a superuser is logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows a page, for what does not depend on how many there are: to write fifty takes most of the time."""
    monkeypatch.setattr(BoundedAdmin, "list_per_page", 5)


@pytest.fixture
def bare_lists(short_lists: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short lists without what is the same beside each, a link to every other."""
    monkeypatch.setattr(admin.site, "enable_nav_sidebar", False)


@pytest.fixture
def loaded(source: Source, dump: Path, covid_folder: Path, run: Run, settings: Settings) -> None:
    """The star of a dump and COVID days, an override, a schema change and, before it on record, a failed run."""
    settings.COVID_API_URL = str(covid_folder)
    PipelineRun.objects.create(command="run_pipeline", status="failed", error="Traceback: <disk full>")
    source.load(dump)
    run()
    run("run_pipeline", "--only", "covid")
    SchemaChange.objects.create(
        run_id=PipelineRun.objects.latest("pk").pk,
        detected_at=timezone.now(),
        field_name="Cases",
        kind="appeared",
        detail={},
    )
    ScheduleOverride.objects.create(schedule_id=1, milestone_slug="consent", offset_start_days=1)
    Alert.objects.create(source="msk", kind="stale", message="It was never loaded", began_at=timezone.now())


@pytest.fixture
def many_steps(warehouse: Warehouse) -> None:
    """12,000 days of steps, and statistics that know of them."""
    walk(warehouse)
    warehouse.execute("analyze step_result_fact")
