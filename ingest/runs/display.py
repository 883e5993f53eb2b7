"""What a person sees of a run: a line that moves while it works, and a table at its end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.models import StepRun
from ingest.quoting import visible
from ingest.runs.run import DRY, Run

COLUMNS = ("rows_read", "inserted", "updated", "deleted", "rejected", "seconds")
WIDTH = 200  # more than any table takes: a narrower terminal wraps a line rather than that it is cut


@contextmanager
def progress(*, hidden: bool) -> Iterator[Callable[[StepRun], None]]:
    """Show on a terminal what is being worked on; give the function that is to be told of each table."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as bar:
        task = bar.add_task("starting")
        yield lambda counts: bar.update(task, description=f"{counts.step}  {counts.table_name}")


def print_summary(run: Run, out: OutputWrapper) -> None:
    """Print what the run did to each table, or would have done, in rows, and how long it took."""
    title = f"Run {run.id}: {run.source}" if run.id != DRY else f"Dry run: {run.source}, nothing was written"
    table = _table(title, "table", COLUMNS)
    for step, counts_of_step in groupby(run.steps, key=lambda counts: counts.step):
        table.add_row(step, style="bold")
        for counts in counts_of_step:
            table.add_row(*_texts(counts, ("table_name", *COLUMNS)))
        table.add_section()
    total = sum(counts.seconds for counts in run.steps)
    table.add_row("total", *[""] * (len(COLUMNS) - 1), _text(total))
    _print(table, out)


def print_rows(title: str, rows: Sequence[Any], words: str, numbers: str, out: OutputWrapper) -> None:
    """Print the attributes of `rows` that `words` and `numbers` name, a line each, the numbers flush right."""
    if not rows:
        out.write(f"{title}: none\n\n")
        return
    table = _table(title, words, numbers.split())
    for row in rows:
        table.add_row(*_texts(row, (words + " " + numbers).split()))
    _print(table, out)
    out.write("")


def _table(title: str, words: str, numbers: Iterable[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", show_edge=False, padding=0)
    for name in words.split():
        table.add_column(name.replace("_", " "), no_wrap=True)
    for name in numbers:
        table.add_column(name.removeprefix("rows_").replace("_", " "), justify="right", no_wrap=True)
    return table


def _texts(row: Any, names: Iterable[str]) -> list[str]:
    return [_text(getattr(row, name)) for name in names]


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int | float):
        return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    return "" if value is None else visible(str(value))


def _print(table: Table, out: OutputWrapper) -> None:
    # What stands in a table is text: a name with brackets or colons is no colour and no emoji.
    Console(file=cast(IO[str], out), width=WIDTH, markup=False, emoji=False).print(table)
