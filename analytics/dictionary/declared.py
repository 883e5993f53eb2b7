"""What the dictionary cannot read from the database, the models or the SQL: said here, once.

In the lineage `covid` is a document of the COVID API and `msk_db.<table>` a table of the source. `<table>.*` is a whole
row, and `staging_covid_day.document.<path>` a value in the document of a day.
"""

from collections.abc import Iterator

from analytics.loads.tables import STAGED
from ingest.covid.figures import FIGURES
from ingest.msk.tables import TABLES


def _each(table: str, columns: str) -> Iterator[str]:
    return (f"{table}.{column}" for column in columns.split())


STAGING_TABLES = tuple(f"staging_{table.name}" for table in TABLES)
SOURCE_ROWS = tuple(f"msk_db.{table.name}.*" for table in TABLES)
DEFINITION = tuple(_each("staging_covid_definition", "name field deprecated prior_names"))
COVID_TABLES = dict.fromkeys(figure.table for figure in FIGURES)
DAY = "staging_covid_day.document"

# What becomes a column without a statement that says so: by COPY, a program or a document of the COVID API.
HOPS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        _each(
            "staging_slug",
            "slug parse_status milestone_slug offset_start_days offset_end_days qualifier parse_note",
        ),
        ("staging_schedule.slug",),  # ingest/slugs.py reads the slug
    ),
    **{f"staging_{table.name}.*": (f"msk_db.{table.name}.*",) for table in TABLES},
    **dict.fromkeys(_each("staging_covid_day", "document position sha256"), ("covid.data",)),
    **{column: (f"covid.meta.field_definitions.{column.split('.')[1]}",) for column in DEFINITION},
    "staging_covid_definition.id": ("covid.meta.field_definitions.name",),
    # The statements that read a day are made of these.
    **{f"{DAY}.{path}": (f"covid.data.{path}",) for path in ("date", *(figure.path for figure in FIGURES))},
    **{f"{figure.table}.{figure.column}": (f"{DAY}.{figure.path}",) for figure in FIGURES},
    **{f"{table}.cases_id": (f"{DAY}.date",) for table in COVID_TABLES},
    "cases_dimension.last_update_at": (f"{DAY}.date",),
    # Beside the star.
    "rejected_row.source_key": (
        *(f"staging_{table.name}.{column}" for table in STAGED.values() for column in table.identity),
        f"{DAY}.date",
    ),
    "rejected_row.detail": (*(f"{table}.*" for table in STAGING_TABLES), DAY),
    **dict.fromkeys(_each("staged_bucket", "bucket row_count digest"), SOURCE_ROWS),
    "schema_change.field_name": DEFINITION[:1],
    **dict.fromkeys(_each("schema_change", "kind detail"), DEFINITION),
    "erased_patient.patient_id": ("patient_dimension.patient_id",),
}
# The tables that such a table is made from.
READS: dict[str, tuple[str, ...]] = {
    "staging_slug": ("staging_schedule",),
    **dict.fromkeys(("staging_covid_day", "staging_covid_definition", "staging_covid_document"), ("covid",)),
    **dict.fromkeys(COVID_TABLES, ("staging_covid_day",)),
    "rejected_row": (*STAGING_TABLES, "staging_covid_day"),
    "staged_bucket": tuple(f"msk_db.{table.name}" for table in TABLES),
    "schema_change": ("staging_covid_definition",),
    "erased_patient": ("patient_dimension",),
}

# Columns that come from no source: who or what makes them. A key `table.*` stands for each column of a table that has
# nothing of a source: what people say, and the run log.
MADE_HERE = {
    **dict.fromkeys(_each("staging_covid_day", "id url fetched_at"), "the extraction, when it reads a document"),
    **dict.fromkeys(
        _each("staging_covid_definition", "first_seen_at last_seen_at is_current"),
        "the extraction, when it reads a document",
    ),
    **dict.fromkeys(
        _each("staging_covid_document", "url fetched_at sha256 etag last_modified"),
        "the extraction, of the server's answer",
    ),
    **dict.fromkeys(_each("rejected_row", "id run_id source_table reason"), "the load that lists the row"),
    "staged_bucket.source_table": "the extraction",
    **dict.fromkeys(_each("schema_change", "id run_id detected_at"), "the extraction that saw the change"),
    **dict.fromkeys(_each("erased_patient", "run_id run_uuid erased_at"), "the run that took the patient out"),
    "schedule_override.*": "a person, in the admin",
    "load_state.*": "the run that loaded the star",
    "pipeline_run.*": "the run itself",
    "step_run.*": "the run itself",
    "run_request.*": "who asks, and the process that starts the run",
    "alert.*": "what watches the runs",
    "warehouse_check.*": "check_warehouse",
}

