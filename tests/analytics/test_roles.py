"""The roles of the databases: what each may do, and all that it may not, as the server itself sees it."""

import base64
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError
from django.db import connections
from django.test import Client
from psycopg2.errors import InsufficientPrivilege
from psycopg2.sql import SQL, Identifier

from analytics.admin.base import BoundedAdmin
from analytics.distribution import distribute
from analytics.loads.tables import STAR_TABLES
from analytics.roles import FUNCTIONS, prepare_roles
from ingest.models import Alert, PipelineRun, RunRequest, ScheduleOverride
from ingest.msk.tables import TABLES
from ingest.runs.command import PipelineCommand
from ingest.runs.errors import PipelineError, explain
from ingest.runs.requests import RequestWorker
from manage import ROLES
from tests.access.test_groups import PLACES, links
from tests.analytics.test_analyst import Server, rights, server
from tests.conftest import Database, Source, Warehouse
from tests.ingest.runs.test_failures import RIGHT, guarded
from tests.ingest.runs.test_failures import Server as Address
from tests.roles import LOGINS, acting, as_role, roles

__all__ = ["guarded", "roles", "server"]  # fixtures

Run = Callable[..., str]

STAGING = {f"staging_{table.name}" for table in TABLES}
STAR = {table.name for table in STAR_TABLES} | {
    *("cases_dimension", "cases_fact", "testing_fact", "hospitalization_fact", "death_fact"),
    "field_definitions_dimension",
}
PSEUDONYMS = {"patient_pseudonym", "patient_journey_pseudonym", "clinician_pseudonym"}
VIEWS = {"activity_adherence", "window_detail", "staged_rows"}
RUN_LOG = {"pipeline_run", "step_run", "warehouse_check", "alert", "run_request"}
LOGINS_AND_SESSIONS = {"auth_user", "auth_group", "auth_user_groups", "django_session", "axes_accessattempt"}
ALL = "delete insert select update"


def may(role: str, alias: str) -> dict[str, str]:
    """Return what a role may do with each table and view of a database; nothing of those that are closed to it."""
    database = Database(alias)
    found = database.execute(
        """
        select c.relname, string_agg(p.word, ' ' order by p.word)
          from pg_class c,
               unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p (word)
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
           and case when p.word in ('delete', 'truncate', 'trigger') then has_table_privilege(%s, c.oid, p.word)
                    else has_any_column_privilege(%s, c.oid, p.word) end
         group by 1
        """,
        LOGINS[role]["USER"],
        LOGINS[role]["USER"],
    )
    database.connection.close()
    return dict(found)


def refused(database: Database, *statements: str) -> list[str]:
    """Return those of the statements that the server does not refuse for want of a right."""
    done = []
    for statement in statements:
        try:
            database.execute(statement)
            done.append(statement)
        except InsufficientPrivilege:
            pass
        except psycopg2.errors.ReadOnlySqlTransaction:
            done.append(f"read only, but allowed: {statement}")
    return done


# --- What each may do


def test_it_lets_the_loader_write_the_warehouse_and_the_run_log_and_nothing_else(roles: None) -> None:
    found = may("loader", "analytics")
    assert {found.pop(table) for table in STAGING} == {"delete insert select truncate update"}
    assert {found.pop(table) for table in (*VIEWS, "schedule_override", "django_migrations")} == {"select"}
    assert {found.pop(table) for table in PSEUDONYMS} == {"delete insert select"}
    assert set(found) > STAR | {"rejected_row", "load_state", "committed_run", "staged_bucket", "changed_patient"}
    assert "key_set_aside" not in found
    assert set(found.values()) == {ALL}
    found = may("loader", "default")
    assert found.pop("django_migrations") == "select"
    assert found == dict.fromkeys(RUN_LOG | {"kept_answer"}, ALL)


