"""What docs/operate.md says of backups is whole. That its commands work is tried in Docker, by docker.sh."""

import re
from fnmatch import fnmatch
from pathlib import Path

from tests.conftest import Warehouse

OPERATE = (Path(__file__).resolve().parent.parent / "docs" / "operate.md").read_text(encoding="utf-8")
# What a run, or prepare_databases, makes anew in an empty database.
MADE_ANEW = (
    *("*_dimension", "*_fact", "*_bridge", "patient_journey_schedule_window", "research.*"),
    *("staging_*", "staged_*", "changed_*", "*_pseudonym", "rejected_row", "django_*"),
    *("load_state", "load_version", "committed_run", "digest_secret", "key_set_aside"),
)
TABLES = """
    select concat(nullif(relnamespace::regnamespace::text, 'public') || '.', relname)
      from pg_class
     where relkind in ('r', 'p')
       and relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
"""


def test_a_backup_has_every_table_of_the_warehouse_that_no_run_brings_back(warehouse: Warehouse) -> None:
    kept = [pattern.strip("'") for pattern in re.findall(r"-t (\S+)", OPERATE)]
    tables = [name for (name,) in warehouse.execute(TABLES)]
    backed_up = {name for name in tables if any(fnmatch(name, pattern) for pattern in kept)}
    assert len(backed_up) >= len(kept) == 4
    lost = {name for name in tables if name not in backed_up and not any(fnmatch(name, known) for known in MADE_ANEW)}
    assert lost == set()
