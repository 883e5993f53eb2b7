"""check_warehouse proves the promises: each of its checks holds after a run, and fails when its promise is broken."""

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

import analytics.checks
from analytics.checks import checks
from ingest.models import WarehouseCheck
from tests.conftest import Source, Warehouse


@pytest.fixture
def loaded(small_world: Source, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="100")
    small_world.insert("step_result", patient_id=1, date="2024-03-03", value="-1")
    small_world.execute("update patient_journey set invitation_date = '2024-01-01', registration_date = '2024-01-02'")
    small_world.execute(
        "update patient_journey set consent_date = '2024-01-03', discharge_date = '2024-03-02', clinician_id = 1"
    )
    small_world.insert_survey_result()
    run()


def broken(capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Return the promises that check_warehouse says are broken."""
    with pytest.raises(CommandError, match=r"promises? do(?:es)? not hold"):
        call_command("check_warehouse")
    return set(re.findall(r"FAIL  (.*): broken by \d+ rows", capsys.readouterr().out))


def test_it_holds_after_a_run(loaded: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_warehouse")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"ok    {check.promise}" for check in checks()]


@pytest.mark.parametrize(
    ("damage", "promise"),
    [
        ("delete from patient_dimension", "every row of patient is in patient_dimension or in rejected_row"),
        ("delete from journey_dimension", "every row of journey is in journey_dimension or in rejected_row"),
        ("delete from device_dimension", "every row of device is in device_dimension or in rejected_row"),
        ("delete from survey_dimension", "every row of survey is in survey_dimension or in rejected_row"),
        ("delete from schedule_dimension", "every row of schedule is in schedule_dimension or in rejected_row"),
        ("delete from activity_dimension", "every row of activity is in activity_dimension or in rejected_row"),
        (
            "delete from journey_activity_bridge",
            "every row of journey_activity is in journey_activity_bridge or in rejected_row",
        ),
        (
            "delete from patient_journey_fact",
            "every row of patient_journey is in patient_journey_fact or in rejected_row",
        ),
        ("delete from step_result_fact", "every row of step_result is in step_result_fact or in rejected_row"),
        ("delete from rejected_row", "every row of step_result is in step_result_fact or in rejected_row"),
        ("delete from staging_step_result", "every row of step_result is in step_result_fact or in rejected_row"),
        ("delete from staged_bucket", "every row of step_result is in step_result_fact or in rejected_row"),
        ("delete from survey_result_fact", "every row of survey_result is in survey_result_fact or in rejected_row"),
        ("update step_result_fact set id = id + 1", "every step result's id is made of its patient and day"),
        ("update journey_activity_bridge set id = id + 1", "every bridge row's id is made of its journey and activity"),
        (
            "insert into journey_activity_bridge (id, journey_id, activity_id)"
            " select id + 1, journey_id, activity_id from journey_activity_bridge",
            "every bridge row's id is made of its journey and activity, so that no pair is there twice",
        ),
        ("delete from patient_journey_schedule_window", "there is one window for each patient journey and activity"),
        (
            "insert into patient_journey_schedule_window (id, patient_id, patient_journey_id, activity_id)"
            " values (row_id(1, 9), 1, 1, 9)",
            "there is one window for each patient journey and activity",
        ),
        (
            "update patient_journey_schedule_window set schedule_slug = '?'",
            "every window repeats its patient, activity and schedule",
        ),
        (
            "update patient_journey_schedule_window set milestone_date = '2024-01-01'",
            "every window counts from its milestone's day",
        ),
        (
            "update patient_journey_schedule_window set window_start_date = window_start_date - 1",
            "every window begins and ends as many days from its milestone",
        ),
        (
            "update patient_journey_schedule_window set window_end_date = null",
            "every window begins and ends as many days from its milestone",
        ),
        ("delete from activity_completion_fact", "every survey result is judged as a completion, once"),
        (
            "update activity_completion_fact set status = 'late'",
            "every completion's status and days agree with its window",
        ),
        (
            "update activity_completion_fact set days_from_window = 1",
            "every completion's status and days agree with its window",
        ),
        (
            "update adherence_fact set first_in_window_date = null",
            "every window stands in the adherence view as its dates say",
        ),
        ("update survey_result_fact set patient_id = 9", "every survey result carries its patient journey's patient"),
        ("update survey_result_fact set duration_seconds = 1", "no survey result ends before its start"),
        ("update step_result_fact set steps = -1", "no step result is negative"),
        (
            "update schedule_dimension set offset_start_days = 8",
            "every schedule says what its override or else its slug",
        ),
        ("update rejected_row set reason = 'whim'", "every rejected row has a known reason"),
        ("update rejected_row set reason = 'orphan'", "every rejected row has a known reason"),
        (
            "update rejected_row set source_table = 'gone'",
            "every rejected row is of a table that a source has",
        ),
        (
            "insert into date_dimension values ('1900-05-05', 1900, 1, 5, 'June', 1900, 18, 5, 6, true)",
            "every row of date_dimension is as its load makes it",
        ),
        (
            "update rejected_row set reason = 'not_a_number'",
            "every rejected row of step_result is as its load lists it",
        ),
        ("update rejected_row set source_key = '?'", "every rejected row of step_result is as its load lists it"),
        ("update rejected_row set detail = '{}'", "every rejected row of step_result is as its load lists it"),
        (
            "insert into rejected_row (run_id, source_table, source_key, reason, detail)"
            " values (1, 'device', '1', 'duplicate', '{}')",
            "every rejected row of device is as its load lists it",
        ),
        ("delete from load_state", "the warehouse says since when it holds what it holds"),
    ],
)
def test_it_fails_when_a_promise_is_broken(
    damage: str, promise: str, loaded: None, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse.execute(damage)
    assert any(line.startswith(promise) for line in broken(capsys))


def test_it_holds_while_an_override_or_its_deletion_waits_for_the_next_run(
    loaded: None, small_world: Source, run, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    small_world.insert("schedule", id=2, slug="0d-2d-post-op")
    run()
    override = "insert into schedule_override (schedule_id, milestone_slug, offset_start_days) values (1, 'consent', 7)"
    for change in (override, "update schedule_override set note = '!'", "delete from schedule_override"):
        warehouse.execute(change)
        call_command("check_warehouse")
        # Of the others all is proved meanwhile.
        warehouse.execute("update schedule_dimension set offset_start_days = 8 where schedule_id = 2")
        assert {
            "every row of schedule_dimension is as its load makes it",
            "every schedule says what its override or else its slug says, but one that waits for the next run",
        } <= broken(capsys)
        run()
        call_command("check_warehouse")


def test_it_fails_when_the_view_loses_a_window(
    loaded: None, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse.execute("alter view activity_adherence rename to whole")
    try:
        warehouse.execute("create view activity_adherence as select * from whole limit 0")
        assert "the adherence view has one row a window" in broken(capsys)
    finally:
        warehouse.execute("drop view activity_adherence; alter view whole rename to activity_adherence")


def test_it_refuses_a_query_that_no_promise_stands_before(
    databases: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = "-- chek: nobody walks\nselect s.id from step_result_fact as s where s.steps > 0;\n"
    text = Path(analytics.checks.__file__).with_name("checks.sql").read_text(encoding="utf-8")
    (tmp_path / "checks.sql").write_text(f"{text}\n{own}", encoding="utf-8")
    monkeypatch.setattr(analytics.checks, "__file__", str(tmp_path / "checks.py"))
    with pytest.raises(CommandError, match=r"in analytics/checks\.sql its query has to end with a semicolon, after"):
        call_command("check_warehouse")
    assert not WarehouseCheck.objects.exists()


UNKNOWN_DAY = "date '1914-07-28'"
LINKS = [re.fullmatch(r"every (\w+)\.(\w+) is in (\w+)", check.promise) for check in checks() if check.source == "msk"]


@pytest.mark.parametrize(("table", "column", "dimension"), [link.groups() for link in LINKS if link])
def test_it_fails_when_a_key_resolves_to_nothing(
    table: str, column: str, dimension: str, loaded: None, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse.execute(f"update {table} set {column} = {UNKNOWN_DAY if dimension == 'date_dimension' else 9}")
    assert f"every {table}.{column} is in {dimension}" in broken(capsys)
