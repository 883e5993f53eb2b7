"""The schema research: what a role reads there, that it can tell nobody by it, and that its figures are the star's."""

import os
import re
import runpy
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import connections
from psycopg2.sql import SQL, Identifier

from analytics.distribution import distribute
from analytics.loads.pseudonyms import FARTHEST_DAYS, pseudonym, shift_days
from analytics.research import COVID, LEFT_OUT, VIEWS
from ingest.cursors import raw_cursor
from ingest.runs.errors import PipelineError
from tests.analytics.test_analyst import Server, as_role, forbidden, server
from tests.analytics.test_distribution import partitioned
from tests.analytics.test_erasure import found
from tests.analytics.test_schema import TABLES
from tests.conftest import Database, Source, Warehouse, last_steps
from tests.ingest.runs.test_failures import manage
from tests.pipeline_project.test_refusals import SETTINGS
from tests.pipeline_project.test_settings import SERVER
from tests.roles import acting, roles
from tests.roles import as_role as as_our_role

__all__ = ["partitioned", "roles", "server"]  # fixtures

Run = Callable[..., str]

KEY, OTHER = "of research, in thirty-two letters", "of others, who know it by now, too"
PERSONS = VIEWS[:7]
MADE = {"survey_result_fact.completion_status", "survey_result_fact.days_from_window"}  # which the star has elsewhere
PATIENT, JOURNEY, CLINICIAN, RESULT, DEVICE = 918273640, 918273641, 918273642, 918273643, 918273644
NAMES = {"patient": PATIENT, "patient_journey": JOURNEY, "clinician": CLINICIAN}
HOSPITAL, NOTE = "Kanarienspital", "says Dr. Kanarienvogel"


@pytest.fixture(autouse=True)
def key(settings: Any) -> None:
    settings.PSEUDONYM_KEY = KEY


@pytest.fixture
def researcher(server: Server, run: Run) -> Iterator[str]:
    """A role that grant_analyst made for pseudonyms; the views are gone after the test."""
    name = server.name("researcher")
    run("grant_analyst", "--role", name, "--pseudonymous")
    yield name
    connections.close_all()
    server.execute("drop schema if exists research cascade")


@pytest.fixture
def world(small_world: Source, warehouse: Warehouse) -> Source:
    """The small world with a second patient, of whom each key and text is known by its look."""
    small_world.insert("device", id=DEVICE, platform="Kanarienphone", os_version="1")
    insert_patient(small_world)
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="100")
    warehouse.execute(
        "insert into schedule_override (schedule_id, milestone_slug, offset_start_days, note) values (1, %s, 7, %s)",
        "operation",
        NOTE,
    )
    return small_world


def insert_patient(source: Source) -> None:
    source.insert("patient", id=PATIENT, age_bracket="60-69", sex="m", hospital=HOSPITAL)
    source.insert(
        "patient_journey",
        id=JOURNEY,
        patient_id=PATIENT,
        journey_id=1,
        registration_date="2024-02-20",
        operation_date="2024-03-01",
        clinician_id=CLINICIAN,
    )
    source.insert("step_result", patient_id=PATIENT, date="2024-03-02", value="4321")
    source.insert("step_result", patient_id=PATIENT, date="2024-03-31", value="4322")
    source.insert_survey_result(id=RESULT, patient_journey_id=JOURNEY, device_id=DEVICE)


def delete_patient(source: Source) -> None:
    source.execute(
        f"delete from survey_result where id = {RESULT}; delete from step_result where patient_id = {PATIENT};"
        f"delete from patient_journey where id = {JOURNEY}; delete from patient where id = {PATIENT}"
    )


def known(warehouse: Warehouse) -> dict[str, dict[int, UUID]]:
    """Return the pseudonyms of each kind."""
    return {who: dict(warehouse.execute(f"select {who}_id, pseudonym from {who}_pseudonym")) for who in NAMES}


def rows(database: Database, view: str) -> list[tuple[Any, ...]]:
    return database.execute(f"select * from research.{view}")


# --- What the role may do, and what not


