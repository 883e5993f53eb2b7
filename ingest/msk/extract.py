"""extract_msk: msk_db into the staging tables."""

from ingest.cursors import raw_cursor
from ingest.errors import PipelineError
from ingest.msk.snapshot import snapshot
from ingest.msk.staging import StagingTable
from ingest.msk.tables import TABLES
from ingest.runs import Run

STEP = "extract_msk"


def extract_msk(run: Run, *, full_refresh: bool = False) -> None:
    """Bring every staging table in step with msk_db, as one snapshot of it shows the ten tables.

    The source's transaction ends when its rows are copied; comparing them is the warehouse's work alone. With
    `full_refresh` every row is read and compared, whatever the digests say. Raises PipelineError for a source that is
    not as expected or holds no row at all.
    """
    staging_tables = []
    with raw_cursor("analytics") as warehouse:
        with snapshot() as source:
            for table in TABLES:
                with run.table(STEP, table.name) as counts:
                    staging = StagingTable(warehouse, table, counts)
                    staging.copy(source, full=full_refresh)
                    staging_tables.append(staging)
        for staging in staging_tables:
            with run.table(STEP, staging.table.name):
                staging.compare()
        _check_not_empty(staging_tables)


def _check_not_empty(staging_tables: list[StagingTable]) -> None:
    """Raise PipelineError when the source has no row in any table: that is a mishap, not a change."""
    if not any(staging.source_rows() for staging in staging_tables):
        raise PipelineError(
            "the ten tables of the source database are all empty: load your dump into it (README, The source) "
            "and run the command again"
        )
