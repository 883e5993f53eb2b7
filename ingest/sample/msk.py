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
from typing import Any, NamedTuple

Row = dict[str, Any]  # column → value, in the order of the table's columns

# --- What is usual

END_DATE = date(2024, 6, 30)  # the last day on which anything happened
LAST_OPERATION = END_DATE + timedelta(days=30)  # some operations are booked, not yet done
OPERATIONS_SPAN_DAYS = 430
RECOVERY_DAYS = 120  # from the operation until a patient walks more than before
RESULTS_PER_JOURNEY = range(9, 14)  # or fewer, where fewer were due by END_DATE
STEP_BREAK_DAYS = range(3)  # one break in each patient's series: the phone was left at home
SECOND_JOURNEY_RATE = 0.25  # of patients
NO_OPERATION_RATE = 0.06  # of patient journeys
EARLY_RATE = 0.07  # of survey results; what is neither early nor late falls in its window
LATE_RATE = 0.12
NO_DEVICE_RATE = 0.05
NO_SCORE_RATE = 0.04
MICROSECOND_RATE = 0.1
STEP_MISSING_RATE = 0.008  # of days

# --- What is untidy

UNKNOWN = 900_000_000  # no table has this id nor a higher one
UNTIDY_NAMES = (
    'St. Mary\'s "East" Wing', "Ward\t7", "North\nCampus", "South\r\nCampus", r"C:\clinic\new", r"\N", r"\.",
    "City Hospital 🏥", "Hôpital Saint-Éloi", "  Zürich ", "", None,
)  # fmt: skip
PATIENT_FLAW_EVERY = 15  # rows
PATIENT_FLAWS: tuple[Row, ...] = (
    *({"hospital": name} for name in UNTIDY_NAMES),
    {"age_bracket": None, "sex": None},
)
PATIENT_JOURNEY_FLAW_EVERY = 20  # rows
PATIENT_JOURNEY_FLAWS: tuple[Row, ...] = (
    *({column: UNKNOWN} for column in ("patient_id", "journey_id")),
    *({column: None} for column in ("patient_id", "journey_id", "invitation_date", "registration_date")),
    *({column: None} for column in ("operation_date", "discharge_date", "consent_date", "clinician_id")),
)
SURVEY_RESULT_FLAW_EVERY = 80  # rows
SURVEY_RESULT_FLAWS: tuple[Row, ...] = (
    *({column: UNKNOWN} for column in ("patient_journey_id", "survey_id", "activity_id", "device_id")),
    *({column: None} for column in ("patient_journey_id", "survey_id", "activity_id")),
    *({column: None} for column in ("start_time", "end_time")),
    {"end_time": datetime.combine(date(1970, 1, 1), time(1))},  # a clock never set: it ends before it starts
)
STEP_FLAW_EVERY = 3  # patients, each of whom has one flawed day
STEP_FLAW_VALUES = (
    "n/a", "", "12.5", "1,024", "NaN", "-40", "99999999999", " 5120 ", "007", "twelve 👟", r"\N",
)  # fmt: skip
STEP_FLAWS = (  # the COPY lines that stand in for that day
    *(f"{{patient}}\t{{day}}\t{value}\n" for value in STEP_FLAW_VALUES),
    "{patient}\t{day}\t4200\n{patient}\t{day}\t4200\n",
    "{patient}\t{day}\t4200\n{patient}\t{day}\t6100\n{patient}\t{day}\tn/a\n",
    "{unknown}\t{day}\t2048\n",
    "\\N\t{day}\t512\n",
    "{patient}\t\\N\t512\n",
)

# --- The catalogues: the same for every seed


class Window(NamedTuple):
    """When patients answer: the first and last day, counted from a date of their patient journey."""

    milestone: str
    first_day: int
    last_day: int


