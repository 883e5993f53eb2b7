"""What people see of a distributed warehouse, and take away, is what they would of one on a single server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from analytics.analyst import star
from tests.analytics.pages.conftest import Reader, manager, reader
from tests.citus.conftest import Both, Server
from tests.conftest import Source

__all__ = ["manager", "reader"]  # fixtures

PAGES = (
    "/adherence/?by=hospital",
    "/adherence/?by=month&colour=joint",
    "/adherence/?by=clinician&colour=activity&sex=female&day=2024-05-15",
    "/adherence/?milestone=operation&by=age_bracket",
    "/steps/?by=joint",
    "/scores/?by=sex",
    "/covid/",
    "/quality/",
)
LISTS = (
    "/admin/analytics/activityadherence/?status=missed&hospital={hospital}",
    "/admin/analytics/patientjourneyschedulewindow/?joint=knee",
    "/admin/analytics/activitycompletionfact/?clinician=7",
    "/admin/analytics/surveyresultfact/?sex=female",
    "/admin/analytics/stepresultfact/",
    "/admin/analytics/patientdimension/",
)


@pytest.fixture
def loaded(both: Both, source: Source) -> Iterator[Both]:
    """Both warehouses with what the sample says."""
    call_command("distribute_warehouse")
    source.load_sample()
    both.run()
    cache.clear()
    yield both
    cache.clear()


def answers(both: Both, client: Client, address: str) -> tuple[bytes, bytes]:
    """Return what an address answers of the distributed warehouse, and of the other."""
    distributed = client.get(address)
    assert distributed.status_code == 200, address
    read = distributed.getvalue()
    with both.on_one_server():
        return read, client.get(address).getvalue()


def test_every_page_and_list_says_the_same(loaded: Both, manager: Client) -> None:
    hospital = manager.get("/adherence/?format=csv").getvalue().decode().splitlines()[1].split(",")[0]
    for page in PAGES:
        distributed, plain = answers(loaded, manager, f"{page}{'&' if '?' in page else '?'}format=csv")
        assert distributed == plain, page
        assert len(distributed.splitlines()) > 1 or page == "/covid/", page
    for each in LISTS:
        page = each.format(hospital=hospital)
        distributed, plain = answers(loaded, manager, f"{page}{'&' if '?' in page else '?'}_export=csv")
        assert sorted(distributed.splitlines()) == sorted(plain.splitlines()), page
        assert len(distributed.splitlines()) > 1, page
    for page in ("/", "/patients/1/", "/tables/", "/tables/step_result_fact/"):
        assert manager.get(page).status_code == 200, page
    assert "The warehouse is distributed" in manager.get("/tables/").content.decode()


def test_who_may_not_see_patients_is_told_the_same_small_numbers(loaded: Both, reader: Reader) -> None:
    analyst = reader("analyst")
    assert b'id="small-numbers"' in analyst.get("/").content
    for page in PAGES:
        distributed, plain = answers(loaded, analyst, f"{page}{'&' if '?' in page else '?'}format=csv")
        assert distributed == plain, page


def test_operators_alone_see_at_home_and_in_the_admin_how_evenly_it_is_distributed(
    loaded: Both, manager: Client, reader: Reader, workers: list[Server], covid_folder: Path, settings: Settings, run
) -> None:
    settings.COVID_API_URL = str(covid_folder)
    run("run_pipeline", "--only", "covid")  # or the status would say that it was never loaded
    operator = reader("operator")
    first, second = (f"{worker.host}:{worker.port}" for worker in workers)
    for page in ("/", "/admin/"):
        said = operator.get(page).content.decode()
        share = r"[\d.]+ % \([\d.]+\s.B\)"
        line = rf"The warehouse is distributed\. Its rows by patient: {share} on {first}, {share} on {second}\."
        assert re.search(line, said), page
        assert "is distributed" not in manager.get(page).content.decode(), page
    cache.clear()
    with workers[1].down():
        for page in ("/", "/admin/"):
            said = operator.get(page).content.decode()
            assert re.search(rf"\d\s.B on {first}, <strong>{second} does not answer</strong>\.</p>", said), page
        assert f"The warehouse is distributed; {second} does not answer\n" in run("pipeline_status")


def test_the_star_is_written_into_files_as_from_one_server(loaded: Both, tmp_path: Path) -> None:
    call_command("export_star", "--output", str(tmp_path / "distributed"), "--format", "csv")
    with loaded.on_one_server():
        call_command("export_star", "--output", str(tmp_path / "plain"), "--format", "csv")
    for table in star("analytics"):
        distributed, plain = (
            sorted((tmp_path / folder / f"{table}.csv").read_text().splitlines()) for folder in ("distributed", "plain")
        )
        assert distributed == plain, table


def test_an_analyst_may_read_the_star_and_nothing_else(loaded: Both, run) -> None:
    assert "may read 22 tables and views" in run("grant_analyst", "--role", "analyst_of_a_distributed_warehouse")


def test_the_status_says_what_each_worker_has(loaded: Both, covid_folder: Path, settings: Settings, run) -> None:
    settings.COVID_API_URL = str(covid_folder)
    run("run_pipeline", "--only", "covid")
    said = run("pipeline_status")
    assert "The warehouse is distributed" in said
    shares = [line.split() for line in said.split("The warehouse is distributed")[1].splitlines() if ":" in line]
    assert len(shares) == 2
    assert sum(float(percent) for *_, percent in shares) == pytest.approx(100, abs=0.2)
