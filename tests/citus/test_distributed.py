"""The warehouse on a coordinator and workers holds what one on a single server holds, whatever happens."""

import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from psycopg2.sql import SQL, Identifier

from analytics.distribution import placed, rows_by_worker
from analytics.loads import statements
from analytics.loads.tables import STAR_TABLES, StarTable
from analytics.models import PatientDimension
from analytics.models.links import parents
from ingest.runs import lock
from tests.analytics.test_random_changes import Changes, is_locked, kill_a_run
from tests.citus.conftest import Both, Server
from tests.conftest import Source, Warehouse, last_steps
from tests.ingest.runs.test_failures import PATIENCE_SECONDS, end, held_up, only_line, wait_for

ROUNDS = 40
FACTS = [table for table in STAR_TABLES if PatientDimension in parents(table.model).values()]


def written() -> list[str]:
    return [step.table_name for step in last_steps(step="load_msk") if step.inserted + step.updated + step.deleted]


# The columns of which other statistics are kept than the server's default.
STATISTICS = "select count(*) from pg_attribute where attstattarget >= 0 and attrelid::regclass::text ~ '_fact$'"


def test_it_takes_a_loaded_warehouse_there_and_back(
    both: Both, source: Source, warehouse: Warehouse, run, capsys
) -> None:
    source.load_sample()
    both.run()
    call_command("distribute_warehouse", "--dry-run")
    assert "would be step_result_fact by patient_id\n" in capsys.readouterr().out
    call_command("distribute_warehouse")
    said = capsys.readouterr().out
    assert len(re.findall(r"^\S+:\d+: \d+ rows of patient_journey_fact$", said, re.MULTILINE)) == 2
    assert both.differences() == []
    run("check_warehouse")
    run()
    assert written() == []
    run("run_pipeline", "--full-refresh")
    assert written() == []
    call_command("distribute_warehouse")
    assert "nothing to do: every table is where it belongs\n" in capsys.readouterr().out
    assert warehouse.value(STATISTICS) > 0
    call_command("distribute_warehouse", "--undo")
    assert warehouse.value(STATISTICS) == 0
    assert both.differences() == []
    run("check_warehouse")
    run()
    assert written() == []


def test_it_loads_an_empty_warehouse_on_workers(both: Both, source: Source, warehouse: Warehouse, run) -> None:
    call_command("distribute_warehouse", "--parts", "6")
    source.load_sample()
    both.run()
    assert both.differences() == []
    assert len(rows_by_worker("step_result_fact")) == 2
    parts = "select distinct shard_count from citus_tables where citus_table_type = 'distributed'"
    assert warehouse.execute(parts) == [(6,)]
    call_command("distribute_warehouse", "--parts", "6")
    with pytest.raises(CommandError, match="already cut into 6 parts: distribute_warehouse --undo brings them back"):
        call_command("distribute_warehouse", "--parts", "7")
    run("check_warehouse")


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_no_row_of_a_fact_comes_to_the_coordinator(
    fact: StarTable, everything: bool, both: Both, warehouse: Warehouse
) -> None:
    call_command("distribute_warehouse")
    insert = SQL("explain insert into {} {}").format(
        Identifier(fact.work_tables[0]), statements.statement(fact.statement, everything=everything)
    )
    plan = "\n".join(line for (line,) in warehouse.execute(insert))
    assert "Task Count" in plan
    assert "Subplan" not in plan  # which would be read here, and sent to each worker
    assert "INSERT/SELECT method" not in plan  # another than to write each row where it has been worked out


def test_it_equals_one_server_after_any_changes(both: Both, world: Source, warehouse: Warehouse, run) -> None:
    chance = random.Random(6)  # noqa: S311  (no secret)
    changes = Changes(world, chance)
    world.execute(changes.keep_for_later())
    call_command("distribute_warehouse")
    both.run()
    kills = []
    for number in range(ROUNDS):
        history = [changes.restore_older()] if number % 8 == 7 else []
        for statement in history:
            world.execute(statement)
        history += changes.apply()
        if number % 4 == 2:
            kills.append(kill_a_run(chance, warehouse))
            while is_locked():
                time.sleep(0.01)
        both.run("run_pipeline", "--allow-deletes")
        assert both.differences() == [], f"round {number}, after {history}"
    run("check_warehouse")
    assert any(kills), "no run was killed on its way"


def test_a_run_fails_in_one_line_while_a_worker_is_down(
    both: Both, small_world: Source, workers: list[Server], run
) -> None:
    call_command("distribute_warehouse")
    both.run()
    before = both.rows()
    small_world.execute("update patient_journey set operation_date = operation_date + 1")
    with workers[0].down(), pytest.raises(CommandError) as failure:
        run()
    assert "\n" not in str(failure.value)
    assert str(failure.value).endswith("The warehouse is as it was.")
    assert both.rows() == before
    both.run()
    assert both.differences() == []


