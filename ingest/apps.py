from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# Limits of the server for a session that takes long, with the version that brought them. A run is idle at one server
# while it works at another; what each of its statements may take STATEMENT_TIMEOUT_SECONDS says. Not among the options
# in settings.py: a server that does not know a name there lets nobody in.
LIMITS = {"idle_session_timeout": 140_000, "transaction_timeout": 170_000}


class IngestConfig(AppConfig):
    name = "ingest"

    def ready(self) -> None:
        connection_created.connect(lift_limits)


def lift_limits(connection: BaseDatabaseWrapper, **signal: Any) -> None:
    """Lift the server's limits for long sessions from a connection of ours, as far as the server knows them."""
    known = [name for name, since in LIMITS.items() if connection.connection.server_version >= since]
    if known:
        with connection.connection.cursor() as cursor:
            cursor.execute("; ".join(f"set {name} = 0" for name in known))
