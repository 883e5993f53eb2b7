"""extract_covid: the COVID API's documents into staging."""

from collections.abc import Iterable, Iterator
from datetime import date

from django.conf import settings

from ingest.covid.client import CovidClient, Document, Validators
from ingest.covid.content import parse
from ingest.covid.days import check_paths, keep_days, read_days
from ingest.covid.definitions import keep_definitions, read_definitions
from ingest.covid.documents import is_known, keep_document, last_validators
from ingest.cursors import Cursor, raw_cursor
from ingest.models import StepRun
from ingest.runs.run import Run

STEP = "extract_covid"


def extract_covid(run: Run, days: Iterable[date] | None = None, *, anew: bool = False) -> None:
    """Fetch `days` one by one, or else the history of all days, and keep what is new.

    The history is one request, which brings the missing and the restated days, and which the server answers with 304
    while nothing changed, unless it is to be read `anew`. A day that is not published is no failure. Raises
    TransientError or PermanentError.
    """
    with (
        CovidClient(settings.COVID_API_URL) as client,
        raw_cursor("analytics") as warehouse,
        run.table(STEP, "covid_day") as counts,
    ):
        for document in _documents(client, warehouse, days, anew):
            if document:
                _stage_what_is_new(warehouse, document, run, counts)


def _documents(
    client: CovidClient, warehouse: Cursor, days: Iterable[date] | None, anew: bool
) -> Iterator[Document | None]:
    if days is not None:
        yield from map(client.day, days)
    else:
        yield client.history(Validators() if anew else last_validators(warehouse, client.history_url))


def _stage_what_is_new(warehouse: Cursor, document: Document, run: Run, counts: StepRun) -> None:
    counts.bytes += len(document.body)
    content = parse(document)
    definitions = read_definitions(document.url, content.get("meta"))
    counts.rows_read += read_days(warehouse, document, content)
    check_paths(warehouse, document.url)
    keep_days(warehouse, document, counts)
    if definitions is not None and not is_known(warehouse, document):
        keep_definitions(warehouse, document, definitions, run)
    keep_document(warehouse, document)
