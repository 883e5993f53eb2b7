"""What the benchmarks of pages and of exports begin with: the project on the benchmark's server, and a loaded star."""

import os

from bench.server import LOG, SOURCE, STAR, WHOLE, check, make_star, manage, measure_run, new_database, sql, use_server
from bench.source import use_source

DAYS = 90  # of each patient


def use_project() -> None:
    """Point this process, and Django in it, at the benchmark's server."""
    use_server()
    os.environ |= {"DJANGO_SETTINGS_MODULE": "pipeline_project.settings", "DEBUG": "1"}  # here is no TLS


def load_both(change: str = "") -> None:
    """Load both sources into an empty star, that of msk with a `change` in SQL."""
    new_database(LOG)
    use_source(WHOLE)
    if change:
        sql(SOURCE, change)
    make_star()
    measure_run()
    check(*manage("run_pipeline", "--only", "covid"))
    sql(STAR, "vacuum analyze")  # as autovacuum would within minutes