def test_it_lets_web_read_the_star_and_write_what_people_do(roles: None) -> None:
    found = may("web", "analytics")
    assert found.pop("schedule_override") == ALL
    covid = {"staging_covid_day", "staging_covid_document", "schema_change"}
    beside = {"rejected_row", "load_state", "committed_run", "django_migrations"}
    assert found == dict.fromkeys(STAR | VIEWS | covid | beside, "select")
    found = may("web", "default")
    assert {found[table] for table in LOGINS_AND_SESSIONS | {"kept_answer"}} == {ALL}
    assert {found[table] for table in RUN_LOG - {"run_request"}} == {"select"}
    assert {found[table] for table in ("auth_permission", "django_content_type", "django_migrations")} == {"select"}
    assert found["run_request"] == "insert select"
    assert found["django_admin_log"] == "delete insert select"


def test_it_lets_web_add_to_the_access_log_and_change_no_line_of_it(roles: None) -> None:
    database = Database("default")
    is_there = database.value("select to_regclass('access_log') is not null")
    if not is_there:
        database.execute("create table access_log (id integer)")
    try:
        prepare_roles()
        assert may("web", "default")["access_log"] == "insert select"
        assert "access_log" not in may("loader", "default")
    finally:
        if not is_there:
            database.execute("drop table access_log")
        database.connection.close()


def test_it_lets_the_reader_read_the_source_alone(roles: None, small_world: Source) -> None:
    prepare_roles()  # the tables are new
    assert may("reader", "msk_db") == {table.name: "select" for table in TABLES}
    assert may("reader", "analytics") == may("reader", "default") == {}


def test_it_lets_the_loader_alone_do_what_the_owner_does_for_it(roles: None) -> None:
    for alias, ours in (("analytics", set(FUNCTIONS[:3])), ("default", set(FUNCTIONS[3:]))):
        database = Database(alias)
        found = database.execute(
            """
            select p.proname, array(select r.rolname::text from pg_roles r
                                     where r.rolname = any(%s) and has_function_privilege(r.oid, p.oid, 'execute'))
              from pg_proc p
             where p.prosecdef and p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
            """,
            [login["USER"] for login in LOGINS.values()],
        )
        database.connection.close()
        assert {name for name, _ in found} - {"is_of_the_warehouse"} <= ours
        assert {name for names in (names for _, names in found) for name in names} <= {LOGINS["loader"]["USER"]}
        assert alias == "default" or len(found) == len(ours) + 1


# --- What none may do


def test_the_loader_cannot_migrate_nor_drop_nor_make_roles(roles: None) -> None:
    warehouse, log = as_role("loader", "analytics"), as_role("loader", "default")
    assert not refused(
        warehouse,
        "create table mine ()",
        "create index on patient_dimension (hospital)",
        "alter table patient_dimension add column mine integer",
        "alter table patient_dimension disable trigger all",
        "drop table staging_patient",
        "drop view window_detail",
        "truncate patient_dimension",
        "create role mine",
        "create schema mine",
        "insert into django_migrations (app, name, applied) values ('ingest', '0019', now())",
        "insert into schedule_override (schedule_id, milestone_slug, offset_end_days) values (1, 'operation', 1)",
        "insert into key_set_aside values ('public.patient_dimension', 1, 'drop table patient_dimension')",
        "select from key_set_aside",
        "create function mine() returns integer language sql as 'select 1'",
        "copy patient_dimension to program 'true'",
    )
    assert not refused(
        log,
        "select from auth_user",
        "select from django_session",
        "select from django_admin_log",
        "create table mine ()",
        "drop table pipeline_run",
    )


def test_web_cannot_read_what_is_staged_nor_write_the_star_nor_the_run_log(roles: None) -> None:
    warehouse, log = as_role("web", "analytics"), as_role("web", "default")
    hidden = [*STAGING, "staging_slug", "staged_table", "staged_bucket", "digest_secret", "changed_patient"]
    hidden += sorted(PSEUDONYMS)
    assert not refused(warehouse, *(f"select from {table}" for table in hidden))
    assert not refused(warehouse, *(f"delete from {table}" for table in (*STAR, "rejected_row", "load_state")))
    assert not refused(warehouse, "update committed_run set run_uuid = null", "create table mine ()")
    assert not refused(warehouse, *(f"select {name}('step_result_fact')" for name in FUNCTIONS[:3]))
    changed = ("update pipeline_run set status = ''", "delete from pipeline_run", "delete from step_run")
    made = ("insert into alert (source) values ('')", "delete from run_request", "update run_request set outcome = ''")
    assert not refused(log, *changed, *made, "update django_admin_log set change_message = ''", "create table mine ()")


