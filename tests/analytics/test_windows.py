"""When activities are due, whether they were done in time, and how each window stands today."""

import datetime as dt
from typing import Any

import pytest

from tests.conftest import Source, Warehouse, last_steps
from tests.days import today
from tests.recompute import row_id


def day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


@pytest.mark.parametrize(
    ("slug", "milestone", "start", "end"),
    [
        ("7d-10d-post-op", "operation_date", "2024-03-08", "2024-03-11"),
        ("14d-7d-pre-op", "operation_date", "2024-02-16", "2024-02-23"),
        ("6w-post-reg", "registration_date", "2024-04-12", None),
        ("30d-post-dis", "discharge_date", "2024-03-31", None),
        ("2d-after-consent", "consent_date", "2024-03-03", None),
        ("post-invite", "invitation_date", "2024-03-01", None),
        ("pre-op", "operation_date", None, "2024-03-01"),
        ("op-day", "operation_date", "2024-03-01", "2024-03-01"),
    ],
)
def test_it_dates_a_window_from_its_milestone(
    slug: str, milestone: str, start: str | None, end: str | None, small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.execute("update schedule set slug = %s", slug)
    small_world.execute("update patient_journey set operation_date = null")
    small_world.execute(f"update patient_journey set {milestone} = '2024-03-01'")
    run()
    assert warehouse.execute(
        "select milestone_date, window_start_date, window_end_date from patient_journey_schedule_window"
    ) == [(day("2024-03-01"), day(start), day(end))]


@pytest.mark.parametrize("slug", ["3d-preappt", "7d", "baseline", None])
def test_it_keeps_a_window_undated_where_no_milestone_is_known(
    slug: str | None, small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.execute("update schedule set slug = %s", slug)
    run()
    assert warehouse.execute(
        "select schedule_slug, milestone_date, window_start_date, window_end_date from patient_journey_schedule_window"
    ) == [(slug, None, None, None)]


def test_it_has_a_window_for_an_activity_without_a_schedule(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.execute("update activity set schedule_id = null")
    run()
    assert warehouse.execute(
        "select id, activity_content_slug, schedule_id, window_start_date from patient_journey_schedule_window"
    ) == [(row_id(1, 1), "pain-diary", None, None)]


def test_it_keeps_the_window_of_a_milestone_that_stands_for_never_within_the_calendar(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.execute("update patient_journey set operation_date = '9999-12-31'")
    run()
    assert warehouse.execute("select window_start_date, window_end_date from patient_journey_schedule_window") == [
        (dt.date.max, dt.date.max)
    ]


@pytest.mark.parametrize(
    ("slug", "end_time", "status", "days"),
    [
        ("7d-10d-post-op", "2024-03-08 00:00", "in_window", 0),
        ("7d-10d-post-op", "2024-03-11 23:59:59", "in_window", 0),
        ("7d-10d-post-op", "2024-03-07 23:59:59", "early", -1),
        ("7d-10d-post-op", "2024-03-14 12:00", "late", 3),
        ("7d-post-op", "2034-03-14 12:00", "in_window", 0),
        ("pre-op", "2024-02-01 12:00", "in_window", 0),
        ("pre-op", "2024-03-02 12:00", "late", 1),
        ("baseline", "2024-03-08 12:00", "undated", None),
    ],
)
def test_it_judges_a_completion_by_the_day_on_which_it_ended(
    slug: str, end_time: str, status: str, days: int | None, small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.execute("update schedule set slug = %s", slug)
    small_world.insert_survey_result(start_time="2024-01-01", end_time=end_time)
    run()
    assert warehouse.execute("select completed_date, status, days_from_window from activity_completion_fact") == [
        (day(end_time[:10]), status, days)
    ]


def test_it_says_of_an_activity_that_the_journey_does_not_ask_for_that_it_was_not_scheduled(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("activity", id=2, content_slug="extra", schedule_id=1)
    small_world.insert_survey_result(activity_id=2)
    run()
    assert warehouse.execute("select status, days_from_window from activity_completion_fact") == [
        ("not_scheduled", None)
    ]


def test_it_takes_the_sources_times_as_utc_whatever_the_session_says(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert_survey_result(start_time="2024-03-08 23:30", end_time="2024-03-08 23:59:59.9")
    run()
    warehouse.execute("set timezone = 'Asia/Tokyo'")
    assert warehouse.execute(
        "select end_time at time zone 'UTC', duration_seconds, completed_date"
        "  from survey_result_fact join activity_completion_fact using (survey_result_id)"
    ) == [(dt.datetime(2024, 3, 8, 23, 59, 59, 900_000), 1799, dt.date(2024, 3, 8))]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("slug", "operated_days_ago", "done_days_ago", "status"),
    [
        ("7d-10d-post-op", 8, [], "open"),
        ("7d-10d-post-op", 10, [], "open"),
        ("7d-10d-post-op", 11, [], "missed"),
        ("7d-10d-post-op", 6, [], "upcoming"),
        ("7d-post-op", 400, [], "open"),
        ("pre-op", 1, [], "missed"),
        ("baseline", 8, [], "undated"),
        ("baseline", 8, [1], "undated"),
        ("7d-10d-post-op", 20, [13], "completed"),
        ("7d-10d-post-op", 20, [1], "completed_late"),
        ("7d-10d-post-op", 20, [19], "completed_early"),
        ("7d-10d-post-op", 20, [19, 1], "completed_late"),
        ("7d-10d-post-op", 20, [19, 12, 1], "completed"),
    ],
)
def test_it_says_how_a_window_stands_today(
    slug: str,
    operated_days_ago: int,
    done_days_ago: list[int],
    status: str,
    small_world: Source,
    warehouse: Warehouse,
    run,
) -> None:
    small_world.execute("update schedule set slug = %s", slug)
    small_world.execute("update patient_journey set operation_date = %s", today() - dt.timedelta(operated_days_ago))
    done = [today() - dt.timedelta(days) for days in done_days_ago]
    for number, date in enumerate(done, 1):
        small_world.insert_survey_result(id=number, start_time=date, end_time=date)
    run()
    assert warehouse.execute("select status, completions, first_completed_date from activity_adherence") == [
        (status, len(done), min(done, default=None))
    ]


def test_it_says_how_long_each_part_of_a_journey_took(small_world: Source, warehouse: Warehouse, run) -> None:
    small_world.execute(
        "update patient_journey set invitation_date = '2024-01-01', registration_date = '2024-01-03',"
        " operation_date = '2024-01-02', discharge_date = null"
    )
    run()
    assert warehouse.execute(
        "select days_invitation_to_registration, days_registration_to_operation, days_operation_to_discharge"
        "  from patient_journey_fact"
    ) == [(2, -1, None)]


def test_it_has_every_day_of_each_year_in_which_something_is_dated(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("step_result", patient_id=1, date="2019-07-01", value="100")
    run()
    assert warehouse.execute("select year, count(*) from date_dimension group by 1 order by 1") == [
        (2019, 365),
        (2024, 366),
    ]
    expected: tuple[Any, ...] = (dt.date(2024, 12, 30), 2024, 4, 12, "December", 2025, 1, 30, 1, False)
    assert warehouse.execute("select * from date_dimension where date = '2024-12-30'") == [expected]
    assert warehouse.value("select is_weekend from date_dimension where date = '2024-12-29'")


@pytest.mark.parametrize(
    ("change", "year"),
    [
        ("insert into step_result values (1, '2019-07-01', '100')", 2019),
        ("update survey_result set start_time = '2018-12-31 23:00'", 2018),
        ("update survey_result set end_time = '2031-01-01 00:00'", 2031),
        ("update patient_journey set discharge_date = '2033-05-05'", 2033),
        ("update schedule set slug = '4000d-post-op'", 2035),
        ("update schedule set slug = '1000d-pre-op'", 2021),
    ],
    ids=["a step", "a survey result's start", "its end", "a milestone", "a window's start", "its end"],
)
def test_it_adds_the_days_of_a_year_in_which_something_is_dated_from_now_on(
    change: str, year: int, small_world: Source, warehouse: Warehouse, run
) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="100")
    small_world.insert_survey_result()
    run()
    small_world.execute(change)
    run()
    years = [year for (year,) in warehouse.execute("select distinct year from date_dimension order by 1")]
    assert years == sorted([2024, year])
    run("check_warehouse")


def test_it_looks_at_the_days_of_the_years_alone_in_which_something_changed(small_world: Source, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="100")
    run()
    small_world.insert("step_result", patient_id=1, date="2019-07-01", value="100")
    run()
    (days,) = last_steps(table_name="date_dimension")
    assert (days.rows_read, days.inserted) == (365, 365)


def test_it_lets_an_override_win_over_the_slug_and_survive_reloads(
    small_world: Source, warehouse: Warehouse, run
) -> None:
    warehouse.execute(
        "insert into schedule_override (schedule_id, milestone_slug, offset_start_days, note)"
        " values (1, 'operation', -3, 'Dr Lee')"
    )
    for options in ((), ("--full-refresh",)):
        run("run_pipeline", *options)
        assert warehouse.execute(
            "select slug, parse_status, offset_start_days, offset_end_days, parse_note from schedule_dimension"
        ) == [("7d-10d-post-op", "override", -3, None, "Dr Lee")]
        assert warehouse.execute("select window_start_date, window_end_date from patient_journey_schedule_window") == [
            (dt.date(2024, 2, 27), None)
        ]
    warehouse.execute("delete from schedule_override")
    run()
    assert warehouse.star() == small_world.star()
