"""The star worked out a second time, row by row in Python from the design's sentences, to hold the SQL against.

It shares nothing with the product but the slug parser. A star is a dict of tables; a table is a dict from its key to
the rest of its row, and `rejected_row` one from (source table, source key) to the reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ingest.slugs import parse_slug

Row = tuple[Any, ...]
EPOCH = date(1, 1, 1)

SOURCE_TABLES = {
    "schedule": "id, slug",
    "activity": "id, content_slug, schedule_id",
    "journey": "id, abbreviation, joint_slug",
    "journey_activity": "journey_id, activity_id",
    "patient": "id, age_bracket, sex, hospital",
    "patient_journey": "id, patient_id, journey_id, invitation_date::text, registration_date::text, "
    "operation_date::text, discharge_date::text, consent_date::text, clinician_id",
    "device": "id, platform, os_version",
    "survey": "id, slug, version, tags",
    "step_result": "patient_id, date::text, value",
    "survey_result": "id, patient_journey_id, survey_id, activity_id, device_id, score_value, "
    "start_time::text, end_time::text",
}
STAR_TABLES = {
    "patient_dimension": "patient_id, age_bracket, sex, hospital",
    "journey_dimension": "journey_id, abbreviation, joint_slug, joint",
    "device_dimension": "device_id, platform, os_version",
    "survey_dimension": "survey_id, slug, version, tags",
    "schedule_dimension": "schedule_id, slug, parse_status, milestone_slug, offset_start_days, offset_end_days, "
    "qualifier, parse_note",
    "activity_dimension": "activity_id, content_slug, schedule_id",
    "journey_activity_bridge": "id, journey_id, activity_id",
    "patient_journey_fact": "patient_journey_id, patient_id, journey_id, clinician_id, invitation_date, "
    "registration_date, consent_date, operation_date, discharge_date, days_invitation_to_registration, "
    "days_registration_to_operation, days_operation_to_discharge",
    "step_result_fact": "id, patient_id, date, steps",
    "survey_result_fact": "survey_result_id, patient_journey_id, patient_id, survey_id, activity_id, device_id, "
    "score_value, start_time, end_time, duration_seconds",
    "patient_journey_schedule_window": "id, patient_id, patient_journey_id, activity_id, activity_content_slug, "
    "schedule_id, schedule_slug, schedule_start_offset_days, schedule_end_offset_days, schedule_milestone_slug, "
    "milestone_date, window_start_date, window_end_date",
    "activity_completion_fact": "survey_result_id, patient_journey_id, patient_id, activity_id, completed_date, "
    "status, days_from_window",
    "adherence_fact": "id, patient_id, patient_journey_id, activity_id, window_start_date, window_end_date, "
    "first_in_window_date, first_late_date, first_early_date",
}


def stream(connection: Any, query: str) -> Iterator[Row]:
    """Yield the rows of a query without holding them all."""
    connection.autocommit = False
    try:
        with connection.cursor(name="rows") as cursor:
            cursor.itersize = 20_000
            cursor.execute(query)
            yield from cursor
    finally:
        connection.rollback()
        connection.autocommit = True


def read_star(connection: Any) -> dict[str, dict[Any, Any]]:
    """Return the star as it is."""
    with connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")
    star: dict[str, dict[Any, Any]] = {
        table: {row[0]: row[1:] for row in stream(connection, f"select {columns} from {table}")}
        for table, columns in STAR_TABLES.items()
    }
    rejects = stream(connection, "select source_table, source_key, reason from rejected_row")
    star["rejected_row"] = {(table, key): reason for table, key, reason in rejects}
    return star


def recompute(connection: Any) -> dict[str, dict[Any, Any]]:
    """Return the star as it should be for the source behind `connection`."""
    return Recomputation(connection).star()


@dataclass
class Recomputation:
    connection: Any
    rejected: dict[tuple[str, str], str] = field(default_factory=dict)

    def star(self) -> dict[str, dict[Any, Any]]:
        star: dict[str, dict[Any, Any]] = {}
        for name in ("patient", "journey", "device", "survey"):
            star[f"{name}_dimension"] = {row[0]: row[1:] for row, _ in self.keyed(name)}
        star["journey_dimension"] = {
            key: (abbreviation, slug, slug if slug is None else re.split("[-_]", slug)[0].strip(" ").lower())
            for key, (abbreviation, slug) in star["journey_dimension"].items()
        }
        star["schedule_dimension"] = schedules = {row[0]: self.schedule(row) for row, _ in self.keyed("schedule")}
        star["activity_dimension"] = activities = {}
        for (key, content, schedule), occurrence in self.keyed("activity"):
            if schedule is not None and schedule not in schedules:
                self.reject("activity", key, occurrence, "orphan")
                schedule = None
            activities[key] = (content, schedule)
        star["journey_activity_bridge"] = self.bridge(star["journey_dimension"], activities)
        star["patient_journey_fact"] = self.patient_journeys(star["patient_dimension"], star["journey_dimension"])
        star["step_result_fact"] = self.steps(star["patient_dimension"])
        star["survey_result_fact"] = self.survey_results(star)
        star["patient_journey_schedule_window"] = windows = self.windows(star)
        star["activity_completion_fact"] = {
            key: self.completion(row, windows) for key, row in star["survey_result_fact"].items()
        }
        star["adherence_fact"] = self.adherence(windows, star["activity_completion_fact"])
        star["rejected_row"] = self.rejected
        return star

    def reject(self, table: str, key: Any, occurrence: int, reason: str) -> None:
        name = "null" if key is None else str(key)
        self.rejected[table, name if occurrence == 1 else f"{name}#{occurrence}"] = reason

    def keyed(self, table: str) -> Iterator[tuple[Row, int]]:
        """Yield the first row of each id, in the order of the row's text; list the others."""
        seen: dict[Any, int] = defaultdict(int)
        query = f'select {SOURCE_TABLES[table]} from {table} t order by t.id, t::text collate "C"'
        for row in stream(self.connection, query):
            seen[row[0]] += 1
            if row[0] is None or seen[row[0]] > 1:
                self.reject(table, row[0], seen[row[0]], "missing_key" if row[0] is None else "duplicate")
            else:
                yield row, 1

    def schedule(self, row: Row) -> Row:
        parsed = parse_slug(row[1] or "")
        return (
            row[1],
            parsed.parse_status,
            parsed.milestone_slug,
            parsed.offset_start_days,
            parsed.offset_end_days,
            parsed.qualifier,
            parsed.parse_note,
        )

    def admit(self, table: str, key: Any, occurrence: int, reason: str | None) -> bool:
        """List the row if there is a reason to, and tell whether it enters."""
        if reason:
            self.reject(table, key, occurrence, reason)
        return reason is None

    def bridge(self, journeys: dict[int, Row], activities: dict[int, Row]) -> dict[int, Row]:
        table: dict[int, Row] = {}
        seen: dict[Row, int] = defaultdict(int)
        for journey, activity in stream(self.connection, "select journey_id, activity_id from journey_activity"):
            seen[journey, activity] += 1
            occurrence = seen[journey, activity]
            reason = None
            if journey is None or activity is None:
                reason = "missing_key"
            elif journey not in journeys or activity not in activities:
                reason = "orphan"
            elif occurrence > 1:
                reason = "duplicate"
            name = "/".join("null" if part is None else str(part) for part in (journey, activity))
            if self.admit("journey_activity", name, occurrence, reason):
                table[row_id(journey, activity)] = (journey, activity)
        return table

    def patient_journeys(self, patients: dict[int, Row], journeys: dict[int, Row]) -> dict[int, Row]:
        table: dict[int, Row] = {}
        for (key, patient, journey, *texts, clinician), occurrence in self.keyed("patient_journey"):
            invitation, registration, operation, discharge, consent = days = [as_date(text) for text in texts]
            reason = None
            if patient is None or journey is None:
                reason = "missing_key"
            elif any(text is not None and day is None for text, day in zip(texts, days, strict=True)):
                reason = "out_of_range"
            elif patient not in patients or journey not in journeys:
                reason = "orphan"
            if self.admit("patient_journey", key, occurrence, reason):
                table[key] = (
                    patient,
                    journey,
                    clinician,
                    invitation,
                    registration,
                    consent,
                    operation,
                    discharge,
                    days_between(invitation, registration),
                    days_between(registration, operation),
                    days_between(operation, discharge),
                )
        return table

    def steps(self, patients: dict[int, Row]) -> dict[int, Row]:
        table: dict[int, Row] = {}
        group: list[Row] = []
        query = 'select patient_id, date::text, value from step_result order by patient_id, date, value collate "C"'
        for row in stream(self.connection, query):
            if group and group[0][:2] != row[:2]:
                self.patient_day(group, patients, table)
                group = []
            group.append(row)
        if group:
            self.patient_day(group, patients, table)
        return table

    def patient_day(self, group: list[Row], patients: dict[int, Row], table: dict[int, Row]) -> None:
        """Enter the highest valid of the rows of a patient's day, list the others."""
        patient, day_text, _ = group[0]
        day = as_date(day_text)
        checked = []
        for _, _, value in group:
            steps, reason = as_steps(value)
            if patient is None or day_text is None:
                reason = "missing_key"
            elif reason is None and day is None:
                reason = "out_of_range"
            elif reason is None and patient not in patients:
                reason = "orphan"
            checked.append((steps if reason is None else -1, reason))
        checked.sort(key=lambda one: -one[0])  # stable: the rest stays in the order of its text
        name = "/".join("null" if part is None else str(part) for part in (patient, day_text))
        for occurrence, (steps, reason) in enumerate(checked, 1):
            if reason is None and occurrence > 1:
                reason = "duplicate"
            if self.admit("step_result", name, occurrence, reason):
                assert day is not None
                table[row_id(patient, (day - EPOCH).days)] = (patient, day, steps)

    def survey_results(self, star: dict[str, dict[Any, Any]]) -> dict[int, Row]:
        table: dict[int, Row] = {}
        journeys = star["patient_journey_fact"]
        for (key, journey, survey, activity, device, score, start_text, end_text), occurrence in self.keyed(
            "survey_result"
        ):
            start, end = as_time(start_text), as_time(end_text)
            reason = None
            if None in (journey, survey, activity, start_text, end_text):
                reason = "missing_key"
            elif start is None or end is None:
                reason = "out_of_range"
            elif end < start:
                reason = "end_before_start"
            elif (
                journey not in journeys
                or survey not in star["survey_dimension"]
                or activity not in star["activity_dimension"]
                or (device is not None and device not in star["device_dimension"])
            ):
                reason = "orphan"
            if self.admit("survey_result", key, occurrence, reason):
                assert start is not None
                assert end is not None
                table[key] = (
                    journey,
                    journeys[journey][0],
                    survey,
                    activity,
                    device,
                    score,
                    start,
                    end,
                    (end - start) // timedelta(seconds=1),
                )
        return table

    def windows(self, star: dict[str, dict[Any, Any]]) -> dict[int, Row]:
        table: dict[int, Row] = {}
        activities_of = defaultdict(list)
        for journey, activity in star["journey_activity_bridge"].values():
            activities_of[journey].append(activity)
        for key, fact in star["patient_journey_fact"].items():
            patient, journey, _, invitation, registration, consent, operation, discharge = fact[:8]
            milestones = {
                "invitation": invitation,
                "registration": registration,
                "consent": consent,
                "operation": operation,
                "discharge": discharge,
            }
            for activity in activities_of[journey]:
                content, schedule = star["activity_dimension"][activity]
                slug, _, milestone, first, last, _, _ = star["schedule_dimension"].get(schedule, (None,) * 7)
                day = milestones.get(milestone)
                table[row_id(key, activity)] = (
                    patient,
                    key,
                    activity,
                    content,
                    schedule,
                    slug,
                    first,
                    last,
                    milestone,
                    day,
                    shifted(day, first),
                    shifted(day, last),
                )
        return table

    def completion(self, result: Row, windows: dict[int, Row]) -> Row:
        journey, patient, _, activity, *_, end, _ = result
        day = end.date()
        window = windows.get(row_id(journey, activity))
        first, last = window[-2:] if window else (None, None)
        if window is None:
            outcome: Row = ("not_scheduled", None)
        elif first is None and last is None:
            outcome = ("undated", None)
        elif first is not None and day < first:
            outcome = ("early", (day - first).days)
        elif last is not None and day > last:
            outcome = ("late", (day - last).days)
        else:
            outcome = ("in_window", 0)
        return (journey, patient, activity, day, *outcome)

    def adherence(self, windows: dict[int, Row], completions: dict[int, Row]) -> dict[int, Row]:
        days: dict[tuple[int, str], list[date]] = defaultdict(list)
        for journey, _, activity, day, status, _ in completions.values():
            days[row_id(journey, activity), status].append(day)
        statuses = ("in_window", "late", "early")
        return {
            key: (*window[:3], *window[-2:], *(min(days[key, status], default=None) for status in statuses))
            for key, window in windows.items()
        }


def row_id(left: int, right: int) -> int:
    """Return the id of a row, a signed number of 64 bits, from the two keys of its grain."""
    return left * 2**32 + (right + left * 2654435761) % 2**32


def as_date(text: str | None) -> date | None:
    """Return a day from 0001-01-01 to 9999-12-31, None for any other text."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def as_time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None


def as_steps(value: str | None) -> tuple[int, str | None]:
    """Return the steps, or 0 and what is wrong with the value."""
    digits = re.fullmatch(r"[-+]?[0-9]+", (value or "").strip(" \t\n\v\f\r"))
    if not digits:
        return 0, "not_a_number"
    steps = int(digits[0])
    if steps < 0:
        return 0, "negative"
    return (0, "out_of_range") if steps >= 2**31 else (steps, None)


def days_between(first: date | None, last: date | None) -> int | None:
    return (last - first).days if first and last else None


def shifted(day: date | None, days: int | None) -> date | None:
    """Return a day so many days later, kept within what a date can be."""
    if day is None or days is None:
        return None
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
