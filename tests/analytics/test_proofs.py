"""What check_warehouse proved is on record: each promise, when, of which load; once a day by cron, kept as runs are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from analytics.checks import checks, run_checks
from analytics.proofs import prove_daily
from ingest.cursors import raw_cursor
from ingest.models import PipelineRun, WarehouseCheck
from pipeline_project.cron import run_pipeline
from tests.conftest import Source, Warehouse

PROMISES = [check.promise for check in checks()]
NEGATIVE = "no step result is negative"


@pytest.fixture
def loaded(small_world: Source, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="100")
    run()


@contextmanager
def a_promise_that_cannot_be_proved(warehouse: Warehouse) -> Iterator[None]:
    warehouse.execute("alter view activity_adherence rename to lost")
    try:
        yield
    finally:
        warehouse.execute("alter view lost rename to activity_adherence")


def age_of_checks(**age: float) -> None:
    WarehouseCheck.objects.update(checked_at=timezone.now() - timedelta(**age))


def logged(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Return the one line that was logged of a check."""
    (record,) = [record for record in caplog.records if record.name == "analytics.proofs"]
    return vars(record) | {"message": record.getMessage()}


def times() -> int:
    """Return how many checks are on record."""
    return WarehouseCheck.objects.values("checked_at").distinct().count()


def test_it_records_each_promise(loaded: None, run) -> None:
    before = timezone.now()
    run("check_warehouse")
    found = list(WarehouseCheck.objects.order_by("pk"))
    assert [proof.promise for proof in found] == PROMISES
    assert {proof.violations for proof in found} == {0}
    assert {proof.error for proof in found} == {""}
    (checked_at,) = {proof.checked_at for proof in found}
    assert before <= checked_at <= timezone.now()
    assert all(0 <= proof.seconds < 60 for proof in found)
    assert sum(proof.seconds for proof in found) > 0
    msk = PipelineRun.objects.get().pk
    assert {(proof.source, proof.run_id) for proof in found} == {("msk", msk), ("covid", None)}


def test_it_says_of_which_load_of_each_source_it_is(loaded: None, run, covid_folder, settings: Settings) -> None:
    settings.COVID_API_URL = str(covid_folder)
    run("run_pipeline", "--only", "covid")
    run()
    run("check_warehouse")
    _, covid, msk = PipelineRun.objects.order_by("pk").values_list("pk", flat=True)
    assert set(WarehouseCheck.objects.values_list("source", "run_id")) == {("msk", msk), ("covid", covid)}


def test_it_records_a_promise_that_does_not_hold(loaded: None, warehouse: Warehouse, run) -> None:
    warehouse.execute("update step_result_fact set steps = -1")
    with pytest.raises(CommandError, match="2 promises do not hold: run run_pipeline --full-refresh"):
        run("check_warehouse")
    broken = dict(WarehouseCheck.objects.exclude(violations=0).values_list("promise", "violations"))
    assert broken == {NEGATIVE: 1, "every row of step_result_fact is as its load makes it": 2}
    assert WarehouseCheck.objects.count() == len(PROMISES)


UNPROVED = (
    "it cannot be proved that the adherence view has one row a window: .* does not exist: correct its query, "
    "or bring the databases up to date with make migrate"
)


def test_it_records_how_far_it_came_and_what_kept_it_from_the_end(loaded: None, warehouse: Warehouse, run) -> None:
    with (
        a_promise_that_cannot_be_proved(warehouse),
        pytest.raises(CommandError, match=UNPROVED),
    ):
        run("check_warehouse")
    found = list(WarehouseCheck.objects.order_by("pk"))
    assert [proof.promise for proof in found] == PROMISES
    proved = PROMISES.index("the adherence view has one row a window")
    assert [proof.violations for proof in found] == [0] * proved + [None] * (len(PROMISES) - proved)
    errors = {proof.error for proof in found[proved:]}
    assert len(errors) == 1
    assert "activity_adherence" in errors.pop()
    assert len({proof.checked_at for proof in found}) == 1


def test_it_forgets_old_checks_as_runs_are_forgotten(loaded: None, run, settings: Settings) -> None:
    settings.RUN_HISTORY_DAYS = 90
    for promise, days in (("younger", 89), ("older", 91)):
        WarehouseCheck.objects.create(
            checked_at=timezone.now() - timedelta(days=days), promise=promise, source="msk", violations=0
        )
    run("check_warehouse")
    assert set(WarehouseCheck.objects.values_list("promise", flat=True)) == {"younger", *PROMISES}


