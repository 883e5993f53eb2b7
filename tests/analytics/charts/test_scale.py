"""Axes: their marks are round, and all that is drawn lies between the first and the last."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.charts.scale import Scale, day_marks, even_marks, number, round_scale, short, ticks

figures = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)
days = st.dates(date(1900, 1, 1), date(2200, 1, 1)).map(date.toordinal)


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([], (0, 1)),
        ([0, 0], (0, 1)),
        ([7], (0, 2, 4, 6, 8)),
        ([100], (0, 20, 40, 60, 80, 100)),
        ([12_345], (0, 5_000, 10_000, 15_000)),
        ([-3, 4], (-4, -2, 0, 2, 4)),
        ([-70], (-80, -60, -40, -20, 0)),
        ([0.3], (0, 0.1, 0.2, 0.3)),
    ],
)
def test_it_marks_an_axis_roundly_with_zero_in_it(values: list[float], marks: tuple[float, ...]) -> None:
    assert round_scale(values).marks == pytest.approx(marks)


@given(st.lists(figures, max_size=5))
def test_it_has_room_for_every_value_on_at_most_six_marks(values: list[float]) -> None:
    scale = round_scale(values)
    assert 2 <= len(scale.marks) <= 6
    assert all(-1e-9 <= scale.share(value) <= 1 + 1e-9 for value in [*values, 0])
    steps = [after - before for before, after in pairwise(scale.marks)]
    assert steps == pytest.approx([steps[0]] * len(steps))


@pytest.mark.parametrize(
    ("span", "marks"),
    [
        ((0, 0), [0]),
        ((0, 3), [0, 1, 2, 3]),
        ((-30, 180), [0, 50, 100, 150]),
        ((-4, 9), [0, 5]),
    ],
)
def test_it_marks_whole_numbers_evenly(span: tuple[int, int], marks: list[int]) -> None:
    assert even_marks(*span) == marks


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2024-02-28", "2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("2024-03-06", "2024-03-25", ["2024-03-11", "2024-03-18", "2024-03-25"]),
        ("2024-01-15", "2024-03-15", ["2024-01-15", "2024-01-29", "2024-02-12", "2024-02-26", "2024-03-11"]),
        ("2024-01-15", "2024-06-15", ["2024-02", "2024-03", "2024-04", "2024-05", "2024-06"]),
        ("2023-05-10", "2024-08-01", ["2023-07", "2023-10", "2024-01", "2024-04", "2024-07"]),
        ("2010-05-10", "2016-08-01", ["2011", "2012", "2013", "2014", "2015", "2016"]),
    ],
)
def test_it_marks_days_where_people_count_from(first: str, last: str, words: list[str]) -> None:
    span = (date.fromisoformat(each).toordinal() for each in (first, last))
    assert [text for _, text in day_marks(*span)] == words


@given(days, days)
def test_it_marks_at_most_eight_days_of_any_span_and_all_within(one: int, other: int) -> None:
    first, last = sorted((one, other))
    marks = [day for day, _ in day_marks(first, last)]
    assert len(marks) <= 8
    assert marks == sorted(set(marks))
    assert all(first <= day <= last for day in marks)


def test_it_keeps_the_words_at_both_ends_inside_and_every_second_one_for_wide_screens() -> None:
    marks = list(ticks(Scale((0, 10)), [(0, "a"), (5, "b"), (10, "c")]))
    assert [(tick.at, tick.anchor, tick.is_spare) for tick in marks] == [
        ("0.00%", "start", False),
        ("50.00%", "middle", True),
        ("100.00%", "end", False),
    ]


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(None, 0, ""), (0, 0, "0"), (1234567, 0, "1,234,567"), (3.5, 1, "3.5"), (3.0, 1, "3"), (-0.25, 2, "-0.25")],
)
def test_it_writes_numbers_as_people_read_them(value: float | None, places: int, text: str) -> None:
    assert number(value, places) == text


@pytest.mark.parametrize(
    ("value", "text"), [(250_000, "250,000"), (2_500_000, "2.5 M"), (-1e6, "-1 M"), (3e9, "3 bn"), (0.1, "0.1")]
)
def test_it_shortens_what_an_axis_has_no_room_for(value: float, text: str) -> None:
    assert short(value) == text
