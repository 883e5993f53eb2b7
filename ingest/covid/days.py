"""The days of a document: read by the server, held against what the load relies on, and each version kept once."""

from typing import Any

import psycopg2
from psycopg2.errors import StatementTooComplex
from psycopg2.extras import Json

from ingest.covid import FOLDER
from ingest.covid.client import Document, PermanentError
from ingest.covid.content import unkept_text
from ingest.covid.figures import FIGURES_AS_JSON
from ingest.cursors import Cursor
from ingest.models import StepRun
from ingest.statements import statement


def read_days(warehouse: Cursor, document: Document, content: dict[str, Any]) -> int:
    """Leave the document's days in incoming_covid_day and return their number.

    PostgreSQL parses the text anew, as it keeps numbers exactly. Raises PermanentError for what it cannot keep.
    """
    try:
        warehouse.execute(statement(FOLDER, "010_incoming_day", content=document.text))
    except (psycopg2.DataError, StatementTooComplex) as error:
        reason = unkept_text(content) or str(error).split("\n")[0]
        raise PermanentError(
            f"{document.url} cannot be kept as JSON ({reason}): the publisher has to mend it"
        ) from error
    return warehouse.rowcount


def check_paths(warehouse: Cursor, url: str) -> None:
    """Raise PermanentError for a path that is missing or of another type in some incoming day, and right in none.

    Where it is right in one, the other days are at fault: the load lists them as rejected.
    """
    warehouse.execute(statement(FOLDER, "020_broken_path", figures=Json(FIGURES_AS_JSON)))
    broken = [
        f"data.{path} should be {'a date' if path == 'date' else 'a number or null'} and is {found}"
        for path, found in warehouse.fetchall()
    ]
    if broken:
        raise PermanentError(
            f"{url} has another shape than the load reads: {'; '.join(broken)}. "
            "Nothing was loaded; adapt ingest/covid/figures.py to the publisher's change"
        )


def keep_days(warehouse: Cursor, document: Document, counts: StepRun) -> None:
    """Make the days in incoming_covid_day the current versions, and count what that wrote."""
    origin = {"url": document.url, "fetched_at": document.fetched_at}
    for name in ("030_gone_day", "040_known_day"):
        warehouse.execute(statement(FOLDER, name, **origin))
        counts.updated += warehouse.rowcount
    warehouse.execute(statement(FOLDER, "050_new_day", **origin))
    counts.inserted += warehouse.rowcount
