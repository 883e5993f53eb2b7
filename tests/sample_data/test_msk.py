"""The made-up msk_db: repeatable, complete, untidy in every way it promises, and of constant memory."""

import filecmp
import io
import os
import re
import sys
import tracemalloc
from datetime import date
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from django.core.management import CommandError, call_command

from sample_data.generator import catalogue, dump, msk
from tests.conftest import SAMPLE

Record = dict[str, str | None]
UNESCAPED = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
INTEGER_MAX = 2_147_483_647


def unescape(field: str) -> str | None:
    """Return what PostgreSQL reads from a field of COPY's text format."""
    if field == r"\N":
        return None
    return re.sub(r"\\(.)", lambda match: UNESCAPED.get(match[1], match[1]), field)


def read_copy(sql: str) -> dict[str, list[Record]]:
    """Return the rows of each COPY block, their values as PostgreSQL reads them."""
    tables = {}
    for table, names, block in re.findall(
        r"^COPY public\.(\w+) \(([^)]*)\) FROM stdin;\n(.*?)^\\\.$", sql, re.M | re.S
    ):
        fields = [map(unescape, line.split("\t")) for line in block.split("\n")[:-1]]
        tables[table] = [dict(zip(names.split(", "), values, strict=True)) for values in fields]
    return tables


def make_tables(patients: int, days: int, seed: int) -> dict[str, list[Record]]:
    return read_copy("".join(msk.msk_sql(patients, days, seed)))


def ids(rows: list[Record]) -> set[str | None]:
    return {row["id"] for row in rows}


@pytest.fixture(scope="module")
def tables() -> dict[str, list[Record]]:
    """The promise is that 200 patients meet every flaw, however few the days."""
    return make_tables(200, 3, 1)


def test_it_gives_other_data_for_another_seed():
    one, other = (make_tables(30, 20, seed) for seed in (5, 6))
    for table in ("patient", "patient_journey", "step_result", "survey_result"):
        assert one[table] != other[table]


def test_it_leaves_a_patient_alone_when_there_are_more_patients():
    few, many = (make_tables(patients, 20, 5) for patients in (10, 20))
    assert few["patient"] == many["patient"][:10]
    assert few["step_result"] == many["step_result"][: len(few["step_result"])]


def test_it_fills_all_ten_tables(tables):
    assert list(tables) == list(dump.COLUMNS)
    assert all(tables.values())
    assert len(tables) == 10
    assert len(tables["patient"]) == 200


@pytest.mark.parametrize("patients", [1, 2])
@pytest.mark.parametrize("days", [1, 400])
def test_it_makes_the_smallest_of_samples(patients, days):
    tables = make_tables(patients, days, 1)
    calendar = {day for day, _ in msk.Sample(1, days, 1).calendar}
    assert len(tables["patient"]) == patients
    assert {row["date"] for row in tables["step_result"]} <= calendar


def test_it_gives_a_key_to_the_tables_with_an_id_only():
    sql = "".join(msk.msk_sql(1, 1, 1))
    keys = r"ALTER TABLE ONLY public\.(\w+)\n    ADD CONSTRAINT \1_pkey PRIMARY KEY \(id\);"
    assert set(re.findall(keys, sql)) == set(dump.COLUMNS) - {"journey_activity", "step_result"}
    assert sql.count("CREATE TABLE") == 10
    assert "OWNER" not in sql
    assert "FOREIGN KEY" not in sql


def test_it_never_repeats_an_id(tables):
    for table, rows in tables.items():
        if "id" in rows[0]:
            assert len(ids(rows)) == len(rows), table


def test_it_has_no_activity_in_the_future(tables):
    last = msk.END_DATE.isoformat()
    assert max(row["date"] or "" for row in tables["step_result"]) == last
    assert max(row["end_time"] or "" for row in tables["survey_result"])[:10] <= last


def test_it_orders_the_milestones_of_a_journey(tables):
    for row in tables["patient_journey"]:
        names = ("invitation_date", "registration_date", "operation_date", "discharge_date")
        dates = [row[name] for name in names if row[name]]
        assert dates == sorted(dates)


