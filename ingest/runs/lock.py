"""The lock of a source: its row of committed_run, which one run at a time holds, and in which it signs its commit.

A row and not an advisory lock, which whoever may connect can take: a row can only be locked by who may write it. It is
free again when the transaction ends, however that happens.
"""

from uuid import UUID

from django.db import connections

from ingest.models import PipelineRun
from ingest.runs.errors import SkippedError


def take(source: str) -> None:
    """Lock the row of a source for the current transaction: who has it knows that no other run is in progress.

    Not in a savepoint. Raises SkippedError when another run has it.
    """
    with connections["analytics"].cursor() as cursor:
        # The row is there, made by a migration, unless somebody has removed it.
        cursor.execute("insert into committed_run (source) values (%s) on conflict do nothing", [source])
        cursor.execute("select from committed_run where source = %s for update skip locked", [source])
        if not cursor.rowcount:
            raise SkippedError(
                f"another run of {source} is in progress: {holder(source)}. "
                "Wait until it has finished and run the command again"
            )


def holder(source: str) -> str:
    """Return who is at work on a source: the run on record, or whoever else holds its lock, such as a dry run."""
    record = PipelineRun.objects.filter(source=source, status=PipelineRun.Status.RUNNING).last()
    if record:
        return (
            f"run {record.pk}, {record.command} started by {record.trigger} at {record.started:%Y-%m-%d %H:%M:%S} UTC"
        )
    return holders().get(source, "it has just ended")


def holders() -> dict[str, str]:
    """Return the sources whose lock somebody holds, and who that is at the server.

    Asks who holds the locks, and takes none: that could make a starting run skip. A row's xmax is the transaction that
    locked it, if that is one alone and locked it outside savepoints, and a transaction in progress holds a lock on its
    own number.
    """
    with connections["analytics"].cursor() as cursor:
        cursor.execute(
            """
            select c.source, format('a run that is not on record, of user %s in process %s', a.usename, l.pid)
              from committed_run c
              join pg_locks l on l.locktype = 'transactionid' and l.transactionid = c.xmax
              join pg_stat_activity a on a.pid = l.pid
             where l.granted
               and l.mode = 'ExclusiveLock'
            """
        )
        return dict(cursor.fetchall())


def sign(source: str, run_uuid: UUID) -> None:
    """Write into the warehouse, with all that the run wrote, that it was this run."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute("update committed_run set run_uuid = %s where source = %s", [run_uuid, source])


def is_signed(source: str, run_uuid: UUID) -> bool:
    """Tell whether the run is the last one of its source that committed.

    Known by its UUID, as numbers repeat where the run log was restored from a backup.
    """
    with connections["analytics"].cursor() as cursor:
        cursor.execute("select from committed_run where (source, run_uuid) = (%s, %s)", [source, run_uuid])
        return bool(cursor.rowcount)
