"""extract_covid: the COVID API's documents into staging."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from ingest.covid.client import CovidClient, Document, Validators
from ingest.covid.content import parse, read_days
from ingest.covid.contract import check_paths
from ingest.covid.days import keep_days
from ingest.covid.definitions import keep_definitions, read_definitions
from ingest.covid.documents import is_known, keep_document, last_validators
from ingest.cursors import Cursor, raw_cursor
from ingest.models import StepRun
from ingest.runs.run import Run

STEP = "extract_covid"


@dataclass(frozen=True)
class Request:
    """What to fetch: the days from `first` to `last`, or by default the history; `anew` even if it is the same."""

    first: date | None = None
    last: date | None = None
    anew: bool = False

    def days(self) -> Iterator[date]:
        if self.first and self.last:
            for number in range((self.last - self.first).days + 1):
                yield self.first + timedelta(days=number)


CATCH_UP = Request()


def extract_covid(run: Run, request: Request = CATCH_UP) -> None:
    """Fetch what `request` asks for and keep what is new.

    By default that is one request for the history of all days, which brings the missing and the restated ones, and
    which the server answers with 304 while nothing changed. A day that is not published is no failure. Raises
    TransientError or PermanentError.
    """
    with (
        CovidClient(settings.COVID_API_URL) as client,
        raw_cursor("analytics") as warehouse,
        run.table(STEP, "covid_day") as counts,
    ):
        for document in _documents(client, warehouse, request):
            if document:
                _stage(warehouse, document, run, counts)


def _documents(client: CovidClient, warehouse: Cursor, request: Request) -> Iterator[Document | None]:
    if request.first:
        yield from map(client.day, request.days())
    else:
        yield client.history(Validators() if request.anew else last_validators(warehouse, client.history_url))


def _stage(warehouse: Cursor, document: Document, run: Run, counts: StepRun) -> None:
    """Keep the versions of days, the definitions and their changes that are new in `document`."""
    counts.bytes += len(document.body)
    content = parse(document)
    definitions = read_definitions(document.url, content.get("meta"))
    counts.rows_read += read_days(warehouse, document, content)
    check_paths(warehouse, document.url)
    keep_days(warehouse, document, counts)
    if not is_known(warehouse, document):
        keep_definitions(warehouse, document, definitions, run)
    keep_document(warehouse, document)
