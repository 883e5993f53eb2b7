"""The data dictionary: every table of the star and its columns, what they mean, where they come from, how fresh."""

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client

from ingest.models import LoadState
from tests.analytics.pages.conftest import GROUPS, Reader, table
from tests.analytics.test_schema import TABLES
from tests.conftest import Source, Warehouse

STAR = sorted(set(TABLES) - {"rejected_row", "load_state"})
COVID = {
    *("cases_dimension", "cases_fact", "testing_fact", "hospitalization_fact", "death_fact"),
    "field_definitions_dimension",
}
# The tables of the source, and those of the star by which their rows are judged or from which they are worked out.
LINEAGE = {
    "patient_dimension": {"msk_db.patient"},
    "journey_dimension": {"msk_db.journey"},
    "activity_dimension": {"msk_db.activity", "schedule_dimension"},
    "journey_activity_bridge": {"msk_db.journey_activity", "journey_dimension", "activity_dimension"},
    "patient_journey_fact": {"msk_db.patient_journey", "patient_dimension", "journey_dimension"},
    "step_result_fact": {"msk_db.step_result", "patient_dimension"},
    "survey_result_fact": {
        *("msk_db.survey_result", "patient_journey_fact", "survey_dimension", "activity_dimension"),
        "device_dimension",
    },
    "patient_journey_schedule_window": {
        *("patient_journey_fact", "journey_activity_bridge", "activity_dimension", "schedule_dimension"),
    },
    "activity_completion_fact": {"survey_result_fact", "patient_journey_schedule_window"},
    "adherence_fact": {"activity_completion_fact", "patient_journey_schedule_window"},
}


