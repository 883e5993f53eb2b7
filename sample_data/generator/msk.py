"""A made-up msk_db as a pg_dump-style SQL file, for a first run, the tests and the benchmark.

No real person is in it. The same arguments give the same bytes on every Python: chance comes only from
`random()` and `randrange()` of generators seeded with a text. A table is a stream of rows; what one table
must know of another (when was this patient operated?) is worked out again from the patient's own generator,
so memory does not grow with the number of patients.

The data is as untidy as real data. The catalogues hold their oddities as fixed rows; each other table gets a
flaw every so many rows, the flaws of its list in turn, so that 200 patients are enough to meet them all.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import chain, islice
from math import isqrt
from typing import Any

from sample_data.generator import catalogue
from sample_data.generator.catalogue import ACTIVITIES, SURVEYS, UNKNOWN, UNTIDY_HOSPITALS, Window
from sample_data.generator.dump import COLUMNS, copy_lines, dump

Row = dict[str, Any]  # column → value, in the order of the table's columns

END_DATE = date(2024, 6, 30)  # the last day on which anything happened
LAST_OPERATION = END_DATE + timedelta(days=30)  # some operations are booked, not yet done
OPERATIONS_SPAN_DAYS = 430
RESULTS_PER_JOURNEY = range(9, 14)  # or fewer, where fewer were due by END_DATE
STEP_BREAK_DAYS = range(3)  # one break in each patient's series: the phone was left at home
# The shares of the usual steps walked on a weekday (Monday first), before the operation, each day from it.
WEEKDAY_SHARES = (1.0, 1.04, 1.02, 1.05, 1.1, 0.92, 0.74)
SHARE_BEFORE = 0.8
SHARES_AFTER = [*(0.12 + 0.95 * day / 120 for day in range(120)), *[1.07] * OPERATIONS_SPAN_DAYS]
SECOND_JOURNEY_RATE = 0.25  # of patients
NO_OPERATION_RATE = 0.06  # of patient journeys
EARLY_RATE = 0.07  # of survey results; what is neither early nor late falls in its window
LATE_RATE = 0.12
NO_DEVICE_RATE = 0.05
NO_SCORE_RATE = 0.04
MICROSECOND_RATE = 0.1
STEP_MISSING_RATE = 0.008  # of days

FLAW_EVERY = {"patient": 15, "patient_journey": 20, "survey_result": 80}  # rows
FLAWS: dict[str, list[Row]] = {  # what stands in for a row's own values
    "patient": [*({"hospital": name} for name in UNTIDY_HOSPITALS), {"age_bracket": None, "sex": None}],
    "patient_journey": [
        *({key: UNKNOWN} for key in ("patient_id", "journey_id")),
        *({key: None} for key in COLUMNS["patient_journey"] if key != "id"),
    ],
    "survey_result": [
        *({key: UNKNOWN} for key in ("patient_journey_id", "survey_id", "activity_id", "device_id")),
        *({key: None} for key in COLUMNS["survey_result"] if key not in ("id", "device_id", "score_value")),
        {"end_time": datetime.combine(date(1970, 1, 1), time(1))},  # a clock never set: before the start
    ],
}
STEP_FLAW_EVERY = 3  # patients, each of whom has one flawed day
STEP_FLAWS = (  # the COPY lines that stand in for that day
    *(f"{{patient}}\t{{day}}\t{value}\n" for value in catalogue.UNTIDY_STEPS),
    "{patient}\t{day}\t4200\n{patient}\t{day}\t4200\n",
    "{patient}\t{day}\t4200\n{patient}\t{day}\t6100\n{patient}\t{day}\tn/a\n",
    "{unknown}\t{day}\t2048\n",
    "\\N\t{day}\t512\n",
    "{patient}\t\\N\t512\n",
)


@dataclass(frozen=True)
class Sample:
    """What is asked for: the number of patients, the number of days with steps, and the seed."""

    patients: int
    days: int
    seed: int

    def rng(self, topic: str, patient_id: int) -> random.Random:
        """Return a patient's generator for a topic: the same sequence whenever it is asked for."""
        return random.Random(f"{self.seed}/{topic}/{patient_id}")  # noqa: S311  (nothing here is secret)

    @property
    def device_count(self) -> int:
        return 8 + isqrt(self.patients)  # it grows slowly, as patients own the same few models

    @cached_property
    def calendar(self) -> list[tuple[str, float]]:
        """Return the days with steps, each with the share of the usual steps walked on such a weekday."""
        days = (END_DATE - timedelta(days=ago) for ago in reversed(range(self.days)))
        return [(day.isoformat(), WEEKDAY_SHARES[day.weekday()]) for day in days]


