"""Text is text: whatever a slug, a name or a tag holds arrives in the star as it is."""

import random
from typing import Any

from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.sql import SQL, Identifier

from tests.conftest import EMPTY_SOURCE, Source, Warehouse

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


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
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


def test_it_reads_a_source_in_another_encoding(source: Source, warehouse: Warehouse, run, monkeypatch) -> None:
    name = f"{connections['msk_db'].settings_dict['NAME']}_latin"
    source.execute(SQL("create database {} encoding 'LATIN1' locale 'C' template template0").format(Identifier(name)))
    connections["msk_db"].close()
    with monkeypatch.context() as patch:
        patch.setitem(connections["msk_db"].settings_dict, "NAME", name)
        latin = Source("msk_db")
        latin.execute(EMPTY_SOURCE)
        latin.insert("patient", id=1, hospital="Åse's Café ½")
        run()
        latin.connection.close()
        connections["msk_db"].close()
    source.execute(SQL("drop database {}").format(Identifier(name)))
    assert warehouse.value("select hospital from patient_dimension") == "Åse's Café ½"
