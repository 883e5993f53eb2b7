"""The run log: what it says of a run, its steps and tables, and for how long."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from ingest.models import LoadState, PipelineRun, StepRun
from ingest.runs.errors import PipelineError
from ingest.runs.run import COUNTS, pipeline_run
from tests.conftest import Source, Warehouse, last_steps


def totals() -> dict[str, int]:
    """Return the numbers of rows that are on record for the last run, without zeros."""
    record = PipelineRun.objects.latest("pk")
    return {name: getattr(record, name) for name in COUNTS[:5] if getattr(record, name)}


@pytest.fixture
def untidy_world(small_world: Source) -> Source:
    """The small world, with a day of steps, and another one that is rejected."""
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="4000")
    small_world.insert("step_result", patient_id=1, date="2024-03-03", value="many")
    return small_world


def test_it_records_each_step_and_table(untidy_world: Source, run) -> None:
    run()
    record = PipelineRun.objects.latest("pk")
    assert (record.source, record.command, record.trigger) == ("msk", "run_pipeline", "manual")
    assert list(dict.fromkeys(step.step for step in last_steps())) == ["extract_msk", "parse_slugs", "load_msk"]
    assert record.finished
    for step in last_steps():
        assert step.status == "succeeded"
        assert record.started <= step.started <= step.finished <= record.finished
        assert 0 <= step.seconds <= record.seconds
    (staged,) = last_steps(step="extract_msk", table_name="step_result")
    (loaded,) = last_steps(step="load_msk", table_name="step_result_fact")
    assert (staged.rows_read, staged.inserted, staged.rejected) == (2, 2, 0)
    assert (loaded.rows_read, loaded.inserted, loaded.rejected) == (2, 1, 1)
    assert record.bytes == sum(step.bytes for step in last_steps(step="extract_msk")) > 0


def test_its_totals_count_a_row_once(untidy_world: Source, warehouse: Warehouse, run) -> None:
    run()
    source_rows = 8 + 2
    star_rows = sum(warehouse.value(f"select count(*) from {step.table_name}") for step in last_steps(step="load_msk"))
    assert totals() == {"rows_read": source_rows, "inserted": star_rows, "rejected": 1}
    run()
    assert totals() == {"rejected": 1}
    untidy_world.execute("delete from step_result")
    run("extract_msk", "--allow-deletes")
    assert totals() == {"deleted": 2}
    run("load_msk")
    (days,) = last_steps(table_name="date_dimension")
    assert totals() == {"deleted": 1 + days.deleted}


def test_it_records_the_step_that_failed(untidy_world: Source, warehouse: Warehouse, run) -> None:
    warehouse.execute("alter table survey_dimension rename to lost")
    try:
        with pytest.raises(CommandError, match="survey_dimension"):
            run()
    finally:
        warehouse.execute("alter table lost rename to survey_dimension")
    *before, failed = last_steps()
    assert {step.status for step in before} == {"succeeded"}
    assert (failed.table_name, failed.status) == ("survey_dimension", "failed")
    assert failed.error.startswith('relation "survey_dimension" does not exist')
    assert "\n" not in failed.error


def test_it_calls_a_table_interrupted_that_was_not_done_when_another_one_failed(databases: None) -> None:
    def copy_two_tables() -> None:
        with pipeline_run("test", "msk") as run:
            with run.table("extract_msk", "patient", last=False):
                pass  # it is still to be compared
            with run.table("extract_msk", "survey"):
                raise PipelineError("the survey is gone")

    with pytest.raises(PipelineError):
        copy_two_tables()
    assert [(step.table_name, step.status, step.error) for step in last_steps()] == [
        ("patient", "interrupted", ""),
        ("survey", "failed", "the survey is gone"),
    ]


def test_it_forgets_a_run_after_run_history_days(settings, small_world: Source, run) -> None:
    settings.RUN_HISTORY_DAYS = 30
    run()
    run()
    old, kept = PipelineRun.objects.order_by("pk")
    PipelineRun.objects.filter(pk=old.pk).update(started=timezone.now() - timedelta(days=30, minutes=1))
    PipelineRun.objects.filter(pk=kept.pk).update(started=timezone.now() - timedelta(days=29))
    run()
    assert not PipelineRun.objects.filter(pk=old.pk).exists()
    assert not StepRun.objects.filter(run_id=old.pk).exists()
    assert StepRun.objects.filter(run_id=kept.pk).exists()


def test_it_has_a_name_that_the_warehouse_knows_and_that_never_repeats(small_world: Source, run) -> None:
    run()
    run()
    first, second = PipelineRun.objects.order_by("pk")
    assert first.uuid != second.uuid
    assert LoadState.objects.get(source="msk").run_uuid == second.uuid


def test_it_says_of_how_many_rows_it_has_rejected_some(untidy_world: Source, run) -> None:
    run()
    untidy_world.insert("step_result", patient_id=1, date="2024-03-04", value="5000")
    for command in ("run_pipeline", "run_pipeline"):
        run(command)
        (steps,) = last_steps(table_name="step_result_fact")
        (patients,) = last_steps(table_name="patient_dimension")
        assert (steps.rejected, steps.checked) == (1, 3)
        assert (patients.rejected, patients.checked) == (0, 1)
