"""Text is text: whatever a slug, a name or a tag holds arrives in the star as it is."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.sql import SQL, Identifier, Literal

from ingest.models import PipelineRun
from tests.analytics.test_star import assert_same
from tests.conftest import EMPTY_SOURCE, Source, Warehouse
from tests.ingest.test_source import contents, refusal

# Neighbours are alike, because a second run moves each to the place of the one before.
TEXTS = [
    *(None, "", " ", "  ", "NULL", "null", "\\N", "\\\\N", "\\n", "\\.", "\\", "\\\\", "back\\slash"),
    *("a", "a ", " a", "A", "tab\there", "line\nfeed", "\n", "\r", "\r\n", "carriage\rreturn", "line\n\\.\nfeed"),
    *("it's", "it''s", 'say "yes"', '"', "'", "{}", "{a,b}", '{"a"}', ",", "%", "%s", "%(table)s", "{columns}", "$1"),
    *("'; drop table patient; --", "\x01", "\x1b[31m", "\x7f", "\x85", "\xa0", "\u2028", "\ufeff", "\ufffd"),
    *("résumé", "re\u0301sume\u0301", "Å", "\u212b", "A\u030a", "ß", "ẞ", "İ", "\u0131", "ﬁ", "Žluťoučký kůň"),
    *(
        "😀",
        "👩‍👩‍👧",
        "👍🏽",
        "\U0010ffff",
        "שָׁלוֹם",
        "مرحبا",
        "\u202eabc\u202c",
        "日本語",
        "नमस्ते",
        "z\u0300\u0301\u0302" * 50,
    ),
]
TAGS: list[Any] = [
    *(None, [], [""], [None], ["NULL"], ["null", None, "NULL", ""], [" "], ["a", "b"], ["b", "a"], ["a,b"], ["a", "a"]),
    *(["{}"], ["{a}", "}"], ['"'], ['say "yes"', "it's"], ["\\"], ["\\N", "\\."], ["tab\there", "line\nfeed\r"]),
    *(["é", "e\u0301", "😀", "שלום"], [["a", None], ["NULL", "b,c"]]),
]
# The star's text columns and where they come from.
COLUMNS = [
    ("patient_dimension", "age_bracket", "patient"),
    ("patient_dimension", "sex", "patient"),
    ("patient_dimension", "hospital", "patient"),
    ("journey_dimension", "abbreviation", "journey"),
    ("journey_dimension", "joint_slug", "journey"),
    ("device_dimension", "platform", "device"),
    ("device_dimension", "os_version", "device"),
    ("survey_dimension", "slug", "survey"),
    ("survey_dimension", "version", "survey"),
    ("schedule_dimension", "slug", "schedule"),
    ("activity_dimension", "content_slug", "activity"),
]


def fill(source: Source, texts: list[str | None]) -> None:
    """Make every text column of the source hold `texts`, the first under key 1; every activity is in a journey."""
    source.clear()
    for table in dict.fromkeys(table for _, _, table in COLUMNS):
        columns = [Identifier(column) for _, column, of in COLUMNS if of == table]
        insert = SQL(
            "insert into {} (id, {}) select place, {} from unnest(%s::text[]) with ordinality as t (text, place)"
        )
        copies = [SQL("text")] * len(columns)
        source.execute(insert.format(Identifier(table), SQL(", ").join(columns), SQL(", ").join(copies)), texts)
    source.execute("update activity set schedule_id = id")
    source.execute("insert into journey_activity select id, id from activity")
    source.execute("insert into patient_journey (id, patient_id, journey_id) select id, id, id from patient")
    source.execute("insert into step_result select id, '2024-01-01', hospital from patient")


def assert_arrived(warehouse: Warehouse, texts: list[str | None]) -> None:
    """Compare every text column of the star with the source's `texts`."""
    expected = dict(enumerate(texts, 1))
    for dimension, column, table in COLUMNS:
        assert dict(warehouse.execute(f"select {table}_id, {column} from {dimension}")) == expected, (dimension, column)
    for column in ("activity_content_slug", "schedule_slug"):
        query = f"select activity_id, {column} from patient_journey_schedule_window"
        assert dict(warehouse.execute(query)) == expected, column
    values = warehouse.execute(
        """
        select split_part(source_key, '/', 1)::integer, detail -> 'row' ->> 'value'
          from rejected_row
         where source_table = 'step_result'
        """
    )
    assert set(values) <= expected.items()


