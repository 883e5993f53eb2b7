"""docs/extend.md: who does what it says, in a copy of the project, has what it promises."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from psycopg2.sql import SQL, Identifier

from tests.conftest import Database, Source, Warehouse
from tests.docs.shown import DOCS
from tests.ingest.runs.test_failures import environment

HIDDEN = (".ci", ".env.example", ".github")  # what of the hidden files is part of the project
PARTS = dict(
    re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", (DOCS / "extend.md").read_text(encoding="utf-8"), re.M | re.S)
)
EDIT = re.compile(
    r"^(At the end of|New file|In) `([^`]+)`(?:, (after|in place of) the line with `([^`]+)`)?:\n\n```\w+\n(.*?)```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\$ (.+)", re.MULTILINE)
# What `make` runs, but for what is as it was before.
TARGETS = {
    "make migrate": "migrate --database analytics",
    "make run-pipeline": "run_pipeline --only msk",
    'make run-pipeline ARGS="--only holidays"': "run_pipeline --only holidays",
    "make check-warehouse": "check_warehouse",
    "make lineage": "shell --verbosity 0 --command 'from analytics.dictionary import trace; trace.write()'",
    "make docs": "shell --verbosity 0 --command 'from handbook.assemble import assemble, renew; renew(); assemble()'",
}
LOOK = """
from django.contrib.auth.models import Group, User
from django.test import Client
for group in ("care manager", "analyst"):
    user = User.objects.create_user(group, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    assert 'href="/clinicians/"' in client.get("/").content.decode()
    assert "Take this table away" in client.get("/clinicians/").content.decode()
    print(client.get("/clinicians/", {"format": "csv"}).getvalue().decode())
"""


def _copy(origin: Path, to: Path) -> None:
    if origin.is_dir():
        shutil.copytree(origin, to, ignore=shutil.ignore_patterns("__pycache__"))  # others write there meanwhile
    else:
        shutil.copy(origin, to)


class Copy:
    """A copy of the project with databases of its own."""

    def __init__(self, folder: Path, databases: dict[str, str]) -> None:
        self.folder = folder
        self.databases = databases
        for origin in settings.BASE_DIR.iterdir():
            if origin.name in HIDDEN or not (origin.name.startswith(".") or origin.name == "msk_db.sql"):
                _copy(origin, folder / origin.name)

    def follow(self, part: str) -> str:
        """Do what a part says, edits first; return what the commands print."""
        for place, path, where, text, code in EDIT.findall(PARTS[part]):
            self._edit(place, self.folder / path, where, text, code)
        commands = COMMAND.findall(PARTS[part])
        return "".join(self.manage(*shlex.split(TARGETS.get(each) or each.split("manage.py ")[1])) for each in commands)

    def _edit(self, place: str, path: Path, where: str, text: str, code: str) -> None:
        if place == "New file":
            assert not path.exists(), path
            path.write_text(code, encoding="utf-8")
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        if place == "At the end of":
            lines.append(code)
        else:
            (number,) = (number for number, line in enumerate(lines) if text in line)
            lines[number] = code if where == "in place of" else lines[number] + code
        path.write_text("".join(lines), encoding="utf-8")

    def manage(self, *arguments: str, code: int = 0) -> str:
        """Run manage.py, which ends with `code`; return what it prints."""
        ended = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=environment(**self.databases, HOLIDAYS_FILE=str(self.folder / "holidays.csv")),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ended.returncode == code, ended.stdout
        return ended.stdout

    def tool(self, name: str, *arguments: str) -> None:
        """Run a program of the virtual environment, which finds nothing to complain of."""
        ended = subprocess.run(
            [Path(sys.executable).with_name(name), *arguments],
            cwd=self.folder,
            env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout


@pytest.fixture
def copy(source: Source, dump: Path, tmp_path: Path) -> Iterator[Copy]:
    """A copy of the project, with the dump as its source, and its other databases prepared."""
    if (settings.BASE_DIR / "analytics" / "loads" / "sql" / "085_clinician_dimension.sql").exists():
        pytest.skip("somebody has added the example itself")
    source.load(dump)
    source.connection.close()
    connections.close_all()
    server = Database("msk_db", dbname="postgres")
    names = {}
    for alias, variable in (
        ("default", "POSTGRES_DB"),
        ("analytics", "POSTGRES_ANALYTICS_DB"),
        ("msk_db", "POSTGRES_SECONDARY_DB"),
    ):
        template = connections[alias].settings_dict["NAME"]
        names[variable] = f"{template}_copy"
        server.execute(SQL("create database {} template {}").format(Identifier(names[variable]), Identifier(template)))
    yield Copy(tmp_path, names)
    for name in names.values():
        server.execute(SQL("drop database {} with (force)").format(Identifier(name)))
    server.connection.close()


@pytest.mark.long
def test_who_follows_it_has_a_table_a_check_a_page_and_a_source(copy: Copy) -> None:
    printed = copy.follow("A table")
    assert re.search(r"^clinician_dimension +\d+ +[1-9]", printed, re.MULTILINE), printed
    warehouse = Warehouse("analytics", dbname=copy.databases["POSTGRES_ANALYTICS_DB"])
    clinicians = warehouse.execute(
        "select clinician_id, count(*), min(operation_date) from patient_journey_fact"
        " where clinician_id is not null group by 1 order by 1"
    )
    assert clinicians == warehouse.execute("table clinician_dimension order by 1")

    promise = "every clinician of a patient journey has a row"
    assert f"ok    {promise}" in copy.follow("A check")
    (case,) = re.findall(r"^ +(\(.*\)),$", PARTS["A check"], re.MULTILINE)
    damage, promised = ast.literal_eval(case)
    assert promised == promise
    warehouse.execute(damage)
    assert re.search(rf"FAIL  {promise}: broken by \d+ rows", copy.manage("check_warehouse", code=1))

    copy.follow("A page")
    shown = copy.manage("shell", "--verbosity", "0", "--command", LOOK)
    exact, protected = (
        dict(re.findall(r"^(\w+),(\d+)$", table, re.M)) for table in shown.split("clinician,patients")[1:]
    )
    assert exact == dict(
        warehouse.execute(
            "select coalesce(clinician_id::text, 'unknown'), count(distinct patient_id)::text"
            " from patient_journey_fact group by 1"
        )
    )
    assert protected == {name: str((int(n) + 2) // 5 * 5) for name, n in exact.items() if int(n) >= 5}

    (copy.folder / "holidays.csv").write_text("day,name\n2024-12-25,Christmas\n2024-12-25,again\n2024-01-01,New Year\n")
    copy.follow("A source")
    copy.manage("run_pipeline", "--only", "msk", "--full-refresh")  # which forgets what it does not know
    assert warehouse.execute("select date::text, name from holiday_dimension order by 1") == [
        ("2024-01-01", "New Year"),
        ("2024-12-25", "Christmas"),
    ]
    assert warehouse.rejects("holiday") == [("2024-12-25#2", "duplicate")]
    pages = copy.folder / ".build" / "docs"
    assert "`holidays.day`" in (pages / "tables" / "holiday_dimension.md").read_text(encoding="utf-8")
    assert "::: ingest.holidays" in (pages / "api" / "holidays.md").read_text(encoding="utf-8")
    assert "#HOLIDAYS_FILE=" in (copy.folder / ".env.example").read_text(encoding="utf-8")
    copy.tool("mkdocs", "build", "--strict", "--config-file", "handbook/mkdocs.yml")
    copy.tool("lint-imports", "--no-cache")
    warehouse.connection.close()


def test_it_has_no_code_that_is_not_followed() -> None:
    for part, text in PARTS.items():
        blocks = re.findall(r"^```(\w+)\n", text, re.MULTILINE)
        assert len(blocks) - blocks.count("console") == len(EDIT.findall(text)) > 0, part
        assert COMMAND.findall(text) or part == "A page"
