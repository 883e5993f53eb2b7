"""docs/slugs.md shows the cases that tests/ingest/test_slugs.py tries, each under the part of the grammar it is of."""

import csv
import re
import unicodedata
from itertools import groupby
from operator import itemgetter

import pytest
from django.conf import settings

from analytics.models import ScheduleDimension
from ingest.models import ScheduleOverride
from tests.conftest import Source
from tests.docs.shown import DOCS, hold

PAGE = DOCS / "slugs.md"
TEXT = PAGE.read_text(encoding="utf-8")
CASES = settings.BASE_DIR / "tests" / "ingest" / "slugs.tsv"
TABLES = dict(re.findall(r"<!-- cases: ([a-z ]+) -->\n([^<]*)<!-- end -->", TEXT))


def read_cases() -> dict[str, list[dict[str, str]]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {part: list(cases) for part, cases in groupby(rows, itemgetter("shows"))}


def as_table(cases: list[dict[str, str]]) -> str:
    """Return cases as a table of Markdown, without the columns that are empty in all."""
    names = [name for name in cases[0] if name != "shows" and any(case[name] for case in cases)]
    rows = [[in_code(case["slug"]), *(case[name] for name in names[1:])] for case in cases]
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"|{'|'.join(line)}|\n" if line[0] == "---" else f"| {' | '.join(line)} |\n" for line in lines)


def in_code(slug: str) -> str:
    """Return a slug as it is written, an invisible character by its number."""
    shown = "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) == "Cf" else c for c in slug)
    return f"`{shown}`" if shown else "(empty)"


CASES_BY_PART = read_cases()


@pytest.mark.parametrize("part", CASES_BY_PART)
def test_it_shows_the_cases_of_each_part(part: str, request) -> None:
    shown, found = (
        f"<!-- cases: {part} -->\n{table}<!-- end -->" for table in (TABLES[part], as_table(CASES_BY_PART[part]))
    )
    hold(PAGE, shown, found, renew=request.config.option.renew)


def test_it_has_a_heading_for_each_part_and_no_other() -> None:
    headings = [heading.lower() for heading in re.findall("^## (.+)", TEXT, re.MULTILINE)]
    assert headings == [*TABLES] == [*CASES_BY_PART, "override"]


def test_an_override_says_what_its_example_shows(source: Source, run) -> None:
    source.insert("schedule", id=1, slug="baseline")
    ScheduleOverride.objects.create(
        schedule_id=1,
        milestone_slug="registration",
        offset_start_days=0,
        offset_end_days=14,
        note="agreed with the clinic",
    )
    run()
    (row,) = ScheduleDimension.objects.values()
    case = {name: "" if value is None else str(value) for name, value in row.items() if name != "schedule_id"}
    assert as_table([case]) == TABLES["override"]