def test_it_carries_every_text_as_it_is(source: Source, warehouse: Warehouse, run) -> None:
    fill(source, TEXTS)
    run()
    assert_arrived(warehouse, TEXTS)
    # None of them is a number of steps.
    assert warehouse.value("select count(*) from rejected_row where reason = 'not_a_number'") == len(TEXTS)


def test_it_sees_every_text_become_another(source: Source, warehouse: Warehouse, run) -> None:
    moved = TEXTS[1:] + TEXTS[:1]
    fill(source, TEXTS)
    run()
    fill(source, moved)
    run()
    assert_arrived(warehouse, moved)


def test_it_carries_a_text_of_a_million_characters(source: Source, warehouse: Warehouse, run) -> None:
    # At random, so that compression does not make it short: an index would refuse it.
    text = "".join(random.Random(1).choices("abcdefghij \t\n\\'\"é😀", k=1_000_000))  # noqa: S311
    source.insert("schedule", id=1, slug=text)
    source.insert("survey", id=1, slug=text, tags=[text])
    run()
    assert warehouse.execute("select slug, parse_status from schedule_dimension") == [(text, "unparsed")]
    assert warehouse.execute("select slug, tags from survey_dimension") == [(text, [text])]


QUOTED = "x" * 1000 + "… (3000 characters)"


def test_it_quotes_a_long_text_of_a_rejected_row_in_part(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.insert("activity", id=2, content_slug="x" * 3000, schedule_id=404)
    small_world.insert("step_result", patient_id=404, date="2024-03-02", value="x" * 3000)
    for table, columns in (("patient", "hospital"), ("schedule", "slug"), ("survey", "slug, tags")):
        small_world.execute(f"alter table {table} drop constraint {table}_pkey, alter id drop not null")
        texts = {"slug, tags": "repeat('x', 3000), array['a', repeat('b', 3000)]"}.get(columns, "repeat('x', 3000)")
        small_world.execute(f"insert into {table} ({columns}) values ({texts})")
    run()
    quotes = dict(warehouse.execute("select source_table, detail -> 'row' from rejected_row"))
    assert quotes["activity"] == {"id": 2, "content_slug": QUOTED, "schedule_id": 404}
    assert quotes["step_result"] == {"patient_id": 404, "date": "2024-03-02", "value": QUOTED}
    assert quotes["patient"] == {"id": None, "age_bracket": None, "sex": None, "hospital": QUOTED}
    assert quotes["schedule"] == {"id": None, "slug": QUOTED}
    tags = "{a," + "b" * 997 + "… (3004 characters)"
    assert quotes["survey"] == {"id": None, "slug": QUOTED, "version": None, "tags": [tags]}
    run("check_warehouse")
    # Its entry is found again by its keys, and goes when the row is mended.
    small_world.execute("update step_result set patient_id = 1, value = '7'")
    run("run_pipeline", "--allow-deletes")
    assert warehouse.rejects("step_result") == []
    assert_same(warehouse.star(), small_world.star())


def test_it_quotes_a_text_of_a_thousand_characters_whole(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="é" * 1000)
    run()
    assert warehouse.value("select detail -> 'row' ->> 'value' from rejected_row") == "é" * 1000


def test_it_lists_a_text_that_no_number_is_as_long_as(small_world: Source, warehouse: Warehouse, run) -> None:
    # Of 134 million characters the server can trim none.
    small_world.execute("alter table step_result alter value set storage external")  # not compressed: quicker
    small_world.execute("insert into step_result values (1, '2024-03-02', repeat('7', 135000000))")
    run()
    assert warehouse.rejects("step_result") == [("1/2024-03-02", "not_a_number")]
    assert warehouse.value("select length(detail -> 'row' ->> 'value') from rejected_row") < 1100


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=200))
def test_it_carries_any_text_as_it_is(source: Source, warehouse: Warehouse, run, texts: list[str | None]) -> None:
    fill(source, texts)
    run("run_pipeline", "--allow-deletes")
    assert_arrived(warehouse, texts)


