"""Bars over time: each where and as high as it should be, and told apart without colour."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.charts import TimeBar, TimeBars
from analytics.charts.figure import Cell
from tests.analytics.charts.conftest import Markup

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
KINDS = {"done": "chart-kind-0", "failed": "chart-kind-1", "skipped": "chart-kind-5"}


def chart(*bars: TimeBar, **more) -> TimeBars:
    named: dict[str, Any] = {"key": "k", "title": "Runs", "unit": "runs", "measures": ("seconds", "rows")}
    named |= {"first": FIRST, "last": FIRST + timedelta(days=10), "names": ("run", "seconds"), "kinds": KINDS}
    return TimeBars(bars=bars, **named | more)


def bar(days: float, seconds: float, rows: float = 0, kind: str = "done", number: int = 1) -> TimeBar:
    cells = [Cell(str(number), f"/runs/{number}/"), Cell(str(seconds))]
    says = f"Run {number}: {kind}"
    return TimeBar(FIRST + timedelta(days=days), kind, (seconds, rows), says, f"/runs/{number}/", cells)


def drawn(markup: Markup) -> list[list[tuple[float, float]]]:
    """Return each path's bars: where each is, and how high, of a thousand parts."""
    paths = [path["d"] for path in markup.all("path", "chart-time")]
    return [[(float(x), 1000 - float(y)) for x, y in re.findall(r"M([\d.]+) 1000V(\d+)", path)] for path in paths]


def test_it_says_what_to_do_where_there_is_nothing() -> None:
    markup = Markup(chart(empty="Choose fewer filters."))
    assert markup.says("p", "chart-empty") == ["Choose fewer filters."]
    assert markup.all("svg") == markup.all("details") == []


def test_a_bar_is_where_its_moment_is_and_as_high_as_its_value_by_each_measure() -> None:
    seconds, rows = drawn(Markup(chart(bar(2.5, 4, 100), bar(5, 2, 400), bar(10, 1, 200))))
    assert [x for x, _ in seconds] == [x for x, _ in rows] == [250, 500, 1000]
    assert [high for _, high in seconds] == pytest.approx([1000, 500, 250], abs=1)
    assert [high for _, high in rows] == pytest.approx([250, 1000, 500], abs=1)


def test_of_a_bar_of_nothing_something_is_to_be_seen() -> None:
    seconds, _ = drawn(Markup(chart(bar(1, 0), bar(2, 5))))
    assert seconds[0][1] > 5


def test_what_is_not_the_usual_kind_has_a_lane_with_its_name_and_leads_to_what_it_is() -> None:
    markup = Markup(
        chart(bar(1, 1), bar(2, 1, kind="failed", number=7), bar(3, 0, kind="skipped", number=8), bar(4, 1))
    )
    assert [text for text in markup.says("text", "chart-mark") if text.isalpha()] == ["failed", "skipped"]
    links = [link for link in markup.all("a") if "aria-label" in link]
    assert [(link["href"], link["aria-label"], link["class"]) for link in links] == [
        ("/runs/7/", "Run 7: failed", "chart-kind-1"),
        ("/runs/8/", "Run 8: skipped", "chart-kind-5"),
    ]
    assert [mark["x"] for mark in markup.all("svg") if "overflow" in mark] == ["20.00%", "30.00%"]
    assert "Skip the marks" in markup.says("a", "chart-skip")


def test_where_two_meet_in_a_lane_the_later_one_lies_on_top() -> None:
    markup = Markup(chart(bar(3, 1, kind="failed", number=9), bar(2, 1, kind="failed", number=8)))
    assert [link["href"] for link in markup.all("a") if "aria-label" in link] == ["/runs/8/", "/runs/9/"]


def test_without_any_there_is_no_lane() -> None:
    markup = Markup(chart(bar(1, 1)))
    assert markup.all("a", "chart-skip") == []
    assert [link for link in markup.all("a") if "aria-label" in link] == []


def test_it_says_in_words_how_many_there_are_of_each_kind() -> None:
    markup = Markup(chart(*(bar(day, 1, number=day) for day in range(3)), bar(4, 1, kind="failed")))
    assert "Runs: 3 done, 1 failed" in markup.says("p", "chart-unit")
    (lanes,) = [svg for svg in markup.all("svg", "chart-lines") if svg.get("role") == "group"]
    assert lanes["aria-label"] == "Runs: 3 done, 1 failed"


def test_the_table_has_a_row_of_each() -> None:
    markup = Markup(chart(bar(1, 1, number=5), bar(2, 3, kind="failed", number=4)))
    assert markup.table() == [["run", "seconds"], ["5", "1"], ["4", "3"]]
    assert [link["href"] for link in markup.all("a") if "aria-label" not in link and "class" not in link] == [
        "/runs/5/",
        "/runs/4/",
    ]


def test_its_axis_names_days() -> None:
    markup = Markup(chart(bar(1, 1)))
    assert "2024-03-03" in markup.says("text", "chart-mark")


@pytest.mark.parametrize(("many", "width"), [(20, "6"), (700, "2")])
def test_many_bars_are_thin(many: int, width: str) -> None:
    markup = Markup(chart(*(bar(10 * place / many, 1) for place in range(many))))
    assert {path["stroke-width"] for path in markup.all("path", "chart-time")} == {width}
    assert len(drawn(markup)[0]) == many


def test_names_are_text_and_never_markup() -> None:
    evil = TimeBar(FIRST, "failed", (1, 1), "<b>&", "/x/?a=1&b=2", [Cell("<i>")])
    text = str(chart(evil))
    assert "<b>" not in text
    assert "<i>" not in text
    assert "&lt;b&gt;&amp;" in text