def msk_sql(patients: int, days: int, seed: int) -> Iterator[str]:
    """Yield the file piece by piece: so many patients, and steps on so many days up to END_DATE."""
    sample, ids = Sample(patients, days, seed), range(1, patients + 1)
    results = chain.from_iterable(survey_results(sample, patient_id) for patient_id in ids)
    rows: dict[str, Iterable[Row]] = {
        "patient": (patient(sample, patient_id) for patient_id in ids),
        "patient_journey": chain.from_iterable(patient_journeys(sample, patient_id) for patient_id in ids),
        "survey_result": ({"id": number} | row for number, row in enumerate(results, 1)),
    }
    lines = {
        **{table: copy_lines(fixed) for table, fixed in catalogue.rows(sample.device_count).items()},
        **{table: copy_lines(flawed(table, tidy)) for table, tidy in rows.items()},
        "step_result": (step_lines(sample, patient_id) for patient_id in ids),
    }
    return dump(f"a made-up msk_db: {patients} patients, {days} days, seed {seed}", lines)


def flawed(table: str, rows: Iterable[Row]) -> Iterator[Iterable[Any]]:
    """Yield the values of a table's rows; every so often the columns of its next flaw are replaced."""
    for number, row in enumerate(rows, 1):
        turn, rest = divmod(number, FLAW_EVERY[table])
        yield (row if rest else row | FLAWS[table][turn % len(FLAWS[table])]).values()


def pick(rng: random.Random, choices: Sequence[Any]) -> Any:
    """Return one of the choices; `Random.choice` is not promised to give the same on every Python."""
    return choices[rng.randrange(len(choices))]


def patient(sample: Sample, patient_id: int) -> Row:
    rng = sample.rng("patient", patient_id)
    return {"id": patient_id} | {column: pick(rng, usual) for column, usual in catalogue.PATIENT.items()}


def patient_journeys(sample: Sample, patient_id: int) -> Iterator[Row]:
    """Yield a patient's one or two rows of `patient_journey`, not yet flawed."""
    rng = sample.rng("journey", patient_id)
    for nth in range(2 if rng.random() < SECOND_JOURNEY_RATE else 1):
        operation = LAST_OPERATION - timedelta(days=rng.randrange(OPERATIONS_SPAN_DAYS))
        registration = operation - timedelta(days=rng.randrange(40, 120))
        discharge = operation + timedelta(days=rng.randrange(1, 7))
        operated = rng.random() >= NO_OPERATION_RATE
        yield {
            "id": 2 * patient_id - 1 + nth,
            "patient_id": patient_id,
            "journey_id": rng.randrange(1, len(catalogue.JOURNEYS) + 1),
            "invitation_date": registration - timedelta(days=rng.randrange(1, 22)),
            "registration_date": registration,
            "operation_date": operation if operated else None,
            "discharge_date": discharge if operated and discharge <= END_DATE else None,
            "consent_date": registration + timedelta(days=rng.randrange(10)),
            "clinician_id": rng.randrange(1, 6 + isqrt(sample.patients)),
        }


