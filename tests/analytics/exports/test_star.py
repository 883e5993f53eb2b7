"""The star as files: each row of each table as it is, of one moment, and nothing at all when that cannot be had."""

import os
import resource
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError

from analytics.exports.star import FORMATS
from ingest.models import LoadState
from tests.analytics.exports.conftest import KINDS, STAR, columns, csv_rows, files, in_star
from tests.conftest import Source, Warehouse
from tests.ingest.runs.test_failures import (
    backends,
    end,
    held_up,
    loaded,
    only_line,
    process,
    terminate,
    wait_for,
)
from tests.ingest.test_source import Contents

__all__ = ["loaded"]  # the fixture

Folder = Path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder that is not there yet, nor is the one that it is in."""
    return tmp_path / "exports" / "Ünï 'quoted' {rows}"


@pytest.mark.parametrize("form", FORMATS)
def test_it_writes_every_row_of_every_table_as_it_is(
    awkward: None, warehouse: Warehouse, run, folder: Folder, form: str
) -> None:
    run("export_star", "--output", str(folder), "--format", form)
    written = {"star.duckdb"} if form == "duckdb" else {f"{table}.{form}" for table in STAR}
    assert {path.name for path in folder.iterdir()} == written | {"README.md"}
    with files(folder, form, warehouse) as read:
        for table in STAR:
            rows = in_star(warehouse, table)
            assert read.rows(table) == rows, table
            assert rows, table


@pytest.mark.parametrize("form", ["parquet", "duckdb"])
def test_it_keeps_the_type_of_every_column(awkward: None, warehouse: Warehouse, run, folder: Folder, form: str) -> None:
    run("export_star", "--output", str(folder), "--format", form)
    with files(folder, form, warehouse) as read:
        for table in STAR:
            expected = {name: KINDS[kind] for name, kind in columns(warehouse, table).items()}
            found = {name: kind.partition("(")[0] for name, kind in read.kinds(table).items()}
            assert list(found.items()) == list(expected.items()), table


def test_it_writes_parquet_if_nothing_is_said(small_world: Source, run, folder: Folder) -> None:
    run()
    run("export_star", "--output", str(folder))
    assert {path.suffix for path in folder.iterdir()} == {".parquet", ".md"}


@pytest.mark.parametrize("form", FORMATS)
def test_it_loses_no_digit_of_a_number(warehouse: Warehouse, run, folder: Folder, form: str) -> None:
    numbers = ["0.0000000001234567", "-9223372036854775807.5", "100"]
    too_long = ["1234567890123456789.12345678901234567890123", "-1e-30"]
    for number, (short, long) in enumerate(zip([*numbers], [*too_long, "7"], strict=True)):
        warehouse.execute(
            "insert into cases_fact (cases_id, total_cases, population_percent, seven_day_change_percent)"
            " values (('00000000-0000-0000-0000-00000000000' || %s)::uuid, %s, %s, %s)",
            *(number, 2**63 - 1, short, long),
        )
    run("export_star", "--output", str(folder), "--format", form)
    with files(folder, form, warehouse) as read:
        if form == "csv":
            rows = [(row[2], row[4]) for row in csv_rows(folder / "cases_fact.csv")[1:]]
        else:
            kinds = read.kinds("cases_fact")
            assert kinds["population_percent"].startswith("DECIMAL(38,")
            assert kinds["seven_day_change_percent"] == "VARCHAR"  # it has no room for these: they stay what they are
            rows = [(row[2], row[4]) for row in read.rows("cases_fact")]
    assert sorted(Decimal(short) for short, _ in rows) == sorted(map(Decimal, numbers))
    assert {Decimal(long) for _, long in rows} == {*map(Decimal, too_long), Decimal(7)}


def test_its_csv_tells_a_null_from_an_empty_text_and_times_with_their_zone(
    small_world: Source, run, folder: Folder
) -> None:
    small_world.execute("update device set platform = '', os_version = null")
    small_world.insert_survey_result(end_time="2024-03-08 09:05:00.25", score_value=None)
    run()
    run("export_star", "--output", str(folder), "--format", "csv")
    assert (folder / "device_dimension.csv").read_bytes() == b'device_id,platform,os_version\n1,"",\n'
    assert (folder / "survey_dimension.csv").read_text() == (
        'survey_id,slug,version,tags\n1,"pain","1","[""short""]"\n'
    )
    head, row = csv_rows(folder / "survey_result_fact.csv")
    assert dict(zip(head, row, strict=True)) | {"survey_result_id": "1", "score_value": ""} == {
        **dict.fromkeys(("survey_result_id", "patient_journey_id", "patient_id", "survey_id", "activity_id"), "1"),
        "device_id": "1",
        "score_value": "",
        "duration_seconds": "300",
        "start_time": "2024-03-08T09:00:00+00:00",
        "end_time": "2024-03-08T09:05:00.25+00:00",
    }
    assert csv_rows(folder / "date_dimension.csv")[1][-1] == "false"


@pytest.mark.parametrize("form", FORMATS)
def test_it_writes_an_empty_warehouse_too(warehouse: Warehouse, run, folder: Folder, form: str) -> None:
    said = run("export_star", "--output", str(folder), "--format", form)
    assert f"{len(STAR)} tables are in {folder}" in said
    with files(folder, form, warehouse) as read:
        assert {table: list(read.rows(table)) for table in STAR} == {table: [] for table in STAR}
        assert list(read.kinds("step_result_fact")) == ["id", "patient_id", "date", "steps"]
    assert "| none | never | |" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_its_tables_are_of_one_moment(
    loaded: Contents, small_world: Source, warehouse: Warehouse, folder: Folder, form: str
) -> None:
    before = {table: in_star(warehouse, table) for table in STAR}
    loaded_at = f"{LoadState.objects.get(source='msk').loaded_at:%Y-%m-%d %H:%M:%S} UTC"
    command = ("export_star", "--output", str(folder), "--format", form)
    with held_up("analytics", "patient_dimension", command=command) as (running, go_on):
        # Of the tables that it has written and of those that it has not, as a load would that ends now.
        warehouse.execute(
            """
            update activity_dimension set content_slug = 'other';
            delete from step_result_fact;
            insert into survey_dimension (survey_id) values (2);
            update load_state set loaded_at = loaded_at + interval '1 hour'
            """
        )
        go_on()
        code, _, error = end(running)
        assert code == 0, error
    with files(folder, form, warehouse) as read:
        assert {table: read.rows(table) for table in STAR} == before
    assert loaded_at in (folder / "README.md").read_text(encoding="utf-8")


# --- What explains the files


@pytest.mark.parametrize("form", FORMATS)
def test_it_explains_the_files_beside_them(awkward: None, warehouse: Warehouse, run, folder: Folder, form: str) -> None:
    run("export_star", "--output", str(folder), "--format", form)
    text = (folder / "README.md").read_text(encoding="utf-8")
    for source, run_id, loaded_at in LoadState.objects.values_list("source", "run_id", "loaded_at"):
        assert f"| {source} | {loaded_at:%Y-%m-%d %H:%M:%S} UTC | {run_id} |" in text
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}
    assert list(sections) == STAR
    described = warehouse.execute(
        """
        select table_name, column_name, col_description(table_name::regclass, ordinal_position::integer)
          from information_schema.columns
         where table_schema = 'public' and table_name = any(%s)
         order by table_name, ordinal_position
        """,
        STAR,
    )
    listed = []
    for table, section in sections.items():
        assert f"\n{warehouse.value('select obj_description(%s::regclass)', table)}.\n" in section
        assert f"\n{warehouse.value(f'select count(*) from {table}'):,} rows; key: " in section
        rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
        listed += [(table, row[0], row[-1]) for row in rows]
    assert listed == described
    assert "key: patient_id, date.\n" in sections["step_result_fact"]
    assert "key: patient_journey_id, activity_id, patient_id.\n" in sections["adherence_fact"]
    assert "key: cases_id.\n" in sections["cases_fact"]
    assert (
        "key: id. A view of activity_completion_fact, patient_journey_schedule_window, as it was then."
        in sections["activity_adherence"]
    )
    assert ("a spreadsheet may calculate it" in text) == (form == "csv")


def test_its_database_says_what_each_column_means(
    small_world: Source, warehouse: Warehouse, run, folder: Folder
) -> None:
    run()
    run("export_star", "--output", str(folder), "--format", "duckdb")
    with files(folder, "duckdb", warehouse) as read:
        comments = dict(
            read.duck.execute(
                "select column_name, comment from duckdb_columns() where table_name = 'step_result_fact'"
            ).fetchall()
        )
        ((table,),) = read.duck.execute(
            "select comment from duckdb_tables() where table_name = 'step_result_fact'"
        ).fetchall()
    assert comments["steps"] == "Steps walked that day; the highest where the source has several"
    assert table == "Steps walked; one row a patient and day"


# --- Refusals, and failures that leave nothing


@pytest.mark.parametrize("entry", ["kept.txt", ".hidden", "folder/kept.txt"])
def test_it_refuses_a_folder_that_is_not_empty(warehouse: Warehouse, run, tmp_path: Path, entry: str) -> None:
    kept = tmp_path / entry
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    with pytest.raises(CommandError, match="is not empty: name an empty folder, or one that is not there yet"):
        run("export_star", "--output", str(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]
    assert kept.read_text() == "mine"


@pytest.mark.parametrize("beyond", ["", "below/it"])
def test_it_refuses_what_is_no_folder(warehouse: Warehouse, run, tmp_path: Path, beyond: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(CommandError, match=r"cannot be a folder for the star: .*; name another one"):
        run("export_star", "--output", str(file / beyond))
    assert file.read_text() == "mine"


def test_it_takes_an_empty_folder_that_is_there(small_world: Source, run, tmp_path: Path) -> None:
    run()
    run("export_star", "--output", str(tmp_path))
    assert (tmp_path / "step_result_fact.parquet").stat().st_size


@pytest.mark.parametrize("form", FORMATS)
def test_its_files_are_for_nobody_else_to_read(small_world: Source, run, folder: Folder, form: str) -> None:
    run()
    before = os.umask(0o022)
    try:
        run("export_star", "--output", str(folder), "--format", form)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (folder, folder.parent)} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_it_says_what_a_killed_export_left(warehouse: Warehouse, run, tmp_path: Path) -> None:
    (tmp_path / ".unfinished").mkdir()
    with pytest.raises(CommandError, match=r"is not empty: \.unfinished in it is of an export that was killed or is"):
        run("export_star", "--output", str(tmp_path))


@pytest.mark.parametrize("form", FORMATS)
def test_it_leaves_nothing_when_the_database_fails_midway(
    awkward: None, warehouse: Warehouse, run, folder: Folder, tmp_path: Path, form: str
) -> None:
    warehouse.execute(
        """
        alter table step_result_fact rename to kept;
        create view step_result_fact as
        select id, patient_id, date, steps from kept where 1 / (steps - 2147483647) is not null
        """
    )
    try:
        for place in (folder, tmp_path):
            with pytest.raises(CommandError, match=r"^division by zero"):
                run("export_star", "--output", str(place), "--format", form)
            assert list(tmp_path.iterdir()) == []
    finally:
        warehouse.execute("drop view step_result_fact; alter table kept rename to step_result_fact")


def test_it_leaves_nothing_when_its_connection_breaks(loaded: Contents, tmp_path: Path, folder: Folder) -> None:
    command = ("export_star", "--output", str(folder))
    with held_up("analytics", "patient_dimension", command=command) as (running, _):
        assert len(list(folder.iterdir())) == 1  # it has begun
        terminate("analytics")
        assert "is the server up and reachable" in only_line(end(running))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_it_leaves_nothing_when_the_disk_is_full(awkward: None, tmp_path: Path, folder: Folder, form: str) -> None:
    with process("export_star", "--output", str(folder), "--format", form) as running:
        # No file of the process may grow beyond this: each of the formats has one that would.
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))
        line = only_line(end(running))
    assert f"the star was not written into {folder}: " in line
    assert "see that it may be written to and has room, and run the command again" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_nothing_when_it_is_stopped(
    loaded: Contents, tmp_path: Path, folder: Folder, stop: signal.Signals
) -> None:
    command = ("export_star", "--output", str(folder))
    with held_up("analytics", "patient_dimension", command=command) as (running, _):
        running.send_signal(stop)
        assert only_line(end(running), code=130) == "CommandError: interrupted. Nothing was written."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_it_stops_amid_a_table_too(
    loaded: Contents, warehouse: Warehouse, tmp_path: Path, folder: Folder, form: str
) -> None:
    warehouse.execute(
        """
        alter table date_dimension rename to kept;
        create view date_dimension as select * from kept where pg_sleep(1) is not null
        """
    )
    try:
        with process("export_star", "--output", str(folder), "--format", form) as running:
            wait_for(lambda: backends("analytics", "wait_event = 'PgSleep' and query ilike 'copy %'"))
            running.send_signal(signal.SIGTERM)
            assert only_line(end(running), code=130) == "CommandError: interrupted. Nothing was written."
        assert list(tmp_path.iterdir()) == []
        wait_for(lambda: not backends("analytics"))
    finally:
        warehouse.execute("drop view date_dimension; alter table kept rename to date_dimension")
