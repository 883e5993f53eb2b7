"""extract_covid: what it keeps of the documents, what it asks for, and what it refuses."""

import json
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from pytest_httpserver import HTTPServer
from werkzeug import Response

from ingest.covid import extract
from ingest.covid.client import CovidClient
from ingest.covid.content import MAX_DAYS
from ingest.models import PipelineRun
from ingest.runs.run import COUNTS, pipeline_run
from tests.conftest import Warehouse, last_steps
from tests.ingest.covid.documents import GONE, META, Publisher, day, days, document, history, without_quotes
from tests.ingest.runs.test_failures import free_port
from tests.ingest.test_staging import versions

Versions = dict[str, list]


@pytest.fixture
def publisher(httpserver: HTTPServer, settings, monkeypatch) -> Publisher:
    """The API that the commands ask, which is tried again at once when it is unwell."""
    publisher = Publisher(httpserver)
    settings.COVID_API_URL = publisher.url
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(extract, "CovidClient", partial(CovidClient, retries=2, backoff_seconds=0))
    return publisher


@pytest.fixture
def loaded(publisher: Publisher, warehouse: Warehouse, run) -> Versions:
    """The warehouse's rows after three days were loaded."""
    publisher.publish(*days(3))
    run("run_pipeline", "--only", "covid")
    assert warehouse.value("select count(*) from cases_fact") == 3
    return versions(warehouse)


def refusal(run, *command: str) -> str:
    """Return the one line with which a command fails that leaves the warehouse as it was."""
    with pytest.raises(CommandError) as failure:
        run(*command)
    assert PipelineRun.objects.latest("pk").status == "failed"
    (line,) = str(failure.value).splitlines()
    assert line.endswith("The warehouse is as it was.")
    return line


def counts(table: str = "covid_day", step: str = "extract_covid") -> dict[str, int]:
    """Return what the last run did to a table, without bytes and seconds."""
    (found,) = last_steps(step=step, table_name=table)
    numbers = {name: getattr(found, name) for name in COUNTS[:5]}
    return {name: number for name, number in numbers.items() if number}


def is_empty(warehouse: Warehouse) -> bool:
    """Tell whether nothing of a document was kept."""
    tables = ("staging_covid_day", "staging_covid_document", "staging_covid_definition", "schema_change")
    return not any(warehouse.value(f"select count(*) from {table}") for table in tables)


# --- What it keeps


def test_it_keeps_each_day_of_the_history_with_its_origin(publisher: Publisher, warehouse: Warehouse, run) -> None:
    publisher.publish(*days(3))
    before = datetime.now(UTC)
    run("extract_covid")
    rows = warehouse.execute("select url, position, document, fetched_at from staging_covid_day order by position")
    url = f"{publisher.url}/us/daily.json"
    assert [row[:3] for row in rows] == [(url, number, content) for number, content in enumerate(days(3))]
    assert all(before < fetched_at < datetime.now(UTC) for *_, fetched_at in rows)
    assert warehouse.value(
        "select count(*) from staging_covid_day"
        " where sha256 = encode(sha256(convert_to(document::text, 'UTF8')), 'hex')"
    ) == len(rows)
    assert counts() == {"rows_read": 3, "inserted": 3}


def test_it_keeps_the_digest_of_the_bytes_of_a_document(publisher: Publisher, warehouse: Warehouse, run) -> None:
    publisher.publish(*days(3))
    run("extract_covid")
    ((url, sha256, etag),) = warehouse.execute("select url, sha256, etag from staging_covid_document")
    assert url == f"{publisher.url}/us/daily.json"
    assert sha256 == warehouse.value("select encode(sha256(%s), 'hex')", history(*days(3)))
    assert etag


def test_it_asks_once_for_all_days_and_again_only_whether_they_are_the_same(
    publisher: Publisher, warehouse: Warehouse, run
) -> None:
    publisher.publish(*days(30))
    with publisher.counted() as requests:
        run("run_pipeline", "--only", "covid")
        before = versions(warehouse)
        run("run_pipeline", "--only", "covid")
    assert requests == [("/v2/us/daily.json", 200), ("/v2/us/daily.json", 304)]
    assert versions(warehouse) == before
    assert counts() == {}


def test_it_reads_the_whole_history_when_asked_to(loaded: Versions, publisher: Publisher, warehouse, run) -> None:
    with publisher.counted() as requests:
        run("extract_covid", "--all")
    assert requests == [("/v2/us/daily.json", 200)]
    assert counts() == {"rows_read": 3}
    assert versions(warehouse) == loaded


