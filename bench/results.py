"""What the benchmark found, kept in results/: results.json, and a table and a plot of every size made from it.

`python -m bench.results` makes table and plot anew, and puts the table into docs/speed.md.
"""

import json
import os
import platform
import re
import statistics
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.cases import CASES, FLOOR
from bench.server import ROOT, Failed, Measured, check

FOLDER = Path(__file__).with_name("results")
JSON, PAGE = FOLDER / "results.json", ROOT / "docs" / "speed.md"
HEADINGS = ("seconds", "of floor", "target", "source held", "of copying", "MB copied", "rows written", "peak MB")
EDGE = 4  # the longest bar, so that a case that takes far more does not make the others invisible

Round = dict[str, Measured | Failed]
Sizes = dict[str, dict[str, Any]]


def keep(patients: int, rows: int, rounds: list[Round], server: str) -> None:
    """Keep what `rounds` found at a source of so many patients and rows; print its table."""
    sizes = read()
    sizes[str(patients)] = size = {
        "rows": rows,
        "measured": f"{datetime.now(UTC):%Y-%m-%d}, {_machine_in_words()}, PostgreSQL {server}, rounds: {len(rounds)}",
        "cases": {name: summary(name, rounds) for name in rounds[0]},
    }
    FOLDER.mkdir(exist_ok=True)
    JSON.write_text(json.dumps(dict(sorted(sizes.items(), key=lambda size: int(size[0]))), indent=2) + "\n")
    # Apart: a command that is started later would count what drawing took in memory as its own.
    check(sys.executable, "-m", "bench.results")
    sys.stdout.write(table({str(patients): size}))


def summary(name: str, rounds: list[Round]) -> dict[str, Any]:
    """Return a case's medians, those of its ratios to the floor of the same round among them; or how it failed."""
    pairs = []
    for one in rounds:
        case, floor = one.get(name), one[FLOOR]
        if isinstance(case, Failed):
            return {"failed": textwrap.shorten(str(case), 100)}
        if isinstance(case, Measured) and isinstance(floor, Measured):
            pairs.append((case, floor))
    return {
        **Measured(*map(statistics.median, zip(*(case for case, _ in pairs), strict=True)))._asdict(),
        "of_floor": statistics.median(case.seconds / floor.seconds for case, floor in pairs),
        "of_copying": statistics.median(case.held_seconds / floor.held_seconds for case, floor in pairs),
    }


def write() -> None:
    """Write the table, also into docs/speed.md, and the plot of what is kept."""
    sizes = read()
    text = table(sizes)
    (FOLDER / "results.txt").write_text(text, encoding="utf-8")
    block = re.compile(r"(?<=^```text\n)[\d,]+ patients, .*?(?=^```$)", re.DOTALL | re.MULTILINE)
    PAGE.write_text(block.sub(lambda _: text, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    _plot(sizes)


def table(sizes: Sizes) -> str:
    """Return a line a case and size: seconds, their ratio to the floor's beside its target, what it cost the source."""
    targets = {case.name: case.target_text for case in CASES}
    blocks = []
    for patients, size in sizes.items():
        lines = [f"{int(patients):,} patients, {size['rows']:,} rows ({size['measured']})", _line("case", *HEADINGS)]
        lines += [_line(name, *_cells(one, targets.get(name, ""))) for name, one in size["cases"].items()]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _cells(one: dict[str, Any], target: str) -> list[str]:
    # What does not apply, such as the memory of a query, is left empty.
    if "failed" in one:
        return ["", "", target, f"  {one['failed']}"]
    held = [f"{one['held_seconds']:.2f}", f"{one['of_copying']:.2f}"] if one["held_seconds"] else ["", ""]
    run = [f"{one['megabytes']:.1f}", f"{one['rows_written']:,.0f}", f"{one['peak_mb']:.0f}"] if one["peak_mb"] else []
    return [f"{one['seconds']:.2f}", f"{one['of_floor']:.2f}", target, *held, *run]


def _line(case: str, *cells: str) -> str:
    line = [f"{cell:>{len(heading) + 2}}" for heading, cell in zip(HEADINGS, cells, strict=False)]
    return f"{case:<32}{''.join(line)}".rstrip()


def _plot(sizes: Sizes) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot  # it chooses its backend when it is imported

    cases = [case for case in CASES if any(case.name in size["cases"] for size in sizes.values())]
    figure, axes = pyplot.subplots(figsize=(9, 1.5 + 0.5 * len(cases)), layout="constrained")
    height = 0.8 / len(sizes)
    for number, (patients, size) in enumerate(sizes.items()):
        outcomes = [size["cases"].get(case.name, {}) for case in cases]
        places = [place + (number - (len(sizes) - 1) / 2) * height for place in range(len(cases))]
        ratios = [min(one.get("of_floor", 0), EDGE) for one in outcomes]
        bars = axes.barh(places, ratios, height, label=f"{int(patients):,} patients, {size['rows']:,} rows")
        labels = [one["failed"] if "failed" in one else f"{one['of_floor']:.2f}" if one else "" for one in outcomes]
        axes.bar_label(bars, labels, padding=3, fontsize=8)
    for place, case in enumerate(cases):
        if case.target and not case.query:  # that of a query is in seconds
            axes.vlines(case.target, place - 0.45, place + 0.45, colors="black", linestyles="dashed")
    axes.vlines([], 0, 0, colors="black", linestyles="dashed", label="target")
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(cases)), [case.name for case in cases])
    axes.invert_yaxis()
    axes.set_xlabel("time of the run, in times of the floor of a first load")
    figure.legend(fontsize=8, loc="outside lower center", ncols=2)
    figure.savefig(FOLDER / "results.png", dpi=110, metadata={"Software": None})


def _machine_in_words() -> str:
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({platform.machine()}), {gigabytes:.0f} GB of memory"


def read() -> Sizes:
    sizes: Sizes = json.loads(JSON.read_text()) if JSON.exists() else {}
    return sizes


if __name__ == "__main__":
    write()
