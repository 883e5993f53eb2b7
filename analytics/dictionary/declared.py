"""What the dictionary cannot read from the database, the models or the SQL: said here, once.

A key `table.*` stands for each column of the table that is not named by itself. In the lineage `covid` is a document of
the COVID API and `msk_db.<table>` a table of the source.
"""

from ingest.covid.figures import FIGURES

# What becomes a column without a statement that says so: by COPY, a program or a document of the COVID API.
HOPS: dict[str, tuple[str, ...]] = {
    "staging_slug.*": ("staging_schedule.slug",),  # ingest/slugs.py reads the slug
    "staging_covid_day.document": ("covid.data",),
    "staging_covid_day.position": ("covid.data",),
    "staging_covid_day.sha256": ("covid.data",),
    "staging_covid_definition.id": ("covid.meta.field_definitions.name",),
    **{
        f"staging_covid_definition.{name}": (f"covid.meta.field_definitions.{name}",)
        for name in ("name", "field", "deprecated", "prior_names")
    },
    **{
        f"{table}.cases_id": ("covid.data.date",)
        for table in ("cases_dimension", "cases_fact", "testing_fact", "hospitalization_fact", "death_fact")
    },
    "cases_dimension.last_update_at": ("covid.data.date",),
    # The statements that read a day are made of these.
    **{f"{figure.table}.{figure.column}": (f"covid.data.{figure.path}",) for figure in FIGURES},
}
# The tables that such a table is made from, where HOPS does not lead to them.
READS: dict[str, tuple[str, ...]] = {
    "staging_slug": ("staging_schedule",),
    "staging_covid_day": ("covid",),
    "staging_covid_definition": ("covid",),
    "staging_covid_document": ("covid",),
    **dict.fromkeys(dict.fromkeys(figure.table for figure in FIGURES), ("staging_covid_day",)),
}

# What no source says: who or what makes it.
MADE_HERE = {
    "staging_covid_day.*": "the extraction, when it reads a document",
    "staging_covid_definition.*": "the extraction, when it reads a document",
    "staging_covid_document.*": "the extraction, of the server's answer",
    "schedule_override.*": "a person, in the admin",
    "rejected_row.*": "the load, of the staged rows that do not fit",
    "load_state.*": "the run that loaded the star",
    "staged_bucket.*": "the extraction, of the source's digests",
    "schema_change.*": "the extraction, of the definitions before and now",
    "erased_patient.*": "the run that took the patient out",
    "pipeline_run.*": "the run itself",
    "step_run.*": "the run itself",
    "run_request.*": "who asks, and the worker that starts the run",
    "alert.*": "what watches the runs",
    "warehouse_check.*": "check_warehouse",
}

# What writes a table that has no statement of its own in analytics/loads/sql.
WRITTEN_BY = {
    "staging_slug": "ingest/msk/parse.py",
    "staging_covid_day": "ingest/covid/sql/050_new_day.sql",
    "staging_covid_definition": "ingest/covid/sql/070_definition.sql",
    "staging_covid_document": "ingest/covid/sql/080_document.sql",
    **dict.fromkeys(dict.fromkeys(figure.table for figure in FIGURES), "analytics/loads/covid.py"),
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

# The columns that tell the rows of a view apart.
GRAIN_OF_VIEWS = {
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
