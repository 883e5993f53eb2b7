"""SQL from files, with parameters bound as psql binds them."""

import re
from pathlib import Path

from psycopg2.sql import SQL, Composed, Literal

PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")  # psql's own way to name one; ::date is a cast


def statement(folder: Path, name: str, /, **values: object) -> Composed:
    """Return what the file `name` in `folder` holds, each `:parameter` in it replaced by its value as a literal.

    A literal and not a parameter of the protocol, so that the server plans for the value. In psql, `\\set parameter
    value` before `\\i file` does the same, with the quotes of a text in the value. No parameter may stand within quotes
    or in a comment. Raises KeyError for a parameter without a value.
    """
    text = (folder / f"{name}.sql").read_text(encoding="utf-8")
    # What re.split gives is text and names of parameters in turn.
    parts = PARAMETER.split(text)
    return Composed(Literal(values[part]) if number % 2 else SQL(part) for number, part in enumerate(parts))
