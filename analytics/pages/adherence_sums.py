"""How windows stand by any two dimensions at once: worked out in one reading, it answers most of what is asked."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import combinations
from typing import Any

from psycopg2.sql import SQL, Composable, Identifier

from analytics.pages.answers import Tuple, as_day, keep_parts, kept_part
from analytics.pages.dimensions import DIMENSIONS, STATUSES

WEEKS = 26  # of the trend
NAMES = ("activity", "week", *(name for name in DIMENSIONS if name not in ("activity", "status")))
# Those with the sex of patients come first: any pair answers for one dimension alone, and these have fewest values.
PAIRS = tuple(combinations(NAMES, 2))[::-1]
PLACES = {status: place for place, status in enumerate(STATUSES)}


def first_and_last_day(day: date, weeks: int) -> tuple[date, date]:
    """Return the days between which the last full weeks before a day lie; there is no day before the first one."""
    monday = day.toordinal() - day.weekday()
    return date.fromordinal(max(1, monday - 7 * weeks)), date.fromordinal(max(1, monday - 1))


def prepare(day: date) -> None:
    """Keep of each two dimensions how many windows there are of each values and status as of a day."""
    keep_parts("adherence_sums", _sums_of_pair, **_parameters(day))


def counted(day: date, names: tuple[str, str], filters: Mapping[str, str]) -> dict[tuple[Any, Any], int] | None:
    """Return how many windows there are of each two values, of those that `filters` pick, as of a day.

    None where that is not kept: more than two dimensions are asked for, beside the status, or another day.
    """
    asked = {*names, *filters} - {"status"}
    pair = next((pair for pair in PAIRS if asked <= {*pair}), None)
    rows = pair and kept_part("adherence_sums", _grouping(pair), **_parameters(day))
    if not pair or rows is None:
        return None
    wanted = {name: DIMENSIONS[name].value_of(label) for name, label in filters.items()}
    shown = slice(None)
    if "status" in wanted:
        place = PLACES[wanted.pop("status")]
        shown = slice(place, place + 1)
    picks = [(pair.index(name), value) for name, value in wanted.items()]
    one, other = ((*pair, "status").index(name) for name in names)
    found: dict[tuple[Any, Any], int] = {}
    for values, windows in rows:
        if any(values[place] != value for place, value in picks):
            continue
        if "status" not in names:
            parts = [(values, sum(windows[shown]))]
        else:
            parts = [((*values, status), many) for status, many in zip(STATUSES[shown], windows[shown], strict=True)]
        for cell, many in parts:
            if many:
                key = cell[one], cell[other]
                found[key] = found.get(key, 0) + many
    return found


def _sums_of_pair(bits: int, rows: Iterable[Tuple]) -> list[tuple[Tuple, Tuple]]:
    one, other = next((NAMES.index(one), NAMES.index(other)) for one, other in PAIRS if _grouping((one, other)) == bits)
    found: dict[Tuple, list[int]] = {}
    same: dict[Any, Any] = {}  # of equal values the same one, which is kept once
    for _, *values, status, windows in rows:
        pair = tuple(same.setdefault(value, value) for value in (values[one], values[other]))
        found.setdefault(pair, [0] * len(STATUSES))[PLACES[status]] = windows
    return [(pair, tuple(windows)) for pair, windows in found.items()]


def _grouping(pair: tuple[str, str]) -> int:
    # As grouping() in the query: a bit for each dimension that is not in the pair.
    return sum(name not in pair and 1 << place for place, name in enumerate(reversed(NAMES)))


def _parameters(day: date) -> dict[str, object]:
    first, last = first_and_last_day(day, WEEKS)
    dimensions = [SQL("{} as {}").format(DIMENSIONS[name].sql, Identifier(name)) for name in NAMES if name != "week"]
    sets = {pair: SQL("({})").format(_listed(*pair, "status")) for pair in PAIRS}
    return {
        "day": as_day(day),
        "first_day": as_day(first),
        "last_day": as_day(last),
        "dimensions": SQL(", ").join(dimensions),
        "columns": _listed(*NAMES[1:]),
        "activity_bit": 1 << len(NAMES) - 1,
        "pairs_with_activity": SQL(", ").join(one for pair, one in sets.items() if "activity" in pair),
        "pairs": SQL(", ").join(one for pair, one in sets.items() if "activity" not in pair),
    }


def _listed(*names: str) -> Composable:
    return SQL(", ").join(map(Identifier, names))
