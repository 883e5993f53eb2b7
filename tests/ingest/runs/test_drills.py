"""What goes wrong at night: each drill ends with the star equal to the source, and nothing lost."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.utils import timezone

from ingest.models import LoadState, PipelineRun
from ingest.runs.record import end_gone_runs
from tests.analytics.test_star import assert_same
from tests.conftest import Database, Source, Warehouse, connect
from tests.ingest.runs.test_failures import (
    backends,
    end,
    held_up,
    last_status,
    loaded,
    manage,
    only_line,
    process,
    wait_for,
)
from tests.ingest.test_source import Contents, contents

__all__ = ["loaded"]  # the fixture


@pytest.mark.parametrize(
    ("alias", "table"),
    [
        *(("msk_db", table) for table in ("schedule", "step_result", "survey_result")),
        *(("analytics", f"staging_{table}") for table in ("patient", "step_result", "slug")),
        *(("analytics", table) for table in ("patient_dimension", "schedule_dimension", "step_result_fact")),
        *(("analytics", table) for table in ("patient_journey_schedule_window", "activity_completion_fact")),
        *(("analytics", table) for table in ("date_dimension", "rejected_row", "load_state")),
    ],
)
def test_it_loses_nothing_when_it_is_killed_at_any_step(
    loaded: Contents, source: Source, warehouse: Warehouse, run, alias: str, table: str
) -> None:
    with held_up(alias, table) as (running, _):
        running.kill()
        running.wait()
        wait_for(lambda: not backends("analytics"))
    assert contents(warehouse) == loaded
    run()
    assert_same(warehouse.star(), source.star())
    run("check_warehouse")


def test_it_sees_one_state_of_a_source_that_changes_under_it(
    loaded: Contents, source: Source, warehouse: Warehouse, run
) -> None:
    at_the_start = source.star()
    with held_up("msk_db", "step_result") as (running, go_on):
        source.execute("update patient set sex = 'm'; update schedule set slug = '3d-4d-post-op'")
        source.execute("insert into patient values (2, '70-79', 'f', 'West'); delete from survey_result")
        go_on()
        assert end(running)[0] == 0
    assert_same(warehouse.star(), at_the_start)
    run("run_pipeline", "--allow-deletes")
    assert_same(warehouse.star(), source.star())


@contextmanager
def committed_but_not_on_record(*command: str) -> Iterator[tuple[subprocess.Popen[str], Callable[[], None]]]:
    """Give a run that has committed and waits for the run log, and what lets it go on."""
    holder = connect("default")
    holder.autocommit = False
    try:
        with held_up("msk_db", "step_result", command=command) as (running, go_on):
            holder.cursor().execute("lock table pipeline_run in exclusive mode")
            go_on()
            wait_for(lambda: backends("default", "wait_event_type = 'Lock'"))
            yield running, holder.rollback
    finally:
        holder.close()


@pytest.mark.parametrize("command", [("run_pipeline",), ("run_pipeline", "--skip-analytics"), ("extract_msk",)])
def test_a_run_that_was_killed_after_its_commit_has_succeeded(loaded: Contents, command: tuple[str, ...]) -> None:
    with committed_but_not_on_record(*command) as (running, go_on):
        running.kill()
        running.wait()
        go_on()
        wait_for(lambda: not backends("default"))
    assert last_status() == "running"
    end_gone_runs()
    assert last_status() == "succeeded"


def test_a_run_fails_as_ever_after_the_run_log_was_restored_from_an_older_backup(
    loaded: Contents, source: Source, run
) -> None:
    for _ in range(3):
        run()
    numbers = list(PipelineRun.objects.order_by("pk").values_list("pk", flat=True))
    PipelineRun.objects.filter(pk__gt=numbers[0]).delete()
    log = Database("default")
    log.execute(f"alter table pipeline_run alter column id restart with {numbers[1]}")
    log.connection.close()
    source.execute("alter table survey rename to lost")
    for _ in range(3):
        with pytest.raises(CommandError, match="table survey is missing"):
            run()
    assert list(PipelineRun.objects.order_by("pk").values_list("pk", "status")) == [
        (numbers[0], "succeeded"),
        *((number, "failed") for number in numbers[1:]),
    ]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_after_its_commit_still_records_it(
    loaded: Contents, source: Source, warehouse: Warehouse, stop: signal.Signals
) -> None:
    with committed_but_not_on_record("run_pipeline") as (running, go_on):
        running.send_signal(stop)
        time.sleep(0.5)
        go_on()
        code, _, stderr = end(running)
    assert (code, stderr) == (0, "")
    assert last_status() == "succeeded"
    assert_same(warehouse.star(), source.star())


@pytest.mark.skipif(not settings.EMBEDDED, reason="the server's processes are on another machine")
def test_it_can_be_stopped_though_a_server_is_frozen(loaded: Contents, warehouse: Warehouse) -> None:
    with held_up("msk_db", "step_result") as (running, _):
        (frozen,) = backends("msk_db")
        os.kill(frozen, signal.SIGSTOP)
        try:
            running.send_signal(signal.SIGTERM)
            line = only_line(end(running), code=130)
        finally:
            os.kill(frozen, signal.SIGCONT)
    assert line == "CommandError: interrupted. The warehouse is as it was."
    assert last_status() == "interrupted"
    assert contents(warehouse) == loaded


def test_it_survives_several_runs_that_start_at_once(loaded: Contents, source: Source, warehouse: Warehouse) -> None:
    with ExitStack() as stack:
        together = [stack.enter_context(process("run_pipeline")) for _ in range(4)]
        assert 0 in [end(running)[0] for running in together]
    assert_same(warehouse.star(), source.star())


@pytest.mark.parametrize("hours", [1, -1])
def test_it_does_not_mind_a_clock_that_jumps(
    loaded: Contents, source: Source, warehouse: Warehouse, run, monkeypatch, hours: int
) -> None:
    def after_the_jump() -> datetime:
        return now() + timedelta(hours=hours)

    now = timezone.now
    with held_up("msk_db", "step_result") as (running, go_on):
        go_on()
        assert end(running)[0] == 0
    monkeypatch.setattr(timezone, "now", after_the_jump)
    source.execute("update patient set sex = 'm'")
    run()
    assert_same(warehouse.star(), source.star())
    assert last_status() == "succeeded"
    assert LoadState.objects.get(source="msk").run_id == PipelineRun.objects.latest("pk").pk


@pytest.mark.parametrize(("alias", "table"), [("msk_db", "step_result"), ("analytics", "patient_dimension")])
def test_it_gives_up_a_server_that_does_not_answer_a_statement(
    loaded: Contents, source: Source, warehouse: Warehouse, run, alias: str, table: str
) -> None:
    with held_up(alias, table, STATEMENT_TIMEOUT_SECONDS="1") as (running, _):
        line = only_line(end(running))
    assert "canceling statement due to statement timeout" in line
    assert "STATEMENT_TIMEOUT_SECONDS" in line
    assert last_status() == "failed"
    assert contents(warehouse) == loaded
    run()
    assert_same(warehouse.star(), source.star())


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def test_it_gives_up_a_source_that_does_not_answer_at_all(
    loaded: Contents, warehouse: Warehouse, silent_server: str
) -> None:
    start = time.monotonic()
    line = only_line(
        manage("run_pipeline", MSK_SOURCE_HOST="127.0.0.1", MSK_SOURCE_PORT=silent_server, CONNECT_TIMEOUT_SECONDS="2")
    )
    assert time.monotonic() - start < 60  # without a limit it would wait for ever; a busy machine takes its time
    assert f"127.0.0.1:{silent_server}" in line
    assert last_status() == "failed"
    assert contents(warehouse) == loaded
