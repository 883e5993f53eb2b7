"""A document's content: JSON of one day or of many, which can hold text that PostgreSQL does not keep."""

import json
import math
import re
from contextlib import suppress
from typing import Any, NoReturn

from ingest.covid.client import Document, PermanentError, over_limit
from ingest.quoting import excerpt

MAX_DAYS = 20_000  # of a document: fifty years
UNKEPT = re.compile("[\0\ud800-\udfff]")  # NUL, and half of a character that UTF-16 writes in two


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


def unkept_text(content: Any) -> str | None:
    """Return where a parsed document holds a text that PostgreSQL does not keep, None where none is found."""
    with suppress(RecursionError):
        if place := _place_of_unkept(content):
            path, text = place
            return f"{excerpt(path.removeprefix('.'))} is or holds {excerpt(text)}, with a NUL or half a character"
    return None


def _place_of_unkept(value: Any) -> tuple[str, str] | None:
    if isinstance(value, str):
        return ("", value) if UNKEPT.search(value) else None
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if place := _place_of_unkept(key) or _place_of_unkept(item):
            path, text = place
            # The path is put together on the way back, and only where there is a text to name.
            return (f"[{key}]" if isinstance(key, int) else f".{key}") + path, text
    return None
