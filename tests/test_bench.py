"""What the benchmark measures, and how it says what came out."""

import pytest

from bench.cases import CASES, picked
from bench.results import Round, summary, table
from bench.server import Failed, Measured
from bench.source import CHANGES


def test_it_has_a_file_for_each_change_and_no_other() -> None:
    assert {case.change for case in CASES if case.change} == {path.name for path in CHANGES.iterdir()}


def test_it_picks_with_a_case_the_one_that_it_follows_on() -> None:
    assert [case.name for case in picked(["quarter back", "hour"])] == [
        "ordinary hour",
        "a quarter of patient gone",
        "that quarter back",
    ]


def test_it_refuses_a_word_that_is_in_no_name() -> None:
    with pytest.raises(SystemExit, match="'huor'"):
        picked(["huor"])


def test_it_compares_each_round_with_its_own_floor() -> None:
    pairs = [(1, 2), (10, 20), (30, 300)]
    rounds: list[Round] = [
        {"floor": Measured(floor, 1), "first load": Measured(seconds, 1)} for floor, seconds in pairs
    ]
    assert summary("first load", rounds)["of_floor"] == 2


def test_it_says_how_a_case_failed_beside_its_target() -> None:
    rounds: list[Round] = [
        {"floor": Measured(1, 1), "first load": Measured(2, 1)},
        {"floor": Measured(1, 1), "first load": Failed("over 600 s")},
    ]
    cases = {name: summary(name, rounds) for name in rounds[0]}
    line = table({"20": {"rows": 9, "measured": "today", "cases": cases}}).splitlines()[-1]
    assert line.split() == ["first", "load", "1.05", "over", "600", "s"]
