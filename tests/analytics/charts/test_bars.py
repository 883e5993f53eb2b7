"""Stacked bars: each as long as the others, its parts in proportion, and the table says the same."""

import pytest

from analytics.charts import Bar, Part, StackedBars
from tests.analytics.charts.conftest import Markup

STYLED = {"done": "chart-status-completed", "missed": "chart-status-missed"}


def chart(*bars: Bar, **more) -> StackedBars:
    named = {"key": "k", "title": "Windows by hospital", "unit": "windows", "group": "hospital", "kinds": STYLED}
    return StackedBars(bars=bars, **named | more)


def parts(markup: Markup) -> list[tuple[str, str]]:
    """Return where each part begins, and how long it is; without those of the legend."""
    return [(part["x"], part["width"]) for part in markup.all("rect", "chart-part") if "x" in part]


def bars(many: int) -> list[Bar]:
    return [Bar(f"hospital {place}", {"done": Part(1)}) for place in range(many)]


def test_it_says_what_to_do_where_there_is_nothing() -> None:
    markup = Markup(chart(empty="Choose fewer filters."))
    assert markup.says("p", "chart-empty") == ["Choose fewer filters."]
    assert markup.all("svg") == markup.all("details") == []
    assert markup.table() == []


def test_it_shows_the_share_of_each_kind_and_where_it_leads() -> None:
    markup = Markup(chart(Bar("North", {"done": Part(3, "/done/"), "missed": Part(1, "/missed/")}, "/north/")))
    assert parts(markup) == [("0.000%", "75.000%"), ("75.000%", "25.000%")]
    assert [(link["href"], link["aria-label"]) for link in markup.all("a") if "aria-label" in link] == [
        ("/done/", "North, done: 3 windows, 75 %"),
        ("/missed/", "North, missed: 1 windows, 25 %"),
    ]
    assert markup.says("title") == ["North, done: 3 windows, 75 %", "North, missed: 1 windows, 25 %"]


def test_the_table_says_the_same_as_the_picture() -> None:
    markup = Markup(
        chart(
            Bar("North", {"done": Part(1200), "missed": Part(300)}, note="80 %"),
            Bar("South", {"missed": Part(5)}, note="0 %"),
            noted="adherence",
        )
    )
    assert markup.table() == [
        ["hospital", "done", "missed", "all", "adherence"],
        ["North", "1,200", "300", "1,500", "80 %"],
        ["South", "0", "5", "5", "0 %"],
    ]
    assert markup.says("span", "chart-says") == ["1,500 windows · 80 % adherence", "5 windows · 0 % adherence"]


def test_a_part_that_leads_nowhere_is_no_link() -> None:
    markup = Markup(chart(Bar("North", {"done": Part(3)})))
    assert [link for link in markup.all("a") if "aria-label" in link] == []
    assert markup.says("title") == ["North, done: 3 windows, 100 %"]


def test_a_bar_of_nothing_is_named_and_has_no_parts() -> None:
    markup = Markup(chart(Bar("North", {"done": Part(0, "/none/")})))
    assert parts(markup) == []
    assert markup.says("span", "chart-name") == ["North"]
    assert markup.table()[1:] == [["North", "0", "0", "0"]]
    assert "/none/" not in markup.text


def test_of_more_kinds_than_an_eye_can_tell_apart_the_last_are_one() -> None:
    kinds = dict.fromkeys("abcdefgh", "")
    markup = Markup(chart(Bar("North", {kind: Part(1) for kind in kinds}, "/north/"), kinds=kinds))
    assert markup.says("li") == [*"abcdef", "others"]
    assert [
        link["aria-label"] for link in markup.all("a") if link.get("href") == "/north/" and "aria-label" in link
    ] == ["North, others: 2 windows, 25 %"]
    assert markup.table() == [["hospital", *"abcdefgh", "all"], ["North", *"11111111", "8"]]


