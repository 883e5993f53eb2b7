"""prove_erased: whether anything of a patient is left in what the project keeps, and which run took it out.

The tables and columns that are looked at come from the catalogs of both databases (erasure.sql), so that no new table
can be forgotten. A patient is found by the source's key, in columns, and in texts and JSON where they name one. The
other values of a patient who is gone nobody knows any more: runs/errors.py keeps them out of all texts.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import gettempdir

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connections, transaction
from psycopg2.sql import SQL, Composable, Identifier, Literal

from analytics.exports.folders import PREFIX
from analytics.pages.answers import OF_A_LOAD, current_load
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.models import ErasedPatient
from ingest.msk.snapshot import snapshot as source_snapshot
from ingest.runs.errors import PipelineError

COLUMNS = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
INTEGERS = range(-(2**31), 2**31)  # as the source's keys
# What keeps a patient's number although the patient is erased, and for what.
ON_PURPOSE = {"erased_patient": "which run erased the patient", "access_log": "who looked at the patient"}
# Their texts are packed: see _kept_answers and _sessions.
PACKED = {"kept_answer", "django_session"}
AT_SOURCE = {
    "patient": "select count(*) from patient where id = %(patient)s",
    "patient_journey": "select count(*) from patient_journey where patient_id = %(patient)s",
    "step_result": "select count(*) from step_result where patient_id = %(patient)s",
    "survey_result": "select count(*) from survey_result where patient_journey_id in"
    " (select id from patient_journey where patient_id = %(patient)s)",
}
JOURNEYS_AT_SOURCE = "select id from patient_journey where patient_id = %(patient)s"
# The keys of a patient's rows, while anything knows them.
KEYS = {
    "journey": "select id from staging_patient_journey where owner_id = %(patient)s"
    " union select patient_journey_id from patient_journey_fact where patient_id = %(patient)s",
    "result": "select id from staging_survey_result where owner_id = %(patient)s"
    " union select survey_result_id from survey_result_fact where patient_id = %(patient)s",
}
# Those of everybody's rows, in the warehouse. Materialized, so that on a distributed one they go to all workers.
KNOWN = """
with known_journey as materialized (select id from staging_patient_journey where id is not null),
     known_result as materialized (select id from staging_survey_result where id is not null)
"""
NAMES = {"journey": "patient journey", "result": "survey result"}
# Survey results that the source still has, and whose patient journey went in the run that erased the patient.
ORPHANED = """
select count(*)
  from rejected_row
 where source_table = 'survey_result' and reason = 'orphan' and detail ->> 'column' = 'patient_journey_id'
   and run_id = %(run)s
"""


@dataclass(frozen=True)
class Found:
    """Where something of the patient is, and in how many rows or lines."""

    place: str
    rows: int
    why: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.rows:,}{f', {self.why}' if self.why else ''}"


@dataclass
class Erasure:
    """What is known of a patient: at the source, left here, kept on purpose, and which run took the patient out.

    `searched` has the columns that were looked at, by database, `notes` what was not.
    """

    patient: int
    run_id: int | None = None
    erased_at: datetime | None = None
    source: list[Found] = field(default_factory=list)
    left: list[Found] = field(default_factory=list)
    kept: list[Found] = field(default_factory=list)
    searched: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Return in a word how it stands: at_source, left, erased or never_known."""
        if self.source:
            return "at_source"
        if self.left:
            return "left"
        return "erased" if self.kept else "never_known"

    @property
    def is_proved(self) -> bool:
        """Whether the source has no such patient, and nothing is left here."""
        return not self.source and not self.left

    def __str__(self) -> str:
        """Return one line that says how it stands."""
        who = f"patient {self.patient}"
        by = f"by run {self.run_id} at {self.erased_at:%Y-%m-%d %H:%M:%S} UTC" if self.run_id else ""
        if self.status == "at_source":
            if by and self.source[0].place != _place("msk_db", "patient"):
                return (
                    f"{who} was erased {by}, and the source has rows of the patient: delete these, and run the pipeline"
                )
            if by:
                return f"{who} is at the source: was erased {by}, and has come back as a new one since"
            return f"{who} is at the source: delete the patient there, all of its rows, and run the pipeline"
        if self.status == "left":
            gone = f"was erased {by}" if by else "is not at the source"
            return f"{who} {gone}, and something is left: run the pipeline, and look again"
        if self.status == "erased":
            return f"{who} was erased {by or 'by a run that is not on record'}: nothing is left"
        return f"{who} was never known: the source has no such patient, and no run on record erased one"


