"""Runs that are asked for on the site: a real worker, real runs, and what gets in their way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db import IntegrityError
from django.utils import timezone

from analytics.pages.courses import GROUPS
from ingest.models import PipelineRun, RunRequest, WarehouseCheck
from ingest.runs import requests
from ingest.runs.requests import RequestWorker, ask, end_gone_requests
from tests.analytics.test_star import assert_same
from tests.conftest import Database, Source, Warehouse, connect
from tests.ingest.runs.test_failures import (
    backends,
    end,
    environment,
    free_port,
    held_up,
    loaded,
    manage,
    process,
    wait_for,
)
from tests.ingest.test_source import Contents

__all__ = ["loaded"]  # the fixture


@contextmanager
def worker(*, is_alone: bool = True, **changes: str) -> Iterator[subprocess.Popen[str]]:
    """Run the worker as a process of its own, which is gone at the end of the block, and what follows its runs, too.

    One that `is_alone` leaves nothing at the servers, where it would lock what the next test empties.
    """
    with process("run_requests", **changes) as running:
        yield running
        running.terminate()
        running.wait(60)
    if is_alone:
        wait_for(lambda: not any(backends(alias) for alias in ("default", "analytics", "msk_db")))


def told(request: RunRequest) -> RunRequest:
    """Return a request as it is now."""
    return RunRequest.objects.get(pk=request.pk)


def over(request: RunRequest) -> RunRequest:
    """Wait until a request is over, and return it."""
    wait_for(lambda: told(request).finished_at)
    return told(request)


def run_of(request: RunRequest) -> PipelineRun:
    """Return the run that came of a request."""
    return PipelineRun.objects.get(requests=request)


@contextmanager
def locked(alias: str, table: str) -> Iterator[Callable[[], None]]:
    """Keep a table from who wants it, as somebody's long transaction does; give what lets it go."""
    holder = connect(alias)
    holder.autocommit = False
    try:
        holder.cursor().execute(f"lock table {table}")
        yield holder.rollback
    finally:
        holder.close()


# --- What is asked for


def test_it_asks_once_for_a_source_whoever_else_asks_while_that_is_open(databases: None) -> None:
    first, is_new = ask("msk", "ann")
    assert is_new
    joined, is_new = ask("msk", "bob")
    assert (joined.pk, joined.requested_by, is_new) == (first.pk, "ann", False)
    other, is_new = ask("covid", "bob")
    assert is_new
    RunRequest.objects.filter(pk=first.pk).update(finished_at=timezone.now())
    assert ask("msk", "bob")[1]
    assert RunRequest.objects.count() == 3
    with pytest.raises(IntegrityError, match="run_request_open_once"):
        RunRequest.objects.create(source="covid", requested_by="ann")
    assert other.finished_at is None


def test_it_says_what_its_columns_mean(databases: None) -> None:
    log = Database("default")
    described = log.execute(
        "select attname, col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = 'run_request'::regclass and attnum > 0"
    )
    assert {name for name, _ in described} == {
        *("id", "source", "requested_by", "requested_at", "taken_at", "finished_at", "run_id"),
        *("progress", "progress_at", "outcome"),
    }
    assert all(comment for _, comment in described)
    assert log.value("select obj_description('run_request'::regclass)")
    log.connection.close()


def test_a_request_is_forgotten_with_the_runs(settings, small_world: Source, run) -> None:
    settings.RUN_HISTORY_DAYS = 30
    ages = {"old": 31, "recent": 29}
    for name, days in ages.items():
        moment = timezone.now() - timedelta(days=days)
        RunRequest.objects.create(source="msk", requested_by=name, requested_at=moment, finished_at=moment)
    waiting = RunRequest.objects.create(
        source="msk", requested_by="waiting", requested_at=timezone.now() - timedelta(days=31)
    )
    run()
    assert set(RunRequest.objects.values_list("requested_by", flat=True)) == {"recent", waiting.requested_by}


# --- The worker


def test_it_takes_a_request_up_within_seconds_and_runs_the_pipeline_for_it(
    loaded: Contents, source: Source, warehouse: Warehouse
) -> None:
    with worker(PIPELINE_TRIGGER="cron"):
        ask("msk", "ann")  # as a worker that is up gets it; what a process takes to start says nothing
        first = over(RunRequest.objects.get())
        request, _ = ask("msk", "ann")
        wait_for(lambda: told(request).taken_at)
        done = over(request)
    assert (first.outcome, done.outcome) == ("succeeded", "succeeded")
    assert done.taken_at
    assert done.taken_at - done.requested_at < timedelta(seconds=10)
    run = run_of(done)
    assert (run.command, run.source, run.trigger, run.status) == ("run_pipeline", "msk", "manual", "succeeded")
    assert PipelineRun.objects.latest("pk") == run
    assert done.finished_at
    assert done.requested_at <= done.taken_at <= run.started < done.finished_at
    assert_same(warehouse.star(), source.star())