# What a slug means is the parser's to tell; this only says when such a slug is answered. One slug is null.
SLUGS_BY_WINDOW: dict[Window, tuple[str | None, ...]] = {
    Window("operation", 7, 10): (
        "7d-10d-post-op", "10d-7d-post-op", "7D-10D-POST-OP", "knee-7d-10d-post-op",
        "7d-10d-post-op-hip-left",
    ),
    Window("operation", 7, 14): ("7d-op", "7d-post-surgery", "7d-10d-14d-post-op", "7d-post-op-2"),
    Window("operation", -14, -7): ("14d-7d-pre-op", "7d-14d-pre-op"),
    Window("operation", -30, 0): ("30d-1d-pre-surgery", "pre-op", "3d-preop"),
    Window("operation", 0, 0): ("0d-op", "op-day", "day-of-op"),
    Window("operation", 1, 7): ("day-1-post-op", "3d-postop", "post-op", "weekly-post-op"),
    Window("operation", 14, 28): (
        "2w-4w-po", "2-4w-post-op", "2w-to-4w-post-op", "2w_post_op", "2w post op", "2w.post.op",
        "Week_2_Post_Op",
    ),
    Window("operation", 42, 56): (
        "6w-po", "6w-8w-post-op", "6weeks-post-op", "6-weeks-post-op", "week-6-post-op", "w6-post-op",
        "6w+-post-op",
    ),
    Window("operation", 90, 180): ("3m-6m-post-op", "12w-24w-after-surgery"),
    Window("operation", 365, 730): ("1y-2y-po",),
    Window("registration", 0, 14): ("7d-opt-in-reg", "0d-14d-post-registration"),
    Window("registration", 30, 44): ("1m-post-reg",),
    Window("discharge", 0, 30): ("post-discharge", "30d-post-dis"),
    Window("consent", -7, 0): ("7d-before-consent",),
    Window("invitation", 2, 9): ("2d-after-invite",),
    # No milestone, one the source has no date for, or no schedule at all: some time after registration.
    Window("registration", 0, 60): (
        "3d-pre-appt", "5d-0d-pre-appt", "7d-drop-in", "7d-10d-checkup", "6w-review", "7d", "baseline",
        "on-demand", "op", "", None, "7x-post-op", "99999999999d-post-op", "101y-post-op",
    ),
}  # fmt: skip
SCHEDULES = [(slug, window) for window, slugs in SLUGS_BY_WINDOW.items() for slug in slugs]

JOURNEYS = (
    ("THR", "hip-left"), ("THR", "hip-right"), ("TKR", "knee-left"), ("TKR", "knee-right"),
    ("ACL", "knee-right"), ("RCR", "shoulder-left"), ("TSR", "shoulder-right"), ("ACDF", "spine-cervical"),
    ("LSF", "spine-lumbar"), ("TAR", "ankle-left"), ("thr ", "Hip_Left"), ('"Fast\ttrack" 🦴', None),
)  # fmt: skip


class Survey(NamedTuple):
    """A questionnaire, its worst and best score, its joint, and the content of the activities that use it."""

    slug: str
    version: str | None
    tags: tuple[str, ...] | None
    worst: int
    best: int
    joint: str  # empty: any
    contents: tuple[str | None, ...]


SURVEYS = (
    Survey("oxford-hip-score", "2.1", ("prom", "hip"), 0, 48, "hip", ("oxford-hip-score", "hip-check")),
    Survey("oxford-knee-score", "2.1", ("prom", "knee"), 0, 48, "knee", ("oxford-knee-score", "knee-check")),
    Survey("oxford-shoulder", "1.4", ("prom",), 0, 48, "shoulder", ("oxford-shoulder-score", "sling-check")),
    Survey("oswestry", "2.1a", ("two words",), 100, 0, "spine", ("oswestry-disability", "lifting-check")),
    Survey("foot-ankle-outcome", "1", ("NULL", ""), 0, 100, "ankle", ("foot-ankle-outcome", "boot-check")),
    Survey("eq-5d-5l", "5L 1.2", ('say "hi"', "comma, brace}"), 0, 100, "", ("eq-5d-5l", "eq-5d-5l-short")),
    Survey("pain-vas", "3", ("back\\slash", "tab\t", "é"), 10, 0, "", ("pain-vas", "pain-night", "pain-sit")),
    Survey("promis-global-10", "1.2", (), 4, 20, "", ("promis-global-10", "sleep-check", "mood-check")),
    Survey("wound-check", "2", None, 5, 0, "", ("wound-check", "wound-photo", "dressing-change")),
    Survey("exercise-log", "4.0.1", ("daily",), 0, 10, "", (
        "exercise-heel-slides", "exercise-quad-sets", "exercise-ankle-pumps", "exercise-bridges",
        "exercise-step-ups", "exercise-walking", "exercise-balance", "exercise-stretching",
        "exercise-breathing", "Exercise_Sit_To_Stand",
    )),
    Survey("lesson-feedback", "", ("education",), 1, 5, "", (
        "education-before-surgery", "education-anaesthesia", "education-pain-relief", "education-going-home",
        "education-returning-to-work", "education-falls", "education-nutrition", 'education "next?" \\ 💬',
    )),
    Survey("Satisfaction_Survey", None, None, 0, 10, "", ("satisfaction", None)),
)  # fmt: skip


