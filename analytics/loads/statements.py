"""The statements of sql/, a file a table."""

from pathlib import Path

from psycopg2.sql import Composed

from ingest.statements import bound

FOLDER = Path(__file__).with_name("sql")


def statement(name: str, /, *, everything: bool = True, **values: object) -> Composed:
    """Return the statement of the file `name`, for every row or for those that a table of changes picks.

    Its parameters are bound to `values`, see ingest.statements, and raise KeyError where they have none.
    To pick rows, `:everything or` is left out instead of bound to false: of a condition that stands alone the server
    makes a join, beside an `or`, even one that says nothing, it tries each row.
    """
    text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return bound(text if everything else text.replace(":everything or ", ""), everything=everything, **values)
