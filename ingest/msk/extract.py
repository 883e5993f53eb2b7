"""extract_msk: msk_db into the staging tables."""

from collections.abc import Iterator

from django.conf import settings

from ingest.cursors import raw_cursor
from ingest.msk.snapshot import snapshot
from ingest.msk.staging import StagingTable, digest_secret
from ingest.msk.tables import TABLES
from ingest.placement import empty_work_tables
from ingest.runs.errors import PipelineError
from ingest.runs.run import Run

STEP = "extract_msk"
ALLOW_DELETES = "go on even if the source lost more of its rows than MSK_MAX_DELETE_PERCENT"


def extract_msk(run: Run, *, full_refresh: bool = False, allow_deletes: bool = False) -> None:
    """Bring every staging table in step with msk_db, as one snapshot of it shows the ten tables.

    The source's transaction ends when its rows are copied; comparing them is the warehouse's work alone. With
    `full_refresh` the digests of both sides are worked out anew, under a new secret, and no stored one is trusted.
    Raises PipelineError for a source that is not as expected and, unless `allow_deletes`, for one that has lost more
    than a mishap would.
    """
    with raw_cursor("analytics") as warehouse:
        secret = digest_secret(warehouse, renew=full_refresh)
        staging_tables = [StagingTable(warehouse, table) for table in TABLES]
        with run.holding_source(), snapshot() as source:
            for staging in staging_tables:
                with run.table(STEP, staging.table.name, last=False) as staging.counts:
                    staging.copy(source, secret, mend=full_refresh)
        for staging in staging_tables:
            with run.table(STEP, staging.table.name):
                staging.compare()
        empty_work_tables(warehouse, [name for staging in staging_tables for name in staging.work_tables])
        if not allow_deletes:
            _check_losses(staging_tables)


def _check_losses(staging_tables: list[StagingTable]) -> None:
    if not any(staging.rows_now() for staging in staging_tables):
        raise PipelineError(
            "the ten tables of the source database are all empty: load your dump into it (docs/source.md) "
            "and run the command again, or run it with --allow-deletes if that is meant"
        )
    losses = "; ".join(loss for staging in staging_tables for loss in _alarming_losses(staging))
    if losses:
        raise PipelineError(
            f"too much of the source is gone: {losses}. MSK_MAX_DELETE_PERCENT is "
            f"{settings.MSK_MAX_DELETE_PERCENT}: restore the rows, or if they are meant to be gone run the command "
            "again with --allow-deletes (and with --dry-run first, to see what that does)"
        )


def _alarming_losses(staging: StagingTable) -> Iterator[str]:
    before, lost = staging.rows_before, staging.rows_lost()
    if before and not staging.rows_now():
        yield f"{staging.table.name} is empty, it had {before:,} rows"
    elif lost * 100 > before * settings.MSK_MAX_DELETE_PERCENT:
        yield f"{staging.table.name} lost {lost:,} of {before:,} rows"
