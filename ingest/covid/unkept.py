"""Text that JSON can write and PostgreSQL does not keep, and where a document holds it."""

import re
from contextlib import suppress
from typing import Any

from ingest.quoting import excerpt

UNKEPT = re.compile("[\0\ud800-\udfff]")  # NUL, and half of a character that UTF-16 writes in two


def unkept_text(content: Any) -> str | None:
    """Return where a parsed document holds a text that PostgreSQL does not keep, None where none is found."""
    with suppress(RecursionError):
        if place := _place_of_unkept(content):
            path, text = place
            return f"{excerpt(path.removeprefix('.'))} is or holds {excerpt(text)}, with a NUL or half a character"
    return None


def _place_of_unkept(value: Any) -> tuple[str, str] | None:
    """Return the path of such a text within `value`, and the text. No path is made before there is one to name."""
    if isinstance(value, str):
        return ("", value) if UNKEPT.search(value) else None
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if place := _place_of_unkept(key) or _place_of_unkept(item):
            path, text = place
            return (f"[{key}]" if isinstance(key, int) else f".{key}") + path, text
    return None
