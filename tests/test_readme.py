"""What the README says is there, is there."""

import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class

from bench import results
from tests.conftest import Warehouse

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| `manage\.py (\w+)(?: [A-Z]+)?` \|[^|]*\|([^|]*)\|", README, re.MULTILINE)


def test_it_names_only_targets_that_make_help_lists() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in listed.splitlines()}
    named = set(re.findall(r"(?:`|^\$ |web )make ([a-z][a-z-]*)", WORDS, re.MULTILINE))
    assert len(named) > 8
    assert named <= targets


@pytest.mark.parametrize(("command", "options"), COMMANDS)
def test_it_names_the_commands_and_their_options(command: str, options: str) -> None:
    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    assert set(re.findall(r"`(--[\w-]+)`", options)) <= set(parser._option_string_actions)


def test_it_has_no_placeholder_left() -> None:
    assert not re.findall(r"^\{\w+\}$", README, re.MULTILINE)


def test_it_lists_every_command_of_ours() -> None:
    ours = {name for name, app in get_commands().items() if app in ("access", "ingest", "analytics")}
    assert {command for command, _ in COMMANDS} == ours


def test_it_draws_only_tables_that_are_there() -> None:
    (picture,) = re.findall(r"```mermaid\nerDiagram\n(.*?)```", README, re.DOTALL)
    drawn = set(re.findall(r"\b\w+_(?:dimension|fact|bridge|window|adherence|detail)\b", picture))
    assert drawn == {model._meta.db_table for model in apps.get_app_config("analytics").get_models()}


def test_it_explains_every_setting_that_the_code_reads() -> None:
    code = (ROOT / "pipeline_project" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'\b(?:env|addresses)\.\w+\(\s*"(\w+)"', code)) - {"POSTGRES_EMBEDDED"}
    assert read <= set(re.findall(r"\b[A-Z_]{4,}\b", README))


def test_its_example_queries_run(warehouse: Warehouse) -> None:
    for query in re.findall(r"```sql\n(.*?)```", README, re.DOTALL):
        assert warehouse.execute(query) == []


def test_it_quotes_the_benchmark_as_it_was_measured() -> None:
    measured = results.table(results.read())
    assert measured in README
    assert measured == (results.FOLDER / "results.txt").read_text(encoding="utf-8")
    for name in ("pages.txt", "exports.txt"):
        assert (results.FOLDER / name).read_text(encoding="utf-8") in README


def test_its_guide_to_scale_out_models_more_workers_from_what_was_measured() -> None:
    guide, measured = ROOT / "docs" / "scale-out.md", results.FOLDER / "citus.txt"
    text, table = guide.read_text(encoding="utf-8"), measured.read_text(encoding="utf-8")
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
