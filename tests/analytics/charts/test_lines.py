"""Lines: interrupted where nothing is known, on round axes, and the table says the same."""

import re
from datetime import date

import pytest

from analytics.charts import DayLines, Line, Lines, Point
from tests.analytics.charts.conftest import Markup


def chart(*lines: Line, kind: type[Lines] = Lines, **more) -> Lines:
    return kind(lines=lines, **{"key": "k", "title": "Daily steps", "unit": "steps", "x_title": "day"} | more)


def line(*points: tuple, name: str = "hip") -> Line:
    return Line(name, [Point(*point) for point in points])


def paths(markup: Markup, kind: str = "chart-line") -> list[list[list[tuple[float, ...]]]]:
    """Return the runs of each line, each a list of points; without those of the legend."""
    drawn = [path["d"] for path in markup.all("path", kind) if path["d"] != "M0 5L28 5"]
    return [
        [[tuple(map(float, p.split())) for p in run.strip("Z").split("L")] for run in d.split("M")[1:]] for d in drawn
    ]


def marks(markup: Markup) -> list[str]:
    return markup.says("text", "chart-mark")


def test_it_says_what_to_do_where_there_is_nothing() -> None:
    for empty in (chart(empty="Run the pipeline."), chart(Line("hip", []), empty="Run the pipeline.")):
        markup = Markup(empty)
        assert markup.says("p", "chart-empty") == ["Run the pipeline."]
        assert markup.all("svg") == markup.all("details") == []
        assert markup.all("input") == []


def test_one_point_is_a_dot() -> None:
    markup = Markup(chart(line((3, 40))))
    (dot,) = markup.all("circle", "chart-dot")
    assert dot["cx"] == "0.00%"
    assert marks(markup)[:3] == ["0", "10", "20"]
    assert markup.table() == [["day", "steps"], ["3", "40"]]


def test_a_line_goes_through_its_points_in_proportion() -> None:
    markup = Markup(chart(line((0, 0), (1, 50), (2, 100))))
    assert paths(markup) == [[[(0, 1000), (500, 500), (1000, 0)]]]


def test_a_line_is_interrupted_where_days_are_missing() -> None:
    points = line((0, 100), (1, 100), (4, 100), (5, 100), (8, 100))
    ((first, second, third),) = paths(Markup(chart(points)))
    assert [len(first), len(second), len(third)] == [2, 2, 1]
    assert len(Markup(chart(points)).all("circle", "chart-dot")) == 1
    assert [len(run) for run in paths(Markup(chart(points, gap=3)))[0]] == [5]


def test_all_zero_lies_on_the_axis() -> None:
    markup = Markup(chart(line((0, 0), (1, 0))))
    assert paths(markup) == [[[(0, 1000), (1000, 1000)]]]
    assert marks(markup)[0] == "0"
    assert "1" in marks(markup)


def test_what_is_negative_lies_below_zero() -> None:
    markup = Markup(chart(line((-1, -4), (0, 4))))
    assert paths(markup) == [[[(0, 1000), (1000, 0)]]]
    assert marks(markup)[:5] == ["-4", "-2", "0", "2", "4"]
    assert markup.table() == [["day", "steps"], ["-1", "-4"], ["0", "4"]]


def test_a_band_goes_there_along_its_upper_end_and_back_along_the_lower_one() -> None:
    ((band,),) = paths(Markup(chart(line((0, 50, 40, 60, 9), (1, 50, 0, 100, 9)))), "chart-band")
    assert band == [(0, 400), (1000, 0), (1000, 1000), (0, 600)]


def test_bands_of_several_lines_would_hide_each_other_and_stand_in_the_table_alone() -> None:
    hip = line((0, 50, 40, 60, 9), (1, 52, 0, 1000, 9), name="hip")
    knee = line((0, 40, 30, 50, 9), (1, 45, 35, 55, 9), name="knee")
    markup = Markup(chart(hip, knee))
    assert markup.all("path", "chart-band") == []
    assert markup.says("li") == ["hip", "knee", "Lines are medians; the quartiles are in the table."]
    assert marks(markup)[:4] == ["0", "20", "40", "60"]  # what is not drawn takes no room
    assert markup.table()[2] == ["1", "52", "0", "1,000", "45", "35", "55"]


def test_points_without_quartiles_have_no_band() -> None:
    markup = Markup(chart(line((0, 50, None, None), (1, 60))))
    assert markup.all("path", "chart-band") == []
    assert markup.table()[0] == ["day", "steps"]


def test_the_table_says_the_same_as_the_picture_a_row_a_day() -> None:
    hip = line((0, 50.26, 40, 60, 9), (1, 51, 41, 61, 8), name="hip")
    knee = line((1, 1234.5, 1000, 2000, 7), name="knee")
    markup = Markup(chart(hip, knee, weighed="patients", places=1))
    assert markup.says("li")[:2] == ["hip", "knee"]
    parts = ("steps", "lower quartile", "upper quartile", "patients")
    assert markup.table() == [
        ["day", *(f"{name}: {part}" for name in ("hip", "knee") for part in parts)],
        ["0", "50.3", "40", "60", "9", "", "", "", ""],
        ["1", "51", "41", "61", "8", "1,234.5", "1,000", "2,000", "7"],
    ]
    assert re.findall(r'data-share="([^"]+)"', markup.text) == ["0.0000", "1.0000"]


def test_a_row_leads_to_what_is_behind_its_point() -> None:
    markup = Markup(chart(line((0, 50, None, None, None, "/windows/?a=1&b=2"))))
    assert [link["href"] for link in markup.all("a") if "href" in link] == ["/windows/?a=1&b=2"]


def test_charts_of_one_page_share_an_axis() -> None:
    markup = Markup(chart(line((5, 1), (6, 1)), span=(0, 10)))
    assert [x for x, _ in paths(markup)[0][0]] == [500, 600]


def test_an_axis_of_shares_goes_to_a_hundred() -> None:
    assert "100" in marks(Markup(chart(line((0, 12), (1, 13)), top=100)))


def test_days_are_marked_and_named_as_days() -> None:
    first = date(2024, 1, 20).toordinal()
    markup = Markup(chart(line((first, 1), (first + 100, 2)), kind=DayLines))
    assert [text for text in marks(markup) if "-" in text] == ["2024-02", "2024-03", "2024-04"]
    assert [row[0] for row in markup.table()] == ["day", "2024-01-20", "2024-04-29"]


def test_more_lines_than_styles_begin_the_styles_anew() -> None:
    markup = Markup(chart(*(line((0, 1), (1, 1), name=f"line {place}") for place in range(9))))
    assert len(markup.says("li")) == 9
    assert len({item["class"] for item in markup.all("li")}) == 7


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x>'])
def test_names_are_text_and_never_markup(evil: str) -> None:
    lines = (line((0, 1), (1, 1), name=evil), line((0, 1), name="b"))
    markup = Markup(chart(*lines, title=evil, unit=evil, x_title=evil))
    assert markup.all("script") == markup.all("img") == []
    assert evil in markup.says("li")
    assert markup.table()[0][:2] == [evil, f"{evil}: {evil}"]