def test_its_run_is_followed_by_what_follows_those_of_cron_and_nobody_waits_for_that(loaded: Contents) -> None:
    log = Database("default")
    with locked("default", "kept_answer") as go_on, worker():
        done = over(ask("msk", "ann")[0])
        assert done.outcome == "succeeded"
        assert over(ask("msk", "bob")[0]).outcome == "succeeded"  # the next run waits for it as little
        assert not WarehouseCheck.objects.exists()
        go_on()
        wait_for(lambda: WarehouseCheck.objects.exists())
        steps = "select count(*) from kept_answer where cache_key like '%:steps:%'"
        wait_for(lambda: log.value(steps) == len(GROUPS))  # of the last load alone
    assert WarehouseCheck.objects.values("checked_at").distinct().count() == 1  # one process is at it for all
    log.connection.close()


def test_it_says_at_which_step_and_table_the_run_is(loaded: Contents) -> None:
    request, _ = ask("msk", "ann")
    with locked("analytics", "patient_dimension") as go_on, worker():
        wait_for(lambda: told(request).progress == "load_msk, patient_dimension")
        at_work = told(request)
        assert at_work.run
        assert (at_work.run.status, at_work.finished_at, at_work.outcome) == ("running", None, "")
        assert at_work.progress_at
        assert at_work.progress_at >= at_work.run.started
        go_on()
        assert over(request).outcome == "succeeded"
    assert told(request).run_id == at_work.run_id


def test_a_run_that_fails_ends_its_request_with_the_reason_and_not_the_worker(loaded: Contents, source: Source) -> None:
    source.execute("alter table device rename to lost")
    with worker() as running:
        failed = over(ask("msk", "ann")[0])
        source.execute("alter table lost rename to device")
        assert over(ask("msk", "ann")[0]).outcome == "succeeded"
        assert running.poll() is None
    run = run_of(failed)
    assert run.status == "failed"
    assert failed.outcome == f"failed: {run.error.splitlines()[-1]}"
    assert "table device is missing" in failed.outcome


def test_a_run_that_fails_before_it_has_begun_is_found_all_the_same(loaded: Contents) -> None:
    request, _ = ask("msk", "ann")
    with locked("analytics", "committed_run"), worker(STATEMENT_TIMEOUT_SECONDS="1"):
        done = over(request)
    assert done.run
    assert done.run.status == "failed"
    assert done.outcome.startswith("failed: canceling statement due to statement timeout")


def test_it_waits_for_a_run_that_is_at_work_rather_than_being_skipped(
    loaded: Contents, source: Source, warehouse: Warehouse
) -> None:
    with held_up("msk_db", "step_result", PIPELINE_TRIGGER="cron") as (running, go_on), worker():
        by_cron = PipelineRun.objects.latest("pk")
        request, _ = ask("msk", "ann")
        wait_for(lambda: told(request).progress)
        assert told(request).progress.startswith(f"waits for run {by_cron.pk}, run_pipeline started by cron at ")
        time.sleep(2)
        assert (told(request).run_id, told(request).finished_at) == (None, None)
        source.execute("update patient set hospital = 'East'")  # which the run at work will not see
        go_on()
        assert end(running)[0] == 0
        done = over(request)
    assert done.outcome == "succeeded"
    assert done.run_id
    assert done.run_id > by_cron.pk
    assert not PipelineRun.objects.filter(status="skipped").exists()
    assert_same(warehouse.star(), source.star())


def test_a_run_that_cannot_be_started_ends_its_request_with_the_reason(databases: None) -> None:
    request, _ = ask("msk", "ann")
    here = RequestWorker(["/no/such/program"])
    here.look()  # takes it up
    here.look()
    assert told(request).outcome.startswith("failed: its process could not be started ([Errno 2] No such file")
    assert here.jobs == []


