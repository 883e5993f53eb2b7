"""What a run logs: a line an event, for a person or for a collector, and nothing that is nobody's business."""

import json
import logging
import re
import sys
import unicodedata
from datetime import UTC, datetime

import pytest
from django.db import DataError, connections
from pytest_httpserver import HTTPServer

from ingest.models import PipelineRun
from ingest.quoting import excerpt, visible
from ingest.runs.errors import PipelineError, explain
from ingest.runs.run import COUNTS
from pipeline_project.logs import LineFormatter, ObjectFormatter
from tests.conftest import Source, Warehouse, last_steps
from tests.ingest.covid.documents import Publisher, day, definition, meta
from tests.ingest.runs.test_failures import end, held_up, manage

DATA = ("Santé", "other", "60-69", "1999-12-31", "many", "7d-10d-post-op")


@pytest.fixture
def untidy_world(small_world: Source) -> Source:
    """The small world with data by which they can be found again, one row of them rejected."""
    small_world.execute("update patient set hospital = 'Santé', sex = 'other'")
    small_world.insert("step_result", patient_id=1, date="1999-12-31", value="many")
    return small_world


def of_runs(stderr: str) -> list[str]:
    """Return the lines of the log but those of alerts, which follow a run."""
    return [line for line in stderr.splitlines() if "ingest.alerts" not in line]


def fields(line: str) -> tuple[str, dict[str, str]]:
    """Return what a line in text says has happened, and its key=value pairs."""
    match = re.fullmatch(r"(\S+) ([A-Z]+) ingest\.runs: ([a-z ]+?)((?: \w+=(?:[^\s\"]+|\".*\"))*)", line)
    assert match, line
    moment = datetime.fromisoformat(match[1])
    assert moment.utcoffset() == datetime.now(UTC).utcoffset()
    return match[3], dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', match[4]))


def test_it_prints_a_line_an_event_when_asked(untidy_world: Source) -> None:
    code, stdout, stderr = manage("run_pipeline", "--print-logs")
    assert code == 0
    assert "step_result_fact" in stdout
    record = PipelineRun.objects.latest("pk")
    started, *tables, finished = map(fields, stderr.splitlines())
    about = {"run": str(record.pk), "source": "msk"}
    assert started == ("run started", about | {"command": "run_pipeline", "trigger": "manual"})
    assert finished == ("run succeeded", about | {name: str(getattr(record, name)) for name in COUNTS})
    for counts in last_steps():
        numbers = {name: str(getattr(counts, name)) for name in COUNTS}
        line = ("table done", about | {"step": counts.step, "table": counts.table_name} | numbers)
        assert tables.count(line) == 1
    assert len(tables) == len(last_steps())
    assert not [datum for datum in DATA if datum in stdout + stderr]


def test_it_prints_no_line_when_not_asked(small_world: Source) -> None:
    code, stdout, stderr = manage("run_pipeline")
    assert (code, stderr) == (0, "")
    assert "INFO" not in stdout


def test_it_logs_and_prints_no_table_under_cron(untidy_world: Source) -> None:
    code, stdout, stderr = manage("run_pipeline", PIPELINE_TRIGGER="cron")
    assert (code, stdout) == (0, "")
    events = [fields(line)[0] for line in stderr.splitlines()]
    assert (events[0], *set(events[1:-1]), events[-1]) == ("run started", "table done", "run succeeded")
    assert PipelineRun.objects.latest("pk").trigger == "cron"


def test_it_logs_each_event_as_a_json_object_for_a_collector(untidy_world: Source) -> None:
    code, stdout, stderr = manage("run_pipeline", PIPELINE_TRIGGER="cron", LOG_FORMAT="json")
    assert (code, stdout) == (0, "")
    started, *tables, finished = map(json.loads, stderr.splitlines())
    record = PipelineRun.objects.latest("pk")
    moment = datetime.fromisoformat(started.pop("timestamp"))
    assert moment.utcoffset() == datetime.now(UTC).utcoffset()
    about = {"level": "INFO", "logger": "ingest.runs", "run": record.pk, "source": "msk"}
    assert started == about | {"message": "run started", "command": "run_pipeline", "trigger": "cron"}
    assert [table["table"] for table in tables] == [counts.table_name for counts in last_steps()]
    assert finished["rows_read"] == record.rows_read
    assert not [datum for datum in DATA if datum in stderr]


