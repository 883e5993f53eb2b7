"""The jobs that django-crontab finds in the settings, and what becomes of one that fails."""

import logging

import pytest
from django.core.management import call_command
from django.db import OperationalError, connections
from django_crontab.crontab import Crontab

from analytics import follow_up
from analytics.pages.courses import GROUPS
from ingest.models import PipelineRun
from pipeline_project import cron
from tests.conftest import Source
from tests.pipeline_project.test_settings import SERVER, manage


def jobs(environment: dict[str, str]) -> str:
    """Return the jobs that the settings make of `environment`, as Python writes them."""
    command = "from django.conf import settings; print(settings.CRONJOBS)"
    process = manage(SERVER | environment, "shell", "--no-imports", f"--command={command}")
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout.strip()


def test_it_runs_msk_hourly_and_covid_daily() -> None:
    assert jobs({}) == (
        "[('0 * * * *', 'pipeline_project.cron.run_pipeline', ['msk']), "
        "('30 5 * * *', 'pipeline_project.cron.run_pipeline', ['covid'])]"
    )


def test_it_runs_each_source_when_it_is_told_to() -> None:
    assert jobs({"MSK_CRON": "*/5 * * * *", "COVID_CRON": "off"}) == (
        "[('*/5 * * * *', 'pipeline_project.cron.run_pipeline', ['msk'])]"
    )


def test_it_has_no_job_when_both_are_off() -> None:
    assert jobs({"MSK_CRON": "", "COVID_CRON": "off"}) == "[]"


def test_it_has_no_job_when_there_is_no_cron() -> None:
    assert jobs({"CRON": "off", "MSK_CRON": "0 * * * *"}) == "[]"


def test_it_tells_the_command_that_cron_started_it(monkeypatch) -> None:
    two = [("0 * * * *", "pipeline_project.cron.run_pipeline", [source]) for source in ("msk", "covid")]
    monkeypatch.setattr("django.conf.settings.CRONJOBS", two)
    table = Crontab(verbosity=0)
    table.add_jobs()
    assert len(table.crontab_lines) == 2
    for line in table.crontab_lines:
        assert line.split()[5] == "PIPELINE_TRIGGER=cron"


@pytest.fixture
def job(monkeypatch) -> str:
    """The hash of a job for msk, as crontab knows it."""
    monkeypatch.setattr("django.conf.settings.CRONJOBS", [("0 * * * *", "pipeline_project.cron.run_pipeline", ["msk"])])
    table = Crontab(verbosity=0)
    table.add_jobs()
    return str(table.crontab_lines[0]).partition("crontab run ")[2].split()[0]


def test_it_runs_the_pipeline_for_the_source_of_the_job_and_works_out_what_takes_pages_longest(
    job: str, small_world: Source
) -> None:
    call_command("crontab", "run", job)
    assert [run.source for run in PipelineRun.objects.all()] == ["msk"]
    with connections["default"].cursor() as cursor:
        cursor.execute("select count(*) from kept_answer where cache_key like '%:steps:%'")
        assert cursor.fetchall() == [(len(GROUPS),)]
        cursor.execute("select count(*) from kept_answer where cache_key ~ ':(quality_|plausibility_)'")
        assert cursor.fetchall() == [(4,)]


def test_it_adds_nothing_to_what_a_run_that_failed_has_logged(monkeypatch, job, caplog, capsys) -> None:
    def fail(*arguments, **options) -> None:
        raise SystemExit(1)

    monkeypatch.setattr(cron, "call_command", fail)
    call_command("crontab", "run", job)
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")


def test_it_says_that_pages_are_not_prepared_after_a_run_that_succeeded(
    job: str, small_world: Source, monkeypatch, caplog, capsys
) -> None:
    def fail() -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(follow_up, "prepare_pages", fail)
    call_command("crontab", "run", job)
    assert PipelineRun.objects.get().status == "succeeded"
    # A command that shows what it logs leaves its process at it: another test may have called one.
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (record.name, record.levelname) == ("analytics.pages", "WARNING")
    assert record.error.startswith("the server closed the connection")
