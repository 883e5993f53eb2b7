"""Installations as the code of some commit left them, from the dumps beside this file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections
from psycopg2.sql import SQL, Identifier

from tests.conftest import Database, Source, Warehouse, connect
from tests.ingest.runs.test_failures import manage
from tests.upgrade.make import KEPT

FOLDER = Path(__file__).resolve().parent
VARIABLES = {"default": "POSTGRES_DB", "analytics": "POSTGRES_ANALYTICS_DB", "msk_db": "POSTGRES_SECONDARY_DB"}


class Installation:
    """Three databases of its own, filled from dumps: those of `default`, `analytics` and `msk_db`, in this order."""

    def __init__(self, names: dict[str, str], dumps: tuple[str, str, str]) -> None:
        self.names = names
        self.default = Database("default", dbname=names["default"])
        self.warehouse = Warehouse("analytics", dbname=names["analytics"])
        self.source = Source("msk_db", dbname=names["msk_db"])
        for database, dump in zip((self.default, self.warehouse, self.source), dumps, strict=True):
            database.load(FOLDER / dump)

    def manage(self, *arguments: str, **changes: str) -> tuple[int, str, str]:
        """Run manage.py on it; what it has on record, however old, is kept."""
        names = {VARIABLES[alias]: name for alias, name in self.names.items()}
        return manage(*arguments, **names | KEPT | changes)

    def succeed(self, *arguments: str, **changes: str) -> None:
        code, _, stderr = self.manage(*arguments, **changes)
        assert code == 0, stderr


@contextmanager
def installation(*dumps: str) -> Iterator[Installation]:
    """Give an installation whose databases are gone at the end of the block."""
    names = {alias: f"old_{connections[alias].settings_dict['NAME']}" for alias in VARIABLES}
    server = connect("default", dbname="postgres")
    with server.cursor() as cursor:
        for name in names.values():
            cursor.execute(SQL("create database {}").format(Identifier(name)))
        try:
            default, analytics, source = dumps
            yield Installation(names, (default, analytics, source))
        finally:
            for name in names.values():
                cursor.execute(SQL("drop database {} with (force)").format(Identifier(name)))
    server.close()
