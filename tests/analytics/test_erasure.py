"""A patient who is deleted at the source is nowhere by the next run, and prove_erased tells so, or what is left."""

import base64
import io
import json
import os
import pickle
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connections

from access.models import AccessLog
from analytics.exports.folders import temporary
from ingest.models import Alert, ErasedPatient, PipelineRun, RejectedRow, ScheduleOverride, StepRun
from tests.analytics.test_distribution import partitioned
from tests.conftest import Database, Source, Warehouse
from tests.ingest.runs.test_failures import manage

__all__ = ["partitioned"]  # a fixture

TEXT, NUMBER = "Kanarienvogel", "9182736"  # which occur nowhere else
NOBODYS = "Niemandsvogel"  # of rows that name no patient
PATIENT, JOURNEY, RESULT = 918273640, 918273641, 918273642
CANARY = re.compile(f"{TEXT}|{NUMBER}", re.IGNORECASE)


def insert_patient(source: Source) -> None:
    """Insert a patient of whose rows every text and every number, but for keys of others, is the canary."""
    source.insert("patient", id=PATIENT, age_bracket=TEXT, sex=TEXT, hospital=f"{TEXT}\n{TEXT}")
    source.insert(
        "patient_journey",
        id=JOURNEY,
        patient_id=PATIENT,
        journey_id=1,
        operation_date="2024-03-01",
        clinician_id=918273643,
    )
    source.insert("step_result", patient_id=PATIENT, date="2024-03-02", value="918273644")
    source.insert_survey_result(id=RESULT, patient_journey_id=JOURNEY, score_value=918273645)


def insert_rejects(source: Source) -> None:
    """Insert rows of the patient that are rejected for each reason, and one that names no patient."""
    for table in ("patient", "patient_journey", "survey_result"):
        source.execute(f"alter table {table} drop constraint {table}_pkey")
        source.execute(f"alter table {table} alter id drop not null")
    source.insert("patient", id=PATIENT, age_bracket=TEXT, sex=TEXT, hospital=f"{TEXT} {NUMBER}5")
    source.insert("patient", id=None, hospital=NOBODYS)
    source.insert("patient_journey", id=JOURNEY, patient_id=PATIENT, journey_id=1, clinician_id=918273649)
    source.insert("patient_journey", id=918273646, patient_id=PATIENT, journey_id=918273647)
    source.insert("patient_journey", id=918273648, patient_id=PATIENT, clinician_id=918273649)
    for day, value in enumerate((TEXT, f"-{NUMBER}", f"{NUMBER}0000000", f"{TEXT}\n{NUMBER}"), 3):
        source.insert("step_result", patient_id=PATIENT, date=f"2024-03-0{day}", value=value)
    source.insert("step_result", patient_id=PATIENT, date="2024-03-02", value=f"0{NUMBER}0")
    source.insert("step_result", patient_id=PATIENT, date=None, value=TEXT)
    source.insert("step_result", patient_id=None, date="2024-03-02", value=NOBODYS)
    end_before_start = {"end_time": "2024-03-07 09:00"}
    source.insert_survey_result(id=918273650, patient_journey_id=JOURNEY, **end_before_start)
    source.insert_survey_result(id=918273651, patient_journey_id=JOURNEY, device_id=918273652)
    source.insert_survey_result(id=918273653, patient_journey_id=918273646)
    source.insert_survey_result(id=RESULT, patient_journey_id=JOURNEY, score_value=918273654)


def insert_others(source: Source) -> None:
    """Insert rows of patient 1, one of them rejected, so that no table is empty without the other one."""
    source.insert("step_result", patient_id=1, date="2024-03-02", value="100")
    source.insert("step_result", patient_id=1, date="2024-03-03", value="many")
    source.insert_survey_result()


def delete_patient(source: Source) -> None:
    source.execute(
        f"""
        delete from survey_result where id::text ~ '{NUMBER}';
        delete from step_result where patient_id = {PATIENT};
        delete from patient_journey where patient_id = {PATIENT};
        delete from patient where id = {PATIENT};
        update patient set sex = 'f' where id = 1;
        """
    )


def delete_what_is_nobodys(source: Source) -> None:
    source.execute("delete from step_result where patient_id is null; delete from patient where id is null")