def test_it_has_most_survey_results_on_time():
    sample = msk.Sample(200, 1, 1)
    in_window = []
    for patient_id in range(1, sample.patients + 1):
        journeys = {row["id"]: row for row in msk.patient_journeys(sample, patient_id)}
        for row in msk.survey_results(sample, patient_id):
            window = catalogue.ACTIVITIES[row["activity_id"] - 1].window
            milestone: date = journeys[row["patient_journey_id"]][f"{window.milestone}_date"]
            day = (row["end_time"].date() - milestone).days
            in_window.append(window.first_day <= day <= window.last_day)
    assert 0.75 < sum(in_window) / len(in_window) < 0.95
    assert 10 <= len(in_window) / sample.patients <= 14


def test_it_has_a_few_orphans_in_each_reference(tables):
    references = [
        ([row[column] for row in rows], ids(tables[column.removesuffix("_id")]))
        for rows in tables.values()
        for column in rows[0]
        if column.endswith("_id") and column != "clinician_id"
    ]
    assert len(references) == 10
    for keys, parents in references:
        assert 0 < sum(key not in parents | {None} for key in keys) < len(keys) / 20


def test_it_has_nulls_and_values_in_each_column_but_these(tables):
    never_null = set()
    for table, rows in tables.items():
        for column in rows[0].keys() - {"id"}:
            values = {row[column] for row in rows}
            assert values != {None}
            if None not in values:
                never_null.add((table, column))
    assert never_null == {("journey", "abbreviation"), ("survey", "slug")}


def test_it_has_steps_that_are_no_plain_number(tables):
    untidy = {"n/a", "", "12.5", "1,024", "NaN", "-40", "99999999999", " 5120 "}
    assert untidy <= {row["value"] for row in tables["step_result"]}


def test_it_has_several_rows_for_a_patients_day(tables):
    values: dict[tuple[str | None, str | None], list[str | None]] = {}
    for row in tables["step_result"]:
        values.setdefault((row["patient_id"], row["date"]), []).append(row["value"])
    repeated = [day for day in values.values() if len(day) > 1]
    assert any(len(set(day)) == 1 for day in repeated)
    assert any(len(set(day)) > 1 for day in repeated)


@pytest.mark.parametrize("table", ["journey_activity", "survey_result"])
def test_it_repeats_an_activity_within_a_journey(tables, table):
    journey = "patient_journey_id" if table == "survey_result" else "journey_id"
    pairs = [(row[journey], row["activity_id"]) for row in tables[table]]
    assert len(set(pairs)) < len(pairs)


def test_it_has_survey_results_that_end_before_they_start(tables):
    both = [(row["start_time"], row["end_time"]) for row in tables["survey_result"]]
    assert any(start and end and end < start for start, end in both)


def test_it_has_times_with_and_without_microseconds(tables):
    starts = [row["start_time"] for row in tables["survey_result"] if row["start_time"]]
    assert 0 < sum("." in start for start in starts) < len(starts) / 2


def test_it_has_slugs_of_every_spelling(tables):
    slugs = {row["slug"] for row in tables["schedule"]}
    assert {"7D-10D-POST-OP", "2w_post_op", "2w post op", "2w.post.op", "", None, "baseline"} <= slugs
    assert 25 <= len(tables["schedule"]) == len(slugs) <= 60


def test_it_uses_every_schedule_in_some_journey(tables):
    used = {row["activity_id"] for row in tables["journey_activity"]}
    assert ids(tables["schedule"]) <= {row["schedule_id"] for row in tables["activity"] if row["id"] in used}


def test_it_has_names_that_are_awkward(tables):
    names = {row["hospital"] for row in tables["patient"]}
    assert {r"\N", r"\.", "", "  Zürich "} <= names
    assert set("\"'\t\n\r\\🏥ô") <= set("".join(filter(None, names)))


