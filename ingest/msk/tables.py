"""The ten tables of msk_db: their columns, the keys of their rows, and the buckets in which these are compared.

A bucket is a group of rows with neighbouring keys: an id, or patient and day where there is none. It is written as
integer arithmetic, so that source and warehouse agree on it; -1 holds the rows without a key. All are bigint: only
values of one type does the server look up in a long list by hashing.

The tables that grow with the patients carry in staging the patient that a row belongs to, `owner_id`, as the warehouse
is cut by patient: -1 where there is none. Where a row's key does not name the patient they carry its `occurrence` as
well, its place among the rows of its id, which may belong to several patients: no part of a warehouse that is
distributed by them has all of these. As they are in one bucket, each copy of one has them all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Model
from psycopg2.sql import SQL, Composed, Identifier

from ingest.models import source

# What the server may call a column's type, for each type that staging has for it.
TYPES = {
    "integer": ("integer", "smallint"),
    "text": ("character varying", "text"),
    "text[]": ("character varying[]", "text[]"),
    "date": ("date",),
    "timestamp": ("timestamp without time zone",),
}
# What staging adds to the columns of the source.
ADDED = ("owner_id", "occurrence")
# What staging has, for each type that a model has.
KINDS = {
    "BigAutoField": "integer",
    "IntegerField": "integer",
    "TextField": "text",
    "ArrayField": "text[]",
    "DateField": "date",
    "DateTimeField": "timestamp",
}


@dataclass(frozen=True)
class SourceTable:
    """A table of the source; `columns` has its columns, and those that staging adds, with their types.

    `rows` gives the rows t for digests, `copied` the same for staging, which may need one more sort. `key` gives
    the columns by which they are compared: a name for each and how it follows from a row t, never null. `changes` is
    the table that takes owner and key of the rows that changed; without it all rows are looked at whenever the star is
    loaded.
    """

    name: str
    columns: Mapping[str, str]
    rows: str
    copied: str
    bucket: str
    key: Mapping[str, str]
    changes: str

    @property
    def staging(self) -> Identifier:
        return Identifier(f"staging_{self.name}")

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns by which a person names a row."""
        return ("id",) if "id" in self.columns else tuple(self.key)

    def digest_columns(self) -> Composed:
        """Return the columns as they are hashed: to the byte, where a collation or an array's hash would say less."""
        exact = {"text": SQL('t.{} collate "C"'), "text[]": SQL("t.{}::text")}
        return SQL(", ").join(
            exact.get(kind, SQL("t.{}")).format(Identifier(column))
            for column, kind in self.columns.items()
            if column not in ADDED or (column == "owner_id" and "patient_id" not in self.columns)  # else it follows
        )

    def copied_columns(self) -> Composed:
        """Return the columns for COPY in binary, which does not convert between types that are alike."""
        cast = {"integer": SQL("t.{}::integer"), "text": SQL("t.{}::text"), "text[]": SQL("t.{}::text[]")}
        return SQL(", ").join(
            cast.get(kind, SQL("t.{}")).format(Identifier(column)) for column, kind in self.columns.items()
        )

    def changes_columns(self) -> dict[str, str]:
        """Return the columns of `changes`: the key's and, where that does not say it, the patient's, likewise."""
        return {"patient_id": "t.owner_id"} | dict(self.key) if "owner_id" in self.columns else dict(self.key)

    def text(self, alias: str) -> str:
        """Return the text of a row, by which those of one id are put in order."""
        return _text(alias, self.own_columns())

    def own_columns(self) -> dict[str, str]:
        """Return the columns that the source itself must have, with their types."""
        return {name: kind for name, kind in self.columns.items() if name not in ADDED}


IDS = "coalesce(t.id >> 6, -1)::bigint"  # a bucket of 64


# Of several rows with one id the first in the order of the row's text counts, as everywhere. The text is of the columns
# as the model has them: the source may have them in another order. It is dear: looked at only where there is a choice.
OCCURRENCE = "(row_number() over (partition by r.id order by case when r.rows_of_id > 1 then {} end))::integer"
COUNTED = "(select r.*, count(*) over (partition by r.id) as rows_of_id from {} r)"


def _columns_of(model: type[Model]) -> dict[str, str]:
    return {str(field.column): KINDS[field.get_internal_type()] for field in model._meta.concrete_fields}


def _text(alias: str, columns: Iterable[str]) -> str:
    return f'row({", ".join(f"{alias}.{column}" for column in columns)})::text collate "C"'


def _table(
    model: type[Model], key: Mapping[str, str], bucket: str = IDS, *, changes: str = "", owner: str = "", join: str = ""
) -> SourceTable:
    # `owner` is the expression for the patient that a row r belongs to; `join` brings the table that it needs, if any.
    name = model._meta.db_table
    columns = _columns_of(model)
    names = ", ".join(f"r.{column}" for column in columns)
    own = tuple(columns)
    if owner:
        names += f", coalesce({owner}, -1) as owner_id"
        columns["owner_id"] = "integer"
    rows = copied = f"(select {names} from {name} r {join}) t"
    if owner and "id" in columns:
        names += f", {OCCURRENCE.format(_text('r', own))} as occurrence"
        columns["occurrence"] = "integer"
        copied = f"(select {names} from {COUNTED.format(name)} r {join}) t"
    return SourceTable(name, columns, rows, copied, bucket, key, changes)


ID = "coalesce(t.id, -1)"

# A survey result belongs to a patient by its patient journey, of several with one id by the first.
PATIENT_OF_JOURNEY = f"""
    left join (select distinct on (p.id) p.id, p.patient_id
                 from patient_journey p
                order by p.id, {_text("p", _columns_of(source.PatientJourney))}) j on j.id = r.patient_journey_id
"""

# Sixteen patients by a week, some hundred rows. Of the sizes tried on 1.8 million rows the one at which both are small,
# digesting (finer buckets take up to six times as long) and what an ordinary hour copies (coarser ones: everything).
STEP_RESULT_BUCKET = """coalesce(
    (t.patient_id::bigint >> 4 << 20) + case when isfinite(t.date) then (t.date - date '0001-01-01') / 7 end, -1)"""

TABLES = (
    _table(source.Schedule, {"id": ID}),
    _table(source.Activity, {"id": ID}),
    _table(source.Journey, {"id": ID}),
    _table(
        source.JourneyActivity,
        {"journey_id": "coalesce(t.journey_id, -1)", "activity_id": "coalesce(t.activity_id, -1)"},
        "coalesce(t.journey_id, -1)::bigint",
    ),
    _table(source.Patient, {"patient_id": ID}, changes="changed_patient"),
    _table(source.PatientJourney, {"patient_journey_id": ID}, changes="changed_patient_journey", owner="r.patient_id"),
    _table(source.Device, {"id": ID}),
    _table(source.Survey, {"id": ID}),
    _table(
        source.StepResult,
        {"patient_id": "t.owner_id", "date": "coalesce(t.date, '-infinity')"},
        STEP_RESULT_BUCKET,
        changes="changed_step_result",
        owner="r.patient_id",
    ),
    _table(
        source.SurveyResult,
        {"survey_result_id": ID},
        changes="changed_survey_result",
        owner="j.patient_id",
        join=PATIENT_OF_JOURNEY,
    ),
)
