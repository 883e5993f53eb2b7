"""What a person sees of a run: a line that moves while it works, and a table at its end."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby, zip_longest
from typing import Any

from django.core.management.base import OutputWrapper
from django.core.management.color import color_style

from ingest.models import StepRun
from ingest.quoting import visible
from ingest.runs.run import DRY, Run

COLUMNS = "rows_read inserted updated deleted rejected seconds"


@contextmanager
def progress(*, hidden: bool) -> Iterator[Callable[[StepRun], None]]:
    """Show on a terminal what is being worked on; give the function that is to be told of each table."""
    if hidden or not sys.stderr.isatty():
        yield lambda counts: None
        return
    # Not above: it takes a tenth of the time in which a command starts, and most have no terminal.
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting")
        yield lambda counts: bar.update(task, description=f"{counts.step}  {counts.table_name}")


def print_summary(run: Run, out: OutputWrapper) -> None:
    """Print what the run did to each table, or would have done, in rows, and how long it took."""
    title = f"Run {run.id}: {run.source}" if run.id != DRY else f"Dry run: {run.source}, nothing was written"
    rows = []
    for step, counts_of_step in groupby(run.steps, key=lambda counts: counts.step):
        rows += [[step], *(_texts(counts, f"table_name {COLUMNS}") for counts in counts_of_step), []]
    total = sum(counts.seconds for counts in run.steps)
    rows.append(["total", *[""] * (len(COLUMNS.split()) - 1), _text(total)])
    _print_table(title, "table", COLUMNS, rows, out)


def print_rows(title: str, rows: Sequence[Any], words: str, numbers: str, out: OutputWrapper) -> None:
    """Print the attributes of `rows` that `words` and `numbers` name, a line each, the numbers flush right."""
    if not rows:
        out.write(f"{title}: none\n\n")
        return
    _print_table(title, words, numbers, [_texts(row, f"{words} {numbers}") for row in rows], out)
    out.write("")


def _print_table(title: str, words: str, numbers: str, rows: list[list[str]], out: OutputWrapper) -> None:
    names = [name.removeprefix("rows_").replace("_", " ") for name in f"{words} {numbers}".split()]
    widths = [max(map(len, cells)) for cells in zip_longest(names, *rows, fillvalue="")]
    sides = [str.ljust] * len(words.split()) + [str.rjust] * len(numbers.split())
    bold = color_style().MIGRATE_LABEL if out.isatty() else str
    rule = "─" if (out.encoding or "utf").lower().startswith("utf") else "-"
    out.write(title)
    for row in (names, [rule * (sum(widths) + len(widths) - 1)], *rows):
        line = " ".join(pad(cell, width) for pad, cell, width in zip(sides, row, widths, strict=False)).rstrip()
        # A row of one cell is a heading.
        out.write(bold(line) if row is names or len(row) == 1 else line)


def _texts(row: Any, names: str) -> list[str]:
    return [_text(getattr(row, name)) for name in names.split()]


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int | float):
        return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    return "" if value is None else visible(str(value))
