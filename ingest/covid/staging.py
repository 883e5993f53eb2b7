"""A document of the COVID API into staging: each version of a day once, and what its fields are said to mean."""

import hashlib
import json
import logging
from typing import Any, NoReturn
from uuid import uuid5

import psycopg2
from psycopg2.extras import Json, execute_values

from ingest.covid.client import Document, PermanentError
from ingest.covid.definitions import Definition, changes, read_definitions
from ingest.covid.figures import FIGURES, NAMESPACE
from ingest.cursors import Cursor
from ingest.runs import Run, TableCounts

logger = logging.getLogger(__name__)


def stage(warehouse: Cursor, document: Document, run: Run, counts: TableCounts) -> None:
    """Keep what is new in `document`: versions of days, definitions and their changes. The same bytes write nothing.

    Raises PermanentError for what is no document of the API, or when a path that the load reads is gone from it.
    """
    counts.bytes += len(document.body)
    sha256 = hashlib.sha256(document.body).hexdigest()
    content = _parse(document)
    _read_days(warehouse, document)
    counts.read += warehouse.rowcount
    _check_paths(warehouse, document)
    _keep_days(warehouse, document, counts)
    warehouse.execute("select sha256 from staging_covid_document where url = %s", [document.url])
    if warehouse.fetchone() == (sha256,):
        return
    _keep_definitions(warehouse, document, read_definitions(content.get("meta")), run)
    warehouse.execute(
        """
        insert into staging_covid_document (url, fetched_at, sha256, etag, last_modified)
        values (%s, %s, %s, %s, %s)
            on conflict (url) do update
           set fetched_at    = excluded.fetched_at,
               sha256        = excluded.sha256,
               etag          = excluded.etag,
               last_modified = excluded.last_modified
        """,
        [document.url, document.fetched_at, sha256, document.validators.etag, document.validators.last_modified],
    )


def _parse(document: Document) -> dict[str, Any]:
    """Return a document's content; raise PermanentError for anything but JSON of an object with days in `data`."""

    def refuse(constant: str) -> NoReturn:
        raise PermanentError(f"{document.url} holds {constant}, which is no number: the publisher has to mend it")

    if not document.body.strip():
        raise PermanentError(f"{document.url} is empty: check COVID_API_URL")
    try:
        content = json.loads(document.body, parse_int=str, parse_float=str, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise PermanentError(f"{document.url} is not JSON ({error}): check COVID_API_URL") from error
    if not isinstance(content, dict) or not isinstance(days := content.get("data"), dict | list) or not days:
        raise PermanentError(f"{document.url}: expected data to be a day or an array of days, and it is not")
    return content


def _read_days(warehouse: Cursor, document: Document) -> None:
    """Leave the document's days in incoming_covid_day; PostgreSQL reads the numbers, and keeps them exact."""
    warehouse.execute(
        "create temp table if not exists incoming_covid_day"
        " (position integer, day text, sha256 text, document jsonb) on commit drop"
    )
    warehouse.execute("truncate incoming_covid_day")
    try:
        warehouse.execute(
            """
            insert into incoming_covid_day
            select number - 1, document ->> 'date', encode(sha256(convert_to(document::text, 'UTF8')), 'hex'), document
              from (select case jsonb_typeof(content -> 'data') when 'array' then content -> 'data'
                                else jsonb_build_array(content -> 'data') end as days
                      from (select %s::jsonb as content) c) d,
                   jsonb_array_elements(days) with ordinality as day (document, number)
            """,
            [document.body.decode()],
        )
    except psycopg2.DataError as error:
        reason = str(error).split("\n")[0]
        raise PermanentError(
            f"{document.url} cannot be kept as JSON ({reason}): the publisher has to mend it"
        ) from error


def _check_paths(warehouse: Cursor, document: Document) -> None:
    """Raise PermanentError when a path that the load reads is gone from every day, or has another type in every day.

    In some of several days it is those days' fault: the load lists them as rejected.
    """
    figures = [(figure.path, figure.keys, figure.kind.optional) for figure in FIGURES]
    warehouse.execute(
        "create temp table if not exists read_path (path text, keys text[], optional boolean) on commit drop"
    )
    warehouse.execute("truncate read_path")
    execute_values(warehouse, "insert into read_path values %s", [("date", ["date"], False), *figures])
    warehouse.execute(
        """
        select path, min(jsonb_typeof(document #> keys))
          from read_path cross join incoming_covid_day
         group by path
        having bool_and(case
                   when document #> keys is null then not optional
                   when path = 'date' then jsonb_typeof(document #> keys) <> 'string'
                   else jsonb_typeof(document #> keys) not in ('number', 'null')
               end)
         order by path
        """
    )
    broken = [
        f"data.{path} should be {'a date' if path == 'date' else 'a number or null'} and is {kind or 'not there'}"
        for path, kind in warehouse.fetchall()
    ]
    if broken:
        raise PermanentError(
            f"{document.url} has another shape than the load reads: {'; '.join(broken)}. "
            "Nothing was loaded; adapt ingest/covid/figures.py to the publisher's change"
        )


def _keep_days(warehouse: Cursor, document: Document, counts: TableCounts) -> None:
    """Keep the versions that are not there yet; an old one that comes again becomes the current one again."""
    warehouse.execute(
        """
        update staging_covid_day s
           set url = %(url)s, fetched_at = %(fetched_at)s, position = i.position
          from incoming_covid_day i
         where i.sha256 = s.sha256
           and exists (select from staging_covid_day newer
                        where newer.document ->> 'date' = i.day and newer.fetched_at > s.fetched_at)
           and not exists (select from incoming_covid_day first
                            where first.day = i.day and first.position < i.position)
        """,
        {"url": document.url, "fetched_at": document.fetched_at},
    )
    counts.updated += warehouse.rowcount
    warehouse.execute(
        """
        insert into staging_covid_day (url, fetched_at, sha256, position, document)
        select distinct on (sha256) %(url)s, %(fetched_at)s, sha256, position, document
          from incoming_covid_day i
         where not exists (select from staging_covid_day s where s.sha256 = i.sha256)
         order by sha256, position
        """,
        {"url": document.url, "fetched_at": document.fetched_at},
    )
    counts.inserted += warehouse.rowcount


def _keep_definitions(warehouse: Cursor, document: Document, after: dict[str, Definition], run: Run) -> None:
    """Keep the definitions and record what changed since the document before."""
    warehouse.execute("select name, field, deprecated, prior_names from staging_covid_definition where is_current")
    before = {row[0]: Definition(*row) for row in warehouse.fetchall()}
    for change in changes(before, after):
        logger.error("run=%s the COVID API's field %s: %s", run.id, change.field_name, change.kind)
        detail = {"before": change.before and change.before._asdict(), "after": change.after and change.after._asdict()}
        warehouse.execute(
            "insert into schema_change (run_id, detected_at, field_name, kind, detail) values (%s, %s, %s, %s, %s)",
            [run.id, document.fetched_at, change.field_name, change.kind, Json(detail)],
        )
    warehouse.execute("update staging_covid_definition set is_current = false where is_current")
    execute_values(
        warehouse,
        """
        insert into staging_covid_definition
               (id, name, field, deprecated, prior_names, first_seen_at, last_seen_at, is_current)
        values %s
            on conflict (name) do update
           set field        = excluded.field,
               deprecated   = excluded.deprecated,
               prior_names  = excluded.prior_names,
               last_seen_at = excluded.last_seen_at,
               is_current   = true
        """,
        [
            (uuid5(NAMESPACE, definition.name), *definition, document.fetched_at, document.fetched_at, True)
            for definition in after.values()
        ],
    )