def rows(client: Client, page: str) -> list[list[str]]:
    """Return the cells of the page's tables, but of that of its drawing."""
    html = client.get(page).content.decode().split("<figure")[0]
    bodies = "".join(re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL))
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in bodies.split("<tr>")[1:]]
    return [[" ".join(unescape(re.sub("<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]


def head(client: Client, name: str) -> str:
    """Return what a table's page says above its columns."""
    html = client.get(f"/tables/{name}/").content.decode().split('id="content"')[1].split("<table>")[0]
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def test_it_lists_every_table_of_the_star_with_its_meaning(manager: Client, warehouse: Warehouse) -> None:
    found = {name: meaning for name, meaning, *_ in rows(manager, "/tables/") if name in STAR}
    assert sorted(found) == STAR
    assert found == dict(
        warehouse.execute("select relname, obj_description(oid) from pg_class where relname = any(%s)", STAR)
    )
    assert all(found.values())


def test_it_gives_every_column_with_its_type_and_comment(manager: Client, warehouse: Warehouse) -> None:
    described = warehouse.execute(
        """
        select c.table_name, c.column_name, c.data_type,
               col_description(c.table_name::regclass, c.ordinal_position::integer)
          from information_schema.columns c
         where c.table_schema = 'public' and c.table_name = any(%s)
         order by c.table_name, c.ordinal_position
        """,
        STAR,
    )
    columns = [(name, column) for name, column, *_ in described]
    assert columns == [(name, column) for name in STAR for column in TABLES[name].split(", ")]
    listed = [row for row in table(manager, "/tables/") if row["table_name"] in STAR]
    assert list(listed[0])[:6] == ["table_name", "column_name", "type", "comment", "made_from", "source"]
    # An array is told by what it is of.
    types = {"ARRAY": {"text[]", "character varying[]"}}
    for row, (name, column, kind, comment) in zip(listed, described, strict=True):
        meaning, _, null = comment.partition("; null: ")
        assert (row["table_name"], row["column_name"], row["comment"]) == (name, column, meaning)
        assert row["null"].endswith(null)
        assert row["type"] in types.get(kind, {kind})
        assert comment


@pytest.mark.parametrize("name", STAR)
def test_it_has_a_page_of_each_table(manager: Client, name: str) -> None:
    columns = TABLES[name].split(", ")
    assert [column for column, *_ in rows(manager, f"/tables/{name}/")] == columns
    one = table(manager, f"/tables/{name}/")
    assert [row["column_name"] for row in one] == columns
    assert one == [row for row in table(manager, "/tables/") if row["table_name"] == name]


def test_it_lists_staging_and_the_run_log_below_the_star(manager: Client) -> None:
    html = manager.get("/tables/").content.decode()
    headings = re.findall(r"<h2>(.*?)</h2>", html)
    assert headings == ["The star", "Staging", "Beside the star", "The run log"]
    listed = [name for name, *_ in rows(manager, "/tables/") if name in ("date_dimension", "staging_slug", "step_run")]
    assert listed == ["date_dimension", "staging_slug", "step_run"]


@pytest.mark.parametrize("name", ["auth_user", "access_log", "patient", "pg_class", "patient_pseudonym", "x"])
def test_it_has_no_page_of_what_is_not_in_the_dictionary(manager: Client, name: str) -> None:
    assert manager.get(f"/tables/{name}/").status_code == 404


def test_it_says_what_each_table_is_made_from(manager: Client, warehouse: Warehouse) -> None:
    made_from = {row["table_name"]: set(row["made_from"].split(", ")) for row in table(manager, "/tables/")}
    assert {name: made_from[name] for name in LINEAGE} == LINEAGE
    views = {
        name: set(read)
        for name, read in warehouse.execute(
            "select view_name, array_agg(table_name::text) from information_schema.view_table_usage"
            " where view_schema = 'public' group by 1"
        )
    }
    del views["staged_rows"]  # of the staging tables, for the site: no part of the star
    assert set(views) == {"activity_adherence", "window_detail"}
    assert {name: made_from[name] for name in views} == views
    of_covid = {name for name, read in made_from.items() if read == {"the documents of the COVID API"}}
    assert of_covid & set(STAR) == COVID
    sources = {row["table_name"]: row["source"] for row in table(manager, "/tables/")}
    assert {name for name, source in sources.items() if source == "covid"} & set(STAR) == COVID


def test_it_says_since_when_each_table_is_as_it_is(small_world: Source, manager: Client, run) -> None:
    assert {loaded for name, *_, loaded in rows(manager, "/tables/") if name in STAR} == {"never"}
    assert "loaded never" in head(manager, "step_result_fact")
    run()
    loaded_at = f"{LoadState.objects.get(source='msk').loaded_at:%Y-%m-%d %H:%M:%S}"
    assert {name: loaded for name, *_, loaded in rows(manager, "/tables/") if name in STAR} == {
        name: "never" if name in COVID else loaded_at for name in STAR
    }
    assert f"source msk, loaded {loaded_at} UTC" in head(manager, "step_result_fact")
    assert "source covid, loaded never" in head(manager, "cases_fact")


def test_it_counts_the_rows_of_each_table(star: None, manager: Client, warehouse: Warehouse) -> None:
    views = {"activity_adherence", "window_detail"}
    expected = {
        name: "a view" if name in views else f"about {warehouse.value(f'select count(*) from {name}'):,}"
        for name in STAR
    }
    counted = {name: count for name, _, count, *_ in rows(manager, "/tables/")}
    assert {name: counted.pop(name) for name in STAR} == expected
    assert set(counted.values()) == {"not counted"}
    assert f"Rows: {expected['step_result_fact']} " in head(manager, "step_result_fact")


def test_it_leads_to_the_rows_of_a_table_whoever_may_see_them(star: None, reader: Reader) -> None:
    listed = {}
    for group in GROUPS:
        client = reader(group)
        listed[group] = {name for name in STAR if "List its rows" in head(client, name)}
        for name in listed[group]:
            (address,) = re.findall(r'href="(/admin/analytics/[^"]+)"', client.get(f"/tables/{name}/").content.decode())
            assert client.get(address).status_code == 200
    assert listed["care manager"] == set(STAR) - {"window_detail"}
    assert "step_result_fact" not in listed["analyst"] > {"schedule_dimension", "cases_fact"}
    assert listed["steward"] == {"schedule_dimension", "activity_dimension"}
    assert listed["operator"] == set()


def test_its_csv_says_who_may_read_a_column(manager: Client) -> None:
    read_by = {row["column_name"]: row["read_by"] for row in table(manager, "/tables/patient_dimension/")}
    assert read_by["sex"] == "loader, web, analyst, pseudonymous analyst"
    assert read_by["hospital"] == "loader, web, analyst"


def test_it_refuses_what_it_does_not_understand(manager: Client) -> None:
    for page in ("/tables/?name=x", "/tables/step_result_fact/?format=json", "/tables/step_result_fact/?column=x"):
        assert manager.get(page).status_code == 400


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("days_from", {"activity_completion_fact.days_from_window"}),
        ("STEPS walked", {f"step_result_fact.{name}" for name in ("id", "patient_id", "date", "steps")}),
        ("ventilator hospitalization_fact.change", {"hospitalization_fact.change_in_ventilator"}),
        ("7d-10d-post-op", {"schedule_dimension.slug", "window_detail.schedule"}),
        ("points score_value", {"survey_result_fact.score_value"}),
        ("msk_db.patient.hospital", {"patient_dimension.hospital", "staging_patient.hospital"}),
        ("<no such word>", set()),
    ],
)
def test_it_finds_columns_by_table_name_and_meaning(manager: Client, words: str, found: set[str]) -> None:
    page = f"/tables/?{urlencode({'q': words})}"
    listed = {f"{row['table_name']}.{row['column_name']}" for row in table(manager, page)}
    assert listed >= found
    assert bool(listed) == bool(found)
    shown = {name.replace(" ", "") for name, *_ in rows(manager, page)} if listed else set()
    assert shown == listed
    assert "<no such" not in manager.get(page).content.decode()


def test_it_shows_names_before_parts_of_names_before_other_words(manager: Client) -> None:
    found = [(row["column_name"], row["table_name"]) for row in table(manager, "/tables/?q=date")]
    listed = [(column == "date", "date" in f"{name}.{column}") for column, name in found]
    assert set(listed) == {(True, True), (False, True), (False, False)}
    assert listed == sorted(listed, reverse=True)
    tables = [row["table_name"] for row in table(manager, "/tables/?q=patient_dimension")]
    assert set(tables[:4]) == {"patient_dimension"}
    assert len(set(tables)) > 1


def test_it_refuses_a_longer_search_than_anybody_types(manager: Client) -> None:
    assert manager.get("/tables/", {"q": "x" * 200}).status_code == 200
    refused = manager.get("/tables/", {"q": "x" * 201})
    assert refused.status_code == 400
    assert "q has 201 characters: it takes 200 at most." in refused.content.decode()


def test_it_finds_only_where_each_word_stands(manager: Client) -> None:
    (row,) = table(manager, "/tables/?q=window+negative+positive")
    assert (row["table_name"], row["column_name"]) == ("activity_completion_fact", "days_from_window")


def test_its_search_form_leads_to_an_address_that_says_what_was_asked(manager: Client) -> None:
    assert manager.get("/tables/?form=1&q=score")["Location"] == "/tables/?q=score"
    assert manager.get("/tables/?form=1&q=")["Location"] == "/tables/"


def drawn(client: Client, page: str) -> list[tuple[str, str]]:
    """Return the names of a drawing's table, each with what it is made of."""
    figure = client.get(page).content.decode().split('<figure class="chart"')[1].split("</figure>")[0]
    cells = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', figure)
    return [(re.sub("<[^>]+>", "", name), made_of) for name, made_of in cells]


def test_it_draws_what_a_table_is_made_from_and_what_is_made_of_it(manager: Client) -> None:
    assert drawn(manager, "/tables/schedule_dimension/") == [
        ("msk_db.schedule", ""),
        ("staging_schedule", "msk_db.schedule"),
        ("staging_slug", "staging_schedule"),
        ("schedule_override", ""),
        ("schedule_dimension", "schedule_override, staging_schedule, staging_slug"),
        ("activity_dimension", "schedule_dimension"),
        ("patient_journey_schedule_window", "schedule_dimension"),
        ("window_detail", "schedule_dimension"),
    ]


def test_it_draws_what_a_column_is_made_of_down_to_the_source(manager: Client) -> None:
    assert drawn(manager, "/tables/activity_completion_fact/?column=completed_date") == [
        ("msk_db.survey_result.end_time", ""),
        ("staging_survey_result.end_time", "msk_db.survey_result.end_time"),
        ("survey_result_fact.end_time", "staging_survey_result.end_time"),
        ("activity_completion_fact.completed_date", "survey_result_fact.end_time"),
    ]


def test_it_draws_an_arc_for_each_step(manager: Client) -> None:
    html = manager.get("/tables/activity_completion_fact/?column=completed_date").content.decode()
    assert len(re.findall('class="chart-arc', html)) == 3
    assert len(re.findall('class="chart-arc chart-arc-here"', html)) == 1


def test_it_links_each_column_that_another_is_made_of(manager: Client) -> None:
    html = manager.get("/tables/step_result_fact/").content.decode()
    assert 'href="/tables/staging_step_result/?column=value"' in html
    assert 'href="/tables/msk_db' not in html


@pytest.mark.parametrize(("address", "name"), [("/tables/", "tables"), ("/adherence/?sex=f", "adherence")])
def test_the_csv_of_a_page_is_named_after_the_page_and_the_day(manager: Client, address: str, name: str) -> None:
    response = manager.get(address + ("&" if "?" in address else "?") + "format=csv")
    assert response["Content-Disposition"] == f'attachment; filename="{name}-{datetime.now(UTC):%Y-%m-%d}.csv"'
