"""A browser, and what the admin's pages show in it."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from analytics.admin.base import BoundedAdmin
from ingest.models import Alert, PipelineRun, ScheduleOverride, SchemaChange
from tests.analytics.admin.pages import walk
from tests.conftest import Warehouse


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
def loaded(star: None) -> Iterator[None]:
    """The star, an override, a schema change, an alert and, before the loads on record, a failed run."""
    first, last = PipelineRun.objects.earliest("pk").pk, PipelineRun.objects.latest("pk").pk
    more = [
        PipelineRun.objects.create(
            pk=first - 1, command="run_pipeline", status="failed", error="Traceback: <disk full>"
        ),
        SchemaChange.objects.create(
            run_id=last, detected_at=timezone.now(), field_name="Cases", kind="appeared", detail={}
        ),
        ScheduleOverride.objects.create(schedule_id=1, milestone_slug="consent", offset_start_days=1),
        Alert.objects.create(source="msk", kind="stale", message="It was never loaded", began_at=timezone.now()),
    ]
    yield
    for row in more:
        row.delete()


@pytest.fixture
def many_steps(warehouse: Warehouse) -> None:
    """12,000 days of steps, and statistics that know of them."""
    walk(warehouse)
    warehouse.execute("analyze step_result_fact")
