"""The map of the code in CONTRIBUTING.md names what is there, and its rules of imports are those of `make lint`."""

import re
import tomllib

from django.conf import settings

TEXT = (settings.BASE_DIR / "CONTRIBUTING.md").read_text(encoding="utf-8")
(MAP,) = re.findall(r"^\| folder \|.*?\n\n", TEXT, re.MULTILINE | re.DOTALL)
PLACES = {
    place for cell in re.findall(r"^\| (`.*?) \|", MAP, re.MULTILINE) for place in re.findall(r"`([^` ]+)`", cell)
}


def test_it_names_only_places_that_are_there() -> None:
    assert len(PLACES) > 15
    for place in PLACES - {"checks.sql"}:  # beside the file before it
        assert next(settings.BASE_DIR.glob(place), None), place


def test_it_names_every_package() -> None:
    packages = {path.parent.name for path in settings.BASE_DIR.glob("*/__init__.py")}
    assert packages <= {place.split("/")[0] for place in PLACES}


def test_it_names_every_way_to_deploy() -> None:
    assert {f"deploy/{path.name}/" for path in (settings.BASE_DIR / "deploy").iterdir()} <= PLACES


def test_it_says_each_contract_of_the_imports_in_words() -> None:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = [contract["name"] for contract in project["tool"]["importlinter"]["contracts"]]
    assert re.findall(r"^- \*\*(.+?)\.\*\* [A-Z`]", TEXT, re.MULTILINE) == contracts
