"""What check_warehouse proved, on record beside the run log and for as long: recorded, asked, and when it is due."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from analytics.checks import Check, NotProvedError, checks, run_checks
from ingest.models import WarehouseCheck
from ingest.runs.errors import DATABASE_ERRORS, explain
from ingest.runs.status import loads

logger = logging.getLogger(__name__)


def prove() -> Iterator[WarehouseCheck]:
    """Prove each promise, yield what came out of it, and put it all on record at the end.

    An error that ends it early is raised, and put on record with the promises that were not proved. NotProvedError is
    raised before any is, where a file of promises is not written as it has to be.
    """
    connections["default"].close()  # it would idle for as long as the checks take, and may be cut
    promised = list(checks())
    began = timezone.now()
    proofs: list[WarehouseCheck] = []
    try:
        for proof in run_checks():
            proofs.append(proof)
            yield proof
    except Exception as error:
        with suppress(*DATABASE_ERRORS):
            at = proofs[0].checked_at if proofs else began
            _record([*proofs, *_unproved(promised[len(proofs) :], explain(error), at)])
        raise
    _record(proofs)


def _unproved(promised: list[Check], error: str, checked_at: datetime) -> list[WarehouseCheck]:
    return [
        WarehouseCheck(checked_at=checked_at, promise=check.promise, source=check.source, error=error)
        for check in promised
    ]


def _record(proofs: list[WarehouseCheck]) -> None:
    oldest = timezone.now() - timedelta(days=settings.RUN_HISTORY_DAYS)
    with transaction.atomic(using="default"):
        WarehouseCheck.objects.bulk_create(proofs)
        WarehouseCheck.objects.filter(checked_at__lt=oldest).delete()


def prove_daily() -> None:
    """Prove all promises where that is due; say in the log alone what does not hold, or what kept us from it."""
    try:
        if not _is_due():
            return
        broken = [proof.promise for proof in prove() if proof.violations]
    except (NotProvedError, *DATABASE_ERRORS) as error:
        logger.error("warehouse not checked", extra={"error": explain(error)})  # noqa: TRY400  (in one line)
        return
    if broken:
        logger.error("promises do not hold", extra={"broken": len(broken), "promises": "; ".join(broken)})


def _is_due() -> bool:
    # Due once a day, UTC: from the first load of msk on, until a check has come to its end.
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    first = loads("msk").filter(finished__gte=midnight).order_by("pk").first()
    if not first:
        return False
    since = WarehouseCheck.objects.filter(checked_at__gte=first.finished)
    without_end = since.filter(violations=None).values("checked_at")
    return not since.exclude(checked_at__in=without_end).exists()


def last_proofs() -> list[WarehouseCheck]:
    """Return what the last check found, a promise each; nothing where there was none."""
    last = WarehouseCheck.objects.order_by("-checked_at").values("checked_at")[:1]
    return list(WarehouseCheck.objects.filter(checked_at__in=last).order_by("pk"))