def test_a_request_is_not_over_because_somebody_takes_its_run_for_gone(loaded: Contents) -> None:
    request, _ = ask("msk", "ann")
    with locked("msk_db", "step_result") as go_on, worker():
        wait_for(lambda: told(request).run_id)
        PipelineRun.objects.filter(pk=told(request).run_id or 0).update(status="interrupted")
        time.sleep(3)  # the worker looks
        assert told(request).finished_at is None
        go_on()
        assert over(request).outcome == "succeeded"


def test_it_gives_up_to_wait_for_a_run_that_does_not_end(loaded: Contents, monkeypatch) -> None:
    monkeypatch.setattr(requests, "PATIENCE", timedelta(minutes=0))
    request, _ = ask("msk", "ann")
    here = RequestWorker([sys.executable, "-c", ""])
    with held_up("msk_db", "step_result"):
        here.look()  # takes it up
        here.look()
    for job in here.jobs:
        job.close()  # or the next test would wait for it
    done = told(request)
    assert done.finished_at
    assert done.outcome.startswith("skipped: it has waited 0 minutes for run ")
    assert done.outcome.endswith("; ask again when that has ended")


def test_of_two_sources_neither_waits_for_the_other(loaded: Contents, warehouse: Warehouse, covid_folder: Path) -> None:
    with held_up("msk_db", "step_result") as (_, go_on), worker(COVID_API_URL=str(covid_folder)):
        msk, covid = (ask(source, "ann")[0] for source in ("msk", "covid"))
        assert over(covid).outcome == "succeeded"
        assert told(msk).progress.startswith("waits for run ")
        go_on()
        assert over(msk).outcome == "succeeded"
    assert warehouse.value("select count(*) from cases_fact") > 0


def test_of_two_workers_one_takes_a_request_and_the_other_leaves_it_alone(loaded: Contents) -> None:
    request, _ = ask("msk", "ann")
    with held_up("msk_db", "step_result") as (_, go_on), worker():
        wait_for(lambda: told(request).progress)
        with worker(is_alone=False) as second:
            time.sleep(3)  # it looks at the requests meanwhile, and takes none of them for lost
            end_gone_requests()
            assert told(request).finished_at is None
            go_on()
            assert over(request).outcome == "succeeded"
            assert second.poll() is None
    assert PipelineRun.objects.filter(pk__gt=run_of(request).pk).count() == 0


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the system does not tell who started whom")
def test_the_crash_of_a_run_ends_its_request_and_not_the_worker(loaded: Contents) -> None:
    request, _ = ask("msk", "ann")
    with locked("msk_db", "step_result"), worker() as running:
        wait_for(lambda: told(request).run_id and backends("msk_db", "wait_event_type = 'Lock'"))
        (child,) = children(running.pid)
        os.kill(child, signal.SIGKILL)
        done = over(request)
        assert running.poll() is None
    assert done.outcome == "interrupted: Its process is gone: killed, or cut off from the databases."
    assert run_of(done).status == "interrupted"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the system does not tell who started whom")
@pytest.mark.parametrize("dies", [True, False], ids=["with its run", "alone"])
def test_a_request_does_not_outlive_a_worker_that_was_killed(loaded: Contents, dies: bool) -> None:
    request, _ = ask("msk", "ann")
    with locked("msk_db", "step_result") as go_on:
        with worker(is_alone=False) as running:
            wait_for(lambda: told(request).run_id and backends("msk_db", "wait_event_type = 'Lock'"))
            (child,) = children(running.pid)
            running.kill()
            running.wait()
            if dies:
                os.kill(child, signal.SIGKILL)
        with worker():
            if not dies:
                time.sleep(2)
                assert told(request).finished_at is None  # its run is still at work
                go_on()
            done = over(request)
            go_on()
            assert over(ask("msk", "ann")[0]).outcome == "succeeded"
    assert done.outcome.split(":")[0] == ("interrupted" if dies else "succeeded")
    assert done.outcome.split(":")[0] == run_of(done).status


def test_a_request_whose_worker_was_gone_before_a_run_began_is_over(loaded: Contents) -> None:
    request = RunRequest.objects.create(source="msk", requested_by="ann", taken_at=timezone.now())
    with worker():
        done = over(request)
        assert done.outcome == "interrupted: its worker was gone before a run began; ask again"
        assert done.run_id is None
        assert over(ask("msk", "ann")[0]).outcome == "succeeded"


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_when_it_has_nothing_to_do(databases: None, stop: signal.Signals) -> None:
    with worker() as running:
        wait_for(lambda: backends("default"))
        running.send_signal(stop)
        assert end(running, within_seconds=20) == (0, "", "")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the system does not tell who started whom")
