"""Each statement of the load stands alone: psql runs its file, once the parameter is set."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from django.db import connections

from analytics.loads.statements import FOLDER, statement
from analytics.loads.tables import STAR_TABLES, StarTable
from ingest.covid.figures import FIGURES_AS_JSON
from tests.conftest import Source, Warehouse


@pytest.fixture
def loaded(source: Source, dump: Path, run) -> None:
    source.load(dump)
    run()


def psql(file: Path, **variables: str) -> list[str]:
    """Return the rows that psql prints of the statement in a file."""
    address = connections["analytics"].settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    settings = [argument for name, value in variables.items() for argument in ("-v", f"{name}={value}")]
    result = subprocess.run(
        ["psql", "-qXAt0", "-v", "ON_ERROR_STOP=1", *settings, "-f", file],
        env=os.environ | {name: str(address[key]) for name, key in names.items() if address[key]},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split("\0")[:-1]


def test_it_has_a_file_for_each_table_in_the_order_of_loading() -> None:
    covid = ["200_covid_day", "210_field_definitions_dimension"]
    assert [table.statement for table in STAR_TABLES] + covid == sorted(file.stem for file in FOLDER.iterdir())


def test_it_runs_in_psql_as_it_stands(loaded: None, warehouse: Warehouse) -> None:
    for table in STAR_TABLES:
        file = FOLDER / f"{table.statement}.sql"
        rows = warehouse.value(f"select count(*) from {table.name}")
        rejected = warehouse.value("select count(*) from rejected_row where source_table = %s", table.source)
        if table.orphans_enter:
            rejected -= warehouse.value("select count(*) from rejected_row where source_table = 'activity'")
        assert len(psql(file, everything="true")) == rows + rejected, table.name
        assert rows, table.name


@pytest.mark.parametrize("table", [table for table in STAR_TABLES if table.changes], ids=lambda table: table.name)
def test_it_gives_no_row_where_nothing_has_changed(table: StarTable, loaded: None) -> None:
    assert psql(FOLDER / f"{table.statement}.sql", everything="false") == []


def test_it_runs_in_psql_for_the_covid_days(warehouse: Warehouse, run) -> None:
    run("run_pipeline", "--only", "covid")
    days = warehouse.execute("select (last_update_at at time zone 'UTC')::date, cases_id from cases_dimension")
    calendar = json.dumps([{"day": str(day), "cases_id": str(cases_id)} for day, cases_id in days])
    figures = json.dumps(FIGURES_AS_JSON)
    rows = psql(FOLDER / "200_covid_day.sql", calendar=f"'{calendar}'", figures=f"'{figures}'")
    assert days
    assert sorted(row.split("|")[0] for row in rows) == sorted(str(cases_id) for _, cases_id in days)
    definitions = psql(FOLDER / "210_field_definitions_dimension.sql")
    assert len(definitions) == warehouse.value("select count(*) from field_definitions_dimension") > 0


def test_it_binds_a_parameter_and_leaves_a_cast_alone(loaded: None, warehouse: Warehouse) -> None:
    text = statement("090_step_result_fact", everything=True).as_string(warehouse.connection)
    assert "true or (s.owner_id" in text
    assert "t.value::integer" in text
    with pytest.raises(KeyError, match="figures"):
        statement("200_covid_day", calendar="[]")
