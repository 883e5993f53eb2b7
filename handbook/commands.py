"""The reference of the management commands, from their own parsers."""

import re
from argparse import Action, ArgumentParser
from collections.abc import Iterable

from django.core.management import BaseCommand, get_commands, load_command_class

from ingest.management.commands.pipeline_status import FAILING, STALE
from ingest.runs.command import FAILED, INTERRUPTED, SKIPPED, PipelineCommand
from ingest.runs.errors import PipelineError

MISCALLED = 2  # argparse's own exit code
APPS = ("ingest", "analytics", "access")
HEAD = f"""\
# Commands

Run them with `.venv/bin/python manage.py NAME`, or in Docker with `docker compose exec --user app web python manage.py
NAME`. Each takes Django's own options, too: `--traceback` shows the whole story of a failure.

| exit code | meaning |
|---|---|
| 0 | it did what it was asked for |
| {FAILED} | it failed: one line says what happened and what to do |
| {MISCALLED} | it did nothing: it was given what it does not take, or not what it needs |
| {SKIPPED} | of a run: it did nothing, as another run of the source was at work; 0 under cron, which comes again |
| {INTERRUPTED} | it was stopped, and has undone what it did |

Of [`pipeline_status`](#pipeline_status) {STALE} and {FAILING} say how the pipeline is.
"""
RUN = "A run: it is recorded, and is the only one of its source."


class UndocumentedError(PipelineError):
    """A command, an option or a module that does not say what it is."""


def page() -> str:
    """Return the text of the page. Raises UndocumentedError for a command or an option that does not explain itself."""
    return "\n".join([HEAD, *(section(name, load_command_class(get_commands()[name], name)) for name in ours())])


def ours() -> list[str]:
    """Return the names of the project's own commands."""
    return sorted(name for name, app in get_commands().items() if app in APPS)


def section(name: str, command: BaseCommand) -> str:
    """Return what the page says of one command: what it does, how it is called, its options."""
    if not command.help:
        raise UndocumentedError(f"the command {name} has no help: write what it does into Command.help")
    parser = command.create_parser("manage.py", name)
    actions = [action for action in _own_actions(parser) if action.help != "==SUPPRESS=="]
    help_with_links = re.sub(r"docs/([\w-]+)\.md", r"[docs/\1.md](\1.md)", command.help)
    text = f"## {name}\n\n{help_with_links}\n"
    if isinstance(command, PipelineCommand):
        text += f"\n{RUN}\n"
    if actions:
        text += "\n| option | meaning |\n|---|---|\n" + "".join(_row(name, parser, action) for action in actions)
    return text


def _own_actions(parser: ArgumentParser) -> Iterable[Action]:
    everybodys = {action.dest for action in BaseCommand().create_parser("manage.py", "")._actions}
    return (action for action in parser._actions if action.dest not in everybodys)


def _row(name: str, parser: ArgumentParser, action: Action) -> str:
    if not action.help:
        raise UndocumentedError(f"{_usage(action)} of the command {name} has no help: say what it means")
    meaning = parser._get_formatter()._expand_help(action)
    needed = "; it must be given" if action.option_strings and action.required else ""
    return f"| `{_usage(action)}` | {meaning}{needed} |\n"


def _usage(action: Action) -> str:
    takes = ""
    if action.nargs != 0:
        takes = "/".join(map(str, action.choices)) if action.choices else str(action.metavar or action.dest.upper())
    return " ".join([*action.option_strings[:1], takes]).strip()