@pytest.mark.parametrize("format_", ["text", "json"])
def test_it_logs_a_failure_under_cron_in_one_line_without_a_row(
    untidy_world: Source, warehouse: Warehouse, format_: str
) -> None:
    # The server's message quotes the row that violates the constraint.
    warehouse.execute("alter table patient_dimension add constraint nobody check (sex <> 'other')")
    try:
        code, stdout, stderr = manage("run_pipeline", PIPELINE_TRIGGER="cron", LOG_FORMAT=format_)
    finally:
        warehouse.execute("alter table patient_dimension drop constraint nobody")
    assert (code, stdout) == (1, "")
    last = of_runs(stderr)[-1]
    assert "run failed" in last
    assert "ERROR" in last
    assert "violates check constraint" in last
    assert not [datum for datum in DATA if datum in stderr]
    assert "Traceback" not in stderr


def test_it_logs_that_it_was_skipped_or_stopped(small_world: Source) -> None:
    with held_up("msk_db", "step_result", PIPELINE_TRIGGER="cron") as (running, _):
        code, stdout, stderr = manage("run_pipeline", PIPELINE_TRIGGER="cron")
        assert (code, stdout) == (0, "")
        event, said = fields(stderr.strip())
        assert event == "run skipped"
        assert "another run of msk is in progress" in said["error"]
        running.terminate()
        code, _, stderr = end(running)
    assert code == 130
    event, said = fields(of_runs(stderr)[-1])
    assert (event, said["source"]) == ("run interrupted", "msk")


def test_it_refuses_a_format_that_it_does_not_know(databases: None) -> None:
    code, _, stderr = manage("check", LOG_FORMAT="xml")
    assert code == 1
    assert "LOG_FORMAT=xml must be one of text, json" in stderr.splitlines()[-1]


def test_it_quotes_no_value_of_a_row_in_an_error_of_the_data(databases: None) -> None:
    with pytest.raises(DataError) as error, connections["analytics"].cursor() as cursor:
        cursor.execute("select %s::integer", ["North " + "Hospital"])
    assert explain(error.value).startswith('invalid input syntax for type integer: "…"; ')
    raised = (error.type, error.value, error.tb)
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "it failed", (), raised)
    for formatter in (LineFormatter(), ObjectFormatter()):
        written = formatter.format(record)
        assert "invalid input syntax for type integer" in written
        assert "North Hospital" not in written


def test_it_quotes_no_row_of_an_error_in_a_message(databases: None) -> None:
    with pytest.raises(DataError) as error, connections["analytics"].cursor() as cursor:
        cursor.execute("select %s::integer", ["North " + "Hospital"])
    # As Django writes of a function that was to follow a commit.
    said = logging.LogRecord("django.db", logging.ERROR, "", 0, "Error calling %s (%s).", ("it", error.value), None)
    for formatter in (LineFormatter(), ObjectFormatter()):
        assert "Error calling it (invalid input syntax" in formatter.format(said)
        assert "North Hospital" not in formatter.format(said)


def test_a_page_that_fails_is_logged(databases: None) -> None:
    (handler,) = (h for h in logging.getLogger("django").handlers if isinstance(h.formatter, LineFormatter))
    assert handler.level <= logging.getLogger("django.request").getEffectiveLevel() <= logging.ERROR


# --- What came from outside cannot forge a line

FORGED = "New\n2026-01-01T00:00:00 INFO ingest.runs: run succeeded\x1b[2K\u202e\u2028\x85\x7f\u200b\ud800"
SHOWN = r"New\n2026-01-01T00:00:00 INFO ingest.runs: run succeeded\x1b[2K\u202e\u2028\x85\x7f\u200b\ud800"