def test_it_lets_the_role_read_the_views_and_no_other_table_or_view_of_any_schema(
    warehouse: Warehouse, researcher: str
) -> None:
    readable = {}
    for alias in ("analytics", "default"):
        database = as_role(researcher, alias)
        everything = Database(alias).execute(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|information_schema$)'"
        )
        assert len(everything) > 20
        readable[alias] = {name for (name,) in everything if not forbidden(database, f"select * from {name} limit 1")}
    assert readable == {"analytics": {f"research.{view}" for view in VIEWS}, "default": set()}


def test_it_lets_the_role_change_nothing_nor_see_through_a_view(warehouse: Warehouse, researcher: str) -> None:
    database = as_role(researcher)
    for statement in (
        "insert into research.journey_dimension (journey_id) values (1)",
        "update research.journey_dimension set joint = ''",
        "delete from research.journey_dimension",
        "create view research.mine as select 1",
        "create table public.mine ()",
        "create function research.mine() returns int language sql as 'select 1'",
        "drop view research.patient_dimension",
        "select shift_days from patient_pseudonym",
        "select excess.* from pg_stats, patient_pseudonym excess",
    ):
        assert forbidden(database, statement), statement
    for column in ("ctid", "xmin", "tableoid", "shift_days", "hospital"):
        with pytest.raises(psycopg2.errors.UndefinedColumn):
            database.execute(f"select {column} from research.patient_dimension")
    assert database.execute("select from pg_stats where schemaname = 'public' and tablename ~ 'pseudonym|_fact$'") == []


def test_a_role_that_read_the_star_reads_it_no_longer_and_the_other_way_round(run: Run, researcher: str) -> None:
    star, research = "select from patient_dimension", "select from research.patient_dimension"
    run("grant_analyst", "--role", researcher)
    assert [forbidden(as_role(researcher), each) for each in (star, research)] == [False, True]
    run("grant_analyst", "--role", researcher, "--pseudonymous")
    assert [forbidden(as_role(researcher), each) for each in (star, research)] == [True, False]


def test_it_says_what_it_did_and_leaves_other_roles_theirs(server: Server, run: Run, researcher: str) -> None:
    name = server.name("second")
    said = run("grant_analyst", "--role", name, "--pseudonymous")
    database = connections["analytics"].settings_dict["NAME"]
    assert said == f"{name} may read {len(VIEWS)} views of the schema research in {database}, and nothing else there\n"
    assert not forbidden(as_role(researcher), "select from research.patient_dimension")


def test_it_refuses_a_role_that_reads_more_than_the_views(server: Server, run: Run, researcher: str) -> None:
    readers = server.role("readers")
    server.execute(SQL("grant select on patient_pseudonym to {}").format(Identifier(readers)))
    ann = server.role("ann", f'in role "{readers}"')
    with pytest.raises(CommandError, match="than read the schema research: select patient_pseudonym; take that away"):
        run("grant_analyst", "--role", ann, "--pseudonymous")


def test_it_needs_nothing_of_what_everybody_has(server: Server, run: Run, world: Source, researcher: str) -> None:
    run()
    server.execute("revoke all on schema public from public")
    try:
        assert len(rows(as_role(researcher), "patient_dimension")) == 2
    finally:
        server.execute("grant usage on schema public to public")


# --- What is shown


def test_each_column_of_the_star_is_shown_or_left_out_for_a_reason(warehouse: Warehouse, researcher: str) -> None:
    shown = {
        f"{view}.{column}"
        for view in VIEWS
        for (column,) in warehouse.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0", f"research.{view}"
        )
    }
    star = {
        f"{table}.{column}"
        for table, columns in TABLES.items()
        if table not in LEFT_OUT and table not in ("rejected_row", "load_state")
        for column in columns.split(", ")
    }
    assert shown - MADE == star - LEFT_OUT.keys()
    assert {name for name in LEFT_OUT if "." in name} <= star
    assert {name for name in LEFT_OUT if "." not in name} <= TABLES.keys()


def test_nothing_that_tells_who_somebody_is_stands_in_any_view(world: Source, run: Run, researcher: str) -> None:
    run()
    database = as_role(researcher)
    assert len(rows(database, "patient_dimension")) == 2
    said = {view: str(rows(database, view)) for view in VIEWS if view != "date_dimension"}
    told = re.compile(r"9182736|Kanarien|datetime\.date(?:time)?\(2024, (?:2, 20|3, (?:1|2|8|31))\b")
    assert {view for view, text in said.items() if told.search(text)} == set()
    assert "4321" in said["step_result_fact"]  # it would be found


