"""A document of the COVID API into staging: each version of a day once, and what its fields are said to mean."""

import hashlib
import json
import logging
import math
from typing import Any, NoReturn
from uuid import uuid5

import psycopg2
from psycopg2.errors import StatementTooComplex
from psycopg2.extras import Json, execute_values

from ingest.covid.client import Document, PermanentError
from ingest.covid.definitions import Change, Definition, changes, read_definitions
from ingest.covid.figures import FIGURES, NAMESPACE
from ingest.covid.unkept import unkept_text
from ingest.cursors import Cursor
from ingest.models import StepRun
from ingest.runs.run import Run

logger = logging.getLogger(__name__)

MAX_DAYS = 20_000  # of a document: fifty years
ONE_STATEMENT = 10_000  # more rows than definitions and their changes can be


def stage(warehouse: Cursor, document: Document, run: Run, counts: StepRun) -> None:
    """Keep what is new in `document`: versions of days, definitions and their changes. The same bytes write nothing.

    Raises PermanentError for what is no document of the API, or when a path that the load reads is gone from it.
    """
    counts.bytes += len(document.body)
    sha256 = hashlib.sha256(document.body).hexdigest()
    content = _parse(document)
    definitions = read_definitions(document.url, content.get("meta"))
    _read_days(warehouse, document, content)
    counts.rows_read += warehouse.rowcount
    _check_paths(warehouse, document)
    _keep_days(warehouse, document, counts)
    validators = [document.validators.etag, document.validators.last_modified]
    warehouse.execute(
        "update staging_covid_document set etag = %s, last_modified = %s where url = %s and sha256 = %s"
        " and (etag is distinct from %s or last_modified is distinct from %s)",
        [*validators, document.url, sha256, *validators],
    )
    warehouse.execute("select from staging_covid_document where url = %s and sha256 = %s", [document.url, sha256])
    if warehouse.rowcount:
        return
    _keep_definitions(warehouse, document, definitions, run)
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
        [document.url, document.fetched_at, sha256, *validators],
    )


def _parse(document: Document) -> dict[str, Any]:
    """Return a document's content; raise PermanentError for anything but JSON of an object with days in `data`."""

    def refuse(number: str) -> NoReturn:
        raise PermanentError(f"{document.url} holds {number[:20]}, which is no number: the publisher has to mend it")

    def finite(number: str) -> float:
        value = float(number)
        return value if math.isfinite(value) else refuse(number)

    if not document.body.strip():
        raise PermanentError(f"{document.url} is empty: check COVID_API_URL")
    try:
        content = json.loads(document.text, parse_int=finite, parse_float=finite, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise PermanentError(f"{document.url} is not JSON ({error}): check COVID_API_URL") from error
    if not isinstance(content, dict) or not isinstance(days := content.get("data"), dict | list) or not days:
        raise PermanentError(f"{document.url}: expected data to be a day or an array of days, and it is not")
    if isinstance(days, list) and len(days) > MAX_DAYS:
        raise PermanentError(
            f"{document.url} holds {len(days):,} days, and {MAX_DAYS:,} is the limit: the publisher has to mend it"
        )
    return content


def _read_days(warehouse: Cursor, document: Document, content: dict[str, Any]) -> None:
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
            [document.text],
        )
    except (psycopg2.DataError, StatementTooComplex) as error:
        reason = unkept_text(content) or str(error).split("\n")[0]
        raise PermanentError(
            f"{document.url} cannot be kept as JSON ({reason}): the publisher has to mend it"
        ) from error


