"""The time line: spans and what was done in them, and the milestones of all."""

from datetime import date

from analytics.charts import Line, Lines, Mark, Milestone, Point, Span, TimeLine
from tests.analytics.charts.conftest import Markup

OPERATION = Milestone("operation", date(2024, 3, 1))
TODAY = date(2024, 4, 15)


def chart(*spans: Span, milestones: tuple[Milestone, ...] = (OPERATION,), today: date = TODAY, **more) -> TimeLine:
    named = {"key": "k", "title": "Windows", "unit": "day", "empty": "No activity is due."}
    return TimeLine(spans=spans, milestones=milestones, today=today, **named | more)


def span(first: str | None, last: str | None, *done: str, label: str = "diary", status: str = "missed") -> Span:
    begin, end = (date.fromisoformat(day) if day else None for day in (first, last))
    marks = [Mark(date.fromisoformat(day), "in_window") for day in done]
    return Span(label, "7d-10d-post-op", begin, end, status, marks, "/row/")


def bars(markup: Markup) -> list[tuple[float, float]]:
    """Return in percent where each bar begins and ends; without those of the legend."""
    found = [part for part in markup.all("rect", "chart-part") if "x" in part]
    return [(x := float(p["x"].rstrip("%")), x + float(p["width"].rstrip("%"))) for p in found]


def test_it_says_what_to_do_where_there_is_nothing() -> None:
    markup = Markup(chart(milestones=()))
    assert markup.says("p", "chart-empty") == ["No activity is due."]
    assert markup.all("svg") == markup.all("details") == []


def test_a_milestone_alone_is_drawn() -> None:
    markup = Markup(chart())
    assert [name for name in markup.says("text", "chart-halo") if name] == ["operation", "today"]
    assert markup.all("details") == []  # which would have no rows


def test_a_span_lies_where_its_days_are_and_leads_to_its_row() -> None:
    markup = Markup(chart(span("2024-03-08", "2024-03-11"), today=date(2024, 3, 11)))
    ((first, last),) = bars(markup)
    days = 10 + 4  # from the operation to the last day, and two of room at each end
    assert first == 100 * (2 + 7) / days or abs(first - 100 * 9 / days) < 0.01
    assert abs(last - first - 100 * 4 / days) < 0.01
    assert [link["aria-label"] for link in markup.all("a") if link.get("href") == "/row/" and "aria-label" in link] == [
        "diary, 7d-10d-post-op: 2024-03-08 to 2024-03-11, missed"
    ]


def test_an_open_end_reaches_to_the_edge() -> None:
    markup = Markup(chart(span(None, "2024-03-01"), span("2024-03-01", None), span("2024-02-01", "2024-04-01")))
    (before, after, _) = bars(markup)
    assert before[0] == 0
    assert round(after[1]) == 100


def test_its_axis_takes_in_the_days_of_charts_beside_it() -> None:
    beside = [date(2024, 1, 1), date(2024, 12, 31)]
    alone = chart(span("2024-03-08", "2024-03-11"))
    shared = chart(span("2024-03-08", "2024-03-11"), days_beside=beside)
    assert alone.days == shared.days
    assert shared.shared_axis == (date(2023, 12, 23).toordinal(), date(2025, 1, 9).toordinal())
    ((first, _),) = bars(Markup(shared))
    assert abs(first - 100 * (31 + 29 + 7 + 9) / (365 + 18)) < 0.1
    assert chart(milestones=()).shared_axis is None
    assert chart(milestones=(), days_beside=beside).shared_axis == shared.shared_axis


def test_it_begins_where_the_lines_of_another_chart_do() -> None:
    markup = Markup(chart(span("2024-03-08", None)))
    assert [each["width"] for each in markup.all("svg", "chart-y")] == ["60"]
    lines = Lines(key="k", title="t", unit="u", x_title="day", lines=[Line("l", [Point(1, 1)])])
    assert [each["width"] for each in Markup(lines).all("svg", "chart-y")] == ["60"]


def test_a_span_of_a_day_can_be_seen_on_a_long_line() -> None:
    ((first, last), _) = bars(Markup(chart(span("2024-03-01", "2024-03-01"), span("2024-03-01", "2030-01-01"))))
    assert last - first >= 0.5


def test_a_span_without_days_stands_in_the_table_alone() -> None:
    markup = Markup(chart(span(None, None, label="whenever", status="undated")))
    assert bars(markup) == []
    assert markup.table()[1:] == [["whenever", "7d-10d-post-op", "no days", "undated", ""]]


def test_it_says_that_nothing_has_a_day_where_that_is_so() -> None:
    nothing_dated = chart(span(None, None), milestones=())
    assert Markup(nothing_dated).says("p", "chart-empty") == ["Nothing here has a day: the table lists what there is."]
    assert list(nothing_dated.drawn) == []
    assert len(Markup(nothing_dated).table()) == 2


def test_the_table_says_the_same_as_the_picture() -> None:
    markup = Markup(chart(span("2024-03-08", "2024-03-11", "2024-03-09", "2024-03-10", status="completed")))
    assert len([dot for dot in markup.all("circle", "chart-done") if dot["cx"].endswith("%")]) == 2
    assert markup.table() == [
        ["activity", "schedule", "window", "status", "done"],
        [
            "diary",
            "7d-10d-post-op",
            "2024-03-08 to 2024-03-11",
            "completed",
            "2024-03-09 in_window, 2024-03-10 in_window",
        ],
    ]


def test_the_legend_names_the_statuses_that_occur() -> None:
    markup = Markup(chart(span("2024-03-08", None, status="open"), span("2024-03-08", None, status="open")))
    assert markup.says("li") == ["open", "something done"]


def test_names_of_milestones_that_are_near_each_other_do_not_meet() -> None:
    names = ("invitation", "registration", "consent", "operation", "discharge")
    milestones = tuple(Milestone(name, date(2024, 3, day)) for day, name in enumerate(names, start=1))
    found = chart(span("2024-03-08", "2025-03-08"), milestones=milestones).names
    heights = {name: y for _, name, y, _, _ in found if name in names}
    assert len(set(heights.values())) == len(names)
    assert list(heights.values()) == sorted(heights.values())


def test_today_is_left_out_of_what_is_long_over() -> None:
    names = [name for _, name, *_ in chart(span("2014-03-08", "2014-03-11"), milestones=()).names]
    assert names == []
    recent = chart(span("2024-03-08", "2024-03-11"), today=date(2024, 4, 1)).names
    assert [name for _, name, *_ in recent] == ["operation", "today"]


def test_names_are_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>"
    markup = Markup(chart(span("2024-03-08", None, label=evil), milestones=(Milestone(evil, date(2024, 3, 1)),)))
    assert markup.all("script") == []
    assert evil in markup.says("span", "chart-name")
    assert markup.table()[1][0] == evil
