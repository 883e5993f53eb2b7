"""What the README and the guides in docs/ say is there, is there."""

import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps

from bench import results
from tests.conftest import Warehouse

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
WORDS = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8") + "".join(GUIDES.values())
SPEED = GUIDES["speed.md"]


def test_it_is_read_in_one_sitting() -> None:
    assert len(README.splitlines()) <= 200


def test_it_names_only_targets_that_make_help_lists() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in listed.splitlines()}
    named = set(re.findall(r"(?:`|^\$ |web )make ([a-z][a-z-]*)", WORDS, re.MULTILINE))
    assert len(named) > 8
    assert named <= targets


def test_it_leads_to_every_guide() -> None:
    assert {f"docs/{name}" for name in GUIDES} == set(re.findall(r"\]\((docs/[\w-]+\.md)", README))


def test_it_draws_only_tables_that_are_there() -> None:
    (picture,) = re.findall(r"```mermaid\nerDiagram\n(.*?)```", README, re.DOTALL)
    drawn = set(re.findall(r"\b\w+_(?:dimension|fact|bridge|window|adherence|detail)\b", picture))
    assert drawn == {model._meta.db_table for model in apps.get_app_config("analytics").get_models()}


@pytest.mark.parametrize("guide", ["first-hour.md", "star.md"])
def test_the_queries_of_a_guide_run(warehouse: Warehouse, guide: str) -> None:
    queries = re.findall(r"```sql\n(.*?)```", GUIDES[guide], re.DOTALL)
    assert queries
    for query in queries:
        assert warehouse.execute(query) == []


def test_the_page_on_speed_quotes_the_benchmark_as_it_was_measured() -> None:
    measured = results.table(results.read())
    assert measured in SPEED
    assert measured == (results.FOLDER / "results.txt").read_text(encoding="utf-8")
    for name in ("pages.txt", "exports.txt"):
        assert (results.FOLDER / name).read_text(encoding="utf-8") in SPEED


def test_the_guide_to_scale_out_models_more_workers_from_what_was_measured() -> None:
    text, table = GUIDES["scale-out.md"], (results.FOLDER / "citus.txt").read_text(encoding="utf-8")
    assert table in text
    cost = {}
    for line in table.splitlines()[2:5]:
        case, *figures = re.split(r" {2,}", line)
        coordinator, workers, run = map(float, figures[3:6])
        cost[case] = coordinator + run, workers
    modelled = re.findall(r"^\| (\d) \| (.*?) s \| (.*?) s \|$", text, re.MULTILINE)
    assert [count for count, *_ in modelled] == ["2", "4", "8"]
    for count, *said in modelled:
        for case, sum_of in zip(("first load", "ordinary hour"), said, strict=True):
            serial, parallel = cost[case]
            figures = [float(figure) for figure in re.split(" [+=] ", sum_of)]
            share = parallel / int(count)
            assert figures == pytest.approx([serial, share, serial + share], abs=0.051)
