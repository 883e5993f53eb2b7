"""How long the worst slugs of about 1 MB take to parse: `python -m bench.slugs`."""

import statistics
import sys
import time

from ingest.slugs import parse_slug

ROUNDS = 9

WORST_SLUGS = {
    "one long number": "1" * 1_000_000,
    "one long word": "d" * 1_000_000,
    "only separators": "-" * 1_000_000,
    "offsets": "7d-" * 300_000,
    "other words": "a-" * 500_000,
    "numbers without a unit": "7-" * 500_000,
    "numbers with one unit": "7-" * 500_000 + "d",
    "units without a number": "d-" * 500_000,
    "offsets and other words": "7d-a-" * 200_000,
    "milestones": "op-" * 333_333,
    "directions and milestones": "preop-" * 166_666,
    "days of no milestone": "day-of-" * 142_857,
}


def median_ms(slug: str) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        parse_slug(slug)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def main() -> None:
    for name, slug in WORST_SLUGS.items():
        sys.stdout.write(f"{name:<26} {median_ms(slug):6.1f} ms\n")


if __name__ == "__main__":
    main()