def test_it_carries_every_list_of_tags_as_it_is(source: Source, warehouse: Warehouse, run) -> None:
    for number, tags in enumerate(TAGS, 1):
        source.insert("survey", id=number, tags=tags)
    source.execute("insert into survey (id, tags) values (1000, '[0:1]={a,b}')")
    run()
    arrived = dict(warehouse.execute("select survey_id, tags from survey_dimension where survey_id < 1000"))
    assert arrived == dict(enumerate(TAGS, 1))
    assert warehouse.value("select tags::text from survey_dimension where survey_id = 1000") == "[0:1]={a,b}"


@contextmanager
def encoded(source: Source, encoding: str) -> Iterator[Source]:
    """Give a source whose database has another encoding, in the place of `source`."""
    settings = connections["msk_db"].settings_dict
    name = settings["NAME"]
    other = f"{name}_{encoding.lower()}"
    source.execute(
        SQL("create database {} encoding {} locale 'C' template template0").format(Identifier(other), Literal(encoding))
    )
    connections["msk_db"].close()
    settings["NAME"] = other
    try:
        there = Source("msk_db")
        there.execute(EMPTY_SOURCE)
        yield there
        there.connection.close()
    finally:
        connections["msk_db"].close()
        settings["NAME"] = name
        source.execute(SQL("drop database {} with (force)").format(Identifier(other)))


def test_it_reads_a_source_in_another_encoding(source: Source, warehouse: Warehouse, run) -> None:
    with encoded(source, "LATIN1") as latin:
        latin.insert("patient", id=1, hospital="Åse's Café ½")
        run()
    assert warehouse.value("select hospital from patient_dimension") == "Åse's Café ½"


BYTES = "convert_from(decode({}, 'hex'), current_setting('server_encoding'))"


@pytest.mark.parametrize(
    ("encoding", "text"), [("SQL_ASCII", "436166e9"), ("WIN1252", "436166813f")], ids=["any bytes", "no character"]
)
def test_it_names_the_row_whose_text_it_cannot_read(
    source: Source, warehouse: Warehouse, run, encoding: str, text: str
) -> None:
    with encoded(source, encoding) as other:
        other.execute("insert into patient select place, '60-69', 'f', 'North' from generate_series(1, 300) as place")
        run()
        before = contents(warehouse)
        text = BYTES.format(f"'{text}'")
        other.execute(f"update patient set hospital = {text} where id in (17, 230); update patient set sex = 'm'")
        line = refusal(run)
        assert (
            f"the source's text patient.hospital is not {'UTF8' if encoding == 'SQL_ASCII' else encoding} in 2 rows"
            in line
        )
        assert "(that is row 17: update patient set hospital = '…' where id = 17)" in line
        assert "row 17" not in PipelineRun.objects.latest("pk").error
        assert contents(warehouse) == before

        other.execute("update patient set hospital = 'Cafe' where id in (17, 230)")
        run()
        assert warehouse.value("select hospital from patient_dimension where patient_id = 17") == "Cafe"


def test_it_names_the_patient_and_day_of_steps_that_it_cannot_read(source: Source, run) -> None:
    with encoded(source, "SQL_ASCII") as other:
        text = BYTES.format("'31e9'")
        other.execute(f"insert into step_result values (1, '2024-03-02', '7'), (1, '2024-03-03', {text})")
        line = refusal(run)
    assert "the source's text step_result.value is not UTF8 in a row: " in line
    assert "row 1/2024-03-03: update step_result set value = '…' where patient_id = 1 and date = '2024-03-03'" in line


def test_it_reads_utf8_from_a_source_without_an_encoding(source: Source, warehouse: Warehouse, run) -> None:
    with encoded(source, "SQL_ASCII") as other:
        other.insert("patient", id=1, hospital="Åse's Café ½")
        run()
    assert warehouse.value("select hospital from patient_dimension") == "Åse's Café ½"