@pytest.fixture
def world(small_world: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The small world with a second patient, the canary; no list is being written but by the test itself."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    insert_others(small_world)
    insert_patient(small_world)
    return small_world


def proved(*arguments: str) -> tuple[int, str, str]:
    """Return exit code, output and last line of prove_erased of the canary."""
    out = io.StringIO()
    try:
        call_command("prove_erased", *(arguments or ("--patient", str(PATIENT))), stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    return 0, out.getvalue(), ""


def found(patient: int = PATIENT) -> dict[str, Any]:
    """Return what prove_erased says as JSON."""
    code, out, _ = proved("--patient", str(patient), "--json")
    said: dict[str, Any] = json.loads(out)
    assert (code == 0) is (said["status"] in ("erased", "never_known"))
    return said


def places(of: str) -> dict[str, int]:
    """Return the rows of each table and column, without the database's name."""
    return {place["place"].partition(".")[2]: place["rows"] for place in found()[of]}


def dumped(alias: str) -> str:
    """Return all that a database holds, as pg_dump writes it, and what pages have kept in it, unpacked.

    Without the record of who was erased, which has the number of the patient and is looked at by itself.
    """
    address = Database(alias)
    info = address.connection.info
    dump = subprocess.run(
        ["pg_dump", "--exclude-table-data=erased_patient"],
        env=os.environ
        | {"PGHOST": info.host, "PGPORT": str(info.port), "PGUSER": info.user, "PGPASSWORD": info.password}
        | {"PGDATABASE": info.dbname},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    answers = [] if alias == "analytics" else address.execute("select value from kept_answer")
    address.connection.close()
    kept = [repr(pickle.loads(base64.b64decode(value))) for (value,) in answers]  # noqa: S301  (our own)
    return "\n".join((dump, *kept))


def canaries() -> list[str]:
    """Return the lines of both databases in which a canary is."""
    lines = (line for alias in ("analytics", "default") for line in dumped(alias).splitlines())
    return [line for line in lines if CANARY.search(line)]


# --- Ways for a run to fail on a row, at each step: what is done to warehouse or source, and undone


@contextmanager
def refused(database: Database, do: str, undo: str) -> Iterator[None]:
    database.execute(do)
    try:
        yield
    finally:
        database.execute(undo)


EXCERPT = "create or replace function excerpt(value text) returns text language {} as $$ {} $$"
FAILURES: dict[str, tuple[str, str, str, str]] = {
    "a check of the staging table": (
        "analytics",
        f"alter table staging_patient add constraint nobody check (hospital !~ '{TEXT}') not valid",
        "alter table staging_patient drop constraint nobody",
        'relation "staging_patient" violates check constraint "nobody"',
    ),
    "a check of the star": (
        "analytics",
        f"alter table patient_dimension add constraint nobody check (hospital !~ '{TEXT}') not valid",
        "alter table patient_dimension drop constraint nobody",
        'relation "patient_dimension" violates check constraint "nobody"',
    ),
    "a key of the star": (
        "analytics",
        "create unique index nobody on patient_dimension (sex)",
        "drop index nobody",
        'duplicate key value violates unique constraint "nobody"',
    ),
    "a column without nulls": (
        "analytics",
        "alter table patient_dimension alter age_bracket set not null",
        "alter table patient_dimension alter age_bracket drop not null",
        'null value in column "age_bracket" of relation "patient_dimension" violates not-null constraint',
    ),
    "a value that the load cannot read": (
        "analytics",
        EXCERPT.format("sql immutable", "select value::integer::text"),
        "",
        'invalid input syntax for type integer: "…"',
    ),
    "a value that the source cannot read": (
        "msk_db",
        "alter table patient rename to patients; create view patient as"
        " select id, age_bracket, sex, (hospital::date)::varchar as hospital from patients",
        "drop view patient; alter table patients rename to patient",
        'invalid input syntax for type date: "…"',
    ),
    "a function of the source's own": (
        "msk_db",
        "create function of_ours(text) returns varchar language plpgsql as"
        " $$ begin raise 'the hospital % is none of ours', $1 using errcode = '23514'; end $$;"
        " alter table patient rename to patients; create view patient as"
        " select id, age_bracket, sex, of_ours(hospital) as hospital from patients",
        "drop view patient; alter table patients rename to patient; drop function of_ours",
        "CheckViolation (SQLSTATE 23514)",
    ),
}


@pytest.fixture
def failed(world: Source, warehouse: Warehouse, run) -> list[str]:
    """What runs have printed and logged that failed on the canary's rows, which have just changed."""
    insert_rejects(world)
    run()
    excerpt = warehouse.value("select pg_get_functiondef('excerpt'::regproc)")
    said = []
    for number, (name, (alias, do, undo, line)) in enumerate(FAILURES.items()):
        world.execute(
            f"update patient set hospital = hospital || '{TEXT} {number}', age_bracket = null where id = {PATIENT};"
            f"update patient set sex = '{TEXT}' where id = 1"
        )
        world.execute(
            f"update step_result set value = value || '{number}' where patient_id = {PATIENT} and value ~ '{TEXT}'"
        )
        with refused(warehouse if alias == "analytics" else world, do, undo or f"{excerpt};"):
            code, stdout, stderr = manage("run_pipeline", "--allow-deletes", PIPELINE_TRIGGER="cron")
        assert code == 1, name
        assert line in stderr.replace('\\"', '"'), stderr
        said.append(stdout + stderr)
    return said


def test_it_leaves_nothing_of_a_patient_anywhere(
    failed: list[str], world: Source, warehouse: Warehouse, run, databases: None
) -> None:
    assert not [line for line in "".join(failed).splitlines() if CANARY.search(line)]
    assert Alert.objects.filter(kind="failed").exists()
    for model, column in ((PipelineRun, "error"), (StepRun, "error"), (Alert, "message")):
        assert not [text for text in model.objects.values_list(column, flat=True) if CANARY.search(text)]
    ScheduleOverride.objects.create(schedule_id=1, milestone_slug="operation", offset_start_days=1)
    run("run_pipeline", "--only", "msk", "--full-refresh", "--allow-deletes", "--follow-up")
    assert {row.reason for row in RejectedRow.objects.all() if CANARY.search(str(row.detail))} == {*RejectedRow.Reason}
    assert len(canaries()) > 20
    assert found()["status"] == "at_source"

    delete_patient(world)
    run("run_pipeline", "--allow-deletes")
    assert canaries() == []
    nobodys = [row.detail["row"] for row in RejectedRow.objects.all() if NOBODYS in str(row.detail)]
    assert len(nobodys) == 2  # whose these are nobody can tell: they go when the source deletes them
    delete_what_is_nobodys(world)
    run("run_pipeline", "--allow-deletes")
    assert NOBODYS not in str([row.detail for row in RejectedRow.objects.all()])
    erased = PipelineRun.objects.order_by("-pk")[1]
    assert ErasedPatient.objects.values_list("patient_id", "run_id", "run_uuid").get() == (
        PATIENT,
        erased.pk,
        erased.uuid,
    )
    code, out, _ = proved()
    assert code == 0
    assert out.startswith(f"patient {PATIENT} was erased by run {erased.pk} at ")


# --- What the command says


def test_it_says_which_run_erased_a_patient_and_where_it_has_looked(world: Source, run) -> None:
    run()
    delete_patient(world)
    run("run_pipeline", "--allow-deletes")
    last = PipelineRun.objects.latest("pk")
    code, out, error = proved()
    first, *rest = out.splitlines()
    assert (code, error) == (0, "")
    assert re.fullmatch(
        rf"patient {PATIENT} was erased by run {last.pk} at 20[-\d]+ [:\d]+ UTC: nothing is left", first
    )
    assert rest[0].endswith(".erased_patient.patient_id: 1, which run erased the patient")
    assert [re.sub(r" \d+ tables of .*", "", line) for line in rest[1:4]] == ["  looked at"] * 3
    said = found()
    assert (said["status"], said["run_id"], said["source"], said["left"]) == ("erased", last.pk, [], [])
    searched = {column for columns in said["searched"].values() for column in columns}
    assert {"step_result_fact.patient_id", "staging_patient.id", "rejected_row.detail", "pipeline_run.error"} < searched


def test_it_says_in_one_line_that_a_patient_was_never_known(world: Source, run) -> None:
    run()
    assert proved("--patient", "404") == (
        0,
        "patient 404 was never known: the source has no such patient, and no run on record erased one\n",
        "",
    )
    assert found(404)["status"] == "never_known"


def test_it_says_what_there_is_of_a_patient_who_is_still_at_the_source(world: Source, run) -> None:
    run()
    code, out, error = proved()
    assert (code, error[:47]) == (1, f"patient {PATIENT} is at the source: delete the ")
    assert places("source") == {"patient": 1, "patient_journey": 1, "step_result": 1, "survey_result": 1}
    assert f"  left: {connections['analytics'].settings_dict['NAME']}.patient_dimension.patient_id: 1\n" in out


def test_it_says_what_is_left_until_a_run_has_come(world: Source, run) -> None:
    world.insert("step_result", patient_id=PATIENT, date="2024-03-09", value=TEXT)
    world.insert_survey_result(id=918273650, patient_journey_id=JOURNEY, end_time="2024-03-07 09:00")
    run()
    delete_patient(world)
    code, _, error = proved()
    assert (code, error) == (
        1,
        f"patient {PATIENT} is not at the source, and something is left: run the pipeline, and look again",
    )
    assert places("left") == {
        "patient_dimension.patient_id": 1,
        "patient_journey_fact.patient_id": 1,
        "patient_journey_schedule_window.patient_id": 1,
        "step_result_fact.patient_id": 1,
        "survey_result_fact.patient_id": 1,
        "activity_completion_fact.patient_id": 1,
        "adherence_fact.patient_id": 1,
        "staging_patient.id": 1,
        "staging_patient_journey.owner_id": 1,
        "staging_step_result.owner_id": 2,
        "staging_survey_result.owner_id": 2,
        "rejected_row.source_key": 1,
        "rejected_row.detail": 2,  # the survey result by its patient journey, which is still known
    }


def test_it_loads_a_patient_who_comes_back_as_a_new_one(world: Source, warehouse: Warehouse, run) -> None:
    run()
    delete_patient(world)
    run("run_pipeline", "--allow-deletes")
    erased = PipelineRun.objects.latest("pk").pk
    insert_patient(world)
    run()
    assert warehouse.value("select steps from step_result_fact where patient_id = %s", PATIENT) == 918273644
    code, _, error = proved()
    assert code == 1
    assert re.fullmatch(
        rf"patient {PATIENT} is at the source: was erased by run {erased} at .*, and has come back as a new one since",
        error,
    )
    delete_patient(world)
    run("run_pipeline", "--full-refresh", "--allow-deletes")
    assert found()["run_id"] == PipelineRun.objects.latest("pk").pk > erased


def test_it_does_not_take_survey_results_that_the_source_has_kept_for_erased(world: Source, run) -> None:
    run()
    world.execute(f"delete from patient_journey where id = {JOURNEY}")
    world.execute(f"delete from step_result where patient_id = {PATIENT}; delete from patient where id = {PATIENT}")
    run("run_pipeline", "--allow-deletes")
    (left,) = found()["left"]
    assert left["why"] == "survey results whose patient journey went in that run, and which the source still has"
    assert left["rows"] == 1


def test_it_does_not_take_steps_that_the_source_has_kept_for_a_patient_who_is_back(world: Source, run) -> None:
    run()
    steps = world.execute(f"select date, value from step_result where patient_id = {PATIENT}")
    delete_patient(world)
    for day, value in steps:
        world.insert("step_result", patient_id=PATIENT, date=day, value=value)
    run("run_pipeline", "--allow-deletes")
    code, _, error = proved()
    assert code == 1
    assert error.endswith("and the source has rows of the patient: delete these, and run the pipeline")
    assert places("left") == {
        "rejected_row.source_key": 1,
        "rejected_row.detail": 1,
        "staging_step_result.owner_id": 1,
    }


def test_it_does_not_take_a_dry_run_for_an_erasure(world: Source, run) -> None:
    run()
    delete_patient(world)
    run("run_pipeline", "--allow-deletes", "--dry-run")
    assert not ErasedPatient.objects.exists()
    assert found()["status"] == "left"


def test_it_looks_into_every_table_that_anybody_makes(world: Source, warehouse: Warehouse, run) -> None:
    run()
    log = Database("default")
    made = ["letter", "basket", "paper", "box", "visit", "answer", "opened", "elsewhere.diary", "cut"]
    try:
        warehouse.execute(
            f"""
            create table letter (body text);
            insert into letter values ('Dear patient {PATIENT}, …'), ('{PATIENT}'), (null);
            create table basket (patients int[]); insert into basket values ('{{1, {PATIENT}}}'), ('{{2}}');
            create table paper (content jsonb);
            insert into paper values ('{{"a": [{{"patient_id": {PATIENT}}}]}}');
            insert into paper values ('{{"patient_journey_id": {JOURNEY}}}');
            create table box (content bytea); insert into box values ('Key (id)=({PATIENT}) already exists.');
            create table visit (patient_journey_id int); insert into visit values ({JOURNEY}), (1), (404);
            create table answer (survey_result_ids int[]); insert into answer values ('{{{RESULT}}}'), ('{{1}}');
            create table opened (window_id bigint); insert into opened select id from patient_journey_schedule_window;
            create schema elsewhere; create table elsewhere.diary (patient_id numeric, note text);
            insert into elsewhere.diary values ({PATIENT}, ''), (1, 'Failing row contains ({PATIENT}, 60-69, f)');
            create table lengths (patient_count int, patients int); insert into lengths values ({PATIENT}, {PATIENT});
            create table cut (patient_id int) partition by hash (patient_id);
            create table cut_0 partition of cut for values with (modulus 1, remainder 0);
            insert into cut values ({PATIENT});
            """
        )
        log.execute(f"create table memo (said text[]); insert into memo values (array['see /patients/{PATIENT}/'])")
        left = places("left")
    finally:
        warehouse.execute(f"drop table {', '.join(made)}; drop schema elsewhere")
        log.execute("drop table if exists memo")
        log.connection.close()
    assert {place: rows for place, rows in left.items() if place.split(".")[0] in {*made, "elsewhere", "memo"}} == {
        "letter.body": 1,  # a number alone may be anything's
        "basket.patients": 1,
        "paper.content": 2,
        "box.content": 1,
        "visit.patient_journey_id": 1,
        "answer.survey_result_ids": 1,
        "opened.window_id": 1,
        "elsewhere.diary.patient_id": 1,
        "elsewhere.diary.note": 1,
        "cut.patient_id": 1,
        "memo.said": 1,
    }


def test_it_lists_what_is_kept_on_purpose(world: Source, run) -> None:
    AccessLog.objects.create(
        what="page", path=f"/patients/{PATIENT}/", patients=[PATIENT], patient_count=1, answered=True
    )
    run()
    delete_patient(world)
    run()
    assert found()["status"] == "erased"
    assert places("kept") == {"access_log.path": 1, "access_log.patients": 1, "erased_patient.patient_id": 1}
    assert proved()[1].startswith(f"patient {PATIENT} was erased by run ")


def test_it_finds_what_pages_keep_of_an_earlier_load_and_lists_that_are_being_written(world: Source, run) -> None:
    delete_patient(world)
    run()
    cache.set("0123456789abcdef:home_weeks:1", [1])
    with temporary() as folder:
        left = found()["left"]
    assert [place["rows"] for place in left] == [1, 1]
    assert left[0]["place"].endswith(".kept_answer.value")
    assert left[1]["place"] == str(folder)
    run()
    assert found()["left"] == []


def test_it_keeps_no_answer_of_an_earlier_load_and_what_is_no_answer(world: Source, run) -> None:
    cache.set("0123456789abcdef:home_weeks:1", [1])
    cache.set("of-somebody-else", 1)
    run()
    assert cache.get("0123456789abcdef:home_weeks:1") is None
    assert cache.get("of-somebody-else") == 1


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_it_says_in_one_line_that_the_source_cannot_be_asked(databases: None, arguments: tuple[str, ...]) -> None:
    code, stdout, stderr = manage("prove_erased", "--patient", "1", *arguments, POSTGRES_SECONDARY_DB="no_such")
    (line,) = stderr.splitlines()
    assert code == 1
    assert 'database "no_such" does not exist' in line
    assert ('database \\"no_such\\" does not exist' in stdout) is bool(arguments)


def test_it_refuses_a_number_that_nobody_can_have(databases: None) -> None:
    code, _, error = proved("--patient", str(2**31))
    assert (code, error) == (1, "2147483648 is no patient's number: they go from -2147483648 to 2147483647")


def test_it_erases_from_a_warehouse_that_is_cut_by_patient(world: Source, partitioned: Warehouse, run) -> None:
    insert_rejects(world)
    run()
    left = places("left")
    assert left["partitioned.step_result_fact.patient_id"] == 1
    assert left["partitioned.staging_survey_result.owner_id"] == 5
    delete_patient(world)
    run("run_pipeline", "--allow-deletes")
    said = found()
    assert (said["status"], said["run_id"]) == ("erased", PipelineRun.objects.latest("pk").pk)