def _check_paths(warehouse: Cursor, document: Document) -> None:
    """Raise PermanentError when a path that the load reads is gone, or has another type, and no day has it as it was.

    In some of several days it is those days' fault: the load lists them as rejected.
    """
    read = [("date", ["date"], ["string"])]
    read += [(f.path, f.keys, ["number", "null"] + ["not there"] * f.kind.optional) for f in FIGURES]
    warehouse.execute("create temp table if not exists read_path (path text, keys text[], fits text[]) on commit drop")
    warehouse.execute("truncate read_path")
    execute_values(warehouse, "insert into read_path values %s", read)
    warehouse.execute(
        """
        select path, min(found) filter (where found <> all (fits))
          from read_path
               cross join incoming_covid_day
               cross join lateral (select coalesce(jsonb_typeof(document #> keys), 'not there') as found) f
         group by path
        having bool_or(found <> all (fits)) and not bool_or(found = fits[1])
         order by path
        """
    )
    broken = [
        f"data.{path} should be {'a date' if path == 'date' else 'a number or null'} and is {found}"
        for path, found in warehouse.fetchall()
    ]
    if broken:
        raise PermanentError(
            f"{document.url} has another shape than the load reads: {'; '.join(broken)}. "
            "Nothing was loaded; adapt ingest/covid/figures.py to the publisher's change"
        )


def _keep_days(warehouse: Cursor, document: Document, counts: StepRun) -> None:
    """Keep what the document says anew of its days, and make that the current version; a version is kept once.

    Of a day that it holds twice, the versions stay together and in order: the first one counts.
    """
    origin = {"url": document.url, "fetched_at": document.fetched_at}
    warehouse.execute(
        """
        delete from incoming_covid_day i
         using (select sha256, min(position) as position from incoming_covid_day group by sha256) first
         where i.sha256 = first.sha256
           and i.position > first.position
        """
    )
    warehouse.execute(
        """
        update staging_covid_day s
           set position = -1
         where url = %(url)s
           and position >= 0
           and not exists (select from incoming_covid_day i where i.sha256 = s.sha256)
        """,
        origin,
    )
    counts.updated += warehouse.rowcount
    warehouse.execute(
        """
        delete from incoming_covid_day i
         using (
             select day, array_agg(sha256 order by position) as versions
               from incoming_covid_day
              group by day
          intersect
             select document ->> 'date', array_agg(sha256 order by position)
               from (select *, rank() over (partition by document ->> 'date' order by fetched_at desc) as age
                       from staging_covid_day) s
              where age = 1
              group by document ->> 'date'
               ) same
         where i.day is not distinct from same.day
        """
    )
    warehouse.execute(
        """
        update staging_covid_day s
           set url = %(url)s, fetched_at = %(fetched_at)s, position = i.position
          from incoming_covid_day i
         where i.sha256 = s.sha256
        """,
        origin,
    )
    counts.updated += warehouse.rowcount
    warehouse.execute(
        """
        insert into staging_covid_day (url, fetched_at, sha256, position, document)
        select %(url)s, %(fetched_at)s, sha256, position, document
          from incoming_covid_day i
         where not exists (select from staging_covid_day s where s.sha256 = i.sha256)
         order by position
        """,
        origin,
    )
    counts.inserted += warehouse.rowcount


def _keep_definitions(warehouse: Cursor, document: Document, after: dict[str, Definition], run: Run) -> None:
    """Keep the definitions and record what changed since the document before; there is none before the first."""
    warehouse.execute("select is_current, name, field, deprecated, prior_names from staging_covid_definition")
    known = warehouse.fetchall()
    before = {row[1]: Definition(*row[1:]) for row in known if row[0]}
    changed = list(changes(before, after)) if known else []
    for change in changed:
        about = {"run": run.id, "source": run.source, "field": change.field_name, "change": str(change.kind)}
        logger.warning("field of the COVID API changed", extra=about)
    execute_values(
        warehouse,
        "insert into schema_change (run_id, detected_at, field_name, kind, detail) values %s",
        [(run.id, document.fetched_at, change.field_name, change.kind, Json(_detail(change))) for change in changed],
        page_size=ONE_STATEMENT,
    )
    warehouse.execute(
        "update staging_covid_definition set is_current = false where is_current and name <> all (%s)", [list(after)]
    )
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
        page_size=ONE_STATEMENT,
    )


def _detail(change: Change) -> dict[str, Any]:
    """Return the definition before and after a change."""
    return {"before": change.before and change.before._asdict(), "after": change.after and change.after._asdict()}
