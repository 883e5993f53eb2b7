"""What can go wrong, said in one line that names the thing and the remedy."""

import os
import re
import traceback
from pathlib import Path

import django.db
import psycopg2
from django.conf import settings
from django.db import connections

from ingest.quoting import visible

DATABASE_ERRORS = (django.db.Error, psycopg2.Error)

UNFORESEEN = "--traceback shows the whole story"  # on a terminal, with what the error itself says: that may be a row

# Where PostgreSQL's own messages quote names alone, by the beginning of the SQLSTATE, and where they quote values: in a
# data exception, and in a syntax error, a word of the statement. These are masked. Of what is left nobody knows what it
# quotes, as of what a function of somebody's own says, which a view of the source may call: its kind has to do.
QUOTES_VALUES = ("22", "42601")
QUOTES_NAMES = ("0A", "08", "23", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "XX")
RAISED = ("exec_stmt_raise", "exec_stmt_assert")
# From the first quotation mark, of whatever language the server speaks, to the last one; and what begins with a digit.
MARKS = "\"'«»‹›„“”‚‘’「」"  # noqa: RUF001
VALUES = re.compile(rf"[{MARKS}].*[{MARKS}]|\b\d[^\s,;)]*", re.DOTALL)
COPIED = re.compile(r"COPY (\w+), line \d+, column (\w+)")
PLACE = re.compile(r"\w+, \w+")  # as a run notes it: a step and a table

# What to do about an error of the server, by the beginning of its SQLSTATE (PostgreSQL manual, appendix A).
REMEDIES = {
    "3D000": "make migrate creates the project's own databases",
    "40001": "the source is a standby that had to go on: run the command again, or let it wait for readers, there by "
    "max_standby_streaming_delay or hot_standby_feedback",
    "40P01": "run the command again",
    "42501": "grant the user what it lacks, or name another user",
    "42P01": "bring the databases up to date with make migrate",
    "42703": "bring the databases up to date with make migrate",
    "53300": "run the command again when others have gone, or raise max_connections, or the connection limit of the "
    "role or the database",
    "53": "give the server more room, and run the command again",
    "54": "a row or a text is larger than the server can handle: shorten it at its source",
    "55P03": "somebody holds it longer than the server's lock_timeout lets wait: run the command again when it is free",
    "57014": "if its time ran out, raise STATEMENT_TIMEOUT_SECONDS; if somebody cancelled it, run the command again",
}
# Of the source: no run creates it.
LOAD_SOURCE = "load msk_db.sql or the sample by docker compose run --rm sql, outside Docker by make source"

# A statement that was cancelled, by the reason, which SQLSTATE does not tell. In another language than English nobody
# can say which it was.
CANCELLATIONS = {
    "due to statement timeout": "raise STATEMENT_TIMEOUT_SECONDS, and run the command again",
    "due to user request": "somebody cancelled it, or the run was stopped: run the command again",
}

# What to do where TLS is not as the settings want it, by what libpq says of it, or the server of our certificate.
TLS_REFUSALS = {
    "SSL error: certificate verify failed": "the server's certificate has expired or is not from the authority in "
    "POSTGRES_SSLROOTCERT, or MSK_SOURCE_SSLROOTCERT for the source: name the right authority's file, or give the "
    "server another certificate",
    "server certificate for .* does not match host name": "name the server in POSTGRES_HOST, or MSK_SOURCE_HOST for "
    "the source, as its certificate does, or give it a certificate for that name",
    "server does not support SSL": "give the server a certificate and ssl = on, or, where nobody can listen on the way "
    "there, set POSTGRES_SSLMODE, or MSK_SOURCE_SSLMODE for the source, to disable",
    "no pg_hba.conf entry .* no encryption$": "where the server wants TLS set POSTGRES_SSLMODE, or MSK_SOURCE_SSLMODE "
    "for the source, to verify-full, else let the user in by a line of its pg_hba.conf",
    "requires a valid client certificate|SSL error: .* alert (?:unknown ca|.*certificate)": "name a certificate from "
    "the authority that the server trusts, and its key, in POSTGRES_SSLCERT and POSTGRES_SSLKEY, or MSK_SOURCE_SSLCERT "
    "and MSK_SOURCE_SSLKEY for the source",
    'certificate authentication failed for user "(.*)"': "the certificate in POSTGRES_SSLCERT, or MSK_SOURCE_SSLCERT "
    "for the source, must have {} as its common name",
    "private key file|root certificate file": "mend the file, which POSTGRES_SSLKEY or POSTGRES_SSLROOTCERT names, or "
    "MSK_SOURCE_SSLKEY or MSK_SOURCE_SSLROOTCERT for the source",
}

