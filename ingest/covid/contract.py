"""What the load relies on: each path that it reads is there, and is of its type."""

from psycopg2.extras import Json

from ingest.covid import FOLDER
from ingest.covid.client import PermanentError
from ingest.covid.figures import FIGURES_AS_JSON
from ingest.cursors import Cursor
from ingest.statements import statement


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