def test_the_figures_are_those_of_the_star(
    source: Source, dump: Path, warehouse: Warehouse, run: Run, researcher: str
) -> None:
    source.load(dump)
    run()
    database = as_role(researcher)
    for query in (
        "select sex, age_bracket, count(*) from {0}patient_dimension group by 1, 2 order by 1, 2",
        "select count(*), avg(steps), min(steps), max(steps), count(distinct patient_id) from {0}step_result_fact",
        "select joint, count(*), avg(days_registration_to_operation), avg(days_operation_to_discharge)"
        " from {0}patient_journey_fact join {0}journey_dimension using (journey_id) group by 1 order by 1",
        "select count(distinct clinician_id), count(clinician_id) from {0}patient_journey_fact",
        "select slug, count(*), avg(score_value), avg(duration_seconds), count(distinct patient_journey_id)"
        " from {0}survey_result_fact join {0}survey_dimension using (survey_id) group by 1 order by 1",
        "select status, count(*), avg(days_from_window) from {0}activity_completion_fact group by 1 order by 1",
        "select schedule_slug, count(*), count(window_start_date), avg(window_end_date - window_start_date)"
        " from {0}patient_journey_schedule_window group by 1 order by 1",
        "select count(*), count(first_in_window_date), avg(first_late_date - window_end_date) from {0}adherence_fact",
        "select percentile_cont(0.5) within group (order by s.steps) from {0}step_result_fact s"
        " join {0}patient_journey_fact f using (patient_id) where s.date between f.operation_date"
        " and f.operation_date + 30",
    ):
        of_the_star = warehouse.execute(query.format(""))
        assert any(row[-1] is not None for row in of_the_star), query
        assert database.execute(query.format("research.")) == of_the_star, query
    joined = "select count(*) from research.step_result_fact join research.date_dimension using (date)"
    assert database.value(joined) == warehouse.value("select count(*) from step_result_fact")
    assert warehouse.execute(
        "select count(*) from (select * from date_dimension except select * from research.date_dimension) d"
    ) == [(0,)]


def test_what_was_done_about_its_window_stands_beside_a_survey_result(
    world: Source, warehouse: Warehouse, run: Run, researcher: str
) -> None:
    world.insert_survey_result(end_time="2024-03-21 09:05", start_time="2024-03-21 09:00")
    run()
    query = "select score_value, completion_status, days_from_window from research.survey_result_fact order by 3"
    of_the_star = "select score_value, status, days_from_window from survey_result_fact"
    expected = warehouse.execute(f"{of_the_star} join activity_completion_fact using (survey_result_id) order by 3")
    assert as_role(researcher).execute(query) == expected


def test_the_covid_figures_are_shown_as_they_are(
    covid_folder: Path, warehouse: Warehouse, run: Run, researcher: str, settings: Any
) -> None:
    settings.COVID_API_URL = str(covid_folder)
    run("run_pipeline", "--only", "covid")
    database = as_role(researcher)
    for table in COVID:
        shown = sorted(rows(database, table), key=str)
        assert shown == sorted(warehouse.execute(f"select * from {table}"), key=str)
        assert shown


# --- Shifted dates


def test_all_dates_of_a_patient_are_shifted_by_the_same_days(
    source: Source, dump: Path, warehouse: Warehouse, run: Run, researcher: str
) -> None:
    source.load(dump)
    run()
    dates = {
        f"{table}.{column}"
        for table, column in warehouse.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'research'"
            " and data_type ~ 'date|time' and table_name = any(%s)",
            list(PERSONS),
        )
    }
    assert len(dates) == 17
    shifts = dict(warehouse.execute("select patient_id, shift_days from patient_pseudonym"))
    assert shifts == {patient: shift_days(patient) for patient in shifts}
    for name in sorted(dates):
        table, column = name.split(".")
        # How often each date occurs, of each patient: what is shown, shifted back, is what the star has.
        shown = warehouse.execute(
            f"select p.patient_id, r.{column} - p.shift_days * interval '24 hours', count(*) from research.{table} r"
            " join patient_pseudonym p on p.pseudonym = r.patient_id group by 1, 2 order by 1, 2"
        )
        held = warehouse.execute(
            f"select patient_id, {column} + interval '0 hours', count(*) from {table} group by 1, 2 order by 1, 2"
        )
        assert shown == held, name
        assert len(shown) > 10


