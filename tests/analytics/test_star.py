"""The star against its independent recomputation."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.conftest import Source, Warehouse, last_steps


def assert_same(actual: dict, expected: dict) -> None:
    """Compare two stars table by table, so that a failure shows the rows that differ and not two whole stars."""
    assert actual.keys() == expected.keys()
    for table, rows in expected.items():
        wrong = {key: (actual[table].get(key), row) for key, row in rows.items() if actual[table].get(key) != row}
        surplus = actual[table].keys() - rows.keys()
        assert not wrong, (
            f"{table}: {len(wrong)} rows differ or are missing, (is, should be): {list(wrong.items())[:3]}"
        )
        assert not surplus, f"{table}: {len(surplus)} rows too many: {list(surplus)[:3]}"


def test_it_equals_an_independent_recomputation_for_the_sample(source: Source, warehouse: Warehouse, run) -> None:
    source.load_sample()
    run()
    assert_same(warehouse.star(), source.star())
    assert len(warehouse.star()["rejected_row"]) > 100


@pytest.mark.large
@pytest.mark.long
def test_it_equals_an_independent_recomputation_for_20_000_patients(
    source: Source, warehouse: Warehouse, run, tmp_path: Path
) -> None:
    dump = tmp_path / "msk_db.sql"
    call_command("make_sample_data", patients=20_000, days=90, seed=2, output=dump)
    source.load(dump)
    run()
    assert_same(warehouse.star(), source.star())
    for change in ("half_of_steps", "operations_later", "quarter_of_patients_gone", "twenty_times_smaller"):
        source.execute((settings.BASE_DIR / "bench" / "changes" / f"{change}.sql").read_text())
        run("run_pipeline", "--allow-deletes")
        run("check_warehouse")
        if change in ("quarter_of_patients_gone", "twenty_times_smaller"):
            assert_same(warehouse.star(), source.star())
    source.load(dump)
    run()
    assert_same(warehouse.star(), source.star())
    run("run_pipeline", "--full-refresh")
    run("check_warehouse")
    assert not [step for step in last_steps(step="load_msk") if step.inserted or step.updated or step.deleted]