def prove_erased(patient: int) -> Erasure:
    """Look for a patient in the source, in both databases and in the files that the project writes.

    Raises PipelineError for a number that nobody can have and for a source that is not as expected, and what psycopg2
    raises where a database does not answer.
    """
    if patient not in INTEGERS:
        raise PipelineError(f"{patient} is no patient's number: they go from {INTEGERS[0]} to {INTEGERS[-1]}")
    erasure = Erasure(patient)
    with source_snapshot() as source:
        for table, query in AT_SOURCE.items():
            source.cursor.execute(query, {"patient": patient})
            (rows,) = one_row(source.cursor)
            if rows:
                erasure.source.append(Found(_place("msk_db", table), rows))
        erasure.searched[_name("msk_db")] = list(AT_SOURCE)
        journeys = _keys(source.cursor, JOURNEYS_AT_SOURCE, patient)
    with _read_only_snapshot("analytics") as warehouse:
        record = ErasedPatient.objects.filter(pk=patient).first()
        if record:
            erasure.run_id, erasure.erased_at = record.run_id, record.erased_at
        keys = {kind: _keys(warehouse, query, patient) for kind, query in KEYS.items()}
        keys["journey"] |= journeys
        _search(warehouse, "analytics", erasure, keys)
        if record:
            warehouse.execute(ORPHANED, {"run": record.run_id})
            (rows,) = one_row(warehouse)
            if rows:
                why = "survey results whose patient journey went in that run, and which the source still has"
                erasure.left.append(Found(_place("analytics", "rejected_row"), rows, why))
    with _read_only_snapshot("default") as log:
        _search(log, "default", erasure, keys)
        erasure.left += _kept_answers(log)
        erasure.left += _sessions(patient)
    erasure.left += _files(patient)
    if (dump := settings.BASE_DIR / "msk_db.sql").exists():
        erasure.notes.append(f"not looked at: {dump.name}, from which the source can be loaded anew")
    return erasure


def _search(cursor: Cursor, alias: str, erasure: Erasure, keys: dict[str, set[int]]) -> None:
    cursor.execute(COLUMNS)
    searched = erasure.searched.setdefault(_name(alias), [])
    for (label, table), columns in groupby(cursor.fetchall(), itemgetter(0, 1)):
        conditions: list[tuple[str, Composable, str]] = []
        for *_, column, kind, value in columns:
            searched.append(f"{label}.{column}")
            conditions += _conditions(column, kind, SQL(value), erasure.patient, keys, is_here=alias == "analytics")
        if label in PACKED:
            continue
        if label == "rejected_row":  # a row of the source's table patient has its number as its id
            row_id = SQL("t.source_table = 'patient' and t.detail #>> '{{row,id}}' = {}")
            conditions.append(("detail", row_id.format(Literal(str(erasure.patient))), ""))
        cursor.execute(
            SQL("{} select {} from {} t where {}").format(
                SQL(KNOWN if alias == "analytics" else ""),
                SQL(", ").join(SQL("count(*) filter (where {})").format(condition) for _, condition, _ in conditions),
                SQL(table),
                SQL(" or ").join(SQL("({})").format(condition) for _, condition, _ in conditions),
            )
        )
        for (column, _, why), rows in zip(conditions, one_row(cursor), strict=True):
            if rows and label in ON_PURPOSE:
                erasure.kept.append(Found(_place(alias, label, column), rows, ON_PURPOSE[label]))
            elif rows:
                erasure.left.append(Found(_place(alias, label, column), rows, why))


