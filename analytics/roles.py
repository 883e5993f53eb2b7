"""The roles by which the project's processes come to the databases, each with the rights that it needs and no other.

The owner, POSTGRES_USER, makes them and gives them their passwords, and migrates. The loader runs the pipeline, web
serves the site, the reader reads the source. Rights follow from the models, and are brought in step whenever the
databases are prepared: what a role was given beside these is taken away.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Identifier, Literal

from analytics.analyst import excess, star, too_mighty
from analytics.distribution import FIRST, ONE_USER
from analytics.loads.pseudonyms import NAMED
from analytics.loads.tables import STAR_TABLES
from ingest.cursors import Cursor, raw_cursor
from ingest.databases import source_exists, source_is_ours
from ingest.models import RunRequest, ScheduleOverride
from ingest.msk.tables import TABLES
from ingest.placement import Placement, placement
from ingest.runs.errors import DATABASE_ERRORS, PipelineError, explain
from pipeline_project.routers import database_of

THINGS = SQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))

Rights = frozenset[str]
NONE: Rights = frozenset()
READ: Rights = frozenset({"select"})
WRITE: Rights = READ | {"insert", "update", "delete"}
# What a role may do with tables and views of its databases, by the name of each.
ByName = dict[str, Rights]

KEYS = "key_set_aside"
MIGRATIONS = str(MigrationRecorder.Migration._meta.db_table)
KEPT = str(settings.CACHES["default"]["LOCATION"])
STAGING = [f"staging_{table.name}" for table in TABLES]
# Tables of a run that have no model, beside those that are named after tables of the source or the star.
OF_A_RUN = ("staging_slug", "staged_table", "load_version", "committed_run", "digest_secret")
# For the loader alone: they act as the owner of a table, where only the owner may, and do no more than a run needs.
FUNCTIONS = ("analyze_table", "set_keys_aside", "put_keys_back", "forget_access_log")


@dataclass(frozen=True)
class Thing:
    """What a role can be given rights on: `given` are those that it was given by name."""

    kind: str  # database, schema, table, view, sequence or function
    name: str
    grantable: str  # as grant names it
    given: Rights

    def allowed(self, rights: Rights) -> list[str]:
        """Return these rights in the words of `excess`."""
        if self.kind == "function":
            return [f"run {self.name} as its owner" for _ in rights]
        return [f"{right} {self.name}" for right in rights]


def _model_tables(alias: str, app: str = "") -> list[str]:
    models = apps.get_app_config(app).get_models(include_auto_created=True) if app else apps.get_models(True)
    return _names(model for model in models if database_of(model) == alias)


def _names(models: Iterable[type[Model]]) -> list[str]:
    return [str(model._meta.db_table) for model in models]


def _of_loader(alias: str) -> ByName:
    if alias == "default":
        return dict.fromkeys([*_model_tables(alias, "ingest"), KEPT], WRITE) | {MIGRATIONS: READ}
    changes = [table.changes for table in (*TABLES, *STAR_TABLES) if table.changes]
    return {
        **dict.fromkeys([*_model_tables(alias), *changes, *OF_A_RUN], WRITE),
        **dict.fromkeys(STAGING, WRITE | {"truncate"}),
        **dict.fromkeys([named.table for named in NAMED], READ | {"insert", "delete"}),
        **dict.fromkeys([*_names([ScheduleOverride]), "staged_rows", MIGRATIONS], READ),
    }


def _of_web(alias: str) -> ByName:
    if alias == "default":
        return {
            **dict.fromkeys([*_model_tables(alias), KEPT], WRITE),
            **dict.fromkeys([*_model_tables(alias, "ingest"), *_names([Permission, ContentType]), MIGRATIONS], READ),
            **dict.fromkeys([*_names([RunRequest]), "access_log"], READ | {"insert"}),
            # What somebody did goes with who is deleted.
            **dict.fromkeys(_names([LogEntry]), READ | {"insert", "delete"}),
        }
    listed = _names(model for model in admin.site._registry if database_of(model) == alias)
    return {
        # Beside the star and what has a list: how much is staged, and how far runs are.
        **dict.fromkeys([*star(alias), *listed, "staged_rows", "committed_run", MIGRATIONS], READ),
        **dict.fromkeys(_names([ScheduleOverride]), WRITE),
    }


# The rights of the roles on what is in the database of an alias.
BY_NAME: dict[str, Callable[[str], ByName]] = {"loader": _of_loader, "web": _of_web}


def _rights_by_thing(role: str, alias: str, things: list[Thing]) -> dict[Thing, Rights]:
    connects, by_name = NONE, ByName()
    if alias == "msk_db":
        connects, by_name = frozenset({"connect"}), {thing.name: READ for thing in things}
    elif role == "loader":
        connects, by_name = frozenset({"connect", "temporary"}), BY_NAME[role](alias)
    elif role == "web":
        connects, by_name = frozenset({"connect"}), BY_NAME[role](alias)
    found = {}
    for thing in things:
        right = NONE
        match thing.kind:
            case "database":
                right = connects
            case "schema" if connects and (thing.name == "public" or alias == "msk_db"):
                right = frozenset({"usage"})
            case "table":
                right = by_name.get(thing.name, NONE)
            case "view":
                right = by_name.get(thing.name, NONE) & READ
            case "function" if role == "loader" and thing.name in FUNCTIONS:
                right = frozenset({"execute"})
        found[thing] = right
    return found


def prepare_roles() -> list[str]:
    """Make the roles that have a password, bring their rights and passwords in step; return what is to be warned of.

    Raises PipelineError where some have a password and others do not, where the warehouse is distributed, and where a
    role may do more in a database of ours for another reason, as a superuser, an owner or a member of another role:
    then its rights there are as they were. What the source lets everybody do is its owner's affair, and warned of.
    """
    warnings: list[str] = []
    if not settings.DATABASE_ROLES:
        return warnings
    _refuse_missing_passwords()
    for alias in ("default", "analytics"):
        with transaction.atomic(using=alias), raw_cursor(alias) as cursor:
            if placement(cursor, FIRST) is not Placement.LOCAL:
                raise PipelineError(f"{_name_of(alias)} is distributed: {ONE_USER}")
            # One at a time: of two who give rights on one thing at once the server turns one away.
            cursor.execute(SQL("lock table {} in share row exclusive mode").format(Identifier(MIGRATIONS)))
            for role, login in settings.DATABASE_ROLES.items():
                cursor.execute("select from pg_roles where rolname = %s", [login["USER"]])
                if not cursor.rowcount:
                    cursor.execute(SQL("create role {} nologin").format(Identifier(login["USER"])))
                if more := _bring_in_step(cursor, role, alias):
                    raise more
            if alias == "analytics":
                warnings = _put_keys_back(cursor)
    warnings += _prepare_source()
    with transaction.atomic(using="default"), raw_cursor("default") as cursor:
        cursor.execute(SQL("lock table {} in share row exclusive mode").format(Identifier(MIGRATIONS)))
        for login in settings.DATABASE_ROLES.values():
            # Hashed, as the server keeps it: a log of its statements cannot give the password away.
            secret = encrypt_password(login["PASSWORD"], login["USER"], cursor.connection, "scram-sha-256")
            statement = SQL("alter role {} login password {}")
            cursor.execute(statement.format(Identifier(login["USER"]), Literal(secret)))
    return warnings


def _put_keys_back(cursor: Cursor) -> list[str]:
    # A run puts back the keys that it sets aside: these a role has left that was at work outside a run.
    warnings = []
    cursor.execute(SQL("select distinct k.table_name from {} k order by 1").format(Identifier(KEYS)))
    for (table,) in cursor.fetchall():
        try:
            with transaction.atomic(using="analytics"):
                cursor.execute("select put_keys_back(%s)", [table])
        except DATABASE_ERRORS as error:
            warnings.append(f"{table} is without its keys, which a role has dropped: {explain(error)}")
    return warnings


def _refuse_missing_passwords() -> None:
    missing = {"loader", "web"} - settings.DATABASE_ROLES.keys()
    if connections["msk_db"].settings_dict["USER"] == settings.POSTGRES_USER:  # nobody else is named who reads it
        missing |= {"reader"} - settings.DATABASE_ROLES.keys()
    if missing:
        there, lacking = (
            " and ".join(f"{role.upper()}_PASSWORD" for role in sorted(roles))
            for roles in (settings.DATABASE_ROLES, missing)
        )
        raise PipelineError(f"{there} is set, {lacking} is not: set LOADER_, WEB_ and READER_PASSWORD, or none of them")


def _prepare_source() -> list[str]:
    is_owners = connections["msk_db"].settings_dict["USER"] == settings.POSTGRES_USER
    if "reader" not in settings.DATABASE_ROLES or not (is_owners and source_is_ours() and source_exists()):
        return []
    # As init-db.sh does after it has loaded a dump.
    with transaction.atomic(using="msk_db"), raw_cursor("msk_db") as cursor:
        cursor.execute("set transaction read write")
        more = _bring_in_step(cursor, "reader", "msk_db")
    return [str(more)] if more else []


def _bring_in_step(cursor: Cursor, role: str, alias: str) -> PipelineError | None:
    user = settings.DATABASE_ROLES[role]["USER"]
    _close_schema_public(cursor)
    cursor.execute(THINGS.format(role=Literal(user)))
    things = [Thing(kind, name, grantable, frozenset(given)) for kind, name, grantable, given in cursor.fetchall()]
    rights = _rights_by_thing(role, alias, things)
    for thing, wanted in rights.items():
        # Only what differs: a right that is given anew waits for whoever changes the table at that moment.
        for verb, some, to in (("revoke", thing.given - wanted, "from"), ("grant", wanted - thing.given, "to")):
            for right in sorted(some):
                cursor.execute(SQL(f"{verb} {right} on {thing.grantable} {to} {{}}").format(Identifier(user)))
    allowed = [words for thing, wanted in rights.items() for words in thing.allowed(wanted)]
    if role == "reader":  # where the source hides rows from others, a run asks for it
        allowed.append("bypass row security")
    more = excess(cursor, user, allowed)
    return too_mighty(user, alias, f"the {role} has to", more) if more else None


def _close_schema_public(cursor: Cursor) -> None:
    # Servers before version 15 let everybody make tables in the schema public.
    cursor.execute(
        "select from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a"
        " where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'"
    )
    if cursor.rowcount:
        cursor.execute("revoke create on schema public from public")


def _name_of(alias: str) -> str:
    return str(connections[alias].settings_dict["NAME"])
