"""pipeline_status: what it says of the sources, and the exit code by which a monitor knows."""

import io
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ingest.models import LoadState, PipelineRun, SchemaChange
from tests.conftest import Source
from tests.ingest.runs.test_failures import backends, free_port, held_up, manage, only_line, wait_for

FINE, STALE, FAILING = 0, 1, 2


@pytest.fixture
def loaded(small_world: Source, covid_folder, settings, run) -> None:
    """Both sources, just loaded."""
    settings.COVID_API_URL = str(covid_folder)
    run("run_pipeline", "--only", "msk")
    run("run_pipeline", "--only", "covid")


def status() -> tuple[int, str]:
    """Return the exit code of pipeline_status, and what it says is the matter."""
    try:
        call_command("pipeline_status")
    except CommandError as error:
        return error.returncode, str(error)
    return FINE, ""


def printed(*options: str) -> str:
    """Return what pipeline_status prints, whatever its exit code."""
    out = io.StringIO()
    with suppress(CommandError):
        call_command("pipeline_status", *options, stdout=out)
    return out.getvalue()


def age(source: str, **by: float) -> None:
    LoadState.objects.filter(source=source).update(loaded_at=timezone.now() - timedelta(**by))


def test_it_says_that_all_is_fine(loaded: None, run) -> None:
    assert status() == (FINE, "")
    printed = [line.split() for line in run("pipeline_status").splitlines()]
    assert ["msk", "fine"] in [words[:2] for words in printed]
    assert ["covid", "fine"] in [words[:2] for words in printed]


def test_it_says_that_a_source_was_never_loaded(small_world: Source, run) -> None:
    assert status() == (STALE, "msk was never loaded. covid was never loaded")
    run()
    assert status() == (STALE, "covid was never loaded")


def test_it_says_that_a_source_is_stale(loaded: None, settings) -> None:
    age("msk", hours=2.9)
    age("covid", hours=35.9)
    assert status()[0] == FINE
    age("msk", hours=3.1)
    assert status() == (STALE, "msk is stale: it was loaded 3.1 hours ago, MSK_MAX_AGE_HOURS=3")
    age("covid", hours=36.1)
    assert status()[1].endswith(". covid is stale: it was loaded 36.1 hours ago, COVID_MAX_AGE_HOURS=36")
    settings.MAX_AGE_HOURS = {"msk": 4, "covid": 37}
    assert status()[0] == FINE


def test_it_takes_a_load_that_is_yet_to_come_for_stale(loaded: None, run) -> None:
    age("msk", hours=-5)
    loaded_at = f"{LoadState.objects.get(source='msk').loaded_at:%Y-%m-%d %H:%M} UTC"
    assert status() == (
        STALE,
        f"msk is stale: it was loaded at {loaded_at}, which is yet to come: the clock was set back, and the next run"
        " will mend it",
    )
    run()
    assert status()[0] == FINE


@pytest.mark.parametrize("seconds", [60, 75, 85])
def test_it_does_not_mind_clocks_that_differ_by_a_minute(loaded: None, seconds: int) -> None:
    age("msk", seconds=-seconds)
    assert status()[0] == FINE


def test_it_says_that_a_source_is_failing_until_a_run_succeeds(loaded: None, small_world: Source, run) -> None:
    age("covid", hours=50)
    small_world.execute("alter table device rename to lost")
    with pytest.raises(CommandError):
        run()
    code, said = status()
    failed = PipelineRun.objects.latest("pk").pk
    assert code == FAILING
    assert said.startswith(f"msk is failing: run {failed}, run_pipeline by manual, failed: the source database ")
    assert "table device is missing" in said
    assert "covid is stale" in said
    # A run that was skipped or is at work says nothing about that.
    for _ in range(6):
        PipelineRun.objects.create(source="msk", command="run_pipeline", status="skipped", finished=timezone.now())
    assert status() == (code, said)
    small_world.execute("alter table lost rename to device")
    run()
    assert status()[0] == STALE


