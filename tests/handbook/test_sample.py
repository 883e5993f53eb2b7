"""A page that shows values of the warehouse is made of the sample alone."""

from pathlib import Path

import pytest

from handbook.assemble import assemble
from handbook.sample import NotTheSampleError, require_sample
from tests.conftest import SAMPLE, Source, Warehouse


def test_it_takes_the_sample_and_nothing_but_the_sample(source: Source, warehouse: Warehouse, run) -> None:
    source.load(SAMPLE)
    run()
    require_sample()
    warehouse.execute(
        "insert into schedule_override (schedule_id, milestone_slug, offset_start_days) values (1, 'consent', 7)"
    )
    with pytest.raises(NotTheSampleError, match="schedule_override holds what a person wrote"):
        require_sample()
    warehouse.execute("delete from schedule_override")
    warehouse.execute("update staging_patient set hospital = 'a real one' where id = 7")
    with pytest.raises(NotTheSampleError, match="staging_patient holds other rows than the sample"):
        require_sample()


def test_it_refuses_a_star_of_other_data_than_are_staged(
    small_world: Source, warehouse: Warehouse, run, source: Source
) -> None:
    run()
    source.load(SAMPLE)
    run("extract_msk", "--allow-deletes")
    with pytest.raises(NotTheSampleError, match="the star holds other rows than the sample gives"):
        require_sample()


def test_no_page_is_made_with_values_of_other_data(small_world: Source, run, tmp_path: Path) -> None:
    run()
    with pytest.raises(NotTheSampleError):
        assemble(tmp_path / "docs", examples=True)
    assert not (tmp_path / "docs").exists()
