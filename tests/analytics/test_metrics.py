"""What a monitor reads: only with the token, what the databases say at that moment, and at little cost."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as real_settings
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from ingest.models import Alert, LoadState, PipelineRun
from ingest.runs.status import WRITTEN
from pipeline_project.version import VERSION
from tests.analytics.admin.pages import queries
from tests.analytics.test_health import locked, move
from tests.conftest import Database, Source, Warehouse
from tests.ingest.runs.test_failures import free_port
from tests.roles import acting, roles

__all__ = ["move", "roles"]  # fixtures

TOKEN = "0123456789abcdef"
Labels = frozenset[tuple[str, str]]


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def ask(token: str = TOKEN, scheme: str = "Bearer") -> Any:
    return Client(headers={"authorization": f"{scheme} {token}"}).get("/metrics")


def told(name: str) -> dict[Labels, float]:
    """Return the samples of a metric by their labels."""
    response = ask()
    assert response.status_code == 200, response.content
    return {
        frozenset(sample.labels.items()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
        if sample.name == name
    }


def of(**labels: str) -> Labels:
    return frozenset(labels.items())


# --- Who is told


def test_it_is_not_there_without_a_token_in_the_settings(databases: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert ask("").status_code == ask().status_code == Client().get("/metrics").status_code == 404


@pytest.mark.parametrize(
    "header", ["", "Bearer", f"Bearer {TOKEN}0", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer é"]
)
def test_it_asks_for_the_token(header: str) -> None:
    # Without the fixture `databases` any use of one fails.
    response = Client(headers={"authorization": header} if header else {}).get("/metrics")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert b"pipeline_" not in response.content


def test_it_tells_who_has_the_token_in_the_text_format_and_lets_nobody_keep_it(databases: None) -> None:
    response = ask()
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    assert "no-cache" in response["Cache-Control"]
    assert not response.cookies
    assert ask(scheme="bearer").status_code == 200  # schemes are words of any case


def test_it_is_only_asked(databases: None) -> None:
    assert Client(headers={"authorization": f"Bearer {TOKEN}"}).post("/metrics").status_code == 405


# --- What is told


def test_it_tells_of_a_source_that_was_never_loaded_its_state_alone(databases: None) -> None:
    assert told("pipeline_last_success_timestamp_seconds") == told("pipeline_source_age_seconds") == {}
    assert told("pipeline_last_run_seconds") == told("pipeline_last_run_rows") == {}
    state = told("pipeline_source_state")
    assert len(state) == 2 * 4
    assert {labels for labels, value in state.items() if value} == {
        of(source="msk", state="never_loaded"),
        of(source="covid", state="never_loaded"),
    }


def test_it_tells_how_old_each_source_is_and_which_state_holds(star: None) -> None:
    at = timezone.now() - timedelta(hours=4)
    LoadState.objects.filter(source="msk").update(loaded_at=at)
    PipelineRun.objects.create(source="covid", command="run_pipeline", status="failed", error="it is ill")
    assert told("pipeline_last_success_timestamp_seconds")[of(source="msk")] == pytest.approx(at.timestamp())
    age = told("pipeline_source_age_seconds")
    assert 4 * 3600 <= age[of(source="msk")] < 5 * 3600
    assert age[of(source="covid")] < 3600 * 24
    assert {labels for labels, value in told("pipeline_source_state").items() if value} == {
        of(source="msk", state="stale"),
        of(source="covid", state="failing"),
    }


def test_it_tells_the_numbers_of_the_last_run_that_loaded_the_star(small_world: Source, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="4000")
    small_world.insert("step_result", patient_id=1, date="2024-03-03", value="many")
    small_world.insert("schedule", id=2, slug="7d-10d-post-op")  # read twice, parsed once
    run()
    loaded = PipelineRun.objects.latest("pk")
    run("extract_msk")
    PipelineRun.objects.create(source="msk", command="run_pipeline", status="failed", seconds=99)
    assert told("pipeline_last_run_seconds") == {of(source="msk"): loaded.seconds}
    rows = told("pipeline_last_run_rows")
    found = {
        (dict(labels)["table"], dict(labels)["change"]): value
        for labels, value in rows.items()
        if "step_result" in str(labels)
    }
    assert found == {
        ("step_result", "read"): 2,
        ("step_result_fact", "inserted"): 1,
        ("step_result_fact", "updated"): 0,
        ("step_result_fact", "deleted"): 0,
        ("step_result_fact", "rejected"): 1,
    }
    totals = {
        change: sum(n for labels, n in rows.items() if ("change", change) in labels) for change in ("read", *WRITTEN)
    }
    assert totals == {"read": loaded.rows_read} | {change: getattr(loaded, change) for change in WRITTEN}


def test_it_tells_for_how_long_the_last_run_held_the_source(star: None) -> None:
    (load,) = PipelineRun.objects.filter(source="msk")
    held = told("pipeline_source_held_seconds")
    assert held == {of(source="msk"): load.source_held_seconds}  # COVID's is read by HTTP
    assert 0 < held[of(source="msk")] < load.seconds


def test_a_run_that_fails_has_on_record_for_how_long_it_held_the_source(small_world: Source, run) -> None:
    small_world.execute("drop table survey")
    with pytest.raises(Exception, match="survey is missing"):
        run()
    held = PipelineRun.objects.latest("pk").source_held_seconds
    assert held is not None
    assert held > 0


def test_it_tells_of_each_alert_whether_it_is_open(databases: None) -> None:
    now = timezone.now()
    Alert.objects.create(source="msk", kind="rejects", message="many", began_at=now)
    Alert.objects.create(source="msk", kind="stale", message="old", began_at=now, ended_at=now)
    alerts = told("pipeline_open_alerts")
    assert len(alerts) == 2 * 4
    assert {labels for labels, value in alerts.items() if value} == {of(source="msk", kind="rejects")}


def test_it_tells_the_rejected_rows_by_reason(star: None, warehouse: Warehouse) -> None:
    counted = warehouse.execute("select source_table, reason, count(*) from rejected_row group by 1, 2")
    assert len(counted) > 3
    assert told("pipeline_rejected_rows") == {of(source_table=table, reason=why): rows for table, why, rows in counted}


def test_it_tells_the_rows_of_each_table_of_the_star_those_about_patients_rounded(
    star: None, warehouse: Warehouse
) -> None:
    rows = told("pipeline_table_rows")
    tables = {
        table
        for (table,) in warehouse.execute(
            "select relname from pg_class where relname ~ '_(fact|dimension)$' and relkind = 'r'"
        )
    }
    assert {dict(labels)["table"] for labels in rows} == tables | {
        "journey_activity_bridge",
        "patient_journey_schedule_window",
    }
    exact = {
        table: warehouse.value(f"select count(*) from {table}") for table in ("activity_dimension", "step_result_fact")
    }
    assert rows[of(table="activity_dimension")] == exact["activity_dimension"]
    steps = rows[of(table="step_result_fact")]
    assert steps % 5 == 0
    assert abs(steps - exact["step_result_fact"]) <= 2


def test_it_tells_the_size_of_the_databases_and_the_version(databases: None) -> None:
    sizes = told("pipeline_database_bytes")
    default = Database("default")
    name = default.connection.info.dbname
    assert sizes[of(database=name)] == pytest.approx(
        default.value("select pg_database_size(current_database())"), rel=0.5
    )
    default.connection.close()
    assert len(sizes) == 2
    project = (real_settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8")
    assert told("pipeline_build_info") == {of(version=VERSION): 1}
    assert f'version = "{VERSION}"' in project


# --- What stands in the way, and what it costs


@pytest.mark.parametrize("alias", ["default", "analytics"])
def test_it_says_in_one_line_that_a_database_is_down(databases: None, move, alias: str) -> None:
    move(alias, "127.0.0.1", free_port())
    response = ask()
    assert (response.status_code, response["Content-Type"]) == (503, "text/plain")
    (line,) = response.content.decode().splitlines()
    assert "is the server up and reachable" in line


def test_it_does_not_wait_for_a_table_that_somebody_has_locked(databases: None) -> None:
    with locked("load_state"):
        assert ask().status_code == 503


def test_the_site_may_read_all_that_it_tells(roles: None, star: None) -> None:
    def samples() -> set[str]:
        response = ask()
        assert response.status_code == 200, response.content
        return set(re.findall(r"^(pipeline_.*) ", response.content.decode(), re.MULTILINE))

    everything = samples()
    assert len(everything) > 50
    with acting("web"):
        assert samples() == everything


def test_a_scrape_counts_no_rows_of_the_star_nor_those_that_are_rejected(star: None) -> None:
    ask()
    with queries() as sent:
        assert ask().status_code == 200
    assert [sql for sql in sent if "pipeline_run" in sql]
    of_many_rows = re.compile(r'from "?(\w+_(fact|dimension|bridge|window)|rejected_row)\b', re.IGNORECASE)
    assert not [sql for sql in sent if of_many_rows.search(sql)]
    assert len(sent) < 60
