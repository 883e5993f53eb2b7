"""SQL from files, with parameters bound as psql binds them."""

import re
from pathlib import Path

from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

PARAMETER = re.compile(r'(?<!:):("?)([a-z_][a-z0-9_]*)\1')  # psql's own way to name one; ::date is a cast


def statement(folder: Path, name: str, /, **values: object) -> Composed:
    """Return what the file `name` in `folder` holds, each parameter in it replaced by its value.

    A `:parameter` becomes a literal, or stays the SQL that it is, a `:"parameter"` becomes an identifier. A literal and
    not a parameter of the protocol, so that the server plans for the value. In psql, `\\set parameter value` before
    `\\i file` does the same, with the quotes of a text in the value. No parameter may stand within quotes or in a
    comment. Raises KeyError for a parameter without a value.
    """
    return bound((folder / f"{name}.sql").read_text(encoding="utf-8"), **values)


def bound(text: str, /, **values: object) -> Composed:
    """Return the statement `text` with each parameter replaced by its value, as `statement` does."""
    parts: list[Composable] = []
    end = 0
    for found in PARAMETER.finditer(text):
        quote, parameter = found.groups()
        parts += SQL(text[end : found.start()]), _bound(values[parameter], is_name=bool(quote))
        end = found.end()
    return Composed([*parts, SQL(text[end:])])


def _bound(value: object, *, is_name: bool) -> Composable:
    if isinstance(value, Composable):
        return value
    return Identifier(str(value)) if is_name else Literal(value)