def test_it_asks_through_a_redirect_whether_the_history_is_the_same(publisher: Publisher, settings, run) -> None:
    publisher.publish(*days(3))
    publisher.server.expect_request("/old/us/daily.json").respond_with_response(
        Response(status=301, headers={"Location": "/v2/us/daily.json"})
    )
    settings.COVID_API_URL = publisher.server.url_for("/old")
    with publisher.counted() as requests:
        run("extract_covid")
        run("extract_covid")
    assert [status for _, status in requests] == [301, 200, 301, 304]


def test_it_learns_that_the_server_calls_the_same_version_by_another_name(
    httpserver, publisher, warehouse, run
) -> None:
    httpserver.clear()
    for etag in ('"a"', '"b"', '"b"'):
        history_of_three = httpserver.expect_ordered_request("/v2/us/daily.json")
        history_of_three.respond_with_data(WHOLE, headers={"ETag": etag})
    for _ in range(3):
        run("extract_covid")
    asked = [request.headers.get("If-None-Match") for request, _ in httpserver.log]
    assert asked == [None, '"a"', '"b"']
    assert warehouse.value("select count(distinct fetched_at) from staging_covid_day") == 1


@pytest.mark.parametrize("etag", ["\x0bv1", "\x1b[2J", "\u0142", "x" * 60_000])
def test_it_asks_without_condition_where_an_older_release_kept_what_cannot_be_sent_back(
    publisher: Publisher, warehouse: Warehouse, run, etag: str
) -> None:
    publisher.publish(*days(3))
    run("extract_covid")
    warehouse.execute("update staging_covid_document set etag = %s, last_modified = %s", etag, etag)
    with publisher.counted() as requests:
        run("extract_covid")
        run("extract_covid")
    assert [status for _, status in requests] == [200, 304]


def test_it_goes_on_where_the_server_says_what_cannot_be_kept(httpserver, publisher, warehouse: Warehouse, run) -> None:
    httpserver.clear()
    httpserver.expect_request("/v2/us/daily.json").respond_with_data(WHOLE, headers={"ETag": "\x0bv1"})
    for _ in range(3):
        run("extract_covid")
    assert warehouse.value("select count(*) from staging_covid_day") == 3
    assert warehouse.execute("select etag from staging_covid_document") == [(None,)]


def test_it_fetches_one_day(publisher: Publisher, warehouse: Warehouse, run) -> None:
    publisher.publish(*days(3))
    with publisher.counted() as requests:
        run("extract_covid", "--date", "2021-03-06")
    assert requests == [("/v2/us/daily/2021-03-06.json", 200)]
    assert warehouse.value("select document from staging_covid_day") == day("2021-03-06")


def test_it_fetches_the_one_day_that_a_caller_names(publisher: Publisher, warehouse: Warehouse) -> None:
    publisher.publish(*days(3))
    with publisher.counted() as requests, pipeline_run("extract_covid", "covid") as one_run:
        extract.extract_covid(one_run, [date(2021, 3, 6)])
    assert requests == [("/v2/us/daily/2021-03-06.json", 200)]
    assert warehouse.value("select document from staging_covid_day") == day("2021-03-06")


def test_it_fetches_days_one_by_one_and_passes_over_those_that_are_not_published(
    publisher: Publisher, warehouse: Warehouse, run
) -> None:
    publisher.publish(*days(3))
    with publisher.counted() as requests:
        run("extract_covid", "--from", "2021-03-04", "--to", "2021-03-08")
    assert requests == [
        ("/v2/us/daily/2021-03-04.json", 404),
        ("/v2/us/daily/2021-03-05.json", 200),
        ("/v2/us/daily/2021-03-06.json", 200),
        ("/v2/us/daily/2021-03-07.json", 200),
        ("/v2/us/daily/2021-03-08.json", 404),
    ]
    assert counts() == {"rows_read": 3, "inserted": 3}


def test_it_keeps_nothing_twice_whether_it_comes_singly_or_in_the_history(
    loaded: Versions, publisher: Publisher, warehouse: Warehouse, run
) -> None:
    run("extract_covid", "--from", "2021-03-05", "--to", "2021-03-07")
    assert counts() == {"rows_read": 3}
    assert versions(warehouse)["staging_covid_day"] == loaded["staging_covid_day"]


def test_it_reads_a_folder_as_it_reads_a_server(
    publisher: Publisher, warehouse: Warehouse, run, settings, tmp_path: Path
) -> None:
    publisher.publish(*days(3))
    (tmp_path / "us" / "daily").mkdir(parents=True)
    for name, body in publisher.documents.items():
        (tmp_path / "us" / f"daily{name}.json").write_bytes(body)
    for address in (str(tmp_path), tmp_path.as_uri()):
        settings.COVID_API_URL = address
        for options in ([], ["--all"], ["--from", "2021-03-01", "--to", "2021-03-09"]):
            run("extract_covid", *options)
            assert warehouse.value("select count(*) from staging_covid_day") == 3


