"""What the reference says of commands and modules is theirs, and what says nothing is refused."""

import re
from argparse import ArgumentParser
from pathlib import Path

import pytest
from django.core.management import BaseCommand

from handbook import api, commands
from handbook.assemble import ROOT
from handbook.commands import UndocumentedError
from handbook.diagrams import DiagramError, draw
from handbook.links import BrokenLinkError, rewrite
from ingest.management.commands.pipeline_status import FAILING, STALE
from ingest.runs.command import FAILED, INTERRUPTED, SKIPPED


class Silent(BaseCommand):
    """A command that does not say what it does."""


class Half(BaseCommand):
    """A command that does not say what its option means."""

    help = "Do half."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by-halves", action="store_true")


class Whole(BaseCommand):
    """A command that says all."""

    help = "Do all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("whom", help="for whom")
        parser.add_argument("--parts", type=int, default=4, help="in so many parts, by default %(default)s")
        parser.add_argument("--way", choices=["up", "down"], required=True, help="which way")


def test_it_says_what_a_command_does_and_each_option_means() -> None:
    text = commands.section("whole", Whole())
    assert text.startswith("## whole\n\nDo all of it.\n")
    assert text.splitlines()[-3:] == [
        "| `WHOM` | for whom |",
        "| `--parts PARTS` | in so many parts, by default 4 |",
        "| `--way up/down` | which way; it must be given |",
    ]


def test_it_says_which_commands_are_runs() -> None:
    sections = commands.page().split("\n## ")
    runs = {section.split("\n")[0] for section in sections if commands.RUN in section}
    assert runs == {"run_pipeline", "extract_msk", "parse_slugs", "load_msk", "extract_covid", "load_covid"}
    assert [section.split("\n")[0] for section in sections[1:]] == commands.ours()


def test_it_says_with_which_codes_commands_end() -> None:
    command = Whole()
    command._called_from_command_line = True  # type: ignore[attr-defined]  # as manage.py does
    with pytest.raises(SystemExit) as ended:
        command.create_parser("manage.py", "whole").parse_args(["--nonsense"])
    table = dict(re.findall(r"^\| (\d+) \| (.+) \|$", commands.HEAD, re.MULTILINE))
    assert [int(code) for code in table] == [0, FAILED, ended.value.code, SKIPPED, INTERRUPTED]
    assert f"pipeline_status`](#pipeline_status) {STALE} and {FAILING} say" in commands.HEAD


@pytest.mark.parametrize(("command", "what"), [(Silent(), "the command x"), (Half(), "--by-halves of the command x")])
def test_it_refuses_a_command_or_an_option_without_help(command: BaseCommand, what: str) -> None:
    with pytest.raises(UndocumentedError, match=f"{what} has no help"):
        commands.section("x", command)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with the three packages, and nothing in them."""
    for package in api.PACKAGES:
        (tmp_path / package).mkdir()
    return tmp_path


def test_it_puts_a_module_on_the_page_of_its_part(code: Path) -> None:
    (code / "ingest" / "slugs.py").write_text('"""Slugs."""')
    pages = api.pages(code)
    assert [name for name, text in pages.items() if "::: ingest.slugs\n" in text] == ["api/slugs.md"]


def test_it_refuses_a_module_without_a_docstring(code: Path) -> None:
    (code / "ingest" / "slugs.py").write_text("ZERO = 0")
    with pytest.raises(UndocumentedError, match=r"the module ingest\.slugs has no docstring"):
        api.pages(code)


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        ("def say(): ...", "say"),
        ("class Saying: ...", "Saying"),
        ('class Saying:\n    """A word."""\n    @classmethod\n    def of(cls): ...', "Saying.of"),
    ],
)
def test_it_refuses_a_public_name_without_a_docstring(code: Path, text: str, silent: str) -> None:
    (code / "ingest" / "slugs.py").write_text(f'"""Slugs."""\ndef _own(): ...\n{text}')
    with pytest.raises(UndocumentedError, match=rf"ingest\.slugs\.{silent} has no docstring"):
        api.pages(code)


def test_it_refuses_a_module_that_no_page_has(code: Path) -> None:
    (code / "analytics" / "new.py").write_text('"""New."""')
    with pytest.raises(UndocumentedError, match=r"analytics\.new is on no page .* handbook/api\.py"):
        api.pages(code)


@pytest.mark.parametrize(
    ("file", "text", "there"),
    [
        ("README.md", "[a](docs/security.md#b)", "[a](security.md#b)"),
        ("README.md", "![a](docs/pictures/home.png)", "![a](pictures/home.png)"),
        ("docs/security.md", "[two\nlines](../README.md#cron)", "[two\nlines](index.md#cron)"),
        ("docs/security.md", "[`run`](../.ci/run)", '`run`{ title=".ci/run" }'),
        ("docs/security.md", "[`.ci/run`](../.ci/run)", "`.ci/run`"),
        ("README.md", "[MIT](LICENSE)", "MIT (`LICENSE`)"),
        ("README.md", "[a](https://example.org) [b](#b)", "[a](https://example.org) [b](#b)"),
        ("README.md", "Both:\n- a\n  b\n- c", "Both:\n\n- a\n    b\n- c"),
        ("README.md", "1. a\n\n   b\n2. c\n\nd", "1. a\n\n    b\n\n2. c\n\nd"),
        ("README.md", "```text\n[a](nowhere)\n```", "```text\n[a](nowhere)\n```"),
    ],
)
def test_a_link_or_a_list_is_as_the_site_has_it(file: str, text: str, there: str) -> None:
    assert rewrite(text, file, ROOT) == there


def test_it_refuses_a_link_to_what_is_not_there() -> None:
    with pytest.raises(BrokenLinkError, match=r"docs/a\.md links to \.\./nowhere\.py"):
        rewrite("[a](../nowhere.py)", "docs/a.md", ROOT)


@pytest.mark.parametrize("target", ["../Makefile", "pictures/home.png"])
def test_it_refuses_an_anchor_in_what_is_no_page(target: str) -> None:
    with pytest.raises(BrokenLinkError, match=rf"docs/a\.md links to #nowhere in {target}, which is no page"):
        rewrite(f"[a]({target}#nowhere)", "docs/a.md", ROOT)


@pytest.mark.parametrize("tag", ['<a href="nowhere.html">', "<IMG alt=x\nsrc=nowhere.png>"])
def test_it_refuses_a_link_in_html(tag: str) -> None:
    with pytest.raises(BrokenLinkError, match=r"(?s)docs/a\.md has a link in HTML, <.*>: write it in Markdown"):
        rewrite(f"As {tag} has it", "docs/a.md", ROOT)
    assert rewrite(f"`{tag}`\n\n```html\n{tag}\n```", "docs/a.md", ROOT)


def test_a_diagram_that_does_not_say_what_it_shows_is_refused() -> None:
    with pytest.raises(DiagramError, match=r"a diagram of star\.md has no accTitle"):
        draw("```mermaid\nerDiagram\n    one ||--o{ other : id\n```\n", "star.md")


def test_a_diagram_that_is_not_understood_is_refused() -> None:
    with pytest.raises(DiagramError, match=r"the diagram “Two” of star\.md cannot be drawn: .*parse error"):
        draw("```mermaid\nerDiagram\n    accTitle: Two\n    one ||--o{ other and more\n```\n", "star.md")