class Activity(NamedTuple):
    """An activity, the survey filled in for it, and when it is."""

    content_slug: str | None
    schedule_id: int | None
    survey_id: int
    window: Window


def _activities() -> Iterator[Activity]:
    """Pair contents with schedules, both in turn; the last two activities have no schedule that exists."""
    contents = [(content, number) for number, survey in enumerate(SURVEYS, 1) for content in survey.contents]
    for number in range(80):  # more than there are schedules, so that each is in use
        (content, survey_id), schedule = contents[number % len(contents)], number % len(SCHEDULES)
        yield Activity(content, schedule + 1, survey_id, SCHEDULES[schedule][1])
    exercise = dict(contents)["exercise-walking"]
    yield Activity("exercise-of-a-deleted-schedule", UNKNOWN, exercise, Window("operation", 1, 60))
    yield Activity("exercise-without-schedule", None, exercise, Window("operation", 1, 60))


def _plan(journey_id: int, joint: str) -> list[int]:
    """Return the ids of a journey's activities: all for its joint, and a quarter of those for any joint."""
    joints = {number: SURVEYS[activity.survey_id - 1].joint for number, activity in ACTIVITIES.items()}
    return [n for n, its in joints.items() if (its in joint if its else (n + journey_id) % 4 == 0)]


ACTIVITIES = dict(enumerate(_activities(), 1))
PLANS = {number: _plan(number, (joint or "").lower()) for number, (_, joint) in enumerate(JOURNEYS, 1)}
TIDY_JOURNEY_ACTIVITIES = [(journey_id, number) for journey_id, plan in PLANS.items() for number in plan]
UNTIDY_JOURNEY_ACTIVITIES = [*TIDY_JOURNEY_ACTIVITIES[:2], (1, UNKNOWN), (UNKNOWN, 1), (None, 1), (1, None)]
UNTIDY_DEVICES = (("iOS", None), (None, None), ('Android "Go"', "5.1\\beta"), ("ios", "iOS 17.5 (21F79)"))

# --- The rows


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
        """Return the number of devices; it grows slowly, as patients own the same few models."""
        return 2 * len(UNTIDY_DEVICES) + isqrt(self.patients)

    @cached_property
    def calendar(self) -> list[tuple[str, float]]:
        """Return the days with steps, each with the share of the usual steps walked on such a weekday."""
        weekday_shares = (1.0, 1.04, 1.02, 1.05, 1.1, 0.92, 0.74)  # Monday first
        days = (END_DATE - timedelta(days=ago) for ago in reversed(range(self.days)))
        return [(day.isoformat(), weekday_shares[day.weekday()]) for day in days]

    @cached_property
    def recovery(self) -> list[float]:
        """Return the share of the usual steps walked each day, that of the operation at index `days`."""
        climb = [0.12 + 0.95 * day / RECOVERY_DAYS for day in range(RECOVERY_DAYS)]
        return [0.8] * self.days + climb + [1.07] * OPERATIONS_SPAN_DAYS


def pick(rng: random.Random, choices: Sequence[Any]) -> Any:
    """Return one of the choices; `Random.choice` is not promised to give the same on every Python."""
    return choices[rng.randrange(len(choices))]