# The same of a role of ours, which is made, and given its password and its rights, when the databases are prepared.
OF_A_ROLE = "make migrate, in Docker a restart of web, gives the roles their passwords and rights"

# What to do about a server that does not let us in. It then says no SQLSTATE that libpq would pass on, only this.
REFUSALS = TLS_REFUSALS | {
    "password authentication failed|no password supplied": "check POSTGRES_USER and POSTGRES_PASSWORD, or "
    "MSK_SOURCE_USER and MSK_SOURCE_PASSWORD for the source",
    'database ".*" does not exist': REMEDIES["3D000"],
    'role "(.*)" does not exist': 'check POSTGRES_USER, or MSK_SOURCE_USER for the source; create role "{}" login '
    "makes it",
    'role "(.*)" is not permitted to log in': "check POSTGRES_USER, or MSK_SOURCE_USER for the source; "
    'alter role "{}" login lets it in',
    "pg_hba.conf|authentication failed": "let the user in from this machine by a line of the server's pg_hba.conf, and "
    "select pg_reload_conf() there",
    'permission denied for database "(.*)"': 'grant connect on database "{}" to the user',
    'database "(.*)" is not currently accepting connections': 'alter database "{}" allow_connections true opens it',
    "too many (?:clients|connections)|connection slots": REMEDIES["53300"],
    "unrecognized configuration parameter": "the server must be PostgreSQL 14 or later",
    "the database system is": "wait until it is up, and run the command again",
}
# libpq's own text, then the server's with its severity, in whatever language, or what it says of TLS.
REFUSED = re.compile(rf"failed: \w+:  |^connection to server .* failed: (?:SSL error: |{'|'.join(TLS_REFUSALS)})")
REFUSED_OTHERWISE = "the server is up and refuses the connection: mend what it says, and run the command again"


class PipelineError(Exception):
    """A failure that a person can mend; its text says what happened, to which thing, and what to do."""


class RowError(PipelineError):
    """A failure that a row is to blame for; `row` names it and says how to mend it, for a person and for no record."""

    def __init__(self, message: str, row: str) -> None:
        super().__init__(message)
        self.row = row


class SkippedError(PipelineError):
    """A run that did not begin, because another one of its source is in progress."""


class NotRecordedError(PipelineError):
    """A run that committed, but whose end could not be written to the run log."""


def explain(error: BaseException) -> str:
    """Return one line for `error`: its own text for a PipelineError, else what the server said and the remedy.

    No connection string and no row is in it. Of a server's error that is the first part alone, its message, as what
    follows (DETAIL, CONTEXT, the line of the statement) quotes rows, and the message without the values in it. Of any
    other error nobody knows what its text quotes: its name and place have to do. Whatever it quotes is visible: no name
    of a field or file can make a second line of it.
    """
    return visible(_explanation(error))


def _explanation(error: BaseException) -> str:
    if isinstance(error, PipelineError):
        return str(error)
    notes = [note for note in getattr(error, "__notes__", ()) if PLACE.fullmatch(note)]
    place = "".join(f" ({note})" for note in notes)
    if not isinstance(error, DATABASE_ERRORS):
        # Python's words for the kind of an OSError, without the file.
        said = f": {os.strerror(error.errno)}" if isinstance(error, OSError) and error.errno else ""
        return f"{type(error).__name__}{_raised_at(error)}{said}{place} ({UNFORESEEN})"
    message = _message(error)
    return f"{_without_values(error, ' '.join(message.split()))}{_copied_to(error)}{place}; {_remedy(error, message)}"


