"""The star against its independent recomputation."""

from pathlib import Path

import pytest
from django.core.management import call_command

from tests.conftest import Source, Warehouse


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
def test_it_equals_an_independent_recomputation_for_20_000_patients(
    source: Source, warehouse: Warehouse, run, tmp_path: Path
) -> None:
    dump = tmp_path / "msk_db.sql"
    call_command("make_sample_data", patients=20_000, days=90, seed=2, output=dump)
    source.load(dump)
    run()
    assert_same(warehouse.star(), source.star())
