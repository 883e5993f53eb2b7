"""The load of a warehouse that is cut by patient, tried without Citus: by tables that are partitioned on one server.

Of what is joined across partitions a plan tells; what Citus does in silence is looked for in the statements' text.
"""

import json
import random
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg2.sql import SQL, Identifier

from analytics.distribution import Placed, placed
from analytics.loads.statements import FOLDER, statement
from analytics.loads.tables import STAR_TABLES
from ingest.cursors import raw_cursor
from tests.analytics.test_random_changes import Changes, world
from tests.analytics.test_star import assert_same
from tests.conftest import Source, Warehouse

__all__ = ["world"]  # a fixture

PARTS = 4
BY_PATIENT = [table for table in placed() if table.by]
NAMES_PATIENT = re.compile(r'(patient_id|owner_id)\)? = \(?(\w+\.|"[^"]+"\.)?(patient_id|owner_id)')
JOINS = {"Nested Loop", "Hash Join", "Merge Join"}


@pytest.fixture
def partitioned(warehouse: Warehouse) -> Iterator[Warehouse]:
    """The warehouse, with the tables that would be on workers in a schema that comes first: each in four parts."""
    name = Identifier(connections["analytics"].settings_dict["NAME"])
    warehouse.execute("create schema partitioned")
    for table in BY_PATIENT:
        make(warehouse, table)
    warehouse.execute(SQL("alter database {} set search_path = partitioned, public").format(name))
    connections["analytics"].close()
    other = Warehouse("analytics")
    yield other
    other.connection.close()
    connections["analytics"].close()
    warehouse.execute(SQL("alter database {} reset search_path").format(name))
    warehouse.execute("drop schema partitioned cascade")


def make(warehouse: Warehouse, table: Placed) -> None:
    """Make a table in parts, with columns and keys of the one that there is, or with a work table's columns."""
    here = Identifier("partitioned", table.table)
    columns = SQL("like {} including all").format(Identifier("public", table.table))
    if table.query:
        shape = Identifier("partitioned", f"shape_of_{table.table}")
        warehouse.execute(SQL("create table {} as {} with no data").format(shape, table.query))
        columns = SQL("like {}").format(shape)
    create = SQL("create table {} ({}) partition by hash ({})")
    warehouse.execute(create.format(here, columns, Identifier(table.by)))
    for part in range(PARTS):
        warehouse.execute(
            SQL("create table {} partition of {} for values with (modulus {}, remainder {})").format(
                Identifier("partitioned", f"{table.table}_{part}"), here, SQL(str(PARTS)), SQL(str(part))
            )
        )
    if table.query:
        warehouse.execute(SQL("drop table {}").format(shape))


def plans_of(run: Any, *command: str) -> list[dict[str, Any]]:
    """Return the plans of all statements of a command, as they were carried out."""
    connection = connections["analytics"]
    connection.ensure_connection()
    notices: deque[str] = deque()
    connection.connection.notices = notices
    with raw_cursor("analytics") as warehouse:
        warehouse.execute(
            "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_level = notice;"
            " set auto_explain.log_format = json; set enable_partitionwise_join = on;"
            " set enable_partitionwise_aggregate = on"
        )
    run(*command)
    texts = (re.sub(r"^NOTICE:\s+duration: .* plan:\n", "", notice) for notice in notices if " plan:\n" in notice)
    return [json.loads(text) for text in texts]


def parts_in(node: dict[str, Any]) -> set[str]:
    """Return the partitions that are read at or below a node of a plan."""
    found = {node["Relation Name"]} if re.search("_[0-9]$", node.get("Relation Name", "")) else set()
    return found.union(*(parts_in(below) for below in node.get("Plans", ())))


def conditions_of(node: dict[str, Any]) -> str:
    """Return the conditions of a join; of a nested loop they stand with what its inner side reads."""
    below = node["Plans"][1:2] if node["Node Type"] == "Nested Loop" else ()
    return " ".join([*_own_conditions(node), *(text for inner in below for text in _all_conditions(inner))])


def _own_conditions(node: dict[str, Any]) -> list[str]:
    return [str(text) for name, text in node.items() if name.endswith(("Cond", "Filter"))]


def _all_conditions(node: dict[str, Any]) -> list[str]:
    return _own_conditions(node) + [text for below in node.get("Plans", ()) for text in _all_conditions(below)]