def test_no_patient_is_shifted_by_nothing_and_all_by_a_year_at_most() -> None:
    shifts = [shift_days(patient) for patient in range(20_000)]
    assert set(shifts) == {*range(-FARTHEST_DAYS, 0), *range(1, FARTHEST_DAYS + 1)}
    assert abs(sum(shifts)) < 20_000 * 6  # about as many earlier as later


def test_a_time_keeps_its_distance_whatever_the_readers_time_zone(world: Source, run: Run, researcher: str) -> None:
    for day in (1, 31):  # before and after summer time begins
        world.insert_survey_result(
            id=day, patient_journey_id=JOURNEY, start_time=f"2024-03-{day} 12:00", end_time=f"2024-03-{day} 12:05"
        )
    run()
    database = as_role(researcher)
    database.execute("set timezone = 'Europe/Berlin'")
    shown = database.execute("select start_time from research.survey_result_fact order by 1")
    times = [datetime(2024, 3, 1, 12, tzinfo=UTC), datetime(2024, 3, 8, 9, tzinfo=UTC)]
    times.append(datetime(2024, 3, 31, 12, tzinfo=UTC))
    assert [moment for (moment,) in shown] == [time + timedelta(shift_days(PATIENT)) for time in times]


def test_a_day_that_stands_for_never_gives_no_shift_away(world: Source, run: Run, researcher: str) -> None:
    world.execute(f"update patient_journey set operation_date = '9999-12-31' where id = {JOURNEY}")
    run()
    database = as_role(researcher)
    held = "registration_date is not null, operation_date, days_registration_to_operation"
    query = f"select {held} from research.patient_journey_fact where clinician_id is not null"
    assert database.execute(query) == [(True, None, None)]
    query = "select milestone_date, window_start_date, window_end_date from research.patient_journey_schedule_window w"
    query += " join research.patient_journey_fact f using (patient_journey_id) where f.clinician_id is not null"
    assert database.execute(query) == [(None, None, None)]
    for view in ("activity_completion_fact", "survey_result_fact"):
        assert database.execute(f"select days_from_window from research.{view}") == [(None,)]
    assert database.execute("select status from research.activity_completion_fact") == [("early",)]


def test_no_name_of_the_readers_own_changes_what_is_hidden(world: Source, run: Run, researcher: str) -> None:
    run("run_pipeline")
    reader = as_role(researcher)
    before = rows(reader, "patient_journey_fact")
    reader.execute("create type pg_temp.date as enum ('1971-01-01', '2098-12-31')")
    assert rows(reader, "patient_journey_fact") == before


def test_rows_come_in_no_order_that_tells_of_the_source(
    source: Source, dump: Path, warehouse: Warehouse, run: Run, researcher: str
) -> None:
    source.load(dump)
    run()
    database = as_role(researcher)
    for view in PERSONS:
        key = "patient_journey_id" if view == "patient_journey_fact" else "patient_id"
        shown = [key for (key,) in database.execute(f"select {key} from research.{view}")]
        assert shown == sorted(shown), view
        assert len(set(shown)) > 10


# --- Pseudonyms


def test_a_pseudonym_follows_from_the_key_alone(world: Source, warehouse: Warehouse, run: Run, settings: Any) -> None:
    run()
    first = known(warehouse)
    assert first == {
        who: {key: pseudonym(who, key) for key in keys}
        for who, keys in {"patient": (1, PATIENT), "patient_journey": (1, JOURNEY), "clinician": (CLINICIAN,)}.items()
    }
    made = [each for keys in first.values() for each in keys.values()]
    assert len(set(made)) == 5
    run("run_pipeline", "--full-refresh")
    assert known(warehouse) == first
    warehouse.execute("truncate patient_pseudonym, patient_journey_pseudonym, clinician_pseudonym, load_version")
    run()
    assert known(warehouse) == first
    settings.PSEUDONYM_KEY = OTHER
    assert not {pseudonym(who, key) for who, key in NAMES.items()} & set(made)


