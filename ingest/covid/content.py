"""A document's content: JSON of one day or of many."""

import json
import math
from typing import Any, NoReturn

import psycopg2
from psycopg2.errors import StatementTooComplex

from ingest.covid import FOLDER
from ingest.covid.client import Document, PermanentError, over_limit
from ingest.covid.unkept import unkept_text
from ingest.cursors import Cursor
from ingest.statements import statement

MAX_DAYS = 20_000  # of a document: fifty years


def parse(document: Document) -> dict[str, Any]:
    """Return a document's content; raise PermanentError for anything but JSON of an object with days in `data`."""

    def refuse(number: str) -> NoReturn:
        raise PermanentError(f"{document.url} holds {number[:20]}, which is no number: the publisher has to mend it")

    def finite(number: str) -> float:
        value = float(number)
        return value if math.isfinite(value) else refuse(number)

    if not document.body.strip():
        raise PermanentError(f"{document.url} is empty: check COVID_API_URL")
    try:
        content = json.loads(document.text, parse_int=finite, parse_float=finite, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise PermanentError(f"{document.url} is not JSON ({error}): check COVID_API_URL") from error
    if not isinstance(content, dict) or not isinstance(days := content.get("data"), dict | list) or not days:
        raise PermanentError(f"{document.url}: expected data to be a day or an array of days, and it is not")
    if isinstance(days, list) and len(days) > MAX_DAYS:
        raise over_limit(document.url, f"{len(days):,} days", MAX_DAYS)
    return content


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