def joins_across(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the joins of a plan that may put a row of one part beside a row of another.

    Those that name the patient do not; the server itself sees that of the simpler ones alone.
    """
    below = node.get("Plans", [])
    if node["Node Type"] in JOINS:
        sides = [{name[-1] for name in parts_in(side)} for side in below[:2]]
        if all(sides) and len(set.union(*sides)) > 1 and not NAMES_PATIENT.search(conditions_of(node)):
            yield node
    for each in below:
        yield from joins_across(each)


def test_it_finds_a_join_across_parts(small_world: Source, partitioned: Warehouse, run) -> None:
    run()
    connection = connections["analytics"]
    across = "select count(*) from patient_journey_fact f join survey_result_fact r using (patient_journey_id)"
    within = f"{across.removesuffix('(patient_journey_id)')}(patient_id, patient_journey_id)"
    found = []
    for query in (across, within):
        with connection.cursor() as cursor:
            cursor.execute("set enable_partitionwise_join = on")
            cursor.execute(f"explain (format json) {query}")
            ((plan,),) = cursor.fetchone()
        found.append(bool(list(joins_across(plan["Plan"]))))
    assert found == [True, False]


def test_it_loads_each_part_by_itself(small_world: Source, partitioned: Warehouse, run, dump: Path) -> None:
    small_world.load(dump)
    plans = plans_of(run, "run_pipeline")
    assert_same(partitioned.star(), small_world.star())
    small_world.execute("update patient_journey set operation_date = operation_date + 1 where id % 5 = 0")
    small_world.execute("update patient_journey set patient_id = patient_id + 1 where id = 7")
    small_world.execute("update step_result set value = '77' where patient_id % 9 = 0")
    small_world.execute("delete from survey_result where id % 7 = 0")
    plans += plans_of(run, "run_pipeline", "--allow-deletes")
    assert_same(partitioned.star(), small_world.star())
    across = {plan["Query Text"] for plan in plans for _ in joins_across(plan["Plan"])}
    # The rows of one key, which may be several patients', are looked for in all parts.
    assert {text for text in across if not re.search(r'in \(select "c"."\w+" from "changed_\w+" c\)', text)} == set()


def test_it_equals_the_recomputation_after_any_changes(world: Source, partitioned: Warehouse, run) -> None:
    changes = Changes(world, random.Random(5))  # noqa: S311  (no secret)
    world.execute(changes.keep_for_later())
    run()
    for number in range(12):
        history = changes.apply()
        run("run_pipeline", "--allow-deletes")
        try:
            assert_same(partitioned.star(), world.star())
        except AssertionError as error:
            pytest.fail(f"round {number}, after {history}: {error}")


def test_it_does_not_load_the_star_from_what_a_crash_has_left(
    small_world: Source, partitioned: Warehouse, run, dump: Path
) -> None:
    small_world.load(dump)
    run()
    partitioned.execute("truncate staging_step_result_1, load_version")  # as one worker's crash, and an upgrade
    with pytest.raises(CommandError, match=r"staging tables have lost rows, as after .* \(step_result\): run manage"):
        run("load_msk")
    assert_same(partitioned.star(), small_world.star())
    run()
    assert_same(partitioned.star(), small_world.star())


def test_it_leaves_no_row_in_a_work_table(small_world: Source, partitioned: Warehouse, run, dump: Path) -> None:
    small_world.load(dump)
    run()
    small_world.execute("update patient_journey set operation_date = operation_date + 1")
    run()
    work_tables = [table.table for table in BY_PATIENT if table.query]
    assert len(work_tables) == 18
    assert [
        name for name in work_tables if partitioned.value(SQL("select count(*) from {}").format(Identifier(name)))
    ] == []


def bare_keys_of_joined(text: str) -> list[str]:
    """Return the patients that a statement selects of a table that is joined from the left.

    Citus takes such a column for the one that says where a row goes, and leaves out in silence the rows where it is
    null: those that have no match.
    """
    joined = re.findall(r"left join \S+(?: as)? (\w+)\b", text)
    selected = rf"\b(?:{'|'.join(joined) or 'none'})\.(?:patient_id|owner_id|\*)\s*(?:,|\n|as |from )"
    return re.findall(selected, text)


@pytest.mark.parametrize("table", STAR_TABLES, ids=lambda table: table.name)
def test_no_statement_unnests_what_it_groups(table) -> None:
    """Of these rows Citus loses some in silence: it groups them once more when they have come from the workers."""
    text = (FOLDER / f"{table.statement}.sql").read_text()
    assert not re.search(r"select (?:unnest|generate_series)\([^;]*?\bgroup by\b", text.split("years as")[0])


@pytest.mark.parametrize("table", [table for table in STAR_TABLES if table.changes], ids=lambda table: table.name)
def test_no_statement_takes_the_patient_of_a_row_from_where_there_may_be_none(table) -> None:
    text = (FOLDER / f"{table.statement}.sql").read_text()
    assert not bare_keys_of_joined(text)
    if "staging_" in text and table.name != "patient_dimension":
        assert re.search(r"\w\.owner_id as patient_id", text), "the patient is the one that the staged row belongs to"
    statement(table.statement, everything=True)


@pytest.mark.parametrize(
    "wrong",
    [
        "select j.patient_id, s.id from staging_x as s left join patient_journey_fact as j on j.id = s.id",
        "select s.id, j.patient_id\nfrom staging_x as s left join patient_journey_fact j on j.id = s.id",
        "select j.* from staging_x as s left join patient_journey_fact as j on j.id = s.id",
    ],
)
def test_it_finds_a_patient_that_citus_would_take_for_the_place_of_a_row(wrong: str) -> None:
    assert bare_keys_of_joined(wrong)


def test_it_is_refused_on_a_server_without_citus(warehouse: Warehouse) -> None:
    with pytest.raises(CommandError, match="has no extension citus: install Citus on its server"):
        call_command("distribute_warehouse")


def test_it_cuts_rows_into_no_fewer_parts_than_one() -> None:
    with pytest.raises(CommandError, match="--parts=0 cuts nothing: give a number from 1 on"):
        call_command("distribute_warehouse", "--parts", "0")


def test_it_finds_nothing_to_bring_back_on_one_server(warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("distribute_warehouse", "--undo")
    assert capsys.readouterr().out == "nothing to do: every table is where it belongs\n"