def test_a_run_gives_pseudonyms_to_what_is_new_alone_and_asks_for_nothing_where_nothing_is(
    world: Source, warehouse: Warehouse, run: Run
) -> None:
    run()
    run()
    assert [step.table_name for step in last_steps() if "pseudonym" in step.table_name] == []
    world.insert("patient", id=5)
    world.insert("patient_journey", id=6, patient_id=5, journey_id=1, clinician_id=7)
    run()
    steps = {step.table_name: (step.inserted, step.deleted) for step in last_steps() if "pseudonym" in step.table_name}
    assert steps == {f"{who}_pseudonym": (1, 0) for who in NAMES}
    for who, key in {"patient": 5, "patient_journey": 6, "clinician": 7}.items():
        assert known(warehouse)[who][key] == pseudonym(who, key)
    world.execute("update patient_journey set clinician_id = 8 where id = 6")
    run()
    assert known(warehouse)["clinician"].keys() == {CLINICIAN, 8}
    world.execute(f"update patient_journey set patient_id = {PATIENT} where id = 6")
    run()
    assert known(warehouse)["patient_journey"].keys() == {1, JOURNEY, 6}


def test_another_key_is_refused_in_one_line_unless_it_is_said(
    world: Source, warehouse: Warehouse, run: Run, settings: Any
) -> None:
    run()
    first = known(warehouse)
    settings.PSEUDONYM_KEY = OTHER
    world.insert("patient", id=5)
    with pytest.raises(CommandError) as refused:
        run()
    assert str(refused.value) == (
        "PSEUDONYM_KEY is not the one with which the pseudonyms were made: set the former one, or call everybody by "
        "another name with manage.py load_msk --new-pseudonym-key. The warehouse is as it was."
    )
    assert known(warehouse) == first
    run("load_msk", "--new-pseudonym-key", "--dry-run")
    assert known(warehouse) == first
    run("load_msk", "--new-pseudonym-key")
    second = known(warehouse)
    assert {who: keys.keys() for who, keys in second.items()} == {who: keys.keys() for who, keys in first.items()}
    assert second["patient"][PATIENT] == pseudonym("patient", PATIENT) != first["patient"][PATIENT]
    run()
    assert known(warehouse)["patient"].keys() == {1, 5, PATIENT}


def test_without_a_key_nothing_is_filled_and_what_is_there_stays_until_the_key_is_back(
    world: Source, warehouse: Warehouse, run: Run, settings: Any
) -> None:
    settings.PSEUDONYM_KEY = ""
    run()
    assert known(warehouse) == {who: {} for who in NAMES}
    with pytest.raises(CommandError, match="PSEUDONYM_KEY is not set: set it to what this prints: python3 -c"):
        run("load_msk", "--new-pseudonym-key")
    settings.PSEUDONYM_KEY = KEY
    run()
    first = known(warehouse)
    assert first["patient"].keys() == {1, PATIENT}
    settings.PSEUDONYM_KEY = ""
    world.insert("patient", id=5)
    run()
    assert known(warehouse) == first
    delete_patient(world)
    run("run_pipeline", "--allow-deletes")
    assert known(warehouse) == {"patient": {1: first["patient"][1]}, "clinician": {}} | {
        "patient_journey": {1: first["patient_journey"][1]}
    }
    settings.PSEUDONYM_KEY = OTHER  # which nobody has said
    with pytest.raises(CommandError, match="PSEUDONYM_KEY is not the one"):
        run()
    settings.PSEUDONYM_KEY = KEY
    run()
    assert known(warehouse)["patient"].keys() == {1, 5}


def test_without_a_key_no_role_is_given_the_views(server: Server, run: Run, settings: Any) -> None:
    settings.PSEUDONYM_KEY = ""
    name = server.name("researcher")
    with pytest.raises(CommandError, match="PSEUDONYM_KEY is not set: set it to what this prints, for runs as well"):
        run("grant_analyst", "--role", name, "--pseudonymous")
    assert not server.exists(name)


def test_a_weak_key_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.environ", SERVER | {"PSEUDONYM_KEY": "x" * 31})
    with pytest.raises(ImproperlyConfigured, match=r"^PSEUDONYM_KEY is weak: it takes 32 characters; set it to .*$"):
        runpy.run_path(SETTINGS)
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setattr("os.environ", SERVER | {"PSEUDONYM_KEY_FILE": str(tmp_path / "key")})
    assert runpy.run_path(SETTINGS)["PSEUDONYM_KEY"] == KEY