def _conditions(
    column: str, kind: str, value: Composable, patient: int, keys: dict[str, set[int]], *, is_here: bool
) -> Iterator[tuple[str, Composable, str]]:
    """Yield the column, a condition by which its row is the patient's, and what else is to be said of such a row.

    `is_here`: in the warehouse, where the keys of all patients' rows are.
    """
    match kind:
        case "patient":
            yield column, SQL("{} = {}").format(value, Literal(patient)), ""
        case "patient_list":
            yield column, SQL("{} = any({})").format(Literal(patient), value), ""
        case "patient_text":
            yield column, SQL("{}::text ~ {}").format(value, Literal(rf"(?<![\w-]){patient}(?!\w)")), ""
        case "text":
            # First a cheap condition that rules out almost every text.
            numbers = [f"%{number}%" for number in (patient, *sorted(keys["journey"]))]
            pattern = _named(patient, keys["journey"])
            condition = SQL("{0}::text like any ({1}) and {0}::text ~* {2}")
            yield column, condition.format(value, Literal(numbers), Literal(pattern)), ""
        case _:
            of, _, is_list = kind.partition("_")
            of, value = ("journey", SQL("({} >> 32)").format(value)) if of == "window" else (of, value)
            known = Literal(sorted(keys[of]))
            if is_list:
                yield column, SQL("{}::bigint[] && {}::bigint[]").format(value, known), ""
                return
            yield column, SQL("{} = any({}::bigint[])").format(value, known), ""
            if is_here:  # where the keys of all patients' rows are known
                of_nobody = SQL("{} not in (select k.id from {} k)").format(value, Identifier(f"known_{of}"))
                yield (
                    column,
                    of_nobody,
                    f"with the key of a {NAMES[of]} that is not staged: whose it was nobody can tell",
                )


def _named(patient: int, journeys: set[int]) -> str:
    """Return the pattern, for PostgreSQL and for Python, of what names the patient, or one of its journeys, in a text.

    As in "patient 7", "/patients/7/", {"patient_id": 7}, Key (id)=(7), Failing row contains (7, …), 7/2024-03-01. A
    number alone may be anything's.
    """
    named = rf"(?<!\w)(?:patient(?!_?journey)\w*|owner_id|row)\W{{1,6}}(?:number |no |id )?{patient}(?!\w)"
    in_a_row = rf"(?:^|[=\s])\({patient}[,)]|(?<![\w-]){patient}/[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
    of_journeys = "|".join(map(str, sorted(journeys)))
    journey = rf"|(?<!\w)patient_?journey\w*\W{{1,6}}(?:{of_journeys})(?!\w)" if journeys else ""
    return f"{named}|{in_a_row}{journey}"


def _kept_answers(log: Cursor) -> Iterator[Found]:
    # Those of this load were counted without the patient.
    log.execute(
        "select count(*) from kept_answer where cache_key ~ %s and cache_key not like %s",
        [OF_A_LOAD, cache.make_key(f"{current_load()}:%")],
    )
    (rows,) = one_row(log)
    if rows:
        yield Found(_place("default", "kept_answer", "value"), rows, "of an earlier load: the next run removes them")


def _sessions(patient: int) -> Iterator[Found]:
    pattern = re.compile(_named(patient, set()), re.IGNORECASE)
    rows = sum(bool(pattern.search(json.dumps(one.get_decoded()))) for one in Session.objects.iterator())
    if rows:
        yield Found(_place("default", "django_session", "session_data"), rows)


def _files(patient: int) -> Iterator[Found]:
    pattern = re.compile(_named(patient, set()).encode(), re.IGNORECASE)
    local = settings.BASE_DIR / ".local"
    database = local / "postgres"
    for path in sorted(local.rglob("*")):
        # The databases' own files hold what they give, and what vacuum has yet to take away.
        is_data = path.is_relative_to(database) and path != database / "log"
        lines = 0
        with suppress(FileNotFoundError):  # it has gone meanwhile
            if path.is_file() and not is_data:
                with path.open("rb") as file:
                    lines = sum(bool(pattern.search(line)) for line in file)
        if lines:
            yield Found(str(path), lines)
    # What is still being made may name the patient.
    for folder in sorted(Path(gettempdir()).glob(f"{PREFIX}*")):
        yield Found(
            str(folder), 1, "a list that is being written, or was when its process was killed: restart the site"
        )


@contextmanager
def _read_only_snapshot(alias: str) -> Iterator[Cursor]:
    with transaction.atomic(using=alias), raw_cursor(alias) as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        yield cursor


def _keys(cursor: Cursor, query: str, patient: int) -> set[int]:
    cursor.execute(query, {"patient": patient})
    return {key for (key,) in cursor.fetchall() if key is not None}


def _name(alias: str) -> str:
    return str(connections[alias].settings_dict["NAME"])


def _place(alias: str, *names: str) -> str:
    return ".".join((_name(alias), *names))