# What writes a table that has no statement of its own in analytics/loads/sql.
WRITTEN_BY = {
    "staging_slug": "ingest/msk/parse.py",
    "staging_covid_day": "ingest/covid/sql/050_new_day.sql",
    "staging_covid_definition": "ingest/covid/sql/070_definition.sql",
    "staging_covid_document": "ingest/covid/sql/080_document.sql",
    **dict.fromkeys(COVID_TABLES, "analytics/loads/covid.py"),
    "field_definitions_dimension": "analytics/loads/sql/210_field_definitions_dimension.sql",
    "activity_adherence": "analytics/migrations/0010_as_of_today.py",
    "window_detail": "analytics/migrations/0007_adherence.py",
    "schedule_override": "analytics/admin/overrides.py",
    "rejected_row": "analytics/loads/rejects.py",
    "load_state": "ingest/runs/run.py",
    "staged_bucket": "ingest/msk/sql/060_staged_bucket.sql",
    "schema_change": "ingest/covid/sql/060_schema_change.sql",
    "erased_patient": "analytics/loads/erasures.py",
    "pipeline_run": "ingest/runs/record.py",
    "step_run": "ingest/runs/record.py",
    "run_request": "ingest/runs/requests.py",
    "alert": "ingest/runs/alerts.py",
    "warehouse_check": "analytics/proofs.py",
}

# How many rows there are: by what they grow.
SIZES = {
    **dict.fromkeys(
        ("journey_dimension", "survey_dimension", "schedule_dimension", "activity_dimension"), "as the service has them"
    ),
    **dict.fromkeys(("journey_activity_bridge", "staging_slug", "schedule_override"), "as the service has them"),
    **dict.fromkeys(("patient_dimension", "device_dimension", "patient_journey_fact"), "by patient"),
    "step_result_fact": "by patient and day",
    **dict.fromkeys(("survey_result_fact", "activity_completion_fact"), "by patient and survey answered"),
    **dict.fromkeys(
        ("patient_journey_schedule_window", "adherence_fact", "activity_adherence", "window_detail"),
        "by patient and activity",
    ),
    **dict.fromkeys(
        ("cases_dimension", "cases_fact", "testing_fact", "hospitalization_fact", "death_fact", "date_dimension"),
        "by day",
    ),
    "staging_covid_day": "by day and version",
    **dict.fromkeys(("field_definitions_dimension", "staging_covid_definition"), "by field of the COVID API"),
    "staging_covid_document": "by address of the COVID API",
    "schema_change": "by change of the COVID API",
    "rejected_row": "by row that does not fit",
    "load_state": "two: one a source",
    "staged_bucket": "by patient: 64 keys a bucket, or some patients' week",
    "erased_patient": "by patient erased",
    **dict.fromkeys(("pipeline_run", "step_run"), "by run, kept RUN_HISTORY_DAYS"),
    "run_request": "by request",
    "alert": "by alert",
    "warehouse_check": "by check and promise, kept RUN_HISTORY_DAYS",
}

# The columns that tell the rows apart of what is no table of the star, where they are not the key.
GRAINS = {
    "rejected_row": ("source_table", "source_key"),
    "activity_adherence": ("patient_journey_id", "activity_id", "patient_id"),
    "window_detail": ("patient_journey_id", "activity_id", "patient_id"),
}

# What a number counts, by the first pattern that its `table.column` matches; "" for one that only names or orders.
UNITS = (
    (r"\.(days_|shift_days)|_days$", "days"),
    (r"seconds$", "seconds"),
    (r"percent", "percent"),
    (r"\.steps$", "steps"),
    (r"\.score_value$", "points of the survey"),
    (r"\.completions$", "survey results"),
    (r"\.state_number$", "states and territories"),
    (r"^cases_fact\.", "cases"),
    (r"^testing_fact\.", "tests"),
    (r"^death_fact\.", "deaths"),
    (r"^hospitalization_fact\.", "patients"),
    (r"\.bytes$", "bytes"),
    (r"\.(rows_read|inserted|updated|deleted|rejected|checked|row_count|violations)$", "rows"),
    (r"(\.|_)id$|\.(occurrence|position|bucket|digest)$", ""),
    (r"^date_dimension\.", ""),
)