def test_the_reader_cannot_write_the_source_nor_see_the_other_databases(roles: None, small_world: Source) -> None:
    prepare_roles()
    source = as_role("reader", "msk_db")
    assert source.value("select count(*) from patient") == 1
    assert not refused(source, "delete from patient", "update patient set sex = ''", "create table mine ()")
    for alias, table in (
        ("analytics", "patient_dimension"),
        ("analytics", "staging_patient"),
        ("default", "auth_user"),
    ):
        assert not refused(as_role("reader", alias), f"select from {table}")


def test_it_puts_the_keys_back_that_a_role_has_left_aside(roles: None, warehouse: Warehouse) -> None:
    keys = "select indexdef from pg_indexes where tablename = 'step_result_fact' order by 1"
    warehouse.execute("truncate step_result_fact")
    before = warehouse.execute(keys)
    as_role("loader", "analytics").execute("select set_keys_aside('step_result_fact')")
    assert warehouse.execute(keys) == []
    prepare_roles()
    assert warehouse.execute(keys) == before != []


@pytest.mark.parametrize("function", FUNCTIONS[:3])
def test_the_owner_does_nothing_for_the_loader_to_tables_that_are_not_of_the_warehouse(
    roles: None, function: str
) -> None:
    loader = as_role("loader", "analytics")
    loader.execute("create temp table mine (id integer primary key)")
    for table in ("pg_authid", "mine"):
        if function == "put_keys_back":
            loader.execute(f"select {function}('{table}')")
        else:
            assert not refused(loader, f"select {function}('{table}')")
    assert loader.value("select count(*) from pg_indexes where tablename = 'mine'") == 1


# --- What they do


def test_a_run_as_the_loader_makes_the_star_that_one_as_the_owner_makes(
    roles: None, source: Source, warehouse: Warehouse, dump: Path, covid_folder: Path, run: Run, settings: Any
) -> None:
    settings.COVID_API_URL = str(covid_folder)
    source.load(dump)
    prepare_roles()
    keys = "select indexdef from pg_indexes where schemaname = 'public' order by 1"
    before = warehouse.execute(keys)
    with acting("loader"):
        run()
        run("run_pipeline", "--only", "covid", "--follow-up")
        assert "0 of" not in run("check_warehouse")
    assert warehouse.execute(keys) == before
    assert warehouse.star() == source.star()
    assert (
        warehouse.value("select min(reltuples) from pg_class where relname ~ '^(step_result_fact|staging_patient)$'")
        > 0
    )
    estimates = "select relname, reltuples from pg_class where relnamespace = 'public'::regnamespace order by 1"
    known = warehouse.execute(estimates)
    source.execute(
        "update step_result set value = '7' where patient_id % 2 = 0; delete from survey_result where id < 9"
    )
    source.execute("delete from patient where id = (select min(id) from patient)")
    with acting("loader"):
        run("run_pipeline", "--dry-run", "--full-refresh")
        assert warehouse.execute(estimates) == known
        run()
        run("run_pipeline", "--full-refresh")
        assert run("pipeline_status")
    assert warehouse.star() == source.star()
    covid = [
        (table, warehouse.execute(f"select * from {table} order by 1")) for table in sorted(STAR) if "cases" in table
    ]
    as_loader = warehouse.star()
    warehouse.execute(
        "truncate " + ", ".join(sorted(STAR | STAGING | {"staged_bucket", "staged_table", "load_version"}))
    )
    run()
    run("run_pipeline", "--only", "covid", "--full-refresh")
    assert warehouse.star() == as_loader
    assert [(table, warehouse.execute(f"select * from {table} order by 1")) for table, _ in covid] == covid