def devices(number: int) -> Iterator[tuple[str | None, str | None]]:
    """Yield the platform and version of `number` devices; several have the same."""
    yield from UNTIDY_DEVICES
    for n in range(number - len(UNTIDY_DEVICES)):
        yield ("Android", str(8 + n // 2 % 7)) if n % 2 else ("iOS", f"{12 + n // 2 % 6}.{n // 12 % 8}")


def patient(sample: Sample, patient_id: int) -> Row:
    """Return a row of `patient`."""
    rng = sample.rng("patient", patient_id)
    return {
        "id": patient_id,
        "age_bracket": pick(rng, ("18-29", "30-44", "45-59", "60-69", "60-69", "70-79", "70-79", "80+")),
        "sex": pick(rng, ("female", "female", "female", "male", "male", "male", "F", "unknown")),
        "hospital": pick(rng, ("General Hospital", "Northside Clinic", "St. Anne", "University Hospital")),
    }


def patient_journeys(sample: Sample, patient_id: int) -> list[Row]:
    """Return a patient's one or two rows of `patient_journey`, not yet flawed."""
    rng = sample.rng("journey", patient_id)
    rows = []
    for nth in range(2 if rng.random() < SECOND_JOURNEY_RATE else 1):
        operation = LAST_OPERATION - timedelta(days=rng.randrange(OPERATIONS_SPAN_DAYS))
        registration = operation - timedelta(days=rng.randrange(40, 120))
        discharge = operation + timedelta(days=rng.randrange(1, 7))
        operated = rng.random() >= NO_OPERATION_RATE
        row = {
            "id": 2 * patient_id - 1 + nth,
            "patient_id": patient_id,
            "journey_id": rng.randrange(1, len(JOURNEYS) + 1),
            "invitation_date": registration - timedelta(days=rng.randrange(1, 22)),
            "registration_date": registration,
            "operation_date": operation if operated else None,
            "discharge_date": discharge if operated and discharge <= END_DATE else None,
            "consent_date": registration + timedelta(days=rng.randrange(10)),
            "clinician_id": rng.randrange(1, 6 + isqrt(sample.patients)),
        }
        rows.append(row)
    return rows


def survey_results(sample: Sample, patient_id: int) -> Iterator[Row]:
    """Yield a patient's rows of `survey_result` without their id: some activities of each journey."""
    rng = sample.rng("survey", patient_id)
    own_devices = [rng.randrange(1, sample.device_count + 1) for _ in range(2)]
    for journey in patient_journeys(sample, patient_id):
        plan = PLANS[journey["journey_id"]]
        first = rng.randrange(len(plan))
        in_turn = [plan[first], *plan[first:], *plan[:first]]  # the first one twice: people do
        days = ((n, answer_day(rng, ACTIVITIES[n].window, journey)) for n in in_turn)
        done = ((n, day) for n, day in days if day and day <= END_DATE)
        for activity_id, day in islice(done, pick(rng, RESULTS_PER_JOURNEY)):
            yield survey_result(rng, journey, activity_id, own_devices, day)


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


def survey_result(
    rng: random.Random, journey: Row, activity_id: int, own_devices: Sequence[int], day: date
) -> Row:
    """Return a row of `survey_result` without its id; scores improve for half a year after the operation."""
    survey_id = ACTIVITIES[activity_id].survey_id
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
        "device_id": pick(rng, own_devices) if rng.random() >= NO_DEVICE_RATE else None,
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
    operation = patient_journeys(sample, patient_id)[0]["operation_date"] or LAST_OPERATION
    shift = max(0, (END_DATE - operation).days + 1)
    break_at, break_days, flaw = rng.randrange(sample.days), pick(rng, STEP_BREAK_DAYS), ""
    if patient_id % STEP_FLAW_EVERY == 0:
        flaw = STEP_FLAWS[patient_id // STEP_FLAW_EVERY % len(STEP_FLAWS)].format(
            patient=patient_id, unknown=UNKNOWN + patient_id, day=sample.calendar[break_at][0]
        )
        break_days = max(break_days, 1)
    days = list(zip(sample.calendar, sample.recovery[shift : shift + sample.days], strict=True))
    del days[break_at : break_at + break_days]
    lines = [
        f"{patient_id}\t{day}\t{int(usual * weekday_share * recovered * (0.5 + luck))}\n"
        for (day, weekday_share), recovered in days
        if (luck := chance()) >= STEP_MISSING_RATE
    ]
    return "".join(lines) + flaw


# --- The file

TABLES = {  # as delivered; a `pk` gets its constraint after the rows, as pg_dump does it
    "schedule": "id pk, slug varchar",
    "activity": "id pk, content_slug varchar, schedule_id int",
    "journey": "id pk, abbreviation varchar, joint_slug varchar",
    "journey_activity": "journey_id int, activity_id int",
    "patient": "id pk, age_bracket varchar, sex varchar, hospital varchar",
    "patient_journey": "id pk, patient_id int, journey_id int, invitation_date date, registration_date date, "
    "operation_date date, discharge_date date, consent_date date, clinician_id int",
    "device": "id pk, platform varchar, os_version varchar",
    "survey": "id pk, slug varchar, version varchar, tags varchar[]",
    "step_result": "patient_id int, date date, value varchar",
    "survey_result": "id pk, patient_journey_id int, survey_id int, activity_id int, device_id int, "
    "score_value int, start_time timestamp, end_time timestamp",
}
SQL_TYPES = {
    "pk": "integer NOT NULL",
    "int": "integer",
    "date": "date",
    "timestamp": "timestamp without time zone",
    "varchar": "character varying",
    "varchar[]": "character varying[]",
}
HEADER = """\
--
-- PostgreSQL database dump of a made-up msk_db: {patients} patients, {days} days, seed {seed}
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;

"""
COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def msk_sql(patients: int, days: int, seed: int) -> Iterator[str]:
    """Yield the file piece by piece: the tables, their rows, their keys.

    `patients` is the number of rows of `patient`, `days` the number of days up to END_DATE with steps; both
    are at least 1.
    """
    yield HEADER.format(patients=patients, days=days, seed=seed)
    for table, spec in TABLES.items():
        body = ",\n".join(f"    {name} {SQL_TYPES[kind]}" for name, kind in columns(spec))
        yield f"CREATE TABLE public.{table} (\n{body}\n);\n\n"
    for table, lines in table_lines(Sample(patients, days, seed)).items():
        yield f"COPY public.{table} ({', '.join(name for name, _ in columns(TABLES[table]))}) FROM stdin;\n"
        yield from lines
        yield "\\.\n\n"
    for table, spec in TABLES.items():
        if ("id", "pk") in columns(spec):
            yield f"ALTER TABLE ONLY public.{table}\n    ADD CONSTRAINT {table}_pkey PRIMARY KEY (id);\n\n"
    yield "--\n-- PostgreSQL database dump complete\n--\n"


def columns(spec: str) -> list[tuple[str, str]]:
    """Return the names and types of the columns that a text of TABLES describes."""
    return [(name, kind) for name, kind in (column.split() for column in spec.split(", "))]


def table_lines(sample: Sample) -> dict[str, Iterator[str]]:
    """Return the COPY lines of each table, to be made as they are read."""
    ids = range(1, sample.patients + 1)
    patients = (patient(sample, patient_id) for patient_id in ids)
    journeys = chain.from_iterable(patient_journeys(sample, patient_id) for patient_id in ids)
    results = chain.from_iterable(survey_results(sample, patient_id) for patient_id in ids)
    results_with_id = ({"id": number} | row for number, row in enumerate(results, 1))
    return {
        "schedule": copy_lines((n, slug) for n, (slug, _) in enumerate(SCHEDULES, 1)),
        "activity": copy_lines((n, row.content_slug, row.schedule_id) for n, row in ACTIVITIES.items()),
        "journey": copy_lines((n, *row) for n, row in enumerate(JOURNEYS, 1)),
        "journey_activity": copy_lines(chain(TIDY_JOURNEY_ACTIVITIES, UNTIDY_JOURNEY_ACTIVITIES)),
        "patient": copy_lines(flawed(patients, PATIENT_FLAW_EVERY, PATIENT_FLAWS)),
        "patient_journey": copy_lines(flawed(journeys, PATIENT_JOURNEY_FLAW_EVERY, PATIENT_JOURNEY_FLAWS)),
        "device": copy_lines((n, *row) for n, row in enumerate(devices(sample.device_count), 1)),
        "survey": copy_lines((n, row.slug, row.version, row.tags) for n, row in enumerate(SURVEYS, 1)),
        "step_result": (step_lines(sample, patient_id) for patient_id in ids),
        "survey_result": copy_lines(flawed(results_with_id, SURVEY_RESULT_FLAW_EVERY, SURVEY_RESULT_FLAWS)),
    }


def flawed(rows: Iterable[Row], every: int, flaws: Sequence[Row]) -> Iterator[Iterable[Any]]:
    """Yield the values of rows; in every `every`-th of them the columns of the next flaw are replaced."""
    for number, row in enumerate(rows, 1):
        turn, rest = divmod(number, every)
        yield (row if rest else row | flaws[turn % len(flaws)]).values()


def copy_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield each row as a line of COPY's text format."""
    return ("\t".join(map(copy_text, row)) + "\n" for row in rows)


def copy_text(value: int | str | date | datetime | tuple[str, ...] | None) -> str:
    r"""Return a value as COPY reads it: `\N` for null, else escaped, a tuple as an array."""
    if value is None:
        return r"\N"
    text = array_literal(value) if isinstance(value, tuple) else str(value)
    return text.translate(COPY_ESCAPES)


def array_literal(items: Iterable[str]) -> str:
    """Return a PostgreSQL array. Every item is quoted, which also keeps an item `NULL` from being a null."""
    quoted = ('"' + item.replace("\\", r"\\").replace('"', r"\"") + '"' for item in items)
    return "{" + ",".join(quoted) + "}"