def test_a_kind_that_is_called_others_is_told_from_the_rest() -> None:
    kinds = dict.fromkeys(["others", *"abcdefg"], "")
    markup = Markup(chart(Bar("North", {kind: Part(1) for kind in kinds}), kinds=kinds))
    assert markup.says("li") == ["others", *"abcde", "others"]
    assert sum(float(width.rstrip("%")) for _, width in parts(markup)) == pytest.approx(100)


def test_seven_kinds_are_all_told_apart() -> None:
    kinds = dict.fromkeys("abcdefg", "")
    markup = Markup(chart(Bar("North", {kind: Part(1) for kind in kinds}), kinds=kinds))
    assert markup.says("li") == list("abcdefg")
    assert len({item["class"] for item in markup.all("li")}) == 7


def test_it_draws_as_many_bars_as_can_be_looked_at_and_says_how_many_the_table_has_beside() -> None:
    markup = Markup(chart(*bars(43)))
    assert len(parts(markup)) == 40
    assert "And 3 more, in the table." in markup.says("p", "chart-unit")
    assert len(markup.table()) == 44
    assert "more, in the table" not in str(chart(*bars(40)))


def test_of_very_many_cells_the_table_leaves_the_last_bars_to_the_csv() -> None:
    kinds = {f"activity {place}": "" for place in range(98)}  # with name and sum a hundred columns
    markup = Markup(chart(*bars(43), kinds=kinds))
    assert [row[0] for row in markup.table()] == ["hospital", *(f"hospital {place}" for place in range(40))]
    assert "And 3 more, in the CSV." in markup.says("p", "chart-unit")
    assert "more, in the table" not in markup.text
    assert len(Markup(chart(*bars(750))).table()) == 1 + 750
    assert "And 1 more, in the CSV." in str(chart(*bars(751)))


def test_bars_lie_one_below_the_other_within_the_picture() -> None:
    markup = Markup(chart(*bars(3)))
    (picture,) = markup.all("svg", "chart-bars")
    heights = [float(part["y"]) + float(part["height"]) for part in markup.all("rect", "chart-part") if "y" in part]
    assert heights == sorted(set(heights))
    assert heights[-1] < float(picture["height"])


@pytest.mark.parametrize("label", ["", "  ", "\u200b", "\n"])
def test_a_name_in_which_there_is_nothing_to_see_is_said_to_be_blank(label: str) -> None:
    markup = Markup(chart(Bar(label, {"done": Part(1, "/blank/")}, "/blank/")))
    assert markup.says("span", "chart-name") == ["(blank)"]
    assert markup.table()[1][0] == "(blank)"
    assert "(blank), done: 1 windows, 100 %" in markup.says("title")


def test_names_are_text_and_never_markup() -> None:
    evil = '"><script>alert(1)</script>'
    markup = Markup(chart(Bar(evil, {evil: Part(1, "/?a=1&b=2")}), kinds={evil: ""}, title=evil, group=evil))
    assert markup.all("script") == []
    assert markup.says("span", "chart-name") == [evil]
    assert markup.table() == [[evil, evil, "all"], [evil, "1", "1"]]
    assert "/?a=1&b=2" in [link["href"] for link in markup.all("a")]


def test_scaled_bars_are_as_long_as_they_are_large_beside_each_other() -> None:
    markup = Markup(
        chart(Bar("North", {"done": Part(200)}), Bar("South", {"done": Part(25), "missed": Part(25)}), is_scaled=True)
    )
    assert parts(markup) == [("0.000%", "100.000%"), ("0.000%", "12.500%"), ("12.500%", "12.500%")]
    assert markup.says("title") == [
        "North, done: 200 windows",
        "South, done: 25 windows",
        "South, missed: 25 windows",
    ]
    assert markup.says("text", "chart-mark")[0] == "0"
    assert markup.says("text", "chart-mark")[-1] == "200"
