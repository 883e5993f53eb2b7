"""The made-up year of COVID documents: repeatable, of the real shape, consistent in itself, and plainly no real one."""

import filecmp
import io
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from ingest.covid.figures import FIGURES
from sample_data.generator import covid

SAMPLE = settings.BASE_DIR / "sample_data" / "covid" / "v2"
AVERAGED = {figure.path.split(".calculated")[0] for figure in FIGURES if figure.path.endswith("average")}
BLOCKS = {figure.path.removesuffix(".value") for figure in FIGURES if figure.path.endswith(".value")}
TOTALS = {path for path in BLOCKS if path.endswith(".total")}

Day = dict[str, Any]


def read(folder: Path) -> dict[str, Any]:
    """Return each document below `folder` by its path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): json.loads(path.read_bytes()) for path in files}


def leaves(day: Day, path: str = "") -> Iterator[str]:
    for key, value in day.items():
        yield from leaves(value, f"{path}{key}.") if isinstance(value, dict) else [path + key]


def at(day: Day, path: str) -> Any:
    for key in path.split("."):
        day = day[key]
    return day


def make(folder: Path, *options: str, seed: int = 1) -> str:
    """Write the documents to `folder`, and return what is printed besides."""
    out = io.StringIO()
    call_command(
        "make_sample_data", "--patients=1", "--days=1", f"--seed={seed}", *options, covid_folder=folder, stdout=out
    )
    return out.getvalue()


def close(number: float | None, exact: Fraction | None, places: int) -> bool:
    """Tell whether `number` is `exact`, rounded to so many places; a tie may go either way."""
    if number is None or exact is None:
        return number is None and exact is None
    return number == round(number, places) and abs(Fraction(str(number)) - exact) <= Fraction(1, 2 * 10**places)


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    return read(SAMPLE)


@pytest.fixture(scope="module")
def days(documents: dict[str, Any]) -> list[Day]:
    """The days of the history, oldest first."""
    newest_first: list[Day] = documents["us/daily.json"]["data"]
    return newest_first[::-1]


def test_it_wrote_the_committed_documents(tmp_path: Path, documents: dict[str, Any]):
    make(tmp_path / "v2")
    made = [path.relative_to(tmp_path / "v2").as_posix() for path in tmp_path.rglob("*.*") if path.is_file()]
    assert sorted(made) == sorted(documents)
    same, _, _ = filecmp.cmpfiles(tmp_path / "v2", SAMPLE, made, shallow=False)
    assert same == made


def test_it_gives_other_figures_but_the_same_shape_for_another_seed(days: list[Day]):
    others = json.loads(dict(covid.covid_documents(2))["us/daily.json"])["data"][::-1]
    assert all(one != other for one, other in zip(days[9:], others[9:], strict=True))
    assert [list(leaves(day)) for day in days] == [list(leaves(day)) for day in others]


def test_it_stays_under_a_megabyte():
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*.json")) < 1_000_000


def test_it_has_a_document_for_each_day_of_a_year_and_the_history_newest_first(documents: dict[str, Any]):
    year = [(date(2020, 3, 1) + timedelta(days=n)).isoformat() for n in range(365)]
    assert year[-1] == "2021-02-28"
    assert documents.keys() == {"us/daily.json", *(f"us/daily/{day}.json" for day in year)}
    assert [day["date"] for day in documents["us/daily.json"]["data"]] == year[::-1]


def test_it_says_the_same_in_the_history_as_in_each_days_document(documents: dict[str, Any], days: list[Day]):
    history = documents["us/daily.json"]
    assert list(history) == ["links", "meta", "data"]
    for day in days:
        assert documents[f"us/daily/{day['date']}.json"] == {"meta": history["meta"], "data": day}


def test_it_has_each_path_that_the_load_reads_and_no_other(days: list[Day]):
    for day in days:
        assert set(leaves(day)) == {"date"} | {figure.path for figure in FIGURES}


def test_it_is_marked_as_synthetic_wherever_one_looks(documents: dict[str, Any]):
    assert "synthetic" in documents["us/daily.json"]["links"]["self"]
    for document in documents.values():
        assert document["meta"]["license"] == "synthetic sample, no real figures"
        assert "synthetic" in document["meta"]["version"]


def test_it_has_definitions_with_and_without_a_path_and_with_former_names(documents: dict[str, Any]):
    definitions = documents["us/daily.json"]["meta"]["field_definitions"]
    shapes = {tuple(definition) for definition in definitions}
    assert shapes == {("name", "field", "deprecated", "prior_names"), ("name", "deprecated", "prior_names")}
    assert {bool(definition["prior_names"]) for definition in definitions} == {True, False}


@pytest.mark.parametrize("path", sorted(BLOCKS))
def test_it_knows_nothing_of_the_first_days_and_everything_later(days: list[Day], path: str):
    values = [at(day, path)["value"] for day in days]
    first = values.count(None)
    assert 0 < first < 30
    assert None not in values[first:]
    assert all(None not in at(day, path)["calculated"].values() for day in days[first + 20 :])


@pytest.mark.parametrize("path", sorted(BLOCKS))
def test_it_calculates_as_the_publisher_does(days: list[Day], path: str):
    values = [None] * 7 + [at(day, path)["value"] for day in days]
    for number, day in enumerate(days):
        week_ago, *week = values[number : number + 8]
        before, value = week[-2:]
        calculated = at(day, path)["calculated"]
        assert close(calculated["population_percent"], None if value is None else Fraction(value, 3_300_000), 4)
        assert calculated["change_from_prior_day"] == (None if before is None else value - before)
        assert close(
            calculated["seven_day_change_percent"], Fraction(100 * value, week_ago) - 100 if week_ago else None, 1
        )
        if path in AVERAGED:
            assert close(calculated["seven_day_average"], None if None in week else Fraction(sum(week), 7), 0)


def test_it_writes_whole_averages_and_no_minus_zero(days: list[Day]):
    assert all(
        isinstance(at(day, f"{path}.calculated.seven_day_average"), int) for day in days[40:] for path in AVERAGED
    )
    assert not re.search(r"-0\.0\b", json.dumps(days))


@pytest.mark.parametrize("seed", range(1, 6))
def test_it_never_counts_down_a_total_nor_below_zero(seed: int):
    days = json.loads(dict(covid.covid_documents(seed))["us/daily.json"])["data"][::-1]
    for path in BLOCKS:
        blocks = [at(day, path) for day in days]
        assert all(block["value"] is None or block["value"] >= 0 for block in blocks)
        if path in TOTALS:
            assert all((block["calculated"]["change_from_prior_day"] or 0) >= 0 for block in blocks)


@pytest.mark.parametrize("seed", range(1, 6))
def test_it_comes_in_three_waves_with_fewer_cases_on_mondays(seed: int):
    series = covid.make_series(seed)
    cases = series["cases"]
    weekly = [cases[day] - cases[day - 7] for day in range(7, covid.DAYS, 7)]
    peaks = [n for n in range(3, len(weekly) - 3) if weekly[n] == max(weekly[n - 3 : n + 4])]
    assert len(peaks) == 3
    news = [after - before for before, after in pairwise(cases)]  # from Monday on
    assert sum(news[0:364:7]) < 0.9 * sum(news[4:364:7])
    for hospitalized, in_icu, on_ventilator in zip(*(series[name] for name in covid.BED_RATES), strict=True):
        assert on_ventilator <= in_icu <= hospitalized


def test_it_replaces_documents_whole_and_leaves_nothing_beside_them(tmp_path: Path, documents: dict[str, Any]):
    make(tmp_path, seed=2)
    (tmp_path / "us" / "daily.json").write_text("half")
    make(tmp_path)
    assert read(tmp_path) == documents


def test_it_writes_the_msk_db_as_without_the_documents(tmp_path: Path):
    alone = io.StringIO()
    call_command("make_sample_data", "--patients=1", "--days=1", "--seed=1", stdout=alone)
    assert make(tmp_path / "v2") == alone.getvalue()
    assert make(tmp_path / "v2", f"--output={tmp_path / 'msk_db.sql'}") == ""
    assert (tmp_path / "msk_db.sql").read_text(encoding="utf-8") == alone.getvalue()


def test_it_says_in_one_line_that_it_cannot_write_the_documents(tmp_path: Path):
    folder = tmp_path / "file"
    folder.touch()
    with pytest.raises(CommandError, match=rf"^Cannot write {re.escape(str(folder))}: [^\n]+$"):
        make(folder)


def test_it_loads_without_a_reject(run: Any, warehouse: Any, settings: Any):
    settings.COVID_API_URL = str(SAMPLE)
    run("run_pipeline", "--only", "covid")
    assert warehouse.value("select count(*) from cases_fact") == 365
    assert warehouse.value("select count(*) from rejected_row") == 0
