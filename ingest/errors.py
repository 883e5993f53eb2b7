"""What can go wrong, said in one line that names the thing and the remedy."""

import re

import django.db
import psycopg2
from django.db import connections


class PipelineError(Exception):
    """A failure that a person can mend; its text says what happened, to which thing, and what to do."""


def explain(error: BaseException) -> str:
    """Return one line for `error`: its own text for a PipelineError, else what the server said and the remedy.

    No connection string and no row is in it: of a server's message only the first line, which names the thing.
    """
    if isinstance(error, PipelineError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if not isinstance(error, django.db.Error | psycopg2.Error):
        return f"{type(error).__name__}: {error} (run it again with --traceback for the whole story)"
    message = " ".join(str(error).split("\n")[0].split()) or type(error).__name__
    return f"{message}; {_remedy(error, message)}"


def _remedy(error: django.db.Error | psycopg2.Error, message: str) -> str:
    """Return what to do about a database error."""
    if "password authentication failed" in message or "no password supplied" in message:
        return "check POSTGRES_USER and POSTGRES_PASSWORD, or MSK_SOURCE_USER and MSK_SOURCE_PASSWORD for the source"
    if re.search(r'database ".*" does not exist', message):
        return "create it: make migrate creates the project's own databases, msk_db is loaded from your dump"
    if isinstance(error, django.db.ProgrammingError | psycopg2.ProgrammingError) and "does not exist" in message:
        return "bring the databases up to date with make migrate"
    if isinstance(error, django.db.OperationalError | django.db.InterfaceError | psycopg2.OperationalError):
        return f"is the server up and reachable ({_addresses()})? Start it and run the command again"
    return "run it again with --traceback for the whole story"


def _addresses() -> str:
    """Return where the three databases are, for a message: alias=host:port/name, without user and password."""
    return ", ".join(
        "{}={HOST}:{PORT}/{NAME}".format(alias, **connections[alias].settings_dict) for alias in connections
    )