def visit(client: Client, *addresses: str) -> dict[str, int]:
    """Return the status of each address that is not answered as it should be; what is streamed is read to its end."""
    wrong = {}
    for address in addresses:
        response = client.get(address)
        content = response.getvalue()
        if response.status_code not in (200, 302) or not (content or response.status_code == 302):
            wrong[address] = response.status_code
    return wrong


def test_web_serves_every_page_and_list_and_takes_them_away(
    roles: None, star: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedAdmin, "list_per_page", 5)
    User.objects.create_superuser("boss", password="the-quiet-knee")
    PipelineRun.objects.create(command="run_pipeline", status="failed", error="Traceback:\nout of steps")
    Alert.objects.create(source="msk", kind="failed", message="out of steps", began_at=datetime.now(UTC))
    client = Client()
    with acting("web"):
        assert client.post("/admin/login/", {"username": "boss", "password": "wrong"}).status_code == 200
        answer = client.post("/admin/login/", {"username": "boss", "password": "the-quiet-knee"})
        assert answer.status_code == 302
        places = [place for place in PLACES if "patients" not in place]
        assert visit(client, *places, "/readyz") == {}
        seen = {address for place in places for address in links(client, place)} - {"/admin/logout/"}
        assert visit(client, *sorted(seen)) == {}
        assert len(seen) > 100
        for file in ("csv", "xlsx", "parquet"):
            assert visit(client, f"/admin/analytics/activityadherence/?_export={file}&status=missed") == {}
        assert visit(client, "/adherence/?format=csv", "/quality/?format=csv") == {}


def test_web_takes_what_people_ask_for(roles: None, star: None, warehouse: Warehouse) -> None:
    boss = User.objects.create_superuser("boss", password="the-quiet-knee")
    other = User.objects.create_user("ann")
    client = Client()
    client.force_login(boss)
    schedule = warehouse.value("select schedule_id from schedule_dimension where parse_status = 'parsed' limit 1")
    says = {"schedule_id": schedule, "milestone_slug": "operation", "offset_start_days": 3, "note": "said so"}
    form = "/admin/ingest/scheduleoverride/add/"
    with acting("web"):
        assert client.post(form, says | {"_preview": "Preview"}).context["preview"]
        assert client.post(form, says).status_code == 302
        change = f"/admin/ingest/scheduleoverride/{schedule}/change/"
        assert client.post(change, says | {"offset_start_days": 4}).status_code == 302
        assert client.post("/runs/now/", {"source": "msk"}).status_code == 302
        group = Group.objects.get(name="steward").pk
        user = {"username": "ann", "is_active": "on", "groups": [group]} | dict(
            zip(("date_joined_0", "date_joined_1"), ("2026-01-01", "08:00:00"), strict=True)
        )
        assert client.post(f"/admin/auth/user/{other.pk}/change/", user).status_code == 302
        assert client.post(f"/admin/auth/user/{other.pk}/delete/", {"post": "yes"}).status_code == 302
        assert client.post(f"/admin/ingest/scheduleoverride/{schedule}/delete/", {"post": "yes"}).status_code == 302
        assert client.post("/admin/logout/").status_code in (200, 302)
    assert not ScheduleOverride.objects.exists()
    assert not User.objects.filter(username="ann").exists()
    assert RunRequest.objects.get().requested_by == "boss"


def test_the_worker_puts_a_run_on_record_that_is_gone_where_the_site_may_not(roles: None) -> None:
    gone = PipelineRun.objects.create(command="run_pipeline")
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    with acting("web"):
        assert client.get("/runs/").status_code == 200
    gone.refresh_from_db()
    assert gone.status == "running"
    with acting("loader"):
        RequestWorker([sys.executable, "-c", ""]).look()
    gone.refresh_from_db()
    assert gone.status == "interrupted"


# --- Kept answers, to which both write


