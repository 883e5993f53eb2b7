"""The ten tables of msk_db: their columns, the keys of their rows, and the buckets in which these are compared.

A key is a number, made of patient and day where there is no id; a bucket is a group of neighbouring keys. Both are
written as integer arithmetic, so that source and warehouse agree on them; -1 holds the rows without a key. All are
bigint: only values of one type does the server look up in a long list by hashing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg2.sql import SQL, Composed, Identifier

# What the server may call a column's type, for each type that staging has for it.
TYPES = {
    "integer": ("integer", "smallint"),
    "text": ("character varying", "text"),
    "text[]": ("character varying[]", "text[]"),
    "date": ("date",),
    "timestamp": ("timestamp without time zone",),
}


@dataclass(frozen=True)
class SourceTable:
    """A table of the source.

    `identity` names the columns that tell its rows apart, where they do; `derived` those that the source does not have
    but `rows` adds.
    """

    name: str
    columns: Mapping[str, str]
    key: str
    bucket: str
    rows: str
    identity: tuple[str, ...] = ("id",)
    derived: tuple[str, ...] = ()

    @property
    def staging(self) -> Identifier:
        return Identifier(f"staging_{self.name}")

    def column_list(self, alias: str) -> Composed:
        """Return the columns, qualified with `alias`, for a select or a row()."""
        return SQL(", ").join(Identifier(alias, column) for column in self.columns)

    def digest_columns(self) -> Composed:
        """Return the columns as they are hashed: to the byte, where a collation or an array's hash would say less."""
        exact = {"text": SQL('t.{} collate "C"'), "text[]": SQL("t.{}::text")}
        return SQL(", ").join(
            exact.get(kind, SQL("t.{}")).format(Identifier(column)) for column, kind in self.columns.items()
        )

    def own_columns(self) -> dict[str, str]:
        """Return the columns that the source itself must have, with their types."""
        return {name: kind for name, kind in self.columns.items() if name not in self.derived}


ID, ID_BUCKET = "coalesce(t.id, -1)::bigint", "coalesce(t.id >> 6, -1)::bigint"


def _keyed(name: str, **columns: str) -> SourceTable:
    """Return a table whose key is `id`."""
    return SourceTable(name, {"id": "integer"} | columns, key=ID, bucket=ID_BUCKET, rows=f"{name} t")


PATIENT_JOURNEY = _keyed(
    "patient_journey",
    patient_id="integer",
    journey_id="integer",
    invitation_date="date",
    registration_date="date",
    operation_date="date",
    discharge_date="date",
    consent_date="date",
    clinician_id="integer",
)

# A survey result belongs to a patient by its patient journey; the warehouse is cut by patient, so its staging row
# carries the patient. Of patient journeys with one id the first in the order of the row's text counts, as everywhere.
# The row's text is that of the staging row: the source may have its columns in another order.
SURVEY_RESULT_ROWS = f"""(
    select r.*, j.patient_id
      from survey_result r
      left join (select distinct on (p.id) p.id, p.patient_id
                   from patient_journey p
                  order by p.id, row({", ".join(f"p.{column}" for column in PATIENT_JOURNEY.columns)})::text collate "C"
                ) j on j.id = r.patient_journey_id
) t"""

# The id that the row has in the star.
STEP_RESULT_KEY = """coalesce(
    (t.patient_id::bigint << 32) + case when isfinite(t.date) then t.date - date '0001-01-01' end, -1)"""

# Sixteen patients by a week, some hundred rows. Of the sizes tried on 1.8 million rows the one at which both are small,
# digesting (finer buckets take up to six times as long) and what an ordinary hour copies (coarser ones: everything).
STEP_RESULT_BUCKET = """coalesce(
    (t.patient_id::bigint >> 4 << 20) + case when isfinite(t.date) then (t.date - date '0001-01-01') / 7 end, -1)"""

TABLES = (
    _keyed("schedule", slug="text"),
    _keyed("activity", content_slug="text", schedule_id="integer"),
    _keyed("journey", abbreviation="text", joint_slug="text"),
    SourceTable(
        "journey_activity",
        {"journey_id": "integer", "activity_id": "integer"},
        key="coalesce(t.journey_id, -1)::bigint",
        bucket="coalesce(t.journey_id, -1)::bigint",
        rows="journey_activity t",
        identity=("journey_id", "activity_id"),
    ),
    _keyed("patient", age_bracket="text", sex="text", hospital="text"),
    PATIENT_JOURNEY,
    _keyed("device", platform="text", os_version="text"),
    _keyed("survey", slug="text", version="text", tags="text[]"),
    SourceTable(
        "step_result",
        {"patient_id": "integer", "date": "date", "value": "text"},
        key=STEP_RESULT_KEY,
        bucket=STEP_RESULT_BUCKET,
        rows="step_result t",
        identity=("patient_id", "date"),
    ),
    SourceTable(
        "survey_result",
        {
            "id": "integer",
            "patient_journey_id": "integer",
            "survey_id": "integer",
            "activity_id": "integer",
            "device_id": "integer",
            "score_value": "integer",
            "start_time": "timestamp",
            "end_time": "timestamp",
            "patient_id": "integer",
        },
        key=ID,
        bucket=ID_BUCKET,
        rows=SURVEY_RESULT_ROWS,
        derived=("patient_id",),
    ),
)
