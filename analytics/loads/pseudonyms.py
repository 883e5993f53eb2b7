"""What patients, patient journeys and clinicians are called in the schema research, and by how many days a patient's
dates are shifted there: worked out here, so that the key is in no statement, log or catalogue of the server.

Only who has PSEUDONYM_KEY can work them out, or what they stand for. The load writes those of the rows that are new in
the star and takes out those of the rows that are gone.
"""

import hmac
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from psycopg2.sql import SQL, Composable, Identifier

from analytics.loads.changes import Changes
from ingest.cursors import Cursor
from ingest.models import StepRun
from ingest.placement import Placement, placement
from ingest.reconcile import analyze_if_much, is_empty
from ingest.runs.errors import PipelineError
from ingest.target import EVERY_ROW, Target

FARTHEST_DAYS = 365  # earlier or later; never by 0
KEY_PRINTER = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


@dataclass(frozen=True)
class Named:
    """Who is named by a pseudonym, and the table of the star that says who there is.

    Of those `is_whole` all are looked at for who is gone: an update of a patient journey can replace its clinician.
    """

    who: str
    star: str
    is_whole: bool = False

    @property
    def key(self) -> str:
        return f"{self.who}_id"

    @property
    def table(self) -> str:
        return f"{self.who}_pseudonym"


PATIENT = Named("patient", "patient_dimension")
NAMED = (
    PATIENT,
    Named("patient_journey", "patient_journey_fact"),
    Named("clinician", "patient_journey_fact", is_whole=True),
)


def pseudonym(who: str, key: int) -> UUID:
    """Return what one of `who` is called: 128 bits of the HMAC, as a UUID takes least room."""
    return UUID(bytes=_digest(who, key)[:16])


def shift_days(patient: int) -> int:
    """Return by how many days a patient's dates are shifted: from -FARTHEST_DAYS to FARTHEST_DAYS, never 0."""
    days = int.from_bytes(_digest("shift", patient)) % (2 * FARTHEST_DAYS) - FARTHEST_DAYS
    return days if days < 0 else days + 1


def _digest(what: str, key: int) -> bytes:
    return hmac.digest(settings.PSEUDONYM_KEY.encode(), f"{what}:{key}".encode(), "sha256")


def check_key(warehouse: Cursor, *, anew: bool) -> None:
    """Raise PipelineError where there can be no pseudonyms, or they have another key and are not to be made `anew`."""
    if not settings.PSEUDONYM_KEY:
        if anew:
            raise PipelineError(f"PSEUDONYM_KEY is not set: set it to what this prints: {KEY_PRINTER}")
        return
    if not has_place(warehouse):
        raise PipelineError("the warehouse is distributed, where there are no pseudonyms: remove PSEUDONYM_KEY")
    # One is enough: only runs write them, and each run has checked this before.
    warehouse.execute("select patient_id, pseudonym::text from patient_pseudonym limit 1")
    if not anew and any(str(pseudonym("patient", patient)) != known for patient, known in warehouse.fetchall()):
        raise PipelineError(
            "PSEUDONYM_KEY is not the one with which the pseudonyms were made: set the former one, or call everybody "
            "by another name with manage.py load_msk --new-pseudonym-key"
        )


def has_place(warehouse: Cursor) -> bool:
    """Tell whether the warehouse can have pseudonyms: not where rows are on workers."""
    return placement(warehouse, "patient_journey_fact") is Placement.LOCAL


def load_pseudonyms(
    warehouse: Cursor, changes: Changes, count: Callable[[str], AbstractContextManager[StepRun]], *, anew: bool
) -> None:
    """Bring the pseudonyms in step with the star, or make all `anew`; without a key only take out who is gone.

    Looks at the rows of the star that differed, while the changes know which these are. `count` gives the counts of a
    table to fill in.
    """
    for named in NAMED:
        if not (anew or changes.everything or changes.written.get(named.star)):
            continue
        if not settings.PSEUDONYM_KEY and is_empty(warehouse, named.table):
            continue
        with count(named.table) as counts:
            if anew:
                warehouse.execute(SQL("delete from {}").format(Identifier(named.table)))
            else:
                warehouse.execute(_statement(GONE, named, _may_be_gone(named, changes)))
            counts.deleted += warehouse.rowcount
            if settings.PSEUDONYM_KEY:
                rows = Identifier(named.star if anew or changes.everything else f"differing_{named.star}")
                warehouse.execute(_statement(NEW, named, rows))
                keys = [key for (key,) in warehouse.fetchall()]
                counts.inserted += _insert_pseudonyms(warehouse, named, keys)


# A row that differs may be gone: whom it names is new only where the star has it.
NEW = """
select distinct f.{key}
  from {star} f
 where f.{key} in (select r.{key} from {rows} r)
   and not exists (select from {table} p where p.{key} = f.{key})
"""
GONE = """
delete from {table} p
 where {rows}
   and not exists (select from {star} f where f.{key} = p.{key})
"""


def _may_be_gone(named: Named, changes: Changes) -> Composable:
    if changes.everything or named.is_whole:
        return EVERY_ROW
    return SQL("p.{} in (select d.{} from {} d where d.is_gone)").format(
        Identifier(named.key), Identifier(named.key), Identifier(f"differing_{named.star}")
    )


def _statement(text: str, named: Named, rows: Composable) -> Composable:
    return SQL(text).format(
        table=Identifier(named.table), star=Identifier(named.star), key=Identifier(named.key), rows=rows
    )


def _insert_pseudonyms(warehouse: Cursor, named: Named, keys: list[int]) -> int:
    lines = io.StringIO()
    for made, key in sorted((str(pseudonym(named.who, key)), key) for key in keys):
        shift = f"\t{shift_days(key)}" if named is PATIENT else ""
        lines.write(f"{key}\t{made}{shift}\n")
    lines.seek(0)
    if keys:  # by COPY: no log of statements has what it carries
        warehouse.copy_expert(SQL("copy {} from stdin").format(Identifier(named.table)), lines)
        analyze_if_much(warehouse, Target(named.table, (named.key,), ("pseudonym",)), len(keys))
    return len(keys)
