"""docs/queries.md: each query, run on the sample as its reader would run it, gives what stands below it."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from tests.conftest import COVID_SAMPLE, SAMPLE, TRUNCATE_EVERYTHING, Source, Warehouse
from tests.docs.shown import DOCS, hold

PAGE = DOCS / "queries.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = 12  # of a long answer


class Example(NamedTuple):
    language: str
    code: str
    answer: str


EXAMPLES = [Example(*found) for found in re.findall(r"```(sql|python)\n([^`]*)```\n\n```text\n([^`]*)```", TEXT)]
QUERIES = [example for example in EXAMPLES if example.language == "sql"]
SCRIPTS = [example for example in EXAMPLES if example.language == "python"]


@pytest.fixture(scope="module")
def sample(django_db_setup: None, django_db_blocker: Any) -> Iterator[Warehouse]:
    """The star of the sample as a first run makes it, loaded once."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "COVID_API_URL", str(COVID_SAMPLE))
        for alias in ("default", "analytics"):
            with connections[alias].cursor() as cursor:
                cursor.execute(TRUNCATE_EVERYTHING)
        source, warehouse = Source("msk_db"), Warehouse("analytics")
        source.load(SAMPLE)
        call_command("run_pipeline", verbosity=0)
        yield warehouse
        connections.close_all()
    source.connection.close()
    warehouse.connection.close()


@pytest.fixture(scope="module")
def exported(sample: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the exported star in `star`."""
    folder = tmp_path_factory.mktemp("exported")
    call_command("export_star", "--output", str(folder / "star"), verbosity=0, stdout=io.StringIO())
    return folder


@pytest.mark.parametrize("example", QUERIES, ids=range(len(QUERIES)))
def test_a_query_gives_psql_the_answer_below_it(example: Example, sample: Warehouse, request) -> None:
    answer = first_rows(sample.psql(script=example.code))
    hold(PAGE, whole(example), whole(example._replace(answer=answer)), renew=request.config.option.renew)


@pytest.mark.parametrize("example", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_script_prints_the_answer_below_it(example: Example, exported: Path, request) -> None:
    command = [sys.executable, "-X", "utf8", "-c", example.code]
    printed = subprocess.run(command, cwd=exported, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    answer = printed.rstrip() + "\n"
    hold(PAGE, whole(example), whole(example._replace(answer=answer)), renew=request.config.option.renew)


def test_no_query_or_script_is_without_an_answer() -> None:
    assert len(EXAMPLES) == len(re.findall("```(?:sql|python)\n", TEXT)) >= 10


def test_its_contents_name_each_part_in_order() -> None:
    assert re.findall(r"^- \[(.+)\]", TEXT, re.MULTILINE) == re.findall("^## (.+)", TEXT, re.MULTILINE)


def first_rows(printed: str) -> str:
    """Return a table as psql prints it, of a long one the first rows, and no spaces at the ends of lines."""
    head, rule, *rows, count = printed.rstrip().split("\n")
    shown = rows if len(rows) <= ROWS else [*rows[:ROWS], "…"]
    return "".join(f"{line.rstrip()}\n" for line in (head, rule, *shown, count))


def whole(example: Example) -> str:
    return f"```{example.language}\n{example.code}```\n\n```text\n{example.answer}```"
