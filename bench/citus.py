"""Time runs into a warehouse that Citus distributes beside runs into a plain one of the same server.

    CITUS_WORKERS="host:port host:port" python -m bench.citus [--patients 20000] [--days 90] [--rounds 3]

Needs the coordinator as the project's server (POSTGRES_HOST, POSTGRES_PORT) and all servers on this machine, where the
CPU seconds of a server are those of its process and of all that this has begun. Each round measures a first load, a run
in which nothing changed and an ordinary hour, plain and then distributed; kept in results/citus.txt are the medians.
"""

import argparse
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psycopg2

from bench.server import (
    LOG,
    STAR,
    WHOLE,
    check,
    drop_databases,
    make_star,
    manage,
    measure_run,
    new_database,
    sql,
    use_server,
)
from bench.source import change_source, make_sources, use_source
from ingest.cursors import one_row

RESULTS = Path(__file__).with_name("results") / "citus.txt"
HEADING = f"{'':<18}{'plain s':>9}{'Citus s':>9}{'ratio':>7}{'CPU coordinator':>17}{'workers':>9}{'run':>7}{'share':>8}"
CASES = ("first load", "nothing changed", "ordinary hour")


class Cost(NamedTuple):
    """Wall-clock seconds of a run, and the CPU seconds of the coordinator, of all workers and of the run's process."""

    seconds: float
    coordinator: float
    workers: float
    run: float


def main() -> None:
    """Measure all rounds, and keep and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    workers = os.environ["CITUS_WORKERS"].split()
    use_server()
    new_database(LOG)
    make_sources(options.patients, options.days)
    found: dict[str, list[tuple[Cost, Cost]]] = {case: [] for case in CASES}
    for _ in range(options.rounds):
        plain = one_round(workers, make_star)
        drop_star(workers)
        distributed = one_round(workers, lambda: make_distributed_star(workers))
        rows = sql(STAR, ROWS)
        drop_star(workers)
        for case in CASES:
            found[case].append((plain[case], distributed[case]))
            print(case, plain[case], distributed[case], flush=True)
    lines = [f"Citus {options.patients:,} patients, {len(workers)} workers, rounds: {options.rounds}", HEADING]
    lines += [line(case, pairs) for case, pairs in found.items()]
    lines += [f"step results a worker: {rows}", ""]
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    drop_databases()


ROWS = """
select string_agg(format('%s', rows), ' and ')
  from (select sum(result::bigint) as rows
          from run_command_on_placements('step_result_fact', 'select count(*) from %s')
         group by nodename, nodeport) w
"""


def one_round(workers: list[str], make: Callable[[], None]) -> dict[str, Cost]:
    """Measure the cases in turn, from an empty warehouse that `make` makes."""
    use_source(WHOLE)
    make()
    first = cost(workers)
    nothing = cost(workers)
    change_source("ordinary_hour.sql")
    return dict(zip(CASES, (first, nothing, cost(workers)), strict=True))


def make_distributed_star(workers: list[str]) -> None:
    """Make an empty warehouse on the coordinator and its workers."""
    new_database(STAR)
    for worker in workers:
        at(worker, "postgres", f"create database {STAR}")
        at(worker, STAR, "create extension citus")
    sql(STAR, "create extension citus")
    sql(STAR, f"select citus_set_coordinator_host('{os.environ['PGHOST']}', {os.environ['PGPORT']})")
    for worker in workers:
        host, port = worker.split(":")
        sql(STAR, f"select citus_add_node('{host}', {port})")
    check(*manage("prepare_databases"))
    check(*manage("distribute_warehouse"))
    sql("postgres", "checkpoint")


def drop_star(workers: list[str]) -> None:
    sql("postgres", f"drop database if exists {STAR} with (force)")
    for worker in workers:
        at(worker, "postgres", f"drop database if exists {STAR} with (force)")


def cost(workers: list[str]) -> Cost:
    """Run the MSK pipeline and return what it cost."""
    servers = [f"{os.environ['PGHOST']}:{os.environ['PGPORT']}", *workers]
    before, own = [computed(server) for server in servers], own_children()
    seconds = measure_run("--allow-deletes").seconds
    coordinator, *others = (computed(server) - was for server, was in zip(servers, before, strict=True))
    return Cost(seconds, coordinator, sum(others), own_children() - own)


def computed(server: str) -> float:
    """Return the CPU seconds of a server and of all processes that it has begun, those that ended among them."""
    postmaster = int(at(server, "postgres", "select pg_read_file('postmaster.pid')").split()[0])
    total = 0
    for process in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = process.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        if postmaster in (int(process.parent.name), int(fields[1])):  # itself, or its child
            of_children = fields[13:15] if int(process.parent.name) == postmaster else []
            total += sum(map(int, [*fields[11:13], *of_children]))
    return total / os.sysconf("SC_CLK_TCK")


def own_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def at(server: str, database: str, statement: str) -> str:
    """Run a statement on a server and return the value that it gives, if any."""
    host, port = server.split(":")
    connection = psycopg2.connect(host=host, port=port, dbname=database)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("set citus.enable_create_database_propagation = off")
        cursor.execute(statement)
        (value,) = one_row(cursor) if cursor.description else ("",)
    connection.close()
    return str(value)


def line(case: str, pairs: list[tuple[Cost, Cost]]) -> str:
    """Return a case's line, of medians."""
    plain = statistics.median(one.seconds for one, _ in pairs)
    ratio = statistics.median(other.seconds / one.seconds for one, other in pairs)
    citus = Cost(*map(statistics.median, zip(*(other for _, other in pairs), strict=True)))
    share = citus.workers / (citus.coordinator + citus.workers + citus.run)
    return (
        f"{case:<18}{plain:>9.2f}{citus.seconds:>9.2f}{ratio:>7.2f}"
        f"{citus.coordinator:>17.1f}{citus.workers:>9.1f}{citus.run:>7.1f}{share:>8.0%}"
    )


if __name__ == "__main__":
    main()
