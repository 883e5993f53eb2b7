"""Time what people take away, each in a process of its own: the star as files, and lists; kept in results/exports.txt.

    python -m bench.exports [--patients 20000] [--rounds 3]

The seconds are those of the whole process, a second or so of its start among them; those of CPU are its own, without
the server's. The memory is the most that it held.
"""

import argparse
import resource
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from sys import executable

import django

from bench.server import STAR, drop_databases, manage, measure, sql
from bench.site import DAYS, load_both, use_project
from bench.source import make_sources

RESULTS = Path(__file__).with_name("results") / "exports.txt"
FORMATS = ("parquet", "csv", "duckdb")
LISTS = ("activityadherence", "stepresultfact")
LIST_FORMATS = ("csv", "xlsx", "parquet")


def main() -> None:
    """Load a star, and keep a line for each way to take something of it away."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--take", nargs=2, metavar=("ADDRESS", "FILE"), help="take one away, as a process of main()")
    options = parser.parse_args()
    if options.take:
        take(*options.take)
        return
    use_project()
    make_sources(options.patients, DAYS)
    load_both()
    steps, windows = (
        int(sql(STAR, f"select count(*) from {table}")) for table in ("step_result_fact", "adherence_fact")
    )
    heading = f"taken away at {options.patients:,} patients, {steps:,} steps, {windows:,} windows"
    lines = [f"{heading:<72}{'seconds':>9}{'of CPU':>9}{'peak MB':>9}{'file MB':>9}", *time_exports(options.rounds), ""]
    print("\n".join(lines), flush=True)
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    drop_databases()


def time_exports(rounds: int) -> Iterator[str]:
    """Take each away, and yield a line with the medians."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        cases: list[tuple[str, tuple[str, ...]]] = [
            (f"export_star --format {form}", manage("export_star", "--format", form, "--output")) for form in FORMATS
        ]
        for model in LISTS:
            for form in LIST_FORMATS:
                address = f"/admin/analytics/{model}/?_export={form}"
                cases.append((address, (executable, "-m", "bench.exports", "--take", address)))
        for case, (name, command) in enumerate(cases):
            found = []
            for number in range(rounds):
                before = _cpu_seconds_of_children()
                one = measure(*command, str(folder / f"{case}-{number}"))
                found.append((one.seconds, _cpu_seconds_of_children() - before, one.peak_mb))
            seconds, computed, peak = map(statistics.median, zip(*found, strict=True))
            written = folder / f"{case}-0"
            files = [written] if written.is_file() else list(written.iterdir())
            size = sum(file.stat().st_size for file in files) / 1e6
            yield f"{name:<72}{seconds:>9.1f}{computed:>9.1f}{peak:>9.0f}{size:>9.1f}"


def _cpu_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def take(address: str, file: str) -> None:
    """Ask for a list as a file, and keep what comes as it comes."""
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)[0])
    response = client.get(address)
    if response.status_code != 200:
        raise SystemExit(f"{address} answers {response.status_code}")
    with Path(file).open("wb") as kept:
        for part in response:
            kept.write(part)
    response.close()


if __name__ == "__main__":
    main()
