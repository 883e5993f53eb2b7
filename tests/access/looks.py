"""Lines of the access log, as they were written some days ago."""

from datetime import timedelta
from typing import Any

from django.db import connections, transaction
from django.utils import timezone

from access.models import AccessLog


def look(days: float = 0, **changes: Any) -> AccessLog:
    """Write the line of a look at patient 1, as it was so many days ago, with `changes`."""
    line = {"user_id": 7, "user_name": "ann", "address": "192.0.2.7", "what": "page", "path": "/patients/1/"}
    seen = {"patients": [1], "patient_count": 1, "answered": True}
    with transaction.atomic(using="default"), connections["default"].cursor() as database:
        # The database gives each line its own time, but in a session that fires no trigger.
        database.execute("set local session_replication_role = replica")
        return AccessLog.objects.create(**{"at": timezone.now() - timedelta(days=days)} | line | seen | changes)
