"""What the made-up msk_db holds whatever its seed: the catalogues, their oddities among their rows."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Window(NamedTuple):
    """When patients answer: the first and last day, counted from a date of their patient journey."""

    milestone: str
    first_day: int
    last_day: int


class Survey(NamedTuple):
    """A questionnaire, its worst and best score, its joint, and the content of the activities that use it."""

    slug: str
    version: str | None
    tags: tuple[str, ...] | None
    worst: int
    best: int
    joint: str  # empty: any
    contents: tuple[str | None, ...]


class Activity(NamedTuple):
    content_slug: str | None
    survey_id: int
    schedule_id: int | None
    window: Window


UNKNOWN = 900_000_000  # no table has this id nor a higher one

PATIENT = {
    "age_bracket": ("18-29", "30-44", "45-59", "60-69", "60-69", "70-79", "70-79", "80+"),
    "sex": ("female", "female", "female", "male", "male", "male", "F", "unknown"),
    "hospital": ("General Hospital", "Northside Clinic", "St. Anne", "University Hospital"),
}
UNTIDY_HOSPITALS = (
    'St. Mary\'s "East" Wing', "Ward\t7", "North\nCampus", "South\r\nCampus", r"C:\clinic\new", r"\N", r"\.",
    "City Hospital 🏥", "Hôpital Saint-Éloi", "  Zürich ", "", None,
)  # fmt: skip
UNTIDY_STEPS = ("n/a", "", "12.5", "1,024", "NaN", "-40", "99999999999", " 5120 ", "007", "twelve 👟", r"\N")

# What a slug means is the parser's to tell; this only says when such a slug is answered. One slug is null.
WINDOWS = r"""
operation       7  10  7d-10d-post-op, 10d-7d-post-op, 7D-10D-POST-OP, knee-7d-10d-post-op
operation       7  10  7d-10d-post-op-hip-left
operation       7  14  7d-op, 7d-post-surgery, 7d-10d-14d-post-op, 7d-post-op-2
operation     -14  -7  14d-7d-pre-op, 7d-14d-pre-op
operation     -30   0  30d-1d-pre-surgery, pre-op, 3d-preop
operation       0   0  0d-op, op-day, day-of-op
operation       1   7  day-1-post-op, 3d-postop, post-op, weekly-post-op
operation      14  28  2w-4w-po, 2-4w-post-op, 2w-to-4w-post-op
operation      14  28  2w_post_op, 2w post op, 2w.post.op, Week_2_Post_Op
operation      42  56  6w-po, 6w-8w-post-op, 6weeks-post-op, 6-weeks-post-op, week-6-post-op
operation      42  56  w6-post-op, 6w+-post-op
operation      90 180  3m-6m-post-op, 12w-24w-after-surgery
operation     365 730  1y-2y-po
registration    0  14  7d-opt-in-reg, 0d-14d-post-registration
registration   30  44  1m-post-reg
discharge       0  30  post-discharge, 30d-post-dis
consent        -7   0  7d-before-consent
invitation      2   9  2d-after-invite
registration    0  60  3d-pre-appt, 5d-0d-pre-appt, 7d-drop-in, 7d-10d-checkup, 6w-review, 7d
registration    0  60  baseline, on-demand, op, , \N, 7x-post-op, 99999999999d-post-op, 101y-post-op
"""  # the last two lines: no milestone, one the source has no date for, or no schedule at all
SCHEDULES = [
    (None if slug == r"\N" else slug, Window(milestone, int(first), int(last)))
    for milestone, first, last, slugs in (line.split(maxsplit=3) for line in WINDOWS.strip().split("\n"))
    for slug in slugs.split(", ")
]

JOURNEYS = (
    ("THR", "hip-left"), ("THR", "hip-right"), ("TKR", "knee-left"), ("TKR", "knee-right"),
    ("ACL", "knee-right"), ("RCR", "shoulder-left"), ("TSR", "shoulder-right"), ("ACDF", "spine-cervical"),
    ("LSF", "spine-lumbar"), ("TAR", "ankle-left"), ("thr ", "Hip_Left"), ('"Fast\ttrack" 🦴', None),
)  # fmt: skip
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

CONTENTS = [(content, number) for number, survey in enumerate(SURVEYS, 1) for content in survey.contents]
SLOTS = [(number, window) for number, (_, window) in enumerate(SCHEDULES, 1)]
EXERCISE_LOG = dict(CONTENTS)["exercise-walking"]
ACTIVITIES = [  # contents and schedules, both in turn until each is in use; the last two lack a schedule
    *(Activity(*CONTENTS[n % len(CONTENTS)], *SLOTS[n % len(SLOTS)]) for n in range(80)),
    Activity("exercise-of-a-deleted-schedule", EXERCISE_LOG, UNKNOWN, Window("operation", 1, 60)),
    Activity("exercise-without-schedule", EXERCISE_LOG, None, Window("operation", 1, 60)),
]
JOINTS = [SURVEYS[activity.survey_id - 1].joint for activity in ACTIVITIES]
PLANS = {  # journey → its activities: all for its joint, and a quarter of those for any joint
    journey: [n for n, its in enumerate(JOINTS, 1) if (its in joint if its else (n + journey) % 4 == 0)]
    for journey, joint in enumerate(((joint or "").lower() for _, joint in JOURNEYS), 1)
}
UNTIDY_DEVICES = (("iOS", None), (None, None), ('Android "Go"', "5.1\\beta"), ("ios", "iOS 17.5 (21F79)"))


def rows(device_count: int) -> dict[str, Iterable[tuple[Any, ...]]]:
    """Return the rows of each table that is the same for every seed."""
    pairs = [(journey_id, number) for journey_id, plan in PLANS.items() for number in plan]
    devices = (
        ("Android", str(8 + n // 2 % 7)) if n % 2 else ("iOS", f"{12 + n // 2 % 6}.{n // 12 % 8}")
        for n in range(device_count - len(UNTIDY_DEVICES))
    )
    return {
        "schedule": ((n, slug) for n, (slug, _) in enumerate(SCHEDULES, 1)),
        "activity": ((n, row.content_slug, row.schedule_id) for n, row in enumerate(ACTIVITIES, 1)),
        "journey": ((n, *row) for n, row in enumerate(JOURNEYS, 1)),
        "journey_activity": [*pairs, *pairs[:2], (1, UNKNOWN), (UNKNOWN, 1), (None, 1), (1, None)],
        "device": ((n, *row) for n, row in enumerate((*UNTIDY_DEVICES, *devices), 1)),
        "survey": ((n, row.slug, row.version, row.tags) for n, row in enumerate(SURVEYS, 1)),
    }
