"""Time a first load, and the runs after it, against the floor, on the server that the project uses.

    python -m bench [--patients 2000 20000] [--days 90] [--rounds 3]

The floor is `psql COPY … | psql COPY …` for each source table, then the statements of floor.sql, into tables of the
same columns and indexes. Each round measures all cases in turn, so that a noisy machine disturbs them alike; what is
kept in results/ are the medians, a size beside the other.
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from bench.results import FLOOR, keep
from bench.server import (
    LOG,
    SOURCE,
    STAR,
    Measured,
    check,
    drop_databases,
    make_star,
    manage,
    measure_run,
    new_database,
    sql,
    use_server,
)
from ingest.msk.tables import TABLES

# What happens to the source between two runs. The rows are drawn by a hash, so that they lie all over the table.
CHANGES = {
    "ordinary hour": """
        insert into step_result
        select patient_id, date '{first_new_day}' + {number}, '5000'
          from (select distinct patient_id from step_result) p
         order by md5(patient_id::text)
         limit (select count(*) * 0.002 from step_result);
        insert into survey_result
        select r.*
          from (select max(id) as last from survey_result) m,
               lateral (select (jsonb_populate_record(s, jsonb_build_object('id', m.last + row_number() over ()))).*
                          from survey_result s
                         order by md5(id::text || {number})
                         limit (select count(*) * 0.002 from survey_result)) r;
        update step_result set value = '1{number}23'
         where ctid = any(array(select ctid from step_result order by md5(ctid::text || {number}) limit 200));
        delete from step_result
         where ctid = any(array(select ctid from step_result order by md5(ctid::text || -{number} - 1) limit 20));
    """,
    "one slug changed": "update schedule set slug = '{number}d-9d-post-op' where id = 1",
    "one journey's activities changed": """
        delete from journey_activity
         where (journey_id, activity_id) = (
                select j.journey_id, max(a.activity_id)
                  from journey_activity a
                  join activity on activity.id = a.activity_id
                  join (select journey_id
                          from patient_journey
                         group by journey_id
                         order by count(*) desc
                        offset 1
                         limit 1) j using (journey_id)
                 group by j.journey_id)
    """,
    "nothing changed": "select",
}
# The day from which on an ordinary hour brings steps: in the middle of a week, as most days are.
FIRST_NEW_DAY = "2024-06-28"


def main() -> None:
    """Measure every size, and keep and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--patients", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    use_server()
    for patients in options.patients:
        new_database(LOG)  # what another size rejected is no measure for this one
        rows = load_source(patients, options.days)
        results: dict[str, list[Measured]] = defaultdict(list)
        for number in range(options.rounds):
            for case, measured in one_round(number):
                results[case].append(measured)
        keep(patients, rows, results, server=sql("postgres", "show server_version").split()[0])
    drop_databases()


def one_round(number: int) -> list[tuple[str, Measured]]:
    """Measure every case once; `number` makes the changes other ones than in the rounds before."""
    make_star()
    measured = [(FLOOR, floor())]
    make_star()
    measured.append(("first load", measure_run()))
    for case, change in CHANGES.items():
        sql(SOURCE, change.format(number=number, first_new_day=FIRST_NEW_DAY))
        measured.append((case, measure_run()))
    measured.append(("nothing changed, --full-refresh", measure_run("--full-refresh")))
    return measured


def load_source(patients: int, days: int) -> int:
    """Make the source database, fill it and return the number of its rows."""
    new_database(SOURCE)
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "msk_db.sql"
        size = ("--patients", str(patients), "--days", str(days), "--seed", "1")
        check(*manage("make_sample_data", *size, "--output", str(dump)))
        check("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", SOURCE, "-o", os.devnull, "-f", str(dump))
    sql(SOURCE, f"delete from step_result where date >= '{FIRST_NEW_DAY}'")
    sql(SOURCE, "vacuum analyze")
    return sum(int(sql(SOURCE, f"select count(*) from {table.name}")) for table in TABLES)


def floor() -> Measured:
    """Load the empty warehouse in the plainest way there is; the source is held for as long as the copying takes."""
    columns = "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attnum > 0"
    start = time.monotonic()
    for table in (table.name for table in TABLES):
        names = sql(SOURCE, f"{columns} and attrelid = '{table}'::regclass")
        copy_out = f"psql -qX -d {SOURCE} -c 'copy {table} to stdout'"
        copy_in = f"psql -qX -d {STAR} -c 'copy staging_{table} ({names}) from stdin'"
        check("sh", "-c", f"{copy_out} | {copy_in}")
    copied = time.monotonic()
    sql(STAR, "analyze")
    check("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", STAR, "-f", str(Path(__file__).with_name("floor.sql")))
    return Measured(seconds=time.monotonic() - start, held_seconds=copied - start)


if __name__ == "__main__":
    main()
