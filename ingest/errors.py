"""What can go wrong, said in one line that names the thing and the remedy."""

import re
import traceback

import django.db
import psycopg2
from django.db import connections

from ingest.quoting import visible

DATABASE_ERRORS = (django.db.Error, psycopg2.Error)

UNFORESEEN = "--traceback shows the whole story"  # what an explanation ends with that may quote a row

# What to do about an error of the server, by the beginning of its SQLSTATE (PostgreSQL manual, appendix A).
REMEDIES = {
    "3D000": "make migrate creates the project's own databases, make source the source",
    "42501": "grant the user what it lacks, or name another user",
    "42P01": "bring the databases up to date with make migrate",
    "42703": "bring the databases up to date with make migrate",
    "53": "give the server more room, and run the command again",
    "57014": "raise STATEMENT_TIMEOUT_SECONDS or the server's own time-out if it was that, and run the command again",
}


class PipelineError(Exception):
    """A failure that a person can mend; its text says what happened, to which thing, and what to do."""


class SkippedError(PipelineError):
    """A run that did not begin, because another one of its source is in progress."""


class NotRecordedError(PipelineError):
    """A run that committed, but whose end could not be written to the run log."""


def explain(error: BaseException) -> str:
    """Return one line for `error`: its own text for a PipelineError, else what the server said and the remedy.

    No connection string and no row is in it: of a server's message only the first line, which names the thing.
    Whatever it quotes is visible: no name of a field or file can make a second line of it.
    """
    return visible(_explanation(error))


def _explanation(error: BaseException) -> str:
    if isinstance(error, PipelineError):
        return str(error)
    if not isinstance(error, DATABASE_ERRORS):
        return f"{type(error).__name__}: {error} ({UNFORESEEN})"
    lines = str(error).splitlines() or [type(error).__name__]
    # Of a server with several addresses the one that answered has the last word.
    message = " ".join(next((line for line in lines if "FATAL" in line), lines[0]).split())
    if _state(error).startswith("22"):  # a data exception quotes the value
        message = re.sub('".*"', '"…"', message)
    return f"{message}; {_remedy(error, message)}"


def story(error: BaseException) -> str:
    """Return where `error` was raised, line by line, and its explanation; its own text may quote a patient's row."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{explain(error)}"


def _remedy(error: BaseException, message: str) -> str:
    """Return what to do about a database error."""
    if "password authentication failed" in message or "no password supplied" in message:
        return "check POSTGRES_USER and POSTGRES_PASSWORD, or MSK_SOURCE_USER and MSK_SOURCE_PASSWORD for the source"
    if 'database "' in message and "does not exist" in message:
        return REMEDIES["3D000"]
    state = _state(error)
    for beginning, remedy in REMEDIES.items():
        if state.startswith(beginning):
            return remedy
    if state and not state.startswith(("08", "57P")):
        return UNFORESEEN
    return f"is the server up and reachable ({_addresses()})? Start it and run the command again"


def _state(error: BaseException) -> str:
    """Return the SQLSTATE of a database error, "" where the server did not say one."""
    return getattr(error, "pgcode", None) or getattr(error.__cause__, "pgcode", None) or ""


def _addresses() -> str:
    """Return where the three databases are, for a message: alias=host:port/name, without user and password."""
    return ", ".join(
        "{}={HOST}:{PORT}/{NAME}".format(alias, **connections[alias].settings_dict) for alias in connections
    )
