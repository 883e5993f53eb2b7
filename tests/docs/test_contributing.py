"""The map of the code in CONTRIBUTING.md names what is there."""

import re

from django.conf import settings

MAP = re.findall(r"^\| (`.*?) \|", (settings.BASE_DIR / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
PLACES = {place for line in MAP for place in re.findall(r"`([^` ]+)`", line)}


def test_it_names_only_places_that_are_there() -> None:
    assert len(PLACES) > 15
    for place in PLACES - {"checks.sql"}:  # beside the file before it
        assert next(settings.BASE_DIR.glob(place), None), place


def test_it_names_every_package() -> None:
    packages = {path.parent.name for path in settings.BASE_DIR.glob("*/__init__.py")}
    assert packages <= {place.split("/")[0] for place in PLACES}
