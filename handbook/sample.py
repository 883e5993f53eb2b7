"""Whether the warehouse holds the made-up sample and nobody's data, so that its values can be shown to everybody."""

import re
from io import StringIO
from pathlib import Path

from django.db import transaction
from psycopg2.sql import SQL, Identifier

from analytics.checks import run_checks
from ingest.cursors import one_row, raw_cursor
from ingest.models import ScheduleOverride
from ingest.runs.errors import PipelineError

DUMP = Path(__file__).resolve().parent.parent / "sample_data" / "msk_db.sql"
REMEDY = "load the sample (docs/source.md) into a new warehouse and run the pipeline, or build without EXAMPLES"
TABLE = re.compile(r"^COPY public\.(\w+) \(([^)]+)\) FROM stdin;\n(.*?)^\\\.$", re.MULTILINE | re.DOTALL)


class NotTheSampleError(PipelineError):
    """The warehouse holds something that is none of the sample."""


def require_sample() -> None:
    """Raise NotTheSampleError unless all that the warehouse holds comes from the sample.

    The staging tables of msk_db have its rows and no others, nobody has said what a slug means, and each table of the
    star is what its statement makes of these.
    """
    for table, columns, rows in TABLE.findall(DUMP.read_text(encoding="utf-8")):
        if _differs(f"staging_{table}", columns.split(", "), rows):
            raise NotTheSampleError(
                f"staging_{table} holds other rows than the sample, and a page would show one of them: {REMEDY}"
            )
    if ScheduleOverride.objects.exists():
        raise NotTheSampleError(f"schedule_override holds what a person wrote, which a page would show: {REMEDY}")
    if broken := [proof.promise for proof in run_checks() if proof.violations]:
        raise NotTheSampleError(f"the star holds other rows than the sample gives ({broken[0]} not): {REMEDY}")


def _differs(staging: str, columns: list[str], rows: str) -> bool:
    staged = SQL("select {} from {}").format(SQL(", ").join(map(Identifier, columns)), Identifier(staging))
    with transaction.atomic(using="analytics"), raw_cursor("analytics") as warehouse:
        warehouse.execute(SQL("create temp table sample on commit drop as {} limit 0").format(staged))
        warehouse.copy_expert("copy sample from stdin", StringIO(rows))
        warehouse.execute(
            SQL(
                "select exists (({staged} except all table sample) union all (table sample except all {staged}))"
            ).format(staged=staged)
        )
        (differs,) = one_row(warehouse)
    return bool(differs)
