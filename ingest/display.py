"""What a person sees of a run: a line that moves while it works, and a table at its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import IO, cast

from django.core.management.base import OutputWrapper
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.models import StepRun
from ingest.runs import DRY, Run

COLUMNS = ("rows_read", "inserted", "updated", "deleted", "rejected", "seconds")
LEAST_WIDTH = 88  # of the table with numbers of seven digits; a narrower terminal wraps it rather than cut it


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
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", show_edge=False, padding=0)
    table.add_column("table", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name.removeprefix("rows_"), justify="right", no_wrap=True)
    for step, counts_of_step in groupby(run.steps, key=lambda counts: counts.step):
        table.add_row(step, style="bold")
        for counts in counts_of_step:
            table.add_row(counts.table_name, *(_number(getattr(counts, name)) for name in COLUMNS))
        table.add_section()
    table.add_row("total", *[""] * (len(COLUMNS) - 1), _number(sum(counts.seconds for counts in run.steps)))
    file = cast(IO[str], out)
    Console(file=file, width=max(Console(file=file).width, LEAST_WIDTH)).print(table)


def _number(value: float) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
