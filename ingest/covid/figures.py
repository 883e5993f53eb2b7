"""What is read from a day of the COVID API, version 2: for each column of the star the figure's path.

A day is an object of blocks, and any figure can be null. A field that is not named here is no concern of ours.
"""

import uuid
from dataclasses import asdict, dataclass

# What the UUIDs of days and definitions are made from, so that they are the same at every load.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://api.covidtracking.com/v2")
SCOPE = "us"

CASES, TESTING, DEATH = "cases.total", "testing.total", "outcomes.death.total"
HOSPITAL = "outcomes.hospitalized.currently"
ICU = "outcomes.hospitalized.in_icu.currently"
VENTILATOR = "outcomes.hospitalized.on_ventilator.currently"


@dataclass(frozen=True)
class Kind:
    """What a figure can be: `whole` numbers or decimals, below zero or not, absent or not."""

    whole: bool = True
    signed: bool = False
    optional: bool = False
    maximum: int = 2**63 - 1


# By the last word of the path.
KINDS = {
    "states": Kind(maximum=2**31 - 1),
    "value": Kind(),
    "change_from_prior_day": Kind(signed=True),
    "population_percent": Kind(whole=False),
    "seven_day_change_percent": Kind(whole=False, signed=True),
    "seven_day_average": Kind(whole=False, optional=True),
}


@dataclass(frozen=True)
class Figure:
    """A number in a day's document and the column of the star that it goes to."""

    table: str
    column: str
    path: str

    @property
    def kind(self) -> Kind:
        return KINDS[self.path.rsplit(".", 1)[-1]]

    @property
    def keys(self) -> list[str]:
        return self.path.split(".")


def _block(table: str, path: str, *columns: str) -> list[Figure]:
    names = ("population_percent", "change_from_prior_day", "seven_day_change_percent", "seven_day_average")
    paths = [f"{path}.value", *(f"{path}.calculated.{name}" for name in names)]
    # A table may have columns for the first of these figures alone.
    return [Figure(table, *pair) for pair in zip(columns, paths, strict=False)]


def _hospital_block(path: str, current: str, name: str) -> list[Figure]:
    calculated = ("population_percent", "change_in", "seven_day_change_percent", "seven_day_change_avg")
    return _block("hospitalization_fact", path, current, *(f"{column}_{name}" for column in calculated))


FIGURES = (
    Figure("cases_dimension", "state_number", "states"),
    *_block("cases_fact", CASES, "total_cases", "population_percent", "new_cases", "seven_day_change_percent"),
    *_block("testing_fact", TESTING, "total_tests", "population_percent", "new_tests", "seven_day_change_percent"),
    *_hospital_block(HOSPITAL, "currently_hospitalized", "hospitalized"),
    *_hospital_block(ICU, "currently_in_icu", "icu"),
    *_hospital_block(VENTILATOR, "currently_on_ventilator", "ventilator"),
    *_block(
        *("death_fact", DEATH, "total_deaths", "population_percent", "new_deaths"),
        *("seven_day_change_percent", "seven_day_change_avg"),
    ),
)

# As the statements take them.
FIGURES_AS_JSON = [
    {"number": number, "path": figure.path, "keys": figure.keys, **asdict(figure.kind)}
    for number, figure in enumerate(FIGURES)
]
