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

UNFORESEEN = "--traceback shows the whole story"  # on a terminal alone, as the error's own text may quote a row

# What PostgreSQL's own messages quote, by the beginning of the SQLSTATE. The values in a data exception, and the words
# of the statement in a syntax error, are masked; names are shown. Nobody knows what other messages quote, such as that
# of a function which a view of the source calls: of these only the kind of the error is shown.
QUOTES_VALUES = ("22", "42601")
QUOTES_NAMES = ("0A", "08", "23", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "XX")
RAISED = ("exec_stmt_raise", "exec_stmt_assert")
# What is masked: from the first quotation mark of any language to the last, and every word that begins with a digit.
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
# No run creates the source's database.
LOAD_SOURCE = "load msk_db.sql or the sample by docker compose run --rm sql, outside Docker by make source"

# What to do about a statement that was cancelled, by the reason. That only the message tells, and only in English.
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

# What to do about a role of ours: to prepare the databases makes it, and gives it its password and its rights.
OF_A_ROLE = "make migrate, in Docker a restart of web, gives the roles their passwords and rights"

# What to do about a server that does not let us in, by its message: libpq passes no SQLSTATE on then.
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

    It holds no connection string and no row. Of a server's error it has the message alone, with the values in it
    masked: what follows that (DETAIL, CONTEXT, the line of the statement) quotes rows. Of any other error, whose text
    may quote anything, it has the name and the place. All of it is visible: no name of a field or file can make a
    second line.
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
    answer = _psycopg2_error(error)
    message = answer.diag.message_primary if answer else None
    if not message:  # libpq speaks for a server that it does not reach
        lines = str(error).splitlines() or [type(error).__name__]
        # Where a server has several addresses, the line of the one that answered counts.
        message = next(filter(REFUSED.search, lines), lines[0])
    return message


def _without_values(error: BaseException, message: str) -> str:
    state, answer = _sqlstate(error), _psycopg2_error(error)
    if not state:  # the words of libpq or psycopg2 quote no row
        return message
    if _server_function(error) not in RAISED:
        if state.startswith(QUOTES_VALUES):
            return masked(message)
        if state.startswith(QUOTES_NAMES):
            return message
    return f"{type(answer).__name__} (SQLSTATE {state})"


def masked(message: str) -> str:
    """Return a message with an ellipsis for each value in it, whatever the language."""
    return VALUES.sub(lambda found: '"…"' if found[0][0] in MARKS else "…", message)


def _copied_to(error: BaseException) -> str:
    answer = _psycopg2_error(error)
    # The server names table and column before it quotes the value.
    found = COPIED.match(answer.diag.context or "") if answer else None
    return " ({}.{})".format(*found.groups()) if found else ""


def story(error: BaseException) -> str:
    """Return the traceback of `error` with our explanation instead of its own text, which may quote a patient's row."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{explain(error)}"


def _raised_at(error: BaseException) -> str:
    root = Path(settings.BASE_DIR)
    ours = [
        f" at {Path(frame.filename).relative_to(root)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(root) and ".venv" not in Path(frame.filename).parts
    ]
    return ours[-1] if ours else ""  # the innermost


def _remedy(error: BaseException, message: str) -> str:
    state = _sqlstate(error)
    if f'database "{connections["msk_db"].settings_dict["NAME"]}" does not exist' in message:
        return LOAD_SOURCE
    if state == "42501" and _server_function(error) == "check_enable_rls":
        return (
            "row-level security would hide rows of it, which no policy changes: at the source "
            f'alter role "{connections["msk_db"].settings_dict["USER"]}" bypassrls lets the user see all of them, or '
            "the same for the owner of the view through which it looks"
        )
    if _refuses_our_role(state, message):
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
    return f"is the server up and reachable ({_database_addresses()})? Start it and run the command again"


def _refuses_our_role(state: str, message: str) -> bool:
    ours = {login["USER"] for login in settings.DATABASE_ROLES.values()}
    if state == "42501":
        return any(connections[alias].settings_dict["USER"] in ours for alias in connections)
    refused = re.search('(?:password authentication failed for user|role) "(.*?)"', message)
    return bool(refused and not state and refused[1] in ours)


def _sqlstate(error: BaseException) -> str:
    answer = _psycopg2_error(error)
    return (answer and answer.pgcode) or ""  # where the server did not say one


def _server_function(error: BaseException) -> str | None:
    # Unlike its message, the name of the server's function is the same in every language.
    answer = _psycopg2_error(error)
    return answer.diag.source_function if answer else None


def _psycopg2_error(error: BaseException) -> psycopg2.Error | None:
    # Only psycopg2's own error knows what the server has said: Django's has it as its cause.
    return next((one for one in (error, error.__cause__) if isinstance(one, psycopg2.Error)), None)


def _database_addresses() -> str:
    # Without user and password, as a message is for all to read.
    return ", ".join(
        "{}={HOST}:{PORT}/{NAME}".format(alias, **connections[alias].settings_dict) for alias in connections
    )
