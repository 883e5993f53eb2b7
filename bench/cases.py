"""What is measured, in this order, with what each case begins, and its target: how long it may take at most."""

from enum import Enum, auto
from typing import NamedTuple

FLOOR = "floor"


class Begin(Enum):
    """What the warehouse holds, and what the source then has, before the `change` of a case."""

    EMPTY = auto()  # nothing; the whole source
    WHOLE = auto()  # the whole source; the same
    SMALL = auto()  # a dump with 1 % of the patients; the whole source
    AS_LEFT = auto()  # what the case before left; the whole source


class Case(NamedTuple):
    """A run of the pipeline with these options after a change of the source, a file in changes/; or else a query.

    The target is in times of the floor of the same round, a query's in seconds.
    """

    name: str
    target: float | None
    begin: Begin = Begin.WHOLE
    change: str = ""
    options: tuple[str, ...] = ()
    query: str = ""

    @property
    def target_text(self) -> str:
        if self.target is None:
            return ""
        return f"{self.target:g} s" if self.query else f"{self.target:.2f}"


ALLOWED = ("--allow-deletes",)
# By hashing, as a query does that needs more than an index holds, or joins by the id.
GROUP_BY_ID = """
    set enable_sort = off;
    set enable_indexscan = off;
    set enable_indexonlyscan = off;
    select count(*) from (select id from {} group by id) as i
"""

CASES = (
    Case("first load", 1.05, Begin.EMPTY),
    Case("--full-refresh, nothing to heal", 1.0, options=("--full-refresh",)),
    Case("nothing changed", 0.13),
    Case("ordinary hour", 0.24, change="ordinary_hour.sql"),
    Case("one slug changed", 0.2, change="one_slug.sql"),
    Case("one journey's activities changed", 0.16, change="one_journeys_activities.sql"),
    Case("new patients", 0.35, change="new_patients.sql"),
    Case("half of all steps restated", 1.6, change="half_of_steps.sql"),
    Case("every operation a day later", 1.0, change="operations_later.sql"),
    Case("a quarter of patient gone", 1.2, change="quarter_of_patients_gone.sql", options=ALLOWED),
    Case("that quarter back", 1.7, Begin.AS_LEFT),
    Case("source twenty times smaller", 0.9, change="twenty_times_smaller.sql", options=ALLOWED),
    Case("the whole source back", 1.7, Begin.AS_LEFT),
    Case("source grown a hundredfold", None, Begin.SMALL),
    Case("group by id: steps", 2, query=GROUP_BY_ID.format("step_result_fact")),
    Case("group by id: windows", 2, query=GROUP_BY_ID.format("patient_journey_schedule_window")),
)


def picked(words: list[str]) -> list[Case]:
    """Return the cases with one of `words` in their names, or all without any; and each that one of them follows on.

    Raises SystemExit for a word that is in no name.
    """
    for word in words:
        if not any(word in case.name for case in CASES):
            raise SystemExit(f"no case has {word!r} in its name: {'; '.join(case.name for case in CASES)}")
    cases: list[Case] = []
    for case in reversed(CASES):
        is_wanted = not words or any(word in case.name for word in words)
        if is_wanted or (cases and cases[-1].begin is Begin.AS_LEFT):
            cases.append(case)
    return cases[::-1]
