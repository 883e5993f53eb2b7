"""grant_analyst: a role that may read the star schema, or its views with pseudonyms, and nothing else."""

from pathlib import Path

from django.apps import apps
from django.db import connections, transaction
from psycopg2.sql import SQL, Identifier, Literal

from analytics import research
from ingest.cursors import Cursor, raw_cursor
from ingest.runs.errors import PipelineError
from pipeline_project.routers import database_of

EXCESS = SQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
MAX_NAME_BYTES = 63  # what PostgreSQL keeps of a name
EXAMPLES = 3


def grant_analyst(role: str, *, pseudonymous: bool = False) -> list[str]:
    """Bring the rights of `role`, made without login where it is missing, in step with the star; return its tables.

    A `pseudonymous` role reads the views of the schema research, which are made, in place of the star.

    In the project's own databases whatever else it was given is taken away: the staging tables and rejected_row
    quote patients' rows as they came. The source is its owner's affair. What PUBLIC has is everybody's and stays, as
    others may rely on it: to connect to any database of the server, where no table is open to it, and to make
    temporary tables. Only making lasting ones in the schema public is closed, as PostgreSQL does since version 15.

    Raises PipelineError where the name cannot be a role's, or where the role may still do more: as a superuser, an
    owner, a member of another role. Then the rights in that database are as they were.
    """
    _check_name(role)
    for alias in ("analytics", "default"):
        with transaction.atomic(using=alias), raw_cursor(alias) as cursor:
            cursor.execute("select from pg_roles where rolname = %s", [role])
            if not cursor.rowcount:
                cursor.execute(SQL("create role {} nologin").format(Identifier(role)))
            if pseudonymous and alias == "analytics":
                research.make_views(cursor)
            tables = _tables_of_analyst(alias, pseudonymous=pseudonymous)
            _give_only(cursor, role, alias, tables)
            if more := excess(cursor, role, [f"select {'.'.join(table).removeprefix('public.')}" for table in tables]):
                purpose = f"read the schema {research.SCHEMA}" if pseudonymous else "read the star"
                raise too_mighty(role, alias, purpose, more)
    return [".".join(table) for table in _tables_of_analyst("analytics", pseudonymous=pseudonymous)]


def star(alias: str) -> list[str]:
    """Return the tables and views of the star that are in the database `alias`."""
    models = apps.get_app_config("analytics").get_models()
    return sorted(model._meta.db_table for model in models if database_of(model) == alias)


def _tables_of_analyst(alias: str, *, pseudonymous: bool) -> list[tuple[str, str]]:
    if not pseudonymous:
        return [("public", table) for table in star(alias)]
    return [(research.SCHEMA, view) for view in research.VIEWS] if alias == "analytics" else []


def _check_name(role: str) -> None:
    if not role.strip():
        raise PipelineError("the role has no name: give one with --role")
    if role.startswith("pg_") or role in ("public", "none"):
        raise PipelineError(f'the name "{role}" is PostgreSQL\'s own: choose another')
    if len(role.encode()) > MAX_NAME_BYTES:
        raise PipelineError(f'the name "{role}" is longer than {MAX_NAME_BYTES} bytes: choose a shorter one')


def _give_only(cursor: Cursor, role: str, alias: str, tables: list[tuple[str, str]]) -> None:
    names = {"role": Identifier(role), "database": Identifier(connections[alias].settings_dict["NAME"])}
    cursor.execute(
        SQL(
            """
            revoke create on schema public from public;
            revoke all on database {database} from {role};
            revoke all on schema public from {role};
            revoke all on all tables in schema public from {role};
            revoke all on all sequences in schema public from {role};
            revoke all on all routines in schema public from {role};
            alter default privileges revoke all on tables from {role};
            alter default privileges in schema public revoke all on tables from {role};
            """
        ).format(**names)
    )
    cursor.execute("select from pg_namespace where nspname = %s", [research.SCHEMA])
    if cursor.rowcount:
        cursor.execute(
            SQL("revoke all on schema {0} from {1}; revoke all on all tables in schema {0} from {1}").format(
                Identifier(research.SCHEMA), names["role"]
            )
        )
    if tables:
        (schema,) = {schema for schema, _ in tables}
        cursor.execute(
            SQL(
                """
                grant connect on database {database} to {role};
                grant usage on schema {schema} to {role};
                grant select on {tables} to {role};
                """
            ).format(**names, schema=Identifier(schema), tables=SQL(", ").join(Identifier(*table) for table in tables))
        )


def excess(cursor: Cursor, role: str, allowed: list[str]) -> list[str]:
    """Return what a role may do in the database of the cursor that is not `allowed`, such as "select patient"."""
    cursor.execute(EXCESS.format(role=Literal(role), allowed=Literal(allowed)))
    return [right for (right,) in cursor.fetchall()]


def too_mighty(role: str, alias: str, purpose: str, found: list[str]) -> PipelineError:
    """Return the refusal of a role that may do more in the database `alias` than its `purpose` is."""
    more = f" and {len(found) - EXAMPLES} more" if len(found) > EXAMPLES else ""
    return PipelineError(
        f'the role "{role}" may do more in {connections[alias].settings_dict["NAME"]} than {purpose}:'
        f" {', '.join(found[:EXAMPLES])}{more}; take that away, or name another role"
    )
