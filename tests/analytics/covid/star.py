"""The star of the COVID source: as it should be for some documents, as it is, and what was written to it."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

from tests.conftest import Warehouse, last_steps
from tests.ingest.covid.documents import Json

# For each column of the design where its figure stands in a day's document.
HOSPITALIZED, DEATH = "outcomes.hospitalized", "outcomes.death.total"
COLUMNS = {
    "cases_dimension": {"state_number": "states"},
    "cases_fact": {
        "total_cases": "cases.total.value",
        "population_percent": "cases.total.calculated.population_percent",
        "new_cases": "cases.total.calculated.change_from_prior_day",
        "seven_day_change_percent": "cases.total.calculated.seven_day_change_percent",
    },
    "testing_fact": {
        "total_tests": "testing.total.value",
        "population_percent": "testing.total.calculated.population_percent",
        "new_tests": "testing.total.calculated.change_from_prior_day",
        "seven_day_change_percent": "testing.total.calculated.seven_day_change_percent",
    },
    "hospitalization_fact": {
        "currently_hospitalized": f"{HOSPITALIZED}.currently.value",
        "population_percent_hospitalized": f"{HOSPITALIZED}.currently.calculated.population_percent",
        "change_in_hospitalized": f"{HOSPITALIZED}.currently.calculated.change_from_prior_day",
        "seven_day_change_percent_hospitalized": f"{HOSPITALIZED}.currently.calculated.seven_day_change_percent",
        "seven_day_change_avg_hospitalized": f"{HOSPITALIZED}.currently.calculated.seven_day_average",
        "currently_in_icu": f"{HOSPITALIZED}.in_icu.currently.value",
        "population_percent_icu": f"{HOSPITALIZED}.in_icu.currently.calculated.population_percent",
        "change_in_icu": f"{HOSPITALIZED}.in_icu.currently.calculated.change_from_prior_day",
        "seven_day_change_percent_icu": f"{HOSPITALIZED}.in_icu.currently.calculated.seven_day_change_percent",
        "seven_day_change_avg_icu": f"{HOSPITALIZED}.in_icu.currently.calculated.seven_day_average",
        "currently_on_ventilator": f"{HOSPITALIZED}.on_ventilator.currently.value",
        "population_percent_ventilator": f"{HOSPITALIZED}.on_ventilator.currently.calculated.population_percent",
        "change_in_ventilator": f"{HOSPITALIZED}.on_ventilator.currently.calculated.change_from_prior_day",
        "seven_day_change_percent_ventilator": (
            f"{HOSPITALIZED}.on_ventilator.currently.calculated.seven_day_change_percent"
        ),
        "seven_day_change_avg_ventilator": f"{HOSPITALIZED}.on_ventilator.currently.calculated.seven_day_average",
    },
    "death_fact": {
        "total_deaths": f"{DEATH}.value",
        "population_percent": f"{DEATH}.calculated.population_percent",
        "new_deaths": f"{DEATH}.calculated.change_from_prior_day",
        "seven_day_change_percent": f"{DEATH}.calculated.seven_day_change_percent",
        "seven_day_change_avg": f"{DEATH}.calculated.seven_day_average",
    },
}
DESIGN = {
    table: ["cases_id", *(["last_update_at"] if table == "cases_dimension" else []), *columns]
    for table, columns in COLUMNS.items()
} | {
    "field_definitions_dimension": [
        *("field_definitions_dimension_id", "field_name", "field_path"),
        *("deprecated", "prior_names", "first_seen_at", "last_seen_at"),
    ]
}

Star = dict[str, dict[date, tuple]]


def figure(content: Json, path: str) -> Any:
    """Return what stands at `path`, or None when the last key of it is not there."""
    *way, last = path.split(".")
    for key in way:
        content = content[key]
    return content.get(last)


def expected(contents: list[Json]) -> Star:
    """Return the star as it should be for these days: the figures by table and day, in the columns' order."""
    return {
        table: {
            date.fromisoformat(content["date"]): tuple(figure(content, path) for path in columns.values())
            for content in contents
        }
        for table, columns in COLUMNS.items()
    }


def star(warehouse: Warehouse) -> Star:
    """Return the star as it is; an exact number is the same only in the same type."""
    return {
        table: {
            day: tuple(figures)
            for day, *figures in warehouse.execute(
                f"""
                select (d.last_update_at at time zone 'UTC')::date, {", ".join(f"t.{column}" for column in columns)}
                  from cases_dimension d join {table} t on t.cases_id = d.cases_id
                """
            )
        }
        for table, columns in COLUMNS.items()
    }


def exact(body: bytes) -> Any:
    """Return a document with its numbers digit by digit, read without the pipeline's help."""
    return json.loads(body, parse_float=Decimal)


def versions(warehouse: Warehouse) -> dict[str, dict[Any, tuple]]:
    """Return where each row of the six tables lies and which transaction wrote it, by its key."""
    return {
        table: {key: tuple(row) for key, *row in warehouse.execute(f"select {columns[0]}, ctid, xmin from {table}")}
        for table, columns in DESIGN.items()
    }


def rewritten(before: dict[str, dict[Any, tuple]], warehouse: Warehouse) -> dict[str, set[date]]:
    """Return the days of which rows were written, by table; the definitions' table says nothing of days."""
    days = dict(warehouse.execute("select cases_id, (last_update_at at time zone 'UTC')::date from cases_dimension"))
    changed = {
        table: {days[key] for key, version in rows.items() if before[table].get(key) != version}
        for table, rows in versions(warehouse).items()
        if table in COLUMNS
    }
    return {table: found for table, found in changed.items() if found}


def rejected(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    """Return key, reason and path of the days that are listed as rejected."""
    return warehouse.execute(
        "select source_key, reason, detail ->> 'path' from rejected_row where source_table = 'covid_day' order by 1"
    )


def written() -> dict[str, int]:
    """Return the number of rows that the last run wrote to each table that it wrote to."""
    rows: Counter[str] = Counter()
    for counts in last_steps():
        rows[counts.table_name] += counts.inserted + counts.updated + counts.deleted
    return {table: count for table, count in rows.items() if count}
