"""What the benchmark found, kept in results/: the medians as JSON, and a table and a plot of every size measured.

`python -m bench.results` writes table and plot anew.
"""

import json
import os
import platform
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.server import Measured, check

FOLDER = Path(__file__).with_name("results")
FLOOR = "floor"
# At most this many times the floor: what the project has set itself.
TARGETS = {"first load": 1.5, "nothing changed": 0.15, "ordinary hour": 0.35, "one slug changed": 0.25}

LINE = "{:<31}{:>8}{:>10}{:>13}{:>11}{:>14}{:>9}"
Sizes = dict[str, dict[str, Any]]


def keep(patients: int, rows: int, results: dict[str, list[Measured]], server: str) -> None:
    """Keep the medians of `results`, which are of a source of so many patients and rows; print the table."""
    rounds = len(results[FLOOR])
    medians = {case: Measured(*map(statistics.median, zip(*all_of, strict=True))) for case, all_of in results.items()}
    sizes = _read()
    sizes[str(patients)] = {
        "rows": rows,
        "measured": f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, PostgreSQL {server}, rounds: {rounds}",
        "cases": {case: median._asdict() for case, median in medians.items()},
    }
    FOLDER.mkdir(exist_ok=True)
    _json().write_text(json.dumps(dict(sorted(sizes.items(), key=lambda size: int(size[0]))), indent=2) + "\n")
    # Apart: a command that is started later would count what drawing took in memory as its own.
    check(sys.executable, "-m", "bench.results")
    sys.stdout.write(table(_read()))


def write() -> None:
    """Write the table and the plot of what is kept."""
    sizes = _read()
    (FOLDER / "results.txt").write_text(table(sizes), encoding="utf-8")
    _plot(sizes)


def table(sizes: Sizes) -> str:
    """Return a line a case and size: seconds, their ratio to the floor's, and what it cost source and memory."""
    lines = []
    for patients, size in sizes.items():
        base = size["cases"][FLOOR]["seconds"]
        lines.append(f"{int(patients):,} patients, {size['rows']:,} rows ({size['measured']})")
        lines.append(LINE.format("case", "seconds", "of floor", "source held", "MB copied", "rows written", "peak MB"))
        for case, one in size["cases"].items():
            numbers = [f"{one['seconds']:.2f}", f"{one['seconds'] / base:.2f}", f"{one['held_seconds']:.2f}"]
            numbers += [f"{one['megabytes']:.1f}", f"{one['rows_written']:,.0f}", f"{one['peak_mb']:.0f}"]
            lines.append(LINE.format(case, *(numbers if case != FLOOR else (*numbers[:3], "", "", ""))).rstrip())
        lines.append("")
    return "\n".join(lines)


def _plot(sizes: Sizes) -> None:
    """Draw each case's time as a ratio to the floor's, a bar a size, with the target where there is one."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot  # it chooses its backend when it is imported

    cases = [case for case in next(iter(sizes.values()))["cases"] if case != FLOOR]
    figure, axes = pyplot.subplots(figsize=(9, 4.5), layout="constrained")
    height = 0.8 / len(sizes)
    for number, (patients, size) in enumerate(sizes.items()):
        ratios = [size["cases"][case]["seconds"] / size["cases"][FLOOR]["seconds"] for case in cases]
        places = [place + (number - (len(sizes) - 1) / 2) * height for place in range(len(cases))]
        bars = axes.barh(places, ratios, height, label=f"{int(patients):,} patients, {size['rows']:,} rows")
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    for place, case in enumerate(cases):
        if case in TARGETS:
            axes.vlines(TARGETS[case], place - 0.45, place + 0.45, colors="black", linestyles="dashed")
    axes.vlines([], 0, 0, colors="black", linestyles="dashed", label="target")
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(cases)), cases)
    axes.invert_yaxis()
    axes.set_xlabel("time of the run, in times of the floor of a first load")
    axes.legend(fontsize=8, loc="center right")
    figure.savefig(FOLDER / "results.png", dpi=110, metadata={"Software": None})


def _machine() -> str:
    """Return what a reader has to know of this machine."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({platform.machine()}), {gigabytes:.0f} GB of memory"


def _json() -> Path:
    return FOLDER / "results.json"


def _read() -> Sizes:
    sizes: Sizes = json.loads(_json().read_text()) if _json().exists() else {}
    return sizes


if __name__ == "__main__":
    write()
