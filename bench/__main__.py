"""Time runs of the pipeline against the floor, on the server that the project uses.

    python -m bench [--patients 2000 20000] [--days 90] [--rounds 3] [--cases hour back]

The floor is `psql COPY … | psql COPY …` for each source table, then the statements of floor.sql, into tables of the
same columns and indexes. Each round measures the floor and then all cases in turn, so that a noisy machine disturbs
them alike. `--cases` measures those with one of its words in their names. What is kept in results/ are the medians of a
size, in the place of what was kept of that size before.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from bench.cases import CASES, FLOOR, Begin, Case, picked
from bench.results import Round, keep
from bench.server import (
    LOG,
    SMALL,
    SOURCE,
    STAR,
    WHOLE,
    Failed,
    Measured,
    check,
    drop_databases,
    make_star,
    measure,
    measure_run,
    new_database,
    sql,
    use_server,
)
from bench.source import change_source, make_sources, run_file, source_tables, use_source


def main() -> None:
    """Measure every size, and keep and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--patients", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", default=[], metavar="WORD", help="; ".join(case.name for case in CASES))
    options = parser.parse_args()
    cases = picked(options.cases)
    use_server()
    for patients in options.patients:
        new_database(LOG)  # what another size rejected is no measure for this one
        rows = make_sources(patients, options.days)
        rounds: list[Round] = []
        for _ in range(options.rounds):
            # What failed once would do so again, and may take long.
            failed = {name for measured in rounds for name, one in measured.items() if isinstance(one, Failed)}
            rounds.append({})
            for name, outcome in one_round([case for case in cases if case.name not in failed]):
                rounds[-1][name] = outcome
                seconds = outcome if isinstance(outcome, Failed) else f"{outcome.seconds:.2f} s"
                print(f"{patients:,} patients, round {len(rounds)}: {name}: {seconds}", flush=True)
        keep(patients, rows, rounds, server=sql("postgres", "show server_version").split()[0])
    drop_databases()


def one_round(cases: list[Case]) -> Iterator[tuple[str, Measured | Failed]]:
    """Measure the floor and then each case, and give its name with what came out."""
    use_source(WHOLE)
    make_star()
    outcome: Measured | Failed = floor()
    yield FLOOR, outcome
    make_star()
    for case in cases:
        if case.begin is Begin.AS_LEFT and isinstance(outcome, Failed):
            outcome = Failed("not measured, as the case before failed")
        else:
            outcome = outcome_of(case)
        yield case.name, outcome


def outcome_of(case: Case) -> Measured | Failed:
    """Measure a case from its begin on; how it failed is an outcome as well."""
    try:
        begin(case)
        return measure_case(case)
    except Failed as failure:
        return failure


def begin(case: Case) -> None:
    """Bring warehouse and source to what `case` begins with, by runs that are not measured."""
    if case.begin is Begin.SMALL:
        make_star()
        use_source(SMALL)
        measure_run()
    use_source(WHOLE)
    if case.begin is Begin.EMPTY:
        make_star()
    elif case.begin is Begin.WHOLE:
        try:
            measure_run("--allow-deletes")
        except Failed:  # whether a run finds the way back is not this case's affair
            make_star()
            measure_run()
        sql(STAR, "vacuum")  # as autovacuum would within minutes: what the cases before left is not this one's affair


def measure_case(case: Case) -> Measured:
    """Change the source and measure the run that follows it; or measure a query of the warehouse."""
    if case.query:
        return Measured(measure("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", STAR, "-c", case.query).seconds)
    if case.change:
        change_source(case.change)
    return measure_run(*case.options)


def floor() -> Measured:
    """Load the empty warehouse in the plainest way there is; the source is held for as long as the copying takes."""
    columns = "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attnum > 0"
    tables = source_tables()
    for table in tables:  # as anybody makes them: logged, and with the source's columns alone
        added = "drop column if exists owner_id, drop column if exists occurrence"
        sql(STAR, f"alter table staging_{table} set logged, {added}")
    start = time.monotonic()
    for table in tables:
        names = sql(SOURCE, f"{columns} and attrelid = '{table}'::regclass")
        copy_out = f"psql -qX -d {SOURCE} -c 'copy {table} to stdout'"
        copy_in = f"psql -qX -d {STAR} -c 'copy staging_{table} ({names}) from stdin'"
        check("sh", "-c", f"{copy_out} | {copy_in}")
    copied = time.monotonic()
    sql(STAR, "analyze")
    run_file(STAR, Path(__file__).with_name("floor.sql"))
    return Measured(seconds=time.monotonic() - start, held_seconds=copied - start)


if __name__ == "__main__":
    main()