def test_a_worker_that_goes_away_in_a_run_leaves_nothing_half_written(
    both: Both, source: Source, workers: list[Server], dump: Path, run
) -> None:
    call_command("distribute_warehouse")
    source.load(dump)
    stop = threading.Event()

    def hang_up() -> None:
        while not stop.wait(0.02):
            if is_locked():
                time.sleep(0.3)
                workers[1].hang_up()
                return

    thread = threading.Thread(target=hang_up)
    thread.start()
    with pytest.raises(CommandError) as failure:
        run()
    stop.set()
    thread.join()
    assert "\n" not in str(failure.value)
    assert both.rows()["patient_journey_fact"] == []
    both.run()
    assert both.differences() == []


@pytest.mark.parametrize(
    ("crashed", "session"),
    [
        pytest.param("coordinator", "application_name = 'pipeline'", id="the coordinator"),
        pytest.param("worker", "backend_xid is not null", id="a worker"),
    ],
)
def test_a_server_that_crashes_in_a_run_leaves_nothing_half_written(
    both: Both, source: Source, warehouse: Warehouse, workers: list[Server], dump: Path, crashed: str, session: str
) -> None:
    call_command("distribute_warehouse")
    source.load(dump)
    both.run()
    before = both.rows()
    source.execute("update patient_journey set operation_date = operation_date + 1")
    source.execute("update step_result set value = '4321' where patient_id % 3 = 0")
    server = workers[1] if crashed == "worker" else both.coordinator
    with held_up("analytics", "load_state") as (running, go_on):  # what it loads is written, and not committed
        server.crash(session)
        both.come_back(source, warehouse)
        with suppress(psycopg2.OperationalError):  # who holds the table may be gone with the others
            go_on()
        line = only_error(end(running))
    assert line.endswith("The warehouse is as it was.")
    assert both.rows() == before
    both.run()
    assert both.differences() == []
    assert written() != []


def test_a_coordinator_that_crashes_as_a_run_commits_leaves_all_of_it_or_nothing(
    both: Both, source: Source, warehouse: Warehouse, workers: list[Server], dump: Path, run
) -> None:
    call_command("distribute_warehouse")
    source.load(dump)
    both.run()
    before = both.rows()
    source.execute("update patient_journey set operation_date = operation_date + 1")
    with both.on_one_server():
        run()
        after = both.rows()
    with held_up("analytics", "load_state") as (running, go_on), closing(workers[0].connect()) as worker:
        both.coordinator.crash("application_name = 'pipeline'", when=lambda: commit_half_way(go_on, worker))
        both.come_back(source, warehouse)
        only_error(end(running))
        wait_for(lambda: not promises(worker))  # Citus keeps or drops them when somebody is in the database again
    assert both.rows() in (before, after)
    both.run()
    assert both.differences() == []


def test_it_is_not_distributed_while_a_run_is_at_work(both: Both, small_world: Source) -> None:
    with transaction.atomic(using="analytics"):
        lock.take("msk")
        with pytest.raises(subprocess.CalledProcessError) as failure:
            subprocess.run(
                [sys.executable, "manage.py", "distribute_warehouse"],
                cwd=settings.BASE_DIR,
                env=names_of_databases(),
                check=True,
                capture_output=True,
                text=True,
            )
    assert "another run of msk is in progress" in failure.value.stderr
    assert rows_of_placement() == 0


def test_it_refuses_tables_of_an_older_migration(both: Both) -> None:
    call_command("migrate", "ingest", "0016", database="analytics", verbosity=0)
    try:
        with pytest.raises(
            CommandError, match=r"is not up to date \(ingest.0017_occurrence\): run manage.py prepare_da"
        ):
            call_command("distribute_warehouse")
    finally:
        call_command("migrate", database="analytics", verbosity=0)
    assert rows_of_placement() == 0


def only_error(ended: tuple[int, str, str]) -> str:
    """Return the one line of a run that failed, beside what libpq itself says of a server that ends as it connects."""
    code, stdout, stderr = ended
    lines = [line for line in stderr.splitlines() if not line.startswith(("WARNING:  ", "DETAIL:  ", "HINT:  "))]
    return only_line((code, stdout, "\n".join(lines)))


def promises(worker: Any) -> int:
    """Return how many transactions a worker has promised to commit, which wait for the coordinator's word."""
    with worker.cursor() as cursor:
        cursor.execute("select count(*) from pg_prepared_xacts where database = current_database()")
        return int(cursor.fetchone()[0])


def commit_half_way(go_on: Callable[[], None], worker: Any) -> None:
    """Let a run go on until a worker has promised to commit, which it waits for no more than some milliseconds."""
    go_on()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not promises(worker):
        assert time.monotonic() < deadline


def names_of_databases() -> dict[str, str]:
    names = {"POSTGRES_DB": "default", "POSTGRES_ANALYTICS_DB": "analytics", "POSTGRES_SECONDARY_DB": "msk_db"}
    return os.environ | {name: connections[alias].settings_dict["NAME"] for name, alias in names.items()}


def rows_of_placement() -> int:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_dist_partition where logicalrelid::text = any(%s)",
            [[table.table for table in placed()]],
        )
        return int(cursor.fetchone()[0])