def test_it_has_tags_that_need_quotes(tables):
    tags = {row["tags"] for row in tables["survey"]}
    assert {"{}", '{"NULL",""}', r'{"say \"hi\"","comma, brace}"}'} <= tags
    assert any(r"back\\slash" in (tag or "") for tag in tags)


def test_it_fits_the_integers_of_the_source(tables):
    for table, rows in tables.items():
        for column, kind in dump.COLUMNS[table].items():
            if kind in ("pk", "int"):
                assert all(row[column] is None or 0 < int(row[column]) <= INTEGER_MAX for row in rows), column


@pytest.mark.parametrize("value", [None, r"\N", "a\tb\\n\nc\r", "\\", "é🦴", ""])
def test_it_escapes_so_that_copy_reads_the_same(value):
    assert unescape(dump.copy_text(value)) == value


def test_it_needs_no_more_memory_for_more_patients():
    def peak(patients: int) -> int:
        tracemalloc.start()
        for _ in msk.msk_sql(patients, 60, 1):
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(5)  # what is made once, such as compiled expressions
    assert peak(500) < 1.5 * peak(50)


# --- The command


def make(*args: str, **options: object) -> str:
    """Return what the command prints."""
    out = io.StringIO()
    call_command("make_sample_data", *args, stdout=out, **options)
    return out.getvalue()


def test_it_wrote_the_committed_sample(tmp_path: Path):
    path = tmp_path / "msk_db.sql"
    make("--patients=200", "--days=365", "--seed=1", f"--output={path}")
    assert filecmp.cmp(path, SAMPLE, shallow=False)


def test_it_prints_without_an_output_file():
    assert make("--patients=3", "--days=4", "--seed=5") == "".join(msk.msk_sql(3, 4, 5))


def test_it_writes_a_file_and_nothing_beside_it(tmp_path: Path):
    path = tmp_path / "msk_db.sql"
    path.write_text("old")
    assert make("--patients=3", "--days=4", "--seed=5", f"--output={path}") == ""
    assert path.read_bytes() == "".join(msk.msk_sql(3, 4, 5)).encode()
    assert list(tmp_path.iterdir()) == [path]


def test_it_keeps_the_old_file_when_it_fails_midway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*args: int):
        yield "half"
        raise RuntimeError

    monkeypatch.setattr("ingest.management.commands.make_sample_data.msk_sql", broken)
    path = tmp_path / "msk_db.sql"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        make("--patients=3", "--days=4", "--seed=5", f"--output={path}")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patients": 0}, "--patients must be 1 to 50000000, not 0"),
        ({"patients": 50_000_001}, "--patients must be 1 to 50000000, not 50000001"),
        ({"days": -1}, "--days must be 1 to 36500, not -1"),
        ({"days": 36_501}, "--days must be 1 to 36500, not 36501"),
        ({"patients": "many"}, "argument --patients: invalid int value: 'many'"),
    ],
)
def test_it_refuses_impossible_numbers(wrong: dict[str, object], message: str):
    with pytest.raises(CommandError, match=re.escape(message)):
        make(**{"patients": 3, "days": 4, "seed": 5} | wrong)


@pytest.mark.parametrize("where", ["missing/msk_db.sql", "file/msk_db.sql", ""])
def test_it_says_in_one_line_that_it_cannot_write(tmp_path: Path, where: str):
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"^Cannot write .*: [^\n]+$"):
        make("--patients=3", "--days=4", "--seed=5", f"--output={tmp_path / where}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_it_does_not_replace_a_device():
    with pytest.raises(CommandError, match="not a file"):
        make("--patients=3", "--days=4", "--seed=5", f"--output={os.devnull}")


def test_it_ends_quietly_when_its_reader_leaves():
    command = [sys.executable, "-m", "django", "make_sample_data", "--patients=500", "--days=90", "--seed=1"]
    environment = {"DJANGO_SETTINGS_MODULE": "pipeline_project.settings", "PYTHONIOENCODING": "ascii"}
    with Popen(command, env=os.environ | environment, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"--\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
