"""grant_analyst: what an analyst may read, and all that an analyst may not do, as the server itself sees it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from django.core.management.base import CommandError
from django.db import connections
from psycopg2.errors import InsufficientPrivilege
from psycopg2.sql import SQL, Identifier

from ingest.models import LoadState, PipelineRun
from tests.analytics.test_schema import TABLES
from tests.conftest import Database, Source, Warehouse, connect
from tests.ingest.runs.test_failures import manage

Run = Callable[..., str]

STAR = sorted(set(TABLES) - {"rejected_row", "load_state"})
PASSWORD = "of the analysts"
DJANGOS_AND_OURS = ("auth_user", "django_session", "axes_accessattempt", "pipeline_run")


class Server(Database):
    """The server as its administrator sees it, with roles that are gone after the test."""

    def __init__(self, alias: str) -> None:
        super().__init__(alias)
        self.roles: list[str] = []

    def role(self, name: str, attributes: str = "nologin") -> str:
        """Make a role; return its name, which no other test run uses at the same time."""
        name = self.name(name)
        self.execute(SQL(f"create role {{}} {attributes}").format(Identifier(name)))
        return name

    def name(self, name: str) -> str:
        """Return a name that no other test run uses, for a role that is to be dropped after the test."""
        self.roles.append(f"{name}_{os.getpid()}")
        return self.roles[-1]

    def exists(self, role: str) -> bool:
        return bool(self.value("select exists (select from pg_roles where rolname = %s)", role))

    def drop_roles(self) -> None:
        existing = [Identifier(role) for role in self.roles if self.exists(role)]
        for alias in ("analytics", "default"):
            database = Database(alias)
            for role in existing:
                database.execute(SQL("drop owned by {}").format(role))
            database.connection.close()
        for role in existing:
            self.execute(SQL("drop role {}").format(role))


@pytest.fixture
def server(databases: None) -> Iterator[Server]:
    server = Server("analytics")
    yield server
    connections.close_all()
    server.drop_roles()
    server.connection.close()


@pytest.fixture
def analyst(server: Server, run: Run) -> str:
    """A role that grant_analyst made."""
    name = server.name("analyst")
    run("grant_analyst", "--role", name)
    return name


def as_role(role: str, alias: str = "analytics") -> Database:
    """Return a database as somebody sees it who acts as `role`."""
    database = Database(alias)
    database.execute(SQL("set role {}").format(Identifier(role)))
    return database


def forbidden(database: Database, statement: str) -> bool:
    """Tell whether the server refuses a statement for want of a right."""
    try:
        database.execute(statement)
    except InsufficientPrivilege:
        return True
    return False


# --- What an analyst may do


def test_it_lets_a_role_read_every_table_of_the_star(analyst: str) -> None:
    warehouse = as_role(analyst)
    assert [table for table in STAR if forbidden(warehouse, f"select * from {table}")] == []


def test_it_lets_a_person_log_in_by_the_role(server: Server, analyst: str) -> None:
    ann = server.role("ann", f"login password '{PASSWORD}' in role \"{analyst}\"")
    connection = connect("analytics", user=ann, password=PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from activity_adherence")
        assert cursor.fetchall() == [(0,)]
    connection.close()


def test_it_makes_a_role_that_cannot_log_in_itself(server: Server, analyst: str) -> None:
    assert server.value("select rolcanlogin from pg_roles where rolname = %s", analyst) is False
    # Which of the two depends on whether the server asks for a password first.
    with pytest.raises(psycopg2.OperationalError, match=r"is not permitted to log in|password authentication failed"):
        connect("analytics", user=analyst, password=PASSWORD)


def test_it_takes_a_login_role_that_is_there(server: Server, run: Run) -> None:
    ann = server.role("ann", f"login password '{PASSWORD}'")
    run("grant_analyst", "--role", ann)
    connection = connect("analytics", user=ann, password=PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute("select * from step_result_fact")
    connection.close()


def test_it_needs_nothing_of_what_everybody_has(server: Server, run: Run) -> None:
    ann = server.role("ann", f"login password '{PASSWORD}'")
    database = Identifier(connections["analytics"].settings_dict["NAME"])
    server.execute(
        SQL("revoke all on database {} from public; revoke all on schema public from public").format(database)
    )
    try:
        run("grant_analyst", "--role", ann)
        connection = connect("analytics", user=ann, password=PASSWORD)
        with connection.cursor() as cursor:
            cursor.execute("select * from step_result_fact")
        connection.close()
    finally:
        server.execute(
            SQL("grant connect, temporary on database {} to public; grant usage on schema public to public").format(
                database
            )
        )


def test_it_says_what_it_did(server: Server, run: Run) -> None:
    name = server.name("analyst")
    said = run("grant_analyst", "--role", name)
    database = connections["analytics"].settings_dict["NAME"]
    assert said == f"{name} may read {len(STAR)} tables and views of {database}, and nothing else there\n"


@pytest.mark.parametrize("name", ["Ann O'Hara", 'a "quoted" one', "select", "a; drop table step_result_fact", "%s{}"])
def test_it_takes_any_name_as_it_is(server: Server, run: Run, name: str) -> None:
    name = server.name(name)
    run("grant_analyst", "--role", name)
    assert as_role(name).execute("select * from step_result_fact") == []


# --- What an analyst may not do


def test_it_lets_a_role_read_nothing_else(server: Server, analyst: str) -> None:
    everything = {table for (table,) in server.execute("select relname from pg_stat_user_tables")}
    others = everything - set(STAR)
    assert {"rejected_row", "load_state", "schedule_override", "staging_patient", "staging_covid_day"} < others
    assert "digest_secret" in others
    warehouse = as_role(analyst)
    assert [table for table in others if not forbidden(warehouse, f"select from {table}")] == []


@pytest.mark.parametrize("table", DJANGOS_AND_OURS)
def test_it_lets_a_role_read_nothing_of_djangos_database(analyst: str, table: str) -> None:
    assert forbidden(as_role(analyst, "default"), f"select from {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into step_result_fact (id, patient_id, date, steps) values (1, 1, '2024-01-01', 1)",
        "update step_result_fact set steps = 1",
        "delete from step_result_fact",
        "truncate step_result_fact",
        "alter table step_result_fact add column note text",
        "drop table step_result_fact",
        "drop view activity_adherence",
        "create table public.mine ()",
        "create view public.mine as select * from step_result_fact",
        "create function public.mine() returns int language sql as 'select 1'",
        "create schema mine",
        "select nextval('rejected_row_id_seq')",
        "create role mine",
    ],
)
def test_it_lets_a_role_change_nothing(analyst: str, statement: str) -> None:
    assert forbidden(as_role(analyst), statement)


# --- Run again


def test_it_changes_nothing_the_second_time(warehouse: Warehouse, run: Run, analyst: str) -> None:
    rights = "select relname, relacl::text from pg_class where relacl is not null order by 1"
    before = warehouse.execute(rights)
    run("grant_analyst", "--role", analyst)
    assert warehouse.execute(rights) == before


def test_it_gives_what_is_new_in_the_star(warehouse: Warehouse, run: Run, analyst: str) -> None:
    role = Identifier(analyst)
    warehouse.execute(SQL("revoke all on activity_adherence, patient_dimension from {}").format(role))
    assert forbidden(as_role(analyst), "select from activity_adherence")
    run("grant_analyst", "--role", analyst)
    assert as_role(analyst).execute("select from activity_adherence") == []


@pytest.mark.parametrize(
    ("alias", "given"),
    [
        ("analytics", "all on step_result_fact"),
        ("analytics", "select on rejected_row"),
        ("analytics", "select (detail), update (reason) on rejected_row"),
        ("analytics", "usage on sequence rejected_row_id_seq"),
        ("analytics", "create on schema public"),
        ("analytics", "create on database {database}"),
        ("default", "select on auth_user"),
        ("default", "update (password) on auth_user"),
        ("default", "all on database {database}"),
    ],
)
def test_it_takes_away_what_the_role_should_not_have(run: Run, analyst: str, alias: str, given: str) -> None:
    database = Database(alias)
    name = Identifier(connections[alias].settings_dict["NAME"])
    before = rights(database, analyst)
    database.execute(SQL(f"grant {given} to {{role}}").format(role=Identifier(analyst), database=name))
    assert rights(database, analyst) != before
    run("grant_analyst", "--role", analyst)
    assert rights(database, analyst) == before
    database.connection.close()


def rights(database: Database, role: str) -> list[tuple[Any, ...]]:
    """Return whatever a role was given in a database by name."""
    return database.execute(
        """
        with given as (
            select oid::regclass::text as thing, relacl as acl from pg_class
             union all
            select attrelid::regclass || '.' || attname, attacl from pg_attribute
             union all
            select 'schema ' || nspname, nspacl from pg_namespace
             union all
            select 'database ' || datname, datacl from pg_database where datname = current_database()
        )
        select thing, a.privilege_type
          from given, aclexplode(given.acl) a
         where a.grantee = (select oid from pg_roles where rolname = %s)
         order by 1, 2
        """,
        role,
    )


def test_it_takes_away_what_was_to_be_given_with_each_new_table(warehouse: Warehouse, run: Run, analyst: str) -> None:
    warehouse.execute(SQL("alter default privileges grant select on tables to {}").format(Identifier(analyst)))
    run("grant_analyst", "--role", analyst)
    try:
        warehouse.execute("create table staging_new ()")
        assert forbidden(as_role(analyst), "select from staging_new")
    finally:
        warehouse.execute("drop table staging_new")


def test_it_leaves_a_role_no_way_to_keep_runs_from_starting_or_from_telling(
    server: Server, analyst: str, small_world: Source
) -> None:
    ours = {"analytics": "committed_run", "default": "alert"}
    holders = []
    for alias, table in ours.items():
        holder = as_role(analyst, alias)
        for number in (0x4D534B, 0x414C4552):  # the advisory locks that releases before took
            holder.execute("select pg_advisory_lock(%s), pg_advisory_lock(%s, 0)", number, number)
        assert forbidden(holder, f"do $$ begin lock table {table} in access share mode; end $$")
        assert forbidden(holder, f"select from {table} for key share")
        holders.append(holder)
    assert manage("run_pipeline")[0] == 0
    assert PipelineRun.objects.get().status == "succeeded"
    assert LoadState.objects.filter(source="msk").exists()
    for holder in holders:
        holder.connection.close()


# --- Refusals


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "the role has no name: give one with --role"),
        (" ", "the role has no name: give one with --role"),
        ("public", 'the name "public" is PostgreSQL\'s own: choose another'),
        ("none", 'the name "none" is PostgreSQL\'s own: choose another'),
        ("pg_analyst", 'the name "pg_analyst" is PostgreSQL\'s own: choose another'),
        ("ä" * 32, f'the name "{"ä" * 32}" is longer than 63 bytes: choose a shorter one'),
    ],
)
def test_it_refuses_a_name_that_no_role_can_have(run: Run, name: str, message: str) -> None:
    with pytest.raises(CommandError) as refused:
        run("grant_analyst", "--role", name)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("superuser", "do anything as a superuser"),
        ("createrole", "make roles"),
        ("createdb", "make databases"),
        ("in role pg_read_all_data", "act as pg_read_all_data"),
        ("noinherit in role pg_write_all_data", "act as pg_write_all_data"),
    ],
)
def test_it_refuses_a_role_that_is_more_than_a_reader(server: Server, run: Run, attributes: str, reason: str) -> None:
    role = server.role("mighty", attributes)
    database = connections["analytics"].settings_dict["NAME"]
    with pytest.raises(CommandError) as refused:
        run("grant_analyst", "--role", role)
    assert str(refused.value).startswith(f'the role "{role}" may do more in {database} than read the star: {reason}')
    assert rights(server, role) == []


def test_it_refuses_a_role_that_may_more_as_a_member_of_another(server: Server, run: Run) -> None:
    readers = server.role("readers")
    server.execute(SQL("grant select on rejected_row to {}").format(Identifier(readers)))
    role = server.role("ann", f'noinherit in role "{readers}"')
    with pytest.raises(CommandError, match="than read the star: select rejected_row; take that away"):
        run("grant_analyst", "--role", role)
    assert rights(server, role) == []


def test_it_refuses_the_owner_of_a_table_whose_rights_stay(server: Server, run: Run) -> None:
    owner = server.role("owner")
    server.execute("create table kept ()")
    try:
        server.execute(SQL("alter table kept owner to {}").format(Identifier(owner)))
        server.execute(SQL("grant select on kept to {}").format(Identifier(owner)))
        with pytest.raises(CommandError, match="than read the star: own kept"):
            run("grant_analyst", "--role", owner)
        assert not forbidden(as_role(owner), "select from kept")
    finally:
        server.execute("drop table kept")


@pytest.mark.parametrize("alias", ["analytics", "default"])
def test_it_refuses_where_everybody_may_run_a_function_as_its_owner(run: Run, server: Server, alias: str) -> None:
    database, role = Database(alias), server.name("analyst")
    database.execute("create function peek() returns bigint security definer language sql as 'select 1::bigint'")
    try:
        with pytest.raises(CommandError, match="than read the star: run peek as its owner; take that away"):
            run("grant_analyst", "--role", role)
        database.execute("revoke all on function peek from public")
        run("grant_analyst", "--role", role)
    finally:
        database.execute("drop function peek")
        database.connection.close()


def test_it_does_not_mind_what_gives_the_role_nothing(run: Run, server: Server) -> None:
    role = server.role("analyst")
    named = Identifier(role)
    server.execute(SQL("alter default privileges for role {0} grant select on tables to {0}").format(named))
    server.execute("create function note() returns trigger security definer language plpgsql as 'begin end'")
    try:
        run("grant_analyst", "--role", role)
    finally:
        server.execute("drop function note")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("select on tables to public", "select by default what {owner} makes"),
        ("usage on sequences to public", "usage by default what {owner} makes"),
        ("all on schemas to {role}", "create by default what {owner} makes, usage by default what {owner} makes"),
    ],
)
def test_it_refuses_where_what_is_made_will_be_open(run: Run, server: Server, given: str, reason: str) -> None:
    role, owner = server.role("analyst"), server.role("owner")
    names = {"role": Identifier(role), "owner": Identifier(owner)}
    server.execute(SQL("alter default privileges for role {owner} grant " + given).format(**names))
    with pytest.raises(CommandError, match="than read the star: " + reason.format(owner=owner, role=role)):
        run("grant_analyst", "--role", role)


def test_it_says_so_where_the_pipelines_user_may_make_no_role(
    server: Server, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    modest = server.role("modest", f"login password '{PASSWORD}'")
    name = server.name("analyst")
    connections.close_all()
    for setting, value in (("USER", modest), ("PASSWORD", PASSWORD)):
        monkeypatch.setitem(connections["analytics"].settings_dict, setting, value)
    with pytest.raises(CommandError) as refused:
        run("grant_analyst", "--role", name)
    assert str(refused.value).startswith("permission denied to create role; grant the user what it lacks")
    assert not server.exists(name)