def test_it_counts_nothing_as_written_that_was_rolled_back(databases: None) -> None:
    counts = {"rows_read": 7001, "inserted": 7002, "updated": 7003, "deleted": 7004, "rejected": 7005}
    for ended in ("failed", "interrupted", "succeeded"):
        PipelineRun.objects.create(source="msk", command="load_msk", status=ended, **counts)
    runs = [line.split() for line in printed().splitlines() if "load_msk" in line]
    assert [words[-7:-1] for words in runs] == [
        ["succeeded", "7,001", "7,002", "7,003", "7,004", "7,005"],
        ["interrupted", "7,001", "-", "-", "-", "-"],
        ["failed", "7,001", "-", "-", "-", "-"],
    ]
    last_runs = json.loads(printed("--json"))["sources"][0]["runs"][:3]
    assert [(one["status"], one["rolled_back"], one["inserted"]) for one in last_runs] == [
        ("succeeded", False, 7002),
        ("interrupted", True, 7002),
        ("failed", True, 7002),
    ]


def test_it_finds_that_a_run_was_killed(loaded: None) -> None:
    with held_up("msk_db", "step_result") as (running, _):
        assert status()[0] == FINE
        assert PipelineRun.objects.latest("pk").status == "running"
        running.kill()
        running.wait()
        wait_for(lambda: not backends("analytics"))
        code, said = status()
    killed = PipelineRun.objects.latest("pk")
    assert killed.status == "interrupted"
    assert code == FAILING
    assert f"run {killed.pk}, run_pipeline by manual, interrupted: Its process is gone" in said


def found(run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("pipeline_status", "--json"))
    return found


def test_it_tells_a_monitor_in_json(loaded: None, small_world: Source, run) -> None:
    for _ in range(5):
        run("load_msk")
    msk, covid = found(run)["sources"]
    assert (msk["source"], msk["state"], msk["max_age_hours"], msk["failure"]) == ("msk", "fine", 3, None)
    assert 0 <= msk["age_hours"] < 0.1
    assert [one["command"] for one in msk["runs"]] == ["load_msk"] * 5
    assert covid["runs"][0]["status"] == "succeeded"
    assert covid["runs"][0]["inserted"] > 0


def test_it_counts_the_rejects_by_table_and_reason(loaded: None, small_world: Source, run) -> None:
    assert found(run)["rejects"] == []
    for value in ("many", "few", "-1"):
        small_world.insert("step_result", patient_id=1, date="2024-03-03", value=value)
    run()
    assert found(run)["rejects"] == [
        {"source_table": "step_result", "reason": "negative", "rows": 1},
        {"source_table": "step_result", "reason": "not_a_number", "rows": 2},
    ]
    assert ["step_result", "not_a_number", "2"] in [line.split() for line in run("pipeline_status").splitlines()]


def test_it_lists_the_schema_changes_of_a_week(loaded: None, run) -> None:
    for name, days in (("Cases", 6.9), ("Deaths", 7.1)):
        moment = timezone.now() - timedelta(days=days)
        SchemaChange.objects.create(run_id=1, detected_at=moment, field_name=name, kind="renamed", detail={})
    (change,) = found(run)["schema_changes"]
    assert (change["field_name"], change["kind"]) == ("Cases", "renamed")
    assert status()[0] == FINE


def test_it_goes_on_failing_when_only_a_step_succeeds(loaded: None, small_world: Source, run) -> None:
    small_world.execute("alter table device rename to lost")
    with pytest.raises(CommandError):
        run()
    failing = status()
    run("parse_slugs")
    assert status() == failing
    small_world.execute("alter table lost rename to device")
    run("extract_msk")
    assert status() == failing
    run("load_msk")
    assert status()[0] == FINE


def test_it_says_in_one_line_that_the_databases_do_not_answer(databases: None) -> None:
    line = only_line(manage("pipeline_status", POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=free_port()), code=FAILING)
    assert "Connection refused; is the server up and reachable" in line


def test_it_tells_a_monitor_in_json_that_the_databases_do_not_answer(databases: None) -> None:
    code, stdout, _ = manage("pipeline_status", "--json", POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=free_port())
    assert code == FAILING
    assert "Connection refused" in json.loads(stdout)["error"]