def test_it_keeps_what_answers_are_made_of(databases: None) -> None:
    rows = [{"day": date(2024, 3, 1), "at": datetime(2024, 3, 1, tzinfo=UTC), "share": Decimal("0.5"), "n": None}]
    cache.set("rows", rows)
    cache.set("pairs", [(("North", None), (1, 2.5))])
    assert cache.get_many(["rows", "pairs", "other"]) == {"rows": rows, "pairs": [(("North", None), (1, 2.5))]}
    cache.set("old", rows, timeout=-1)
    assert cache.get("old") is None


def test_it_runs_nothing_that_somebody_put_among_the_kept_answers(databases: None, tmp_path: Path) -> None:
    class Bad:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "done",))

    cache.set("answer", 1)
    log = Database("default")
    for content in (base64.b64encode(pickle.dumps(Bad())).decode(), "no base64", ""):
        log.execute("update kept_answer set value = %s", content)
        assert cache.get("answer") is None
    log.connection.close()
    assert not (tmp_path / "done").exists()


# --- How they are made


def test_it_changes_nothing_where_all_is_as_it_should_be(roles: None, source: Source) -> None:
    prepare_roles()
    catalogue = "select oid, xmin from pg_class union all select oid, xmin from pg_namespace order by 1"
    before = [Database(alias).execute(catalogue) for alias in connections]
    prepare_roles()
    assert [Database(alias).execute(catalogue) for alias in connections] == before


def test_it_takes_away_what_a_role_was_given_beside(roles: None) -> None:
    web, database = Identifier(LOGINS["web"]["USER"]), Database("analytics")
    database.execute(SQL("grant all on staging_patient, patient_dimension to {}").format(web))
    database.execute(SQL("grant select on patient_dimension to {} with grant option").format(web))
    database.execute(SQL("grant select (secret) on digest_secret to {}").format(web))
    database.execute(SQL("grant execute on function analyze_table to {}").format(web))
    database.execute(SQL("revoke select on step_result_fact from {}").format(web))
    prepare_roles()
    found = may("web", "analytics")
    assert found["patient_dimension"] == found["step_result_fact"] == "select"
    assert not {"staging_patient", "digest_secret"} & set(found)
    database.connection.close()


@pytest.mark.parametrize(
    ("role", "attributes", "reason"),
    [
        ("loader", "superuser", "than the loader has to: do anything as a superuser"),
        ("web", "createrole", "than the web has to: make roles"),
        ("web", "in role pg_read_all_data", "than the web has to: act as pg_read_all_data"),
        ("reader", "createdb", "than the reader has to: make databases"),
    ],
)
def test_it_refuses_a_role_that_may_more(
    server: Server, monkeypatch: pytest.MonkeyPatch, role: str, attributes: str, reason: str
) -> None:
    mighty = server.role("mighty", f"nologin {attributes}")
    changed = LOGINS | {role: LOGINS[role] | {"USER": mighty}}
    monkeypatch.setattr(settings, "DATABASE_ROLES", changed)
    for name in LOGINS.values():
        server.roles.append(name["USER"])
    with pytest.raises(CommandError) as error:
        call_command("prepare_roles")
    assert f'the role "{mighty}" may do more in' in str(error.value)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert rights(Database("default"), mighty) == rights(server, mighty) == []
    assert server.value("select rolcanlogin from pg_roles where rolname = %s", mighty) is False


def test_it_refuses_the_owner_of_a_table(server: Server, roles: None) -> None:
    server.execute("create table kept ()")
    try:
        server.execute(SQL("alter table kept owner to {}").format(Identifier(LOGINS["loader"]["USER"])))
        with pytest.raises(PipelineError, match="than the loader has to: own kept"):
            prepare_roles()
    finally:
        server.execute("drop table kept")


def test_it_warns_of_what_the_source_lets_everybody_do(
    roles: None, small_world: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    small_world.execute("grant insert on patient to public")
    call_command("prepare_roles")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f'warning: the role "{LOGINS["reader"]["USER"]}" may do more in')
    assert "than the reader has to: insert patient; take that away" in line