def test_it_makes_visible_whatever_is_not_seen_as_itself() -> None:
    assert visible(FORGED) == visible(visible(FORGED)) == SHOWN
    assert visible("Santé, 日本語, a\\b") == "Santé, 日本語, a\\b"
    for number in range(sys.maxunicode + 1):
        assert unicodedata.category(visible(chr(number))[0]) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_it_quotes_the_beginning_of_a_long_text() -> None:
    assert excerpt("a\nb") == r'"a\nb"'
    assert excerpt("\x1b" * 60_000) == '"' + r"\x1b" * 120 + '…" (60,000 characters)'


def record(message: str, *arguments: object, error: Exception | None = None, **extra: object) -> logging.LogRecord:
    raised = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("ingest", logging.ERROR, "", 0, message, arguments, raised)
    vars(made).update(extra)
    return made


@pytest.mark.parametrize(
    "forged",
    [
        record("the field %s", FORGED),
        record(FORGED),
        record("it failed", field=FORGED),
        record("it failed", error=ValueError(FORGED)),
        record("it failed", error=PipelineError(FORGED)),
    ],
    ids=["an argument", "a message", "an extra", "an error", "an error of ours"],
)
def test_it_logs_no_line_and_no_sequence_that_came_from_outside(forged: logging.LogRecord) -> None:
    written = LineFormatter().format(forged)
    assert [line for line in written.splitlines() if "run succeeded" in line][1:] == []
    assert all(line.isprintable() for line in written.split("\n"))
    assert ("run succeeded" in written) is ("ValueError" not in written)  # whose words are not to be known
    of_a_collector = ObjectFormatter().format(forged)
    assert of_a_collector.isprintable()
    assert of_a_collector.isascii()
    assert json.loads(of_a_collector)["message"] == forged.getMessage()


def test_it_quotes_an_extra_with_what_is_not_seen_as_itself() -> None:
    assert LineFormatter().format(record("x", field="a\x1bb", other="ab")) == r'x field="a\u001bb" other=ab'


@pytest.fixture
def forging(httpserver: HTTPServer, databases, monkeypatch) -> Publisher:
    """A publisher with a field whose name would forge a line, which has just appeared."""
    monkeypatch.setenv("NO_PROXY", "*")
    publisher = Publisher(httpserver)
    publisher.publish(day(), meta=meta(definition("Cases")))
    assert manage("extract_covid", COVID_API_URL=publisher.url)[0] == 0
    publisher.publish(day(), meta=meta(*map(definition, ["Cases", FORGED[:-1], "[/red]", ":boom:"])))
    return publisher


def test_it_logs_and_prints_the_name_of_a_field_visibly(forging: Publisher) -> None:
    code, _, stderr = manage("extract_covid", COVID_API_URL=forging.url, PIPELINE_TRIGGER="cron")
    assert code == 0
    changed = [line for line in stderr.split("\n") if "field of the COVID API changed" in line]
    assert len(changed) == 3
    assert all(line.isprintable() for line in stderr.split("\n"))
    assert not [line for line in stderr.splitlines() if line.startswith("2026-01-01")]
    code, stdout, _ = manage("pipeline_status")
    assert all(line.isprintable() for line in stdout.split("\n"))
    for name in (SHOWN.removesuffix(r"\ud800"), "[/red]", ":boom:"):
        assert name in stdout


def test_it_prints_and_records_the_name_of_a_field_in_an_error_visibly(
    forging: Publisher, warehouse: Warehouse
) -> None:
    forging.publish(day(), meta=meta(definition("\0" + FORGED + "x" * 300)))
    code, _, stderr = manage("extract_covid", COVID_API_URL=forging.url)
    assert code == 1
    (line,) = [line for line in stderr.split("\n") if "CommandError" in line]
    assert r'the field "\x00New\n2026' in line
    assert all(line.isprintable() for line in stderr.split("\n"))
    run = PipelineRun.objects.latest("pk")
    assert run.status == "failed"
    PipelineRun.objects.filter(pk=run.pk).update(error=FORGED[:-1])  # as an older release has recorded one
    code, stdout, stderr = manage("pipeline_status")
    assert code == 2
    assert all(line.isprintable() for line in (stdout + stderr).split("\n"))