def survey_results(sample: Sample, patient_id: int) -> Iterator[Row]:
    """Yield a patient's rows of `survey_result` without their id: some activities of each journey."""
    rng = sample.rng("survey", patient_id)
    devices = [rng.randrange(1, sample.device_count + 1) for _ in range(2)]
    for journey in patient_journeys(sample, patient_id):
        plan = catalogue.PLANS[journey["journey_id"]]
        first = rng.randrange(len(plan))
        in_turn = [plan[first], *plan[first:], *plan[:first]]  # the first one twice: people do
        days = ((n, answer_day(rng, ACTIVITIES[n - 1].window, journey)) for n in in_turn)
        done = ((n, day) for n, day in days if day and day <= END_DATE)
        for activity_id, day in islice(done, pick(rng, RESULTS_PER_JOURNEY)):
            yield survey_result(rng, journey, activity_id, devices, day)


def answer_day(rng: random.Random, window: Window, journey: Row) -> date | None:
    """Return the day on which an activity is done, mostly in its window; None without a milestone date."""
    milestone: date | None = journey[f"{window.milestone}_date"]
    if milestone is None:
        return None
    luck = rng.random()
    if luck < EARLY_RATE:
        offset = window.first_day - rng.randrange(1, 10)
    elif luck < EARLY_RATE + LATE_RATE:
        offset = window.last_day + rng.randrange(1, 20)
    else:
        offset = rng.randrange(window.first_day, window.last_day + 1)
    return milestone + timedelta(days=offset)


def survey_result(rng: random.Random, journey: Row, activity_id: int, devices: list[int], day: date) -> Row:
    """Return a row of `survey_result` without its id; scores improve for half a year after the operation."""
    survey_id = ACTIVITIES[activity_id - 1].survey_id
    worst, best = SURVEYS[survey_id - 1].worst, SURVEYS[survey_id - 1].best
    days_since = (day - (journey["operation_date"] or day)).days
    share = 0.3 + 0.4 * min(max(days_since, 0), 180) / 180 + 0.3 * rng.random()
    microsecond = rng.randrange(1_000_000) if rng.random() < MICROSECOND_RATE else 0
    clock = time(rng.randrange(6, 23), rng.randrange(60), rng.randrange(60), microsecond)
    start = datetime.combine(day, clock)
    return {
        "patient_journey_id": journey["id"],
        "survey_id": survey_id,
        "activity_id": activity_id,
        "device_id": pick(rng, devices) if rng.random() >= NO_DEVICE_RATE else None,
        "score_value": int(worst + (best - worst) * share) if rng.random() >= NO_SCORE_RATE else None,
        "start_time": start,
        "end_time": start + timedelta(seconds=rng.randrange(20, 1200)),
    }


def step_lines(sample: Sample, patient_id: int) -> str:
    """Return a patient's COPY lines of `step_result`: slow weekends, a slump and recovery after surgery.

    Most lines of the file are these, so they are written at once; other tables go through `copy_lines`.
    """
    rng = sample.rng("steps", patient_id)
    chance = rng.random
    usual = 3000 + 6000 * chance()  # steps a day
    operation = next(patient_journeys(sample, patient_id))["operation_date"] or LAST_OPERATION
    before = sample.days - max(0, (END_DATE - operation).days + 1)  # days; below 0 if steps begin later
    break_at, break_days, flaw = rng.randrange(sample.days), pick(rng, STEP_BREAK_DAYS), ""
    if patient_id % STEP_FLAW_EVERY == 0:
        flaw = STEP_FLAWS[patient_id // STEP_FLAW_EVERY % len(STEP_FLAWS)].format(
            patient=patient_id, unknown=UNKNOWN + patient_id, day=sample.calendar[break_at][0]
        )
        break_days = max(break_days, 1)
    recovery = [SHARE_BEFORE] * before + SHARES_AFTER[max(0, -before) :]
    days = list(zip(sample.calendar, recovery, strict=False))
    del days[break_at : break_at + break_days]
    lines = [
        f"{patient_id}\t{day}\t{int(usual * weekday_share * recovered * (0.5 + luck))}\n"
        for (day, weekday_share), recovered in days
        if (luck := chance()) >= STEP_MISSING_RATE
    ]
    return "".join(lines) + flaw