def _message(error: BaseException) -> str:
    """Return what the server says, or libpq of a server that it does not reach."""
    answer = _answer(error)
    message = answer.diag.message_primary if answer else None
    if not message:
        lines = str(error).splitlines() or [type(error).__name__]
        # Of a server with several addresses the one that answered has the last word.
        message = next(filter(REFUSED.search, lines), lines[0])
    return message


def _without_values(error: BaseException, message: str) -> str:
    """Return the message of a database error without what it may quote of a row."""
    state, answer = _state(error), _answer(error)
    if not state:  # of libpq or psycopg2
        return message
    if _raised_by(error) not in RAISED:
        if state.startswith(QUOTES_VALUES):
            return masked(message)
        if state.startswith(QUOTES_NAMES):
            return message
    return f"{type(answer).__name__} (SQLSTATE {state})"


def masked(message: str) -> str:
    """Return a message with an ellipsis for each value in it, whatever the language."""
    return VALUES.sub(lambda found: '"…"' if found[0][0] in MARKS else "…", message)


def _copied_to(error: BaseException) -> str:
    """Return the table and column that a COPY was at, which the server says before the value itself."""
    answer = _answer(error)
    found = COPIED.match(answer.diag.context or "") if answer else None
    return " ({}.{})".format(*found.groups()) if found else ""


def story(error: BaseException) -> str:
    """Return where `error` was raised, line by line, and its explanation; its own text may quote a patient's row."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{explain(error)}"


def _raised_at(error: BaseException) -> str:
    """Return the last place in the project's own code that an error came from, as " at file:line"."""
    root = Path(settings.BASE_DIR)
    ours = [
        f" at {Path(frame.filename).relative_to(root)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(root) and ".venv" not in Path(frame.filename).parts
    ]
    return ours[-1] if ours else ""


def _remedy(error: BaseException, message: str) -> str:
    """Return what to do about a database error."""
    state = _state(error)
    if f'database "{connections["msk_db"].settings_dict["NAME"]}" does not exist' in message:
        return LOAD_SOURCE
    if state == "42501" and _raised_by(error) == "check_enable_rls":
        return (
            "row-level security would hide rows of it, which no policy changes: at the source "
            f'alter role "{connections["msk_db"].settings_dict["USER"]}" bypassrls lets the user see all of them, or '
            "the same for the owner of the view through which it looks"
        )
    if _is_of_a_role(state, message):
        return OF_A_ROLE
    if not state:
        for pattern, remedy in REFUSALS.items():
            if refusal := re.search(pattern, message):
                return remedy.format(*refusal.groups())
        if REFUSED.search(message):
            return REFUSED_OTHERWISE
    if state == "57014" and (known := next((r for said, r in CANCELLATIONS.items() if said in message), None)):
        return known
    for beginning, remedy in REMEDIES.items():
        if state.startswith(beginning):
            return remedy
    if state and not state.startswith(("08", "57P")):
        return UNFORESEEN
    return f"is the server up and reachable ({_addresses()})? Start it and run the command again"


def _is_of_a_role(state: str, message: str) -> bool:
    """Tell whether a role of ours was not let in, or lacks a right."""
    ours = {login["USER"] for login in settings.DATABASE_ROLES.values()}
    if state == "42501":
        return any(connections[alias].settings_dict["USER"] in ours for alias in connections)
    refused = re.search('(?:password authentication failed for user|role) "(.*?)"', message)
    return bool(refused and not state and refused[1] in ours)


def _state(error: BaseException) -> str:
    """Return the SQLSTATE of a database error, "" where the server did not say one."""
    answer = _answer(error)
    return (answer and answer.pgcode) or ""


def _raised_by(error: BaseException) -> str | None:
    """Return the server's function that raised a database error: it is the same in every language."""
    answer = _answer(error)
    return answer.diag.source_function if answer else None


def _answer(error: BaseException) -> psycopg2.Error | None:
    """Return psycopg2's own error, which knows what the server has said: Django's has it as its cause."""
    return next((one for one in (error, error.__cause__) if isinstance(one, psycopg2.Error)), None)


def _addresses() -> str:
    """Return where the three databases are, for a message: alias=host:port/name, without user and password."""
    return ", ".join(
        "{}={HOST}:{PORT}/{NAME}".format(alias, **connections[alias].settings_dict) for alias in connections
    )
