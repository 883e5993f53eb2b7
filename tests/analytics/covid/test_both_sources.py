"""run_pipeline: both sources, each in a run of its own."""

import io
from functools import partial

import pytest
from django.core.management import CommandError, call_command

from ingest.covid import extract
from ingest.covid.client import CovidClient
from ingest.models import PipelineRun
from tests.conftest import Source, Warehouse
from tests.ingest.covid.documents import GONE, Publisher, day, days
from tests.ingest.runs.test_failures import free_port


def run_both() -> str:
    out = io.StringIO()
    call_command("run_pipeline", stdout=out)
    return out.getvalue()


def test_it_runs_both_sources_each_in_a_run_of_its_own(
    small_world: Source, publisher: Publisher, warehouse: Warehouse
) -> None:
    publisher.publish(*days(3))
    summary = run_both()
    runs = list(PipelineRun.objects.order_by("pk").values_list("command", "source", "status"))
    assert runs == [("run_pipeline", "msk", "succeeded"), ("run_pipeline", "covid", "succeeded")]
    assert "patient_dimension" in summary
    assert "cases_fact" in summary
    loads = warehouse.execute("select source, run_id from load_state order by 1")
    ids = dict(PipelineRun.objects.values_list("source", "pk"))
    assert loads == [("covid", ids["covid"]), ("msk", ids["msk"])]


@pytest.mark.parametrize("only", ["msk", "covid"])
def test_it_runs_one_source_only(
    small_world: Source, publisher: Publisher, warehouse: Warehouse, run, only: str
) -> None:
    publisher.publish(*days(3))
    with publisher.counted() as requests:
        run("run_pipeline", "--only", only)
    assert list(PipelineRun.objects.values_list("source", flat=True)) == [only]
    assert warehouse.execute("select source from load_state") == [(only,)]
    assert bool(requests) == (only == "covid")


def test_it_loads_the_patients_though_the_covid_figures_cannot_be_had(
    small_world: Source, warehouse: Warehouse, settings, monkeypatch
) -> None:
    monkeypatch.setattr(extract, "CovidClient", partial(CovidClient, retries=0))
    settings.COVID_API_URL = f"http://127.0.0.1:{free_port()}/v2"
    with pytest.raises(CommandError) as failure:
        run_both()
    (line,) = str(failure.value).splitlines()
    assert "msk succeeded." in line
    assert f"covid failed: {settings.COVID_API_URL}/us/daily.json cannot be reached" in line
    assert failure.value.returncode == 1
    assert dict(PipelineRun.objects.values_list("source", "status")) == {"msk": "succeeded", "covid": "failed"}
    assert warehouse.value("select count(*) from patient_dimension") == 1
    assert warehouse.execute("select source from load_state") == [("msk",)]


def test_it_loads_the_patients_though_a_covid_path_is_gone(
    small_world: Source, publisher: Publisher, warehouse: Warehouse
) -> None:
    publisher.publish(day(changes={"cases": GONE}))
    with pytest.raises(CommandError, match=r"^msk succeeded\. covid failed: .*data\.cases\.total\.value should be"):
        run_both()
    assert warehouse.value("select count(*) from patient_dimension") == 1
    assert warehouse.value("select count(*) from cases_dimension") == 0


def test_it_loads_the_covid_figures_though_the_patients_cannot_be_had(
    source: Source, publisher: Publisher, warehouse: Warehouse
) -> None:
    source.execute("drop table patient")
    publisher.publish(*days(3))
    with pytest.raises(CommandError, match=r"^msk failed: .* covid succeeded\.$") as failure:
        run_both()
    assert failure.value.returncode == 1
    assert dict(PipelineRun.objects.values_list("source", "status")) == {"msk": "failed", "covid": "succeeded"}
    assert warehouse.value("select count(*) from cases_fact") == 3
    assert warehouse.execute("select source from load_state") == [("covid",)]


def test_it_says_of_both_sources_what_failed(source: Source, publisher: Publisher, warehouse: Warehouse) -> None:
    source.execute("drop table patient")
    publisher.publish_history(b"<html>")
    with pytest.raises(CommandError, match=r"^msk failed: .*patient.* covid failed: .*is not JSON.*$"):
        run_both()
    assert set(PipelineRun.objects.values_list("status", flat=True)) == {"failed"}


def test_it_skips_the_star_or_the_documents(publisher: Publisher, warehouse: Warehouse, load) -> None:
    publisher.publish(*days(3))
    load("--skip-analytics")
    assert warehouse.value("select count(*) from staging_covid_day") == 3
    assert warehouse.value("select count(*) from cases_fact") == 0
    with publisher.counted() as requests:
        load("--skip-staging")
    assert requests == []
    assert warehouse.value("select count(*) from cases_fact") == 3