def test_an_erased_patient_has_no_pseudonym_and_who_comes_back_has_the_same(
    world: Source, warehouse: Warehouse, run: Run, researcher: str
) -> None:
    run()
    first = known(warehouse)
    delete_patient(world)
    left = {place["place"].partition(".")[2] for place in found(PATIENT)["left"]}
    assert {"patient_pseudonym.patient_id", "patient_journey_pseudonym.patient_journey_id"} <= left
    run("run_pipeline", "--allow-deletes")
    assert found(PATIENT)["status"] == "erased"
    gone = known(warehouse)
    assert [gone[who].keys() & {key} for who, key in NAMES.items()] == [set()] * 3
    assert len(rows(as_role(researcher), "patient_dimension")) == 1
    insert_patient(world)
    run()
    assert known(warehouse) == first


def test_the_loader_fills_what_nobody_else_of_ours_may_read(
    world: Source, warehouse: Warehouse, run: Run, roles: None
) -> None:
    world.execute("grant select on all tables in schema public to public")
    with acting("loader"):
        run()
        run("run_pipeline", "--full-refresh")
    assert known(warehouse)["patient"].keys() == {1, PATIENT}
    for who in NAMES:
        assert forbidden(as_our_role("web", "analytics"), f"select from {who}_pseudonym")


def test_the_key_stands_in_no_database_no_statement_and_no_log(
    world: Source, warehouse: Warehouse, run: Run, researcher: str
) -> None:
    said = manage("run_pipeline", "--print-logs", PSEUDONYM_KEY=KEY, PIPELINE_TRIGGER="cron")
    assert known(warehouse)["patient"]
    assert said[0] in (0, 1)  # the COVID figures may not be there
    refused = manage("load_msk", PSEUDONYM_KEY=OTHER)
    assert "PSEUDONYM_KEY is not the one" in refused[2]
    connection = connections["analytics"]
    connection.ensure_connection()
    statements: deque[str] = deque()
    connection.connection.notices = statements
    with raw_cursor("analytics") as cursor:
        cursor.execute("set client_min_messages = log; set log_statement = 'all'; set log_duration = on")
    warehouse.execute("truncate patient_pseudonym, load_version")
    run()
    assert any('copy "patient_pseudonym" from stdin' in statement for statement in statements)
    texts = [*said[1:], *refused[1:], *statements]
    for alias in ("analytics", "default"):
        info = Database(alias).connection.info
        address = {"PGHOST": info.host, "PGPORT": str(info.port), "PGUSER": info.user, "PGPASSWORD": info.password}
        dump = ["pg_dump", "--inserts", info.dbname]
        texts.append(subprocess.run(dump, env=os.environ | address, check=True, capture_output=True, text=True).stdout)
    secrets = [form for key in (KEY, OTHER) for form in (key, key.encode().hex())]
    assert [secret for secret in secrets if any(secret in text for text in texts)] == []
    assert str(pseudonym("patient", PATIENT)) in texts[-2]  # it would be found
    assert not [text for text in statements if str(pseudonym("patient", PATIENT)) in text]


# --- A distributed warehouse


def test_a_distributed_warehouse_is_refused_in_one_line(
    small_world: Source, partitioned: Warehouse, run: Run, server: Server, settings: Any
) -> None:
    with pytest.raises(CommandError, match="the warehouse is distributed, where there are no pseudonyms: give no --ps"):
        run("grant_analyst", "--role", server.name("researcher"), "--pseudonymous")
    with pytest.raises(CommandError, match="the warehouse is distributed, where there are no pseudonyms: remove PSEUD"):
        run()
    settings.PSEUDONYM_KEY = ""
    run()
    assert partitioned.value("select count(*) from patient_dimension") == 1


def test_a_warehouse_with_pseudonyms_is_not_distributed(run: Run, settings: Any, researcher: str) -> None:
    for settings.PSEUDONYM_KEY in (KEY, ""):
        with pytest.raises(
            PipelineError, match="cannot be distributed with pseudonyms: remove PSEUDONYM_KEY, and drop"
        ):
            distribute(is_dry=True)