@pytest.mark.parametrize(
    "options",
    [
        ["--date", "2021-03-07", "--all"],
        ["--date", "2021-03-07", "--from", "2021-03-01", "--to", "2021-03-02"],
        ["--all", "--from", "2021-03-01", "--to", "2021-03-02"],
        ["--from", "2021-03-01"],
        ["--to", "2021-03-01"],
        ["--date", "2021-03-07", "--to", "2021-03-08"],
        ["--from", "2021-03-02", "--to", "2021-03-01"],
        ["--date", "2021-02-30"],
        ["--date", "yesterday"],
    ],
)
def test_it_refuses_options_that_contradict_each_other(publisher: Publisher, run, options: list[str]) -> None:
    with publisher.counted() as requests, pytest.raises(CommandError) as failure:
        run("extract_covid", *options)
    assert requests == []
    assert not PipelineRun.objects.exists()
    (line,) = str(failure.value).splitlines()
    assert options[0] in line


# --- A server that fails


def test_it_says_that_the_server_is_not_there_and_leaves_the_warehouse_as_it_was(
    loaded: Versions, warehouse: Warehouse, run, settings
) -> None:
    settings.COVID_API_URL = f"http://127.0.0.1:{free_port()}/v2"
    line = refusal(run, "extract_covid")
    assert f"{settings.COVID_API_URL}/us/daily.json" in line
    assert "try again later" in line
    assert versions(warehouse) == loaded


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data": []}', b'{"data": [5]}', rb'{"data": {"\u0000": 1}}'])
def test_it_leaves_the_star_as_it_was_when_there_is_no_document(
    loaded: Versions, publisher: Publisher, warehouse: Warehouse, run, body: bytes
) -> None:
    publisher.publish_history(body)
    refusal(run, "run_pipeline", "--only", "covid")
    assert versions(warehouse) == loaded


def test_it_keeps_no_day_of_a_range_that_broke_off(publisher: Publisher, warehouse: Warehouse, run) -> None:
    publisher.server.expect_ordered_request("/v2/us/daily/2021-03-06.json").respond_with_data(
        document(day("2021-03-06"))
    )
    for _ in range(3):
        publisher.server.expect_ordered_request("/v2/us/daily/2021-03-07.json").respond_with_data(status=503)
    line = refusal(run, "extract_covid", "--from", "2021-03-06", "--to", "2021-03-07")
    assert "/us/daily/2021-03-07.json answered 503" in line
    assert len(publisher.server.log) == 4
    assert warehouse.value("select count(*) from staging_covid_day") == 0


# --- A document that is none

HTML = b"<!DOCTYPE html><html><body>Please sign in to the guest network.</body></html>"
WHOLE = history(*days(3))
NOT_JSON, NO_DAYS, NOT_KEPT = "is not JSON", "expected data to be a day", "cannot be kept"


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """Return a history whose first day holds arrays in arrays."""
    return WHOLE.replace(b'"states": 56', b'"x": ' + opening.encode() * depth + closing.encode() * depth, 1)


def with_figure(literal: str, path: str = "cases.total.value") -> bytes:
    """Return a history in which a figure of the second day is written so."""
    return without_quotes(history(day(), day("2021-03-06", {path: literal}), day("2021-03-05")), literal)


