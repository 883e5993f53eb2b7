"""What a person sees of a run: a line that moves while it works, and a table at its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, cast

from django.core.management.base import OutputWrapper
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.runs import Run, TableCounts

COLUMNS = ("read", "inserted", "updated", "deleted", "rejected", "seconds")


@contextmanager
def progress(*, hidden: bool) -> Iterator[Callable[[TableCounts], None]]:
    """Show on a terminal what is being worked on; give the function that is to be told of each table."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as bar:
        task = bar.add_task("starting")
        yield lambda counts: bar.update(task, description=f"{counts.step}  {counts.table}")


def print_summary(run: Run, out: OutputWrapper) -> None:
    """Print what the run did to each table, in rows, and how long it took."""
    table = Table(box=SIMPLE_HEAD, title=f"Run {run.id}", title_justify="left")
    table.add_column("step")
    table.add_column("table")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for previous, counts in zip([None, *run.counts], run.counts, strict=False):
        if previous and previous.step != counts.step:
            table.add_section()
        step = counts.step if not previous or previous.step != counts.step else ""
        table.add_row(step, counts.table, *(_number(getattr(counts, name)) for name in COLUMNS))
    table.add_section()
    table.add_row("", "total", *["" for _ in COLUMNS[:-1]], _number(sum(counts.seconds for counts in run.counts)))
    # Wide enough for the table where the output is no terminal, as in a log.
    console = Console(file=cast(IO[str], out), width=None if out.isatty() else 120)
    console.print(table)


def _number(value: float) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
