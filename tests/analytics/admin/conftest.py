"""A browser, and what the admin's pages show in it."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from ingest.models import Alert, PipelineRun, ScheduleOverride, SchemaChange
from tests.analytics.admin.pages import Run, walk
from tests.conftest import COVID_SAMPLE, Source, Warehouse


@pytest.fixture
def client(databases: None) -> Client:
    """A browser in which a superuser is logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def loaded(source: Source, dump: Path, run: Run, settings: Settings) -> None:
    """The star of a dump and the COVID sample, an override, a schema change and, before it on record, a failed run."""
    settings.COVID_API_URL = str(COVID_SAMPLE)
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
