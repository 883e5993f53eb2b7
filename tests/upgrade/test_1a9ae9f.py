"""An installation of commit 1a9ae9f comes up with this code, and everything that it holds is still there.

1a9ae9f/ beside this file has its databases, as that code left them, and source.sql what it had read; the first lines of
each file say what is special about it.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Database, Warehouse
from tests.ingest.runs.test_failures import only_line
from tests.upgrade.installation import Installation, installation

STAR = "relkind = 'r' and (relname ~ '_(dimension|fact|bridge)$' or relname = 'patient_journey_schedule_window')"
STAGED = ("step_result_fact", "5", "2024-02-21", "4200")  # the step result that was staged and is still to be loaded
REJECTS = "select source_table, source_key, reason, run_id from rejected_row order by 1, 2"
OVERRIDES = "select * from schedule_override"
RUNS = "select id, source, command, trigger, started, finished, status, error from pipeline_run order by id"
STEPS = "select id, run_id, step, table_name, status, rows_read, inserted, updated, deleted from step_run order by id"

# What pg_dump --schema-only would show, but for the names that servers from 18 on give to `not null`, and for
# parentheses, which a dump has more of than what it was made from.
SCHEMA = (
    """
    select relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity::text,
           pg_get_expr(adbin, adrelid), col_description(c.oid, attnum), obj_description(c.oid, 'pg_class')
      from pg_class c
      join pg_attribute on attrelid = c.oid
      left join pg_attrdef on adrelid = c.oid and adnum = attnum
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') and attnum > 0 and not attisdropped
     order by relname, attnum
    """,
    """
    select conrelid::regclass::text, conname, translate(pg_get_constraintdef(oid), '()', '')
      from pg_constraint
     where connamespace = 'public'::regnamespace and contype <> 'n'
     order by 1, 2
    """,
    "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 1, 2",
    "select viewname, definition from pg_views where schemaname = 'public' order by 1",
)


@pytest.fixture
def old(databases: None) -> Iterator[Installation]:
    with installation("1a9ae9f/msk_database.sql", "1a9ae9f/analytics_db.sql", "source.sql") as old:
        yield old


def star_columns(warehouse: Warehouse) -> dict[str, str]:
    """Return the columns of each table of the star, but for `id`, which is made of others."""
    return dict(
        warehouse.execute(
            "select relname, string_agg(attname, ', ' order by attnum) from pg_class"
            " join pg_attribute on attrelid = pg_class.oid and attnum > 0 and attname <> 'id'"
            f" where {STAR} group by relname"
        )
    )


def rows(warehouse: Warehouse, columns: dict[str, str]) -> Counter[tuple[Any, ...]]:
    """Return every row of the star, after the name of its table."""
    return Counter(
        (table, *map(str, row))
        for table, names in columns.items()
        for row in warehouse.execute(f"select {names} from {table}")
    )


def test_it_keeps_all_that_an_installation_holds(old: Installation) -> None:
    columns = star_columns(old.warehouse)
    star = rows(old.warehouse, columns)
    kept = [old.warehouse.execute(query) for query in (OVERRIDES, REJECTS)]
    runs, steps = (old.default.execute(query) for query in (RUNS, STEPS))
    assert [run[6] for run in runs] == ["succeeded", "failed", "succeeded", "succeeded"]
    old.succeed("prepare_databases")
    assert rows(old.warehouse, columns) == star
    old.succeed("run_pipeline", "--only", "msk")
    assert rows(old.warehouse, columns) == star + Counter([STAGED])
    assert [old.warehouse.execute(query) for query in (OVERRIDES, REJECTS)] == kept
    *runs_now, new = old.default.execute(RUNS)
    assert (runs_now, new[6]) == (runs, "succeeded")
    assert old.default.execute(STEPS)[: len(steps)] == steps
    old.succeed("check_warehouse")


def test_it_fills_at_the_next_run_what_is_new_in_the_star(old: Installation) -> None:
    old.succeed("prepare_databases")
    assert old.warehouse.value("select count(*) from adherence_fact") == 0
    old.succeed("run_pipeline", "--only", "msk")
    found = old.warehouse.execute(
        "select id, first_in_window_date, first_late_date, first_early_date from adherence_fact order by id"
    )
    assert found == old.warehouse.execute(
        """
        select w.id,
               min(c.completed_date) filter (where c.status = 'in_window'),
               min(c.completed_date) filter (where c.status = 'late'),
               min(c.completed_date) filter (where c.status = 'early')
          from patient_journey_schedule_window w
          left join activity_completion_fact c
            on c.patient_journey_id = w.patient_journey_id and c.activity_id = w.activity_id
         group by w.id order by w.id
        """
    )
    assert any(any(days) for _, *days in found)


def test_it_still_knows_which_runs_loaded_and_committed(old: Installation) -> None:
    old.succeed("prepare_databases")
    uuids = dict(old.default.execute("select id, uuid from pipeline_run"))
    assert len(set(uuids.values())) == 4
    assert old.warehouse.execute("select source, run_id, run_uuid from load_state") == [("msk", 3, uuids[3])]
    assert old.warehouse.value("select run_uuid from committed_run where source = 'msk'") == uuids[4]


def test_it_guards_the_first_run_after_an_upgrade_too(old: Installation) -> None:
    old.succeed("prepare_databases")
    old.source.execute("delete from patient where id > 1")
    assert "patient lost 4 of 5 rows" in only_line(old.manage("run_pipeline", "--only", "msk"))


def test_it_has_the_schema_of_a_new_installation(old: Installation) -> None:
    old.succeed("prepare_databases")
    for upgraded, alias in ((old.default, "default"), (old.warehouse, "analytics")):
        new = Database(alias)
        with closing(new.connection):
            for query in SCHEMA:
                assert upgraded.execute(query) == new.execute(query)


def test_it_brings_up_what_has_applied_every_migration_under_its_old_name(old: Installation) -> None:
    squashed = "select app, name from django_migrations where name ~ 'squashed' order by 1"
    old.succeed("prepare_databases")
    recorded = old.warehouse.execute(squashed)
    for database in (old.default, old.warehouse):
        database.execute("delete from django_migrations where name ~ 'squashed'")
    old.succeed("prepare_databases")
    assert [name for _, name in recorded] == ["0001_squashed_0004_fingerprints", "0001_squashed_0010_pending_key"]
    assert old.warehouse.execute(squashed) == old.default.execute(squashed) == recorded


def test_it_refuses_what_has_applied_only_a_part_of_the_old_migrations(old: Installation) -> None:
    old.warehouse.execute("delete from django_migrations where app = 'ingest' and name > '0007'")
    line = only_line(old.manage("prepare_databases"))
    assert f"{old.names['analytics']} stands between two releases, at 0006_step_run of ingest: " in line
    assert "git checkout 1a9ae9f" in line
    assert not old.warehouse.execute("select from django_migrations where name = '0011_digest_secret'")


def test_it_takes_out_of_the_record_what_an_error_may_have_quoted(old: Installation) -> None:
    (kept,) = old.default.execute("select error from pipeline_run where id = 2")
    for number, quoted in {
        1: "Traceback …\nduplicate key\nDETAIL:  Key (id)=(4711) already exists.",
        3: "Traceback …\nValueError: 4711 (--traceback shows the whole story)",
        4: "Traceback …\nthe source's text patient.sex of row 4711 is not UTF8: write it anew there",
    }.items():
        old.default.execute("update pipeline_run set error = %s where id = %s", quoted, number)
    old.default.execute("update alert set message = 'x: \"4711\"; --traceback shows the whole story'")
    old.succeed("prepare_databases")
    errors = [error for (error,) in old.default.execute("select error from pipeline_run order by id")]
    assert errors[1] == kept[0]
    assert {errors[0], errors[2], errors[3]} == {
        "an earlier release recorded this error, and may have quoted a row in it: removed"
    }
    assert not old.default.execute("select from alert where message ~ '4711'")
