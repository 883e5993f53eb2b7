"""A made-up year of the COVID API's documents, so that a first run and the tests need no network.

No figure in it was ever reported, and each document says so. The same seed gives the same bytes on every Python:
chance comes only from `random()` of generators seeded with a text, and the rest is plain arithmetic, without `exp`
and its kin, whose last digit is the C library's. What the publisher calculates is calculated here by its rules.
"""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import accumulate, cycle
from typing import Any

FIRST_DAY, DAYS = date(2020, 3, 1), 365
LEAD_DAYS = 30  # the epidemic is older than the first document: beds and deaths follow infections by weeks
POPULATION = 330_000_000
# So many days, the lead days among them, and a day's infections for each one of the day before: three waves.
PHASES = ((58, 1.175), (50, 0.975), (42, 1.028), (50, 0.982), (90, 1.025), (25, 1.0), (80, 0.968))
INERTIA = 0.1  # the share of the way to a phase's growth that each day brings, so that the waves are round
WEEKDAY_SHARES = (0.95, 0.9, 0.88, 0.98, 1.06, 1.1, 1.13)  # Sunday first, like the year: weekends are reported late
TO_BED_DAYS, RECOVERY_RATE, TO_DEATH_DAYS, TO_DEATH_RATE = 7, 0.09, 18, 0.014
BED_RATES = {"hospitalized": 0.06, "in_icu": 0.012, "on_ventilator": 0.0042}  # of those who are ill for long
UNREPORTED_DAYS = {"cases": 1, "testing": 3, "hospitalized": 16, "in_icu": 25, "on_ventilator": 24, "death": 6}

LINKS = {"self": "https://synthetic.invalid/us/daily"}
META = {
    "build_time": "2021-03-01T00:00:00.000Z",
    "license": "synthetic sample, no real figures",
    "version": "2.0-synthetic",
    "field_definitions": [
        {"name": "Day", "field": "date", "deprecated": False, "prior_names": ["reportDay", "day"]},
        {"name": "All cases", "field": "cases.total.value", "deprecated": False, "prior_names": ["caseCount"]},
        {"name": "All tests", "field": "testing.total.value", "deprecated": False, "prior_names": []},
        {"name": "Sent home from hospital", "deprecated": False, "prior_names": []},
    ],
}


def covid_documents(seed: int) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each document; the history last, so that whoever finds it finds its days."""
    series = make_series(seed)
    days = [day_data(number, series) for number in range(DAYS)]
    documents: dict[str, Any] = {f"us/daily/{day['date']}.json": {"meta": META, "data": day} for day in days}
    documents["us/daily.json"] = {"links": LINKS, "meta": META, "data": days[::-1]}
    for path, document in documents.items():
        yield path, json.dumps(document, separators=(",", ":")) + "\n"


def make_series(seed: int) -> dict[str, list[int]]:
    """Return each figure's values from FIRST_DAY on."""
    infected = list(infections(_rng(seed, "infections")))
    new, ill, dying = (infected[LEAD_DAYS - ago :][:DAYS] for ago in (0, TO_BED_DAYS, TO_DEATH_DAYS))
    still_ill = list(accumulate(ill, lambda before, more: before * (1 - RECOVERY_RATE) + more))
    return {
        "cases": totals(new, _rng(seed, "cases")),
        "testing": totals((2_000 + 4_000 * n + 3 * cases for n, cases in enumerate(new)), _rng(seed, "testing")),
        **{name: counts((rate * n for n in still_ill), _rng(seed, name)) for name, rate in BED_RATES.items()},
        "death": totals((TO_DEATH_RATE * n for n in dying), _rng(seed, "death")),
    }


def _rng(seed: int, topic: str) -> random.Random:
    return random.Random(f"{seed}/covid/{topic}")  # noqa: S311  (nothing here is secret)


def infections(rng: random.Random) -> Iterator[float]:
    """Yield the new infections of each day, the lead days first."""
    growth, today = PHASES[0][1], 1.2
    for length, usual in PHASES:
        target = usual + 0.004 * (rng.random() - 0.5)
        for _ in range(length):
            growth += INERTIA * (target - growth)
            today *= growth
            yield today


def totals(news: Iterable[float], rng: random.Random) -> list[int]:
    """Return what was reported up to each day; how much of what is new depends on weekday and chance."""
    shares = (share * (0.95 + 0.1 * rng.random()) for share in cycle(WEEKDAY_SHARES))
    return list(accumulate(int(new * share) for new, share in zip(news, shares, strict=False)))


def counts(levels: Iterable[float], rng: random.Random) -> list[int]:
    """Return what was counted each day: a little off, as some of those who count are late."""
    return [int(level * (0.99 + 0.02 * rng.random())) for level in levels]


def day_data(number: int, series: dict[str, list[int]]) -> dict[str, Any]:
    """Return the `data` of a day, counted from FIRST_DAY."""
    blocks = {name: block(values[UNREPORTED_DAYS[name] : number + 1]) for name, values in series.items()}
    for name in ("cases", "testing"):  # of which the publisher gives no average
        del blocks[name]["calculated"]["seven_day_average"]
    return {
        "date": (FIRST_DAY + timedelta(days=number)).isoformat(),
        "states": min(10 + 3 * number, 56),
        "cases": {"total": blocks["cases"]},
        "testing": {"total": blocks["testing"]},
        "outcomes": {
            "hospitalized": {
                "currently": blocks["hospitalized"],
                "in_icu": {"currently": blocks["in_icu"]},
                "on_ventilator": {"currently": blocks["on_ventilator"]},
            },
            "death": {"total": blocks["death"]},
        },
    }


def block(seen: list[int]) -> dict[str, Any]:
    """Return a figure's block, given what was `seen` of it up to that day; what needs more days is null."""
    return {
        "value": seen[-1] if seen else None,
        "calculated": {  # where 0.0 is added, minus zero becomes zero
            "population_percent": round(100 * seen[-1] / POPULATION, 4) if seen else None,
            "change_from_prior_day": seen[-1] - seen[-2] if len(seen) > 1 else None,
            "seven_day_change_percent": round(100 * (seen[-1] / seen[-8] - 1), 1) + 0.0 if any(seen[-8:-7]) else None,
            "seven_day_average": round(sum(seen[-7:]) / 7) if len(seen) > 6 else None,
        },
    }