def test_it_does_not_wait_for_what_follows_a_run_when_it_stops(loaded: Contents) -> None:
    with worker() as running, locked("default", "kept_answer"):
        request = over(ask("msk", "ann")[0])
        (child,) = children(running.pid)
        running.terminate()
        assert running.wait(20) == 0
        wait_for(lambda: not Path(f"/proc/{child}").exists())
    assert told(request).outcome == "succeeded"
    assert not WarehouseCheck.objects.exists()


def test_a_stop_of_all_processes_leaves_nothing_open(loaded: Contents) -> None:
    request, _ = ask("msk", "ann")
    with (
        locked("msk_db", "step_result"),
        subprocess.Popen(  # with its run in a group of their own, which Ctrl-C and `docker stop` reach as one
            [sys.executable, "manage.py", "run_requests"],
            cwd=settings.BASE_DIR,
            env=environment(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as running,
    ):
        try:
            wait_for(lambda: told(request).run_id and backends("msk_db", "wait_event_type = 'Lock'"))
            os.killpg(running.pid, signal.SIGTERM)
            assert running.wait(20) == 0
        finally:
            running.kill()
    done = told(request)
    assert done.outcome.startswith("interrupted")
    assert run_of(done).status == "interrupted"


def test_it_outlives_a_run_log_that_is_down(loaded: Contents) -> None:
    port = free_port()
    with worker(POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=port) as running:
        assert running.stderr
        line = running.stderr.readline()
        time.sleep(3)
        assert running.poll() is None
        running.terminate()
        code, _, stderr = end(running)
    assert (code, stderr) == (0, "")  # once, however often it looks
    assert "WARNING ingest.requests: requests cannot be looked at error=" in line
    assert f"port {port} failed: Connection refused" in line


def test_it_logs_what_it_does_and_names_nobody(loaded: Contents) -> None:
    request, _ = ask("msk", "ann")
    with worker() as running:
        over(request)
        running.terminate()
        _, stdout, stderr = end(running)
    lines = [line.split(" ", 1)[1] for line in stderr.splitlines() if " ingest.requests: " in line]
    run_id = told(request).run_id
    assert lines == [
        f"INFO ingest.requests: request is taken up request_id={request.pk} source=msk run=None",
        f"INFO ingest.requests: request is done request_id={request.pk} source=msk run={run_id} outcome=succeeded",
    ]
    assert f"ingest.runs: run started run={run_id} source=msk command=run_pipeline trigger=manual" in stderr
    assert "ann" not in stderr
    assert stdout == ""


# --- What a run reports


def test_a_run_reports_its_number_and_each_step_and_table_that_it_begins(small_world: Source, run) -> None:
    lines = run("run_pipeline", "--report").splitlines()
    last = PipelineRun.objects.latest("pk")
    steps = [f"{last.pk} {step.step}, {step.table_name}" for step in last.steps.order_by("pk")]
    assert lines[0] == str(last.pk)
    assert list(dict.fromkeys(lines[1:])) == steps


def test_a_run_that_reports_tells_by_its_exit_code_alone_how_it_ended(loaded: Contents, source: Source) -> None:
    with held_up("msk_db", "step_result"):
        code, stdout, stderr = manage("run_pipeline", "--report")
    assert (code, stdout) == (75, "")
    assert "ingest.runs: run skipped" in stderr
    source.execute("alter table device rename to lost")
    code, stdout, stderr = manage("run_pipeline", "--report")
    assert code == 1
    assert stdout.splitlines()[0] == str(PipelineRun.objects.latest("pk").pk)
    assert "CommandError" not in stderr
    assert "ingest.runs: run failed" in stderr


def test_a_run_without_it_prints_what_it_did_as_ever(loaded: Contents, source: Source, run) -> None:
    assert run().startswith("Run ")
    source.execute("alter table device rename to lost")
    with pytest.raises(CommandError, match="table device is missing"):
        run()


def test_a_run_does_not_mind_that_nobody_reads_what_it_reports(loaded: Contents) -> None:
    with locked("msk_db", "step_result") as go_on, process("run_pipeline", "--report") as running:
        wait_for(lambda: backends("msk_db", "wait_event_type = 'Lock'"))
        assert running.stdout
        running.stdout.close()
        go_on()
        running.wait(60)
    assert PipelineRun.objects.latest("pk").status == "succeeded"