# --- One state of the warehouse


def test_a_load_that_ends_meanwhile_is_not_seen(loaded: None, warehouse: Warehouse) -> None:
    proofs = run_checks()
    found = [next(proofs)]
    warehouse.execute("delete from patient_dimension; update step_result_fact set steps = -1; delete from load_state")
    found += proofs
    assert {proof.promise for proof in found if proof.violations} == set()
    assert len(found) == len(PROMISES)
    broken = {proof.promise for proof in run_checks() if proof.violations}
    assert {NEGATIVE, "the warehouse says since when it holds what it holds"} <= broken


def test_no_run_empties_a_table_under_it(loaded: None, warehouse: Warehouse) -> None:
    proofs = run_checks()
    next(proofs)
    for table in ("staging_survey_result", "adherence_fact"):  # which it has not come to
        warehouse.execute("begin")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            warehouse.execute(f"lock table {table} in access exclusive mode nowait")
        warehouse.execute("rollback")
    proofs.close()
    warehouse.execute(
        "begin; lock table staging_survey_result, adherence_fact in access exclusive mode nowait; rollback"
    )


def test_it_writes_nothing_to_the_warehouse(loaded: None) -> None:
    proofs = run_checks()
    next(proofs)
    with raw_cursor("analytics") as cursor, pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        cursor.execute("delete from step_result_fact")
    proofs.close()


# --- Once a day, by cron


def test_cron_checks_after_the_first_msk_run_of_a_day_alone(
    small_world: Source, covid_folder, settings: Settings
) -> None:
    settings.COVID_API_URL = str(covid_folder)
    run_pipeline("covid")
    assert times() == 0
    run_pipeline("msk")
    assert times() == 1
    run_pipeline("msk")
    run_pipeline("covid")
    assert times() == 1
    PipelineRun.objects.update(started=timezone.now() - timedelta(1), finished=timezone.now() - timedelta(1))
    age_of_checks(days=1)
    run_pipeline("covid")
    assert times() == 1
    run_pipeline("msk")
    assert times() == 2


def test_a_check_by_hand_before_the_first_run_of_a_day_is_not_its_check(loaded: None, run) -> None:
    run("check_warehouse")
    PipelineRun.objects.update(finished=timezone.now() - timedelta(days=1))
    run_pipeline("msk")
    assert times() == 2


def test_cron_does_not_check_what_no_run_has_loaded_today(loaded: None) -> None:
    PipelineRun.objects.update(finished=timezone.now() - timedelta(days=1))
    prove_daily()
    assert times() == 0


def test_cron_does_not_check_after_a_run_that_failed(small_world: Source, run, settings: Settings) -> None:
    run()
    settings.PIPELINE_TRIGGER = "cron"
    small_world.execute("alter table device rename to lost")
    run_pipeline("msk")
    assert PipelineRun.objects.latest("pk").status == "failed"
    assert times() == 0


def test_a_broken_promise_is_in_the_log_and_fails_no_run(
    loaded: None, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse.execute("update step_result_fact set steps = -1")
    run_pipeline("msk")
    assert PipelineRun.objects.latest("pk").status == "succeeded"
    record = logged(caplog)
    assert (record["levelname"], record["message"], record["broken"]) == ("ERROR", "promises do not hold", 2)
    assert NEGATIVE in record["promises"]
    assert WarehouseCheck.objects.get(promise=NEGATIVE).violations == 1


def test_a_check_that_fails_is_in_the_log_fails_no_run_and_is_made_up_for_by_the_next(
    loaded: None, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    with a_promise_that_cannot_be_proved(warehouse):
        run_pipeline("msk")
    assert PipelineRun.objects.latest("pk").status == "succeeded"
    record = logged(caplog)
    assert (record["levelname"], record["message"]) == ("ERROR", "warehouse not checked")
    assert "activity_adherence" in record["error"]
    assert WarehouseCheck.objects.filter(violations=None).exists()
    run_pipeline("msk")
    assert times() == 2
    assert not WarehouseCheck.objects.latest("checked_at").error
    run_pipeline("msk")
    assert times() == 2


def test_the_command_stays_as_it_was(loaded: None, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_warehouse")
    assert capsys.readouterr().out.splitlines() == [f"ok    {promise}" for promise in PROMISES]
    warehouse.execute("update step_result_fact set steps = -1")
    with pytest.raises(CommandError):
        call_command("check_warehouse")
    assert f"FAIL  {NEGATIVE}: broken by 1 rows" in capsys.readouterr().out
