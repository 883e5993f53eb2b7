"""The last answer of each address: with it the server is asked for news, and the same bytes are known again."""

from dataclasses import asdict

from ingest.covid import FOLDER
from ingest.covid.client import Document, Validators
from ingest.cursors import Cursor
from ingest.statements import statement


def last_validators(warehouse: Cursor, url: str) -> Validators:
    """Return what the server said of the version of `url` that was read last."""
    warehouse.execute("select etag, last_modified from staging_covid_document where url = %s", [url])
    row = warehouse.fetchone()
    return Validators.of(*row) if row else Validators()


def is_known(warehouse: Cursor, document: Document) -> bool:
    """Tell whether its address gave the same bytes the last time."""
    warehouse.execute("select sha256 from staging_covid_document where url = %s", [document.url])
    return warehouse.fetchone() == (document.sha256,)


def keep_document(warehouse: Cursor, document: Document) -> None:
    """Note that this document is what its address answered last."""
    origin = {"url": document.url, "fetched_at": document.fetched_at, "sha256": document.sha256}
    warehouse.execute(statement(FOLDER, "080_document", **origin, **asdict(document.validators)))