def test_it_refuses_some_passwords_without_the_others(databases: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATABASE_ROLES", {"web": LOGINS["web"]})
    with pytest.raises(PipelineError) as error:
        prepare_roles()
    assert str(error.value) == (
        "WEB_PASSWORD is set, LOADER_PASSWORD and READER_PASSWORD is not: "
        "set LOADER_, WEB_ and READER_PASSWORD, or none of them"
    )


def test_it_refuses_a_warehouse_that_is_distributed_and_to_distribute_one_with_roles(roles: None) -> None:
    one_user = "a distributed warehouse has one user, so remove LOADER_PASSWORD, WEB_PASSWORD and READER_PASSWORD"
    with pytest.raises(PipelineError, match=f"cannot be distributed with roles of its own: {one_user}"):
        distribute(is_dry=True)
    warehouse = Database("analytics")
    warehouse.execute("alter table patient_journey_fact rename to kept")
    warehouse.execute("create table patient_journey_fact (patient_id integer) partition by hash (patient_id)")
    try:
        with pytest.raises(PipelineError, match=f"is distributed: {one_user}"):
            prepare_roles()
    finally:
        warehouse.execute("drop table patient_journey_fact; alter table kept rename to patient_journey_fact")
        warehouse.connection.close()


def test_it_says_what_to_do_where_a_role_lacks_a_right(roles: None) -> None:
    server = Database("default")
    server.execute(SQL("revoke select on pipeline_run from {}").format(Identifier(LOGINS["loader"]["USER"])))
    with acting("loader"), pytest.raises(Exception, match="permission denied") as error:
        PipelineRun.objects.count()
    with acting("loader"):
        assert explain(error.value) == (
            "permission denied for table pipeline_run; "
            "make migrate, in Docker a restart of web, gives the roles their passwords and rights"
        )


# --- Which process is whom


def process(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", *arguments],
        env={"PATH": os.environ["PATH"], "DEBUG": "1", "PYTHON_DOTENV_DISABLED": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


PASSWORDS = {"POSTGRES_PASSWORD": "o", "LOADER_PASSWORD": "l", "WEB_PASSWORD": "w", "READER_PASSWORD": "r"}


@pytest.mark.parametrize(
    ("role", "passwords", "users"),
    [
        ("owner", PASSWORDS, "postgres:o postgres:o postgres:o"),
        ("loader", PASSWORDS, "msk_loader:l msk_loader:l msk_reader:r"),
        ("web", PASSWORDS, "msk_web:w msk_web:w postgres:o"),
        ("loader", PASSWORDS | {"MSK_SOURCE_USER": "x", "MSK_SOURCE_PASSWORD": "s"}, "msk_loader:l msk_loader:l x:s"),
        ("loader", {"POSTGRES_PASSWORD": "o"}, "postgres:o postgres:o postgres:o"),
        ("web", {"POSTGRES_PASSWORD": "o"}, "postgres:o postgres:o postgres:o"),
        ("loader", PASSWORDS | {"LOADER_USER": "mine"}, "mine:l mine:l msk_reader:r"),
    ],
)
def test_it_comes_to_each_database_as_the_role_that_it_is(role: str, passwords: dict[str, str], users: str) -> None:
    command = (
        "from django.conf import settings as s; print(*('{USER}:{PASSWORD}'.format(**d) for d in s.DATABASES.values()))"
    )
    environment = {"POSTGRES_HOST": "localhost", "PIPELINE_ROLE": role} | passwords
    ended = process(environment, "shell", "--no-imports", f"--command={command}")
    assert (ended.stdout.strip(), ended.stderr) == (users, "")


def test_it_runs_each_command_of_a_run_as_the_loader() -> None:
    ours = [name for name, app in get_commands().items() if app in ("ingest", "analytics")]
    runs = {name for name in ours if isinstance(load_command_class(get_commands()[name], name), PipelineCommand)}
    assert len(runs) > 5
    assert {ROLES[name] for name in runs} == {"loader"}


def test_the_check_for_production_says_that_one_user_does_everything() -> None:
    production = {
        "POSTGRES_HOST": "localhost",
        "POSTGRES_SSLMODE": "disable",
        "POSTGRES_PASSWORD": "of one's own",
        "DEBUG": "0",
    }
    production |= {"SECRET_KEY": "a-key-of-ones-own-as-long-as-a-key-has-to-be-0123456789"}
    ended = process(production, "check", "--deploy", "--fail-level", "WARNING")
    assert ended.returncode == 1
    assert "analytics.W001" in ended.stderr
    assert "come to the databases as their owner, postgres, who may do everything" in ended.stderr
    ended = process(production | PASSWORDS, "check", "--deploy", "--fail-level", "WARNING")
    assert "analytics.W001" not in ended.stderr


@pytest.mark.parametrize("role", ["loader", "web", "reader"])
def test_it_refuses_the_passwords_of_the_example_in_production(role: str) -> None:
    production = {
        "POSTGRES_HOST": "localhost",
        "POSTGRES_SSLMODE": "disable",
        "DEBUG": "0",
        f"{role.upper()}_PASSWORD": role,
    }
    ended = process(production, "check")
    assert ended.returncode == 1
    assert ended.stderr == (
        f"error: {role.upper()}_PASSWORD is the one of .env.example and DEBUG is off: set one of your own in .env, "
        f"which msk_{role} is given when the databases are prepared\n"
    )


# --- On a server that asks for passwords


def test_each_comes_in_by_its_own_password_and_by_the_new_one_when_it_changed(guarded: Address, tmp_path: Path) -> None:
    place = {f"POSTGRES_{part}": guarded[part] for part in ("HOST", "PORT")} | {"COVID_API_URL": "sample_data/covid/v2"}
    owner = place | {"POSTGRES_PASSWORD": RIGHT}
    passwords = {f"{role.upper()}_PASSWORD": f"first of {role}" for role in LOGINS}

    def lets_in(user: str, password: str) -> bool:
        try:
            psycopg2.connect(
                host=guarded["HOST"], port=guarded["PORT"], user=user, password=password, dbname="msk_database"
            ).close()
        except psycopg2.OperationalError:
            return False
        return True

    server = psycopg2.connect(
        host=guarded["HOST"], port=guarded["PORT"], user="postgres", password=RIGHT, dbname="postgres"
    )
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute("alter system set log_statement = 'all'")
        cursor.execute("select pg_reload_conf()")
        cursor.execute("show data_directory")
        ((folder,),) = cursor.fetchall()
    log = Path(folder).parent / "log"
    made = process(owner | passwords, "prepare_databases")
    assert made.returncode == 0, made.stderr
    loaded = process(owner | passwords, "load_source")  # by init-db.sh, after the roles were made
    assert loaded.returncode == 0, loaded.stderr
    assert all(lets_in(f"msk_{role}", f"first of {role}") for role in LOGINS)
    own = {name: passwords[name] for name in ("LOADER_PASSWORD", "READER_PASSWORD")}
    ran = process(place | own, "run_pipeline")
    assert (ran.returncode, ran.stderr) == (0, "")
    star = str(tmp_path / "star")
    taken = process(place | {"WEB_PASSWORD": passwords["WEB_PASSWORD"]}, "export_star", "--output", star)
    assert (taken.returncode, taken.stderr) == (0, "")

    changed = {f"{role.upper()}_PASSWORD": f"second of {role}" for role in LOGINS}
    assert process(owner | changed, "prepare_databases").returncode == 0
    assert all(lets_in(f"msk_{role}", f"second of {role}") for role in LOGINS)
    assert not any(lets_in(f"msk_{role}", f"first of {role}") for role in LOGINS)
    late = process(place | own, "run_pipeline", "--only", "msk")
    assert late.returncode == 1
    assert "make migrate, in Docker a restart of web, gives the roles their passwords and rights" in late.stderr
    said = log.read_text()
    assert "alter role" in said
    assert not [password for password in (*passwords.values(), *changed.values()) if password in said]
    server.close()
