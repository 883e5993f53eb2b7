"""The versions of days: each is kept once, and the current ones know their place in the document."""

from ingest.covid import FOLDER
from ingest.covid.client import Document
from ingest.cursors import Cursor
from ingest.models import StepRun
from ingest.statements import statement


def keep_days(warehouse: Cursor, document: Document, counts: StepRun) -> None:
    """Make the days in incoming_covid_day the current versions, and count what that wrote."""
    origin = {"url": document.url, "fetched_at": document.fetched_at}
    for name in ("030_gone_day", "040_known_day"):
        warehouse.execute(statement(FOLDER, name, **origin))
        counts.updated += warehouse.rowcount
    warehouse.execute(statement(FOLDER, "050_new_day", **origin))
    counts.inserted += warehouse.rowcount