NO_DOCUMENTS = {
    "empty": (b"", "is empty"),
    "blank": (b" \n", "is empty"),
    "html": (HTML, NOT_JSON),
    "truncated": (WHOLE[:-1], NOT_JSON),
    "half": (WHOLE[: len(WHOLE) // 2], NOT_JSON),
    "two": (WHOLE + WHOLE, NOT_JSON),
    "not utf-8": (WHOLE.replace(b'"states"', b'"stat\xe9s"'), NOT_JSON),
    "utf-16": (WHOLE.decode().encode("utf-16"), NOT_JSON),
    "utf-16-le": (WHOLE.decode().encode("utf-16-le"), NOT_JSON),
    "a nul in between": (WHOLE.replace(b"[", b"\x00[", 1), NOT_JSON),
    "a nul in a word": (WHOLE.replace(b'"states"', b'"stat\x00es"'), NOT_JSON),
    "nan": (with_figure("NaN"), "NaN"),
    "infinity": (with_figure("Infinity"), "Infinity"),
    "minus infinity": (with_figure("-Infinity"), "-Infinity"),
    "nan in a field that is not read": (with_figure("NaN", "cases.probable"), "NaN"),
    "a number beyond all": (with_figure("1e400000"), "holds 1e400000, which is no number"),
    "a number below all": (with_figure("-1e400000"), "holds -1e400000, which is no number"),
    "a number without end": (with_figure("9" * 100_000), f"holds {'9' * 20}, which is no number"),
    "nested": (nested(100_000), NOT_JSON),
    "nested objects": (nested(100_000, '{"x":', "}"), NOT_JSON),
    "an escaped nul": (WHOLE.replace(b'"states"', rb'"stat\u0000es"'), NOT_KEPT),
    "half a character": (WHOLE.replace(b'"states"', rb'"stat\ud800es"'), NOT_KEPT),
    "the other half": (WHOLE.replace(b'"states"', rb'"stat\udc00es"'), NOT_KEPT),
    "an array": (json.dumps(days(3)).encode(), NO_DAYS),
    "a number": (b"5", NO_DAYS),
    "null": (b"null", NO_DAYS),
    "data gone": (document(GONE), NO_DAYS),
    "data null": (document(None), NO_DAYS),
    "no days": (document([]), NO_DAYS),
    "no day": (document({}), NO_DAYS),
    "data a string": (document("2021-03-07"), NO_DAYS),
    "data a number": (document(7), NO_DAYS),
    "data the last of two": (WHOLE[:-1] + b', "data": null}', NO_DAYS),
    "days in days": (history(days(3)), "data.date should be a date and is not there"),
    "words for days": (history("2021-03-07", "2021-03-06"), "data.date should be a date and is not there"),
    "nulls for days": (history(None, None), "data.date should be a date and is not there"),
}


@pytest.mark.parametrize(("body", "words"), NO_DOCUMENTS.values(), ids=NO_DOCUMENTS)
def test_it_refuses_what_is_no_document(
    publisher: Publisher, warehouse: Warehouse, run, body: bytes, words: str
) -> None:
    publisher.publish_history(body)
    line = refusal(run, "extract_covid")
    assert f"{publisher.url}/us/daily.json" in line
    assert words in line
    assert is_empty(warehouse)


@pytest.mark.parametrize("depth", [500, 3000, 30_000])
def test_it_keeps_or_refuses_a_nested_document(publisher: Publisher, warehouse: Warehouse, run, depth: int) -> None:
    publisher.publish_history(nested(depth))
    try:
        run("extract_covid")
    except CommandError as error:
        assert f"{publisher.url}/us/daily.json" in str(error)  # noqa: PT017  (either is right)
        assert is_empty(warehouse)


def test_it_reads_a_document_with_a_mark_of_its_byte_order(publisher: Publisher, warehouse: Warehouse, run) -> None:
    publisher.publish_history(b"\xef\xbb\xbf" + WHOLE)
    run("extract_covid")
    assert warehouse.value("select count(*) from staging_covid_day") == 3


def test_it_names_the_place_of_a_text_in_a_day_that_cannot_be_kept(publisher: Publisher, run) -> None:
    publisher.publish_history(WHOLE.replace(b'"states"', rb'"stat\u0000es"', 1))
    assert r'"data[0].stat\x00es" is or holds "stat\x00es", with a NUL' in refusal(run, "extract_covid")


def test_it_refuses_by_number_more_days_than_it_keeps(publisher: Publisher, warehouse: Warehouse, run) -> None:
    publisher.publish_history(document([{}] * (MAX_DAYS + 1)))
    line = refusal(run, "extract_covid")
    assert f"{publisher.url}/us/daily.json holds 20,001 days, and 20,000 is the limit: " in line
    assert is_empty(warehouse)


# --- A document in another shape: a change that breaks

NUMBER = "should be a number or null and is"
BROKEN = {
    "a string": ({"cases.total.value": "12"}, f"data.cases.total.value {NUMBER} string"),
    "a boolean": ({"states": True}, f"data.states {NUMBER} boolean"),
    "an object": ({"testing.total.value": {}}, f"data.testing.total.value {NUMBER} object"),
    "an array": ({"testing.total.value": [1]}, f"data.testing.total.value {NUMBER} array"),
    "a value that is gone": (
        {"outcomes.death.total.calculated.population_percent": GONE},
        f"data.outcomes.death.total.calculated.population_percent {NUMBER} not there",
    ),
    "a block that is gone": (
        {"outcomes.hospitalized.in_icu": GONE},
        f"data.outcomes.hospitalized.in_icu.currently.value {NUMBER} not there",
    ),
    "a block that is a number": ({"cases.total": 5}, f"data.cases.total.value {NUMBER} not there"),
    "an average that is a string": (
        {"outcomes.death.total.calculated.seven_day_average": "12"},
        f"data.outcomes.death.total.calculated.seven_day_average {NUMBER} string",
    ),
    "a date that is gone": ({"date": GONE}, "data.date should be a date and is not there"),
    "a date that is null": ({"date": None}, "data.date should be a date and is null"),
    "a date that is a number": ({"date": 20210307}, "data.date should be a date and is number"),
}


@pytest.mark.parametrize(("changes", "words"), BROKEN.values(), ids=BROKEN)
def test_it_stops_when_a_path_that_is_read_has_changed_in_all_days(
    loaded: Versions, publisher: Publisher, warehouse: Warehouse, run, changes: dict[str, Any], words: str
) -> None:
    publisher.publish_history(history(*(day(str(date(2021, 3, number)), changes) for number in (9, 8, 7))))
    line = refusal(run, "run_pipeline", "--only", "covid")
    assert f"{publisher.url}/us/daily.json" in line
    assert words in line
    assert versions(warehouse) == loaded


@pytest.mark.parametrize(("changes", "words"), BROKEN.values(), ids=BROKEN)
def test_it_stops_when_a_path_that_is_read_has_changed_in_a_day_fetched_singly(
    publisher: Publisher, warehouse: Warehouse, run, changes: dict[str, Any], words: str
) -> None:
    publisher.documents["/2021-03-07"] = document(day("2021-03-07", changes))
    line = refusal(run, "extract_covid", "--date", "2021-03-07")
    assert f"{publisher.url}/us/daily/2021-03-07.json" in line
    assert words in line
    assert is_empty(warehouse)


def test_it_names_every_path_that_has_changed(publisher: Publisher, run) -> None:
    publisher.publish(day(changes={"cases.total.value": "12", "outcomes.hospitalized.on_ventilator": GONE}))
    line = refusal(run, "extract_covid")
    assert "data.cases.total.value should" in line
    for name in ("value", "calculated.population_percent", "calculated.change_from_prior_day"):
        assert f"data.outcomes.hospitalized.on_ventilator.currently.{name} should" in line


def test_it_is_not_reassured_by_a_day_without_figures(
    loaded: Versions, publisher: Publisher, warehouse: Warehouse, run
) -> None:
    # The first real day has null for what later days count: a null says nothing of the type.
    changed = [day(f"2021-03-0{number}", {"cases.total.value": "12"}) for number in (7, 6, 5)]
    publisher.publish_history(history(*changed, day("2020-01-13", {"cases.total.value": None})))
    line = refusal(run, "run_pipeline", "--only", "covid")
    assert f"data.cases.total.value {NUMBER} string" in line
    assert versions(warehouse) == loaded


def test_it_takes_a_figure_that_is_null_in_every_day_for_none(publisher: Publisher, warehouse: Warehouse, run) -> None:
    publisher.publish(*(day(f"2021-03-0{number}", {"cases.total.value": None}) for number in (7, 6, 5)))
    run("run_pipeline", "--only", "covid")
    assert warehouse.execute("select distinct total_cases from cases_fact") == [(None,)]


@pytest.mark.parametrize("meta", [GONE, None, [], "none", {}, {"field_definitions": {}}])
def test_it_does_without_definitions(publisher: Publisher, warehouse: Warehouse, run, meta: Any) -> None:
    publisher.publish_history(history(*days(3), meta=meta))
    run("run_pipeline", "--only", "covid")
    assert warehouse.value("select count(*) from cases_fact") == 3
    assert warehouse.value("select count(*) from field_definitions_dimension") == 0


def test_it_passes_over_fields_it_does_not_know(publisher: Publisher, warehouse: Warehouse, run) -> None:
    unknown = {"vaccinations": {"total": "many"}, "cases.probable": None, "cases.total.calculated.x": [{"y": False}]}
    publisher.publish_history(history(day(changes=unknown), meta=META | {"x": 1}, x=[]))
    run("run_pipeline", "--only", "covid")
    assert warehouse.value("select total_cases from cases_fact") == day()["cases"]["total"]["value"]
    assert warehouse.rejects("covid_day") == []


def test_it_takes_the_last_of_two_keys_with_one_name(publisher: Publisher, warehouse: Warehouse, run) -> None:
    publisher.publish_history(WHOLE.replace(b'"states": 56', b'"states": "many", "states": 49'))
    run("run_pipeline", "--only", "covid")
    assert warehouse.execute("select distinct state_number from cases_dimension") == [(49,)]
