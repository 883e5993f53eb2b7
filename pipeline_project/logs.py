"""How a log line looks to a person; LOG_FORMAT=json has python-json-logger write it for a collector."""

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from ingest.quoting import visible
from ingest.runs.errors import explain, story

# Their 503 is an answer: what is the matter is told as an error where it happens, once.
MONITORED = ("/readyz", "/metrics")


class RefusalFilter(logging.Filter):
    """Makes a warning of one line of each request that is refused with a status of 400 to 499, or asked by a monitor.

    Django gives some of them the traceback of the exception by which its own code refused, and calls some an error:
    anybody can send those, as often as they like, and nothing is to be mended here.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        status, path = getattr(record, "status_code", 0), getattr(getattr(record, "request", None), "path", "")
        if 400 <= status < 500 or (status == 503 and path in MONITORED):
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def without_rows(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record whose message names an error as we explain it: Django and others write its own text there."""
    if not isinstance(record.args, tuple) or not any(isinstance(value, BaseException) for value in record.args):
        return record
    told = copy.copy(record)
    told.args = tuple(explain(value) if isinstance(value, BaseException) else value for value in record.args)
    return told


class LineFormatter(logging.Formatter):
    """One line an event: time in UTC, level, logger, what happened, and what `extra` says of it as key=value.

    All of it is visible: what came from outside cannot forge a line, or hide one.
    """

    def format(self, record: logging.LogRecord) -> str:
        return super().format(without_rows(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  (logging's name)
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return where an error was raised and what it was, without the row that its own text may quote."""
        return story(ei[1])

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        said = vars(record).items()
        extra = (f"{key}={_quoted_if_needed(value)}" for key, value in said if key not in (*RESERVED_ATTRS, "request"))
        return visible(" ".join((super().formatMessage(record), *extra)))


class ObjectFormatter(JsonFormatter):
    """The same as a JSON object."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            reserved_attrs=[*RESERVED_ATTRS, "request"],
            timestamp=True,
        )

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return story(ei[1])

    def format(self, record: logging.LogRecord) -> str:
        """Return the object in printable ASCII: JSON escapes all other characters but this one."""
        return super().format(without_rows(record)).replace("\x7f", r"\u007f")


def _quoted_if_needed(value: Any) -> str:
    text = str(value)
    is_word = text and text.isprintable() and not any(c in ' ="' for c in text)
    return text if is_word else json.dumps(text, ensure_ascii=False)
