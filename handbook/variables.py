"""The variables of the environment: from one table, docs/configuration.md and .env.example."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

TABLE = Path(__file__).with_name("variables.toml")
WIDTH = 120
UNBROKEN = "\N{NO-BREAK SPACE}"  # at which no line is broken
MADE = "made from handbook/variables.toml by make docs: change it there"
EXAMPLE_HEAD = f"""\
# Copy this file to .env. Docker Compose, make and manage.py read it; outside Docker the environment wins over it.
# A value with a $ or a # in it needs single quotes.
# {MADE[0].upper()}{MADE[1:]}.
"""
PAGE_HEAD = f"""\
<!-- {MADE} -->
# Configuration

The project reads these variables from the environment and from `.env`; the environment wins. In Docker it reads `.env`
alone. If a value makes no sense, nothing starts, and one line says which value it is and what to write instead.
`.env.example` has all variables but those that the project [sets itself](#set-by-the-project-itself).
"""
SECRETS = "A secret can come from a file instead of its variable, never from both."


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable of the environment, as handbook/variables.toml describes one."""

    name: str
    meaning: str
    default: str = ""
    otherwise: str = ""
    secret: bool = False
    set: str | None = None
    example: str | None = None


@dataclass(frozen=True)
class Section:
    """Variables that belong together."""

    title: str
    text: str
    variables: list[Variable]


def sections(table: Path = TABLE) -> list[Section]:
    """Return the sections of the table in its order.

    Raises TypeError for a key that a variable does not have, or one that it lacks.
    """
    read: dict[str, Any] = tomllib.loads(table.read_text(encoding="utf-8"))
    return [
        Section(each["title"], each.get("text", ""), [Variable(**variable) for variable in each["variable"]])
        for each in read["section"]
    ]


def env_example() -> str:
    """Return the text of .env.example: first what has a value, then what is optional, then the files of secrets."""
    known = sections()
    secrets = [each.name for section in known for each in section.variables if each.secret]
    files = "".join(f"#{name}_FILE=/run/secrets/{name.lower()}\n" for name in secrets)
    required = "".join(
        _example(each, each.set) for section in known for each in section.variables if each.set is not None
    )
    optional = ""
    for section in known:
        lines = "".join(_example(each, each.example, "#") for each in section.variables if each.example is not None)
        optional += f"\n# --- {section.title}\n{lines}" if lines else ""
    return "\n".join(
        (
            EXAMPLE_HEAD,
            f"{required}\n# What follows is optional: without its # a line counts.",
            f"{optional}\n# --- Secrets from files\n{_comment(SECRETS)}{files}",
        )
    )


def page() -> str:
    """Return the text of docs/configuration.md: a table a section."""
    known = sections()
    secrets = [f"`{each.name}`" for section in known for each in section.variables if each.secret]
    text = PAGE_HEAD
    for section in known:
        text += f"\n## {section.title}\n\n" + (f"{section.text}\n\n" if section.text else "")
        text += "| name | default | meaning |\n|---|---|---|\n"
        text += "".join(f"| `{each.name}` | {_default(each)} | {_meaning(each)} |\n" for each in section.variables)
    listed = f"{', '.join(secrets[:-1])} and {secrets[-1]} are secrets: `SECRET_KEY_FILE` names the file of the first."
    return f"{text}\n## Secrets from files\n\n{_filled(f'{SECRETS} {listed}')}\n"


def _example(variable: Variable, value: str | None, mark: str = "") -> str:
    return f"{_comment(_without_marks(variable.meaning))}{mark}{variable.name}={value}\n"


def _default(variable: Variable) -> str:
    return variable.otherwise or (f"`{variable.default}`" if variable.default else "none")


def _meaning(variable: Variable) -> str:
    if variable.example in (None, "", variable.default):  # it says no more than the default
        return variable.meaning
    return f"{variable.meaning} Example: `{variable.example}`"


def _without_marks(markdown: str) -> str:
    # As a comment has it: a link is its words with its file, code is without its marks and in one line.
    text = re.sub(r"\[([^]]*)\]\(([^)#]*)[^)]*\)", r"\1 (docs/\2)", markdown)
    return re.sub("`([^`]*)`", lambda code: code[1].replace(" ", UNBROKEN), text)


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in _wrapped(text, WIDTH - 2))


def _filled(text: str) -> str:
    return "\n".join(_wrapped(text, WIDTH))


def _wrapped(text: str, width: int) -> list[str]:
    return [line.replace(UNBROKEN, " ") for line in wrap(text, width, break_long_words=False, break_on_hyphens=False)]
