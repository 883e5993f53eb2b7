import csv
import re
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ingest.slugs import (
    DIRECTIONS,
    MAX_OFFSET_DAYS,
    MILESTONE_WORDS,
    MILESTONES,
    UNIT_DAYS,
    ParsedSlug,
    parse_slug,
)


def read_cases():
    """Return the cases of the specification. An empty cell is None, but an empty slug is an empty slug."""
    cases = []
    with Path(__file__).with_name("slugs.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            row.pop("shows")  # under which heading of docs/slugs.md it stands
            slug = row.pop("slug")
            cells: dict[str, Any] = {name: cell or None for name, cell in row.items()}
            for name in ("offset_start_days", "offset_end_days"):
                cells[name] = None if cells[name] is None else int(cells[name])
            cases.append((slug, ParsedSlug(**cells)))
    return cases


def window(slug):
    parsed = parse_slug(slug)
    return parsed.offset_start_days, parsed.offset_end_days


def unparsed(note):
    return ParsedSlug("unparsed", None, None, None, None, note)


@pytest.mark.parametrize(("slug", "expected"), read_cases())
def test_it_reads_the_cases_of_the_specification(slug, expected):
    assert parse_slug(slug) == expected


# Words and separators


@pytest.mark.parametrize(
    "slug", ["7d-10d-post-op", "7d_10d_post_op", "7d 10d post op", "7d.10d.post.op", "--7d. _10d--post__op. "]
)
def test_it_splits_at_every_separator_however_often_it_stands(slug):
    assert parse_slug(slug) == ParsedSlug("parsed", "operation", 7, 10)


@pytest.mark.parametrize("slug", ["7d-POST-op", "7D-Post-Op", "7d-post-OP"])
def test_it_ignores_case(slug):
    assert parse_slug(slug) == ParsedSlug("parsed", "operation", 7)


@pytest.mark.parametrize("slug", ["7d-drop", "7d-option", "7d-copd", "7d-dish", "7d-region", "7d-pop"])
def test_it_does_not_find_a_milestone_inside_a_word(slug):
    assert parse_slug(slug) == ParsedSlug("partial", "unknown", 7, qualifier=slug.removeprefix("7d-"))


@pytest.mark.parametrize("slug", [None, "", "-", " ", "-_. ._-"])
def test_it_calls_a_slug_without_words_empty(slug):
    assert parse_slug(slug) == unparsed("empty")


def test_it_splits_at_no_other_white_space():
    assert parse_slug("7d-post-op-hip\tleft\u00a0side") == ParsedSlug(
        "parsed", "operation", 7, qualifier="hip\tleft\u00a0side"
    )


# Offsets


@pytest.mark.parametrize(
    ("words", "days"),
    [
        (("d", "day", "days"), 1),
        (("w", "wk", "week", "weeks"), 7),
        (("m", "mo", "month", "months"), 30),
        (("y", "yr", "year", "years"), 365),
    ],
)
def test_it_knows_the_length_of_each_unit(words, days):
    assert [window(f"1{word}-post-op") for word in words] == [(days, None)] * len(words)
    assert {word for word, length in UNIT_DAYS.items() if length == days} == set(words)


@pytest.mark.parametrize("unit", UNIT_DAYS)
@pytest.mark.parametrize("form", ["3{}", "3-{}", "{}-3", "{}3", "003{}"])
def test_it_reads_number_and_unit_in_either_order_glued_or_apart(form, unit):
    assert parse_slug(form.format(unit) + "-post-op") == ParsedSlug("parsed", "operation", 3 * UNIT_DAYS[unit])


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("2w-4w", (14, 28)),
        ("2-weeks-4-weeks", (14, 28)),
        ("week-2-week-4", (14, 28)),
        ("w2-w4", (14, 28)),
        ("10d-2w", (10, 14)),
        ("7d-7d", (7, 7)),
        ("7d-post-op-10d", (7, 10)),
        ("7d-knee-10d", (7, 10)),
    ],
)
def test_it_reads_two_offsets_as_a_range(slug, expected):
    assert window(slug) == expected


@pytest.mark.parametrize(
    "slug", ["2-4w", "2-to-4w", "2-4-weeks", "2-to-week-4", "2-w4", "4-2w", "2-3-4w", "2-to-3-to-4w"]
)
def test_it_gives_a_number_the_unit_of_the_offset_after_it(slug):
    assert parse_slug(slug + "-post-op") == ParsedSlug("parsed", "operation", 14, 28)


@pytest.mark.parametrize("slug", ["2w-to-4w", "4w-to-2w", "2-weeks-to-4-weeks", "week-2-to-week-4", "2w-to-3-to-4w"])
def test_it_reads_to_between_offsets_as_part_of_the_range(slug):
    assert parse_slug(slug + "-post-op") == ParsedSlug("parsed", "operation", 14, 28)


@pytest.mark.parametrize(
    ("slug", "qualifier"),
    [
        ("up-to-6w-post-op", "up-to"),
        ("to-to-6w-post-op", "to-to"),
        ("6w-post-op-to-do", "to-do"),
        ("2w-up-to-6w-op", "up-to"),
        ("back-to-2-6w-op", "back-to"),
    ],
)
def test_it_keeps_any_other_to_as_a_word(slug, qualifier):
    assert parse_slug(slug).qualifier == qualifier


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("7d-10d-14d", (7, 14)),
        ("7d-1d-14d", (7, 14)),
        ("14d-1d-2d-7d", (7, 14)),
        ("1w-2-4w", (7, 28)),
        ("2-4w-6-8w", (14, 56)),
        ("7d-99999999d-10d", (7, 10)),
    ],
)
def test_it_counts_the_first_and_the_last_of_many_offsets(slug, expected):
    assert window(slug) == expected


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("6w+-post-op", (42, None)),
        ("6-weeks+-post-op", (42, None)),
        ("week-6+-post-op", (42, None)),
        ("2w-6w+-post-op", (14, None)),
        ("2-6w+-post-op", (14, None)),
        ("6w+-2w-post-op", (14, None)),
        ("6w+-8w-post-op", (42, None)),
        ("2w-4w+-6w-post-op", (14, 42)),
    ],
)
def test_it_leaves_the_end_open_where_an_offset_that_counts_has_a_plus(slug, expected):
    assert window(slug) == expected


@pytest.mark.parametrize(
    ("slug", "expected"),
    [("6w+-pre-op", (None, -42)), ("2w-6w+-pre-op", (None, -14)), ("preop-6w+", (None, -42))],
)
def test_it_mirrors_an_open_end_before_a_milestone(slug, expected):
    assert window(slug) == expected


@pytest.mark.parametrize(
    ("slug", "qualifier"),
    [("7d-post-op-2", "2"), ("7d-2-post-op", "2"), ("6-weeks-2-post-op", "2"), ("7d-10d-post-op-2-3", "2-3")],
)
def test_it_keeps_a_number_that_no_unit_follows_as_a_word(slug, qualifier):
    assert parse_slug(slug).qualifier == qualifier


@pytest.mark.parametrize("slug", ["36500d-post-op", "100y-post-op", "0036500d-post-op"])
def test_it_reads_offsets_up_to_the_limit(slug):
    assert window(slug) == (MAX_OFFSET_DAYS, None)


@pytest.mark.parametrize(
    "slug",
    [
        "36501d-post-op",
        "36501d-pre-op",
        "101y",
        "1d-5215w-post-op",
        "100000d-op",
        "1000000d-op",
        "9" * 5_000 + "d-op",
        "9" * 1_000_000 + "-10d-op",
    ],
)
def test_it_calls_an_offset_beyond_the_limit_out_of_range(slug):
    assert parse_slug(slug) == unparsed("out of range")


# Milestones


@pytest.mark.parametrize(
    ("milestone", "words"),
    [
        ("operation", ("op", "operation", "surgery")),
        ("registration", ("reg", "registration")),
        ("discharge", ("dis", "discharge")),
        ("appointment", ("appt", "appointment")),
        ("consent", ("consent",)),
        ("invitation", ("inv", "invite", "invitation")),
    ],
)
def test_it_knows_the_words_of_each_milestone(milestone, words):
    assert [parse_slug(f"7d-post-{word}") for word in words] == [ParsedSlug("parsed", milestone, 7)] * len(words)
    assert {word for word, meaning in MILESTONE_WORDS.items() if meaning == milestone} == set(words)
    assert milestone in MILESTONES


@pytest.mark.parametrize("slug", ["6w-po", "po-6w", "6W-PO"])
def test_it_reads_po_as_post_op(slug):
    assert parse_slug(slug) == parse_slug("6w-post-op")


def test_it_reads_po_alone_as_post_op():
    assert parse_slug("po") == ParsedSlug("parsed", "operation", 0, None)


def test_it_calls_a_milestone_that_is_not_named_unknown():
    assert parse_slug("7d-post") == ParsedSlug("partial", "unknown", 7)


@pytest.mark.parametrize(
    ("slug", "milestone", "qualifier"),
    [
        ("consent-form-7d-pre-op", "operation", "consent-form"),
        ("consent-6w-po", "operation", "consent"),
        ("consent-2d-postop", "operation", "consent"),
        ("7d-reg-discharge", "registration", "discharge"),
    ],
)
def test_it_takes_the_milestone_after_a_direction_else_the_first(slug, milestone, qualifier):
    parsed = parse_slug(slug)
    assert (parsed.milestone_slug, parsed.qualifier) == (milestone, qualifier)


@pytest.mark.parametrize("slug", ["op-day", "surgery-day", "day-of-op", "day-of-surgery", "DAY.OF.OPERATION"])
def test_it_reads_the_day_of_a_milestone_as_that_day(slug):
    assert parse_slug(slug) == ParsedSlug("parsed", "operation", 0, 0)


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("7d-pre-op-day", ParsedSlug("parsed", "operation", -7)),
        ("7d-before-day-of-discharge", ParsedSlug("parsed", "discharge", -7)),
        ("before-day-of-op", ParsedSlug("parsed", "operation", None, 0)),
        ("post-op-day-1", ParsedSlug("parsed", "operation", 1)),
        ("discharge-day-checkup", ParsedSlug("parsed", "discharge", 0, 0, "checkup")),
        ("op-daylight", unparsed("no offset")),
        ("day-care-op", unparsed("no offset")),
    ],
)
def test_it_lets_offset_and_direction_count_from_the_named_day(slug, expected):
    assert parse_slug(slug) == expected


@pytest.mark.parametrize("slug", [*MILESTONE_WORDS, "op-knee", "knee", "pre", "after-care", "to", "day", "weeks-op"])
def test_it_finds_no_offset_in_a_milestone_or_a_direction_alone(slug):
    assert parse_slug(slug) == unparsed("no offset")


# Directions


@pytest.mark.parametrize("direction", ["pre", "before"])
@pytest.mark.parametrize("form", ["7d-{}-op", "{}-op-7d", "{}-7d-op", "7d-{}-the-op"])
def test_it_counts_backwards_before_a_milestone(form, direction):
    assert window(form.format(direction)) == (-7, None)


@pytest.mark.parametrize("direction", ["post", "after"])
@pytest.mark.parametrize("form", ["7d-{}-op", "{}-op-7d", "{}-7d-op", "7d-op"])
def test_it_counts_forwards_after_a_milestone_or_where_no_direction_is_given(form, direction):
    assert window(form.format(direction)) == (7, None)


@pytest.mark.parametrize("word", MILESTONE_WORDS)
@pytest.mark.parametrize("direction", sorted(DIRECTIONS))
def test_it_reads_a_direction_glued_to_a_milestone(direction, word):
    glued = parse_slug(f"7d-{direction}{word}")
    assert glued == parse_slug(f"7d-{direction}-{word}")
    assert glued.milestone_slug == MILESTONE_WORDS[word]


@pytest.mark.parametrize("slug", ["7d-14d-pre-op", "14d-7d-pre-op", "7-14d-before-surgery", "2w-1w-preop"])
def test_it_puts_a_reversed_range_in_order(slug):
    assert window(slug) == (-14, -7)


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("pre-op", (None, 0)),
        ("preop", (None, 0)),
        ("before-discharge", (None, 0)),
        ("post-op", (0, None)),
        ("postdischarge", (0, None)),
        ("after-consent", (0, None)),
    ],
)
def test_it_opens_a_window_at_the_milestone_where_only_the_direction_is_given(slug, expected):
    assert window(slug) == expected


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("7d-pre-op-14d-post-op", (-14, -7)),
        ("after-care-7d-pre-op", (-7, None)),
        ("7d-post-op-or-before", (-7, None)),
    ],
)
def test_it_negates_the_offsets_wherever_before_appears(slug, expected):
    assert window(slug) == expected


# Other words


@pytest.mark.parametrize(
    ("slug", "qualifier"),
    [
        ("knee-7d-post-op", "knee"),
        ("Knee-7d-hip-post-LEFT-op-x", "knee-hip-left-x"),
        ("knee_7d_hip.left", "knee-hip-left"),
        ("weekly-7d-post-op-weeks", "weekly-weeks"),
        ("a-7d-b-10d-c-14d-post-op-d", "a-b-c-d"),
        ("STRAßE-7d-post-op", "straße"),
        ("10x-7d-post-op", "10x"),
        ("l4-l5-post-op", "l4-l5"),
        ("7d-post-op", None),
    ],
)
def test_it_keeps_other_words_in_order_as_the_qualifier(slug, qualifier):
    assert parse_slug(slug).qualifier == qualifier


@pytest.mark.parametrize(
    "slug",
    [
        "7x-post-op",
        "post-op-2",
        "7dd-pre-op",
        "7d10d-op",
        "2,5w-post-op",
        "6+w-post-op",
        "op-day-2x",
        "7-knee",
    ],
)
def test_it_does_not_take_a_typing_error_for_an_open_window(slug):
    assert parse_slug(slug) == unparsed("unknown offset")


@pytest.mark.parametrize("word", ["\u0667d", "\uff17d", "\u00b2d", "d\u0667", "\u2167", "\u00bd", "\u2460-knee"])
def test_it_takes_only_ascii_digits_for_digits(word):
    assert parse_slug(f"{word}-post-op") == unparsed("unknown offset")
    assert parse_slug(f"7d-10d-post-op-{word}") == unparsed("unknown offset")


@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\u00ad", "\ufeff", "\u2060"])
@pytest.mark.parametrize("slug", ["{}7d-10d-post-op", "7{}d-10d-post-op", "7d-post-op{}", "{}", "post-{}op"])
def test_it_reads_no_slug_with_an_invisible_character(slug, character):
    assert parse_slug(slug.format(character)) == unparsed("unknown offset")


@pytest.mark.parametrize("slug", ["1.5w-post-op", "7.5d", "knee-v1.2-7d-post-op", "2w-2.5w-post-op", "7d-post-op-0.5"])
def test_it_reads_no_decimal_number(slug):
    assert parse_slug(slug) == unparsed("unknown offset")


@pytest.mark.parametrize("slug", ["7d.10d.post.op", "7d.-.10d-post-op", "knee.7d-10d-post-op", "week.6-post-op"])
def test_it_takes_a_dot_that_is_not_between_digits_for_a_separator(slug):
    assert parse_slug(slug).parse_status == "parsed"


# Every string has an answer

odd_words = [
    "po",
    "preop",
    "to",
    "of",
    "0",
    "2",
    "007",
    "7d",
    "6w+",
    "w6",
    "7x",
    "99999d",
    "knee",
    "9" * 5_000,
    "\u0667",
]
slug_words = st.sampled_from([*UNIT_DAYS, *MILESTONE_WORDS, *sorted(DIRECTIONS), *odd_words, "\u0130", "\ud800", "\0"])
slugs = st.lists(slug_words | st.text(max_size=3), max_size=8).map("-".join) | st.text()
plain_words = st.lists(slug_words | st.text("abdopwy+0127", min_size=1, max_size=3), min_size=1, max_size=8)
separators = st.text("-_ .", min_size=1, max_size=3)
offsets = st.builds("{}{}{}".format, st.integers(0, 40_000), st.sampled_from([*UNIT_DAYS]), st.sampled_from(["", "+"]))


@given(slugs)
@example("1" * 1_000_000)
@example("1" * 1_000_000 + "d")
@example("7-" * 100_000)
@example("\ud800-7d-\0-op")
def test_it_answers_every_string(slug):
    parsed = parse_slug(slug)
    start, end = parsed.offset_start_days, parsed.offset_end_days
    assert all(abs(days) <= MAX_OFFSET_DAYS for days in (start, end) if days is not None)
    assert start is None or end is None or start <= end
    if parsed.parse_status == "unparsed":
        assert parsed == unparsed(parsed.parse_note)
        assert parsed.parse_note in {"empty", "no offset", "out of range", "unknown offset"}
    else:
        assert parsed.parse_note is None
        assert (start, end) != (None, None)
        assert parsed.qualifier != ""
        assert (parsed.parse_status == "parsed") == (parsed.milestone_slug in MILESTONES)
        assert parsed.milestone_slug in {*MILESTONES, "unknown"}


@given(slugs)
def test_it_reads_a_slug_and_its_lower_case_alike(slug):
    assert parse_slug(slug) == parse_slug(slug.lower())


@given(plain_words.map("-".join))
def test_it_reads_a_slug_and_its_upper_case_alike(slug):
    assume(slug.upper().lower() == slug)
    assert parse_slug(slug) == parse_slug(slug.upper())


@given(plain_words, st.lists(separators, min_size=8, max_size=8), separators | st.just(""))
def test_it_reads_a_slug_alike_whatever_separates_its_words(words, between, around):
    pairs = zip_longest(words, between[: len(words) - 1], fillvalue="")
    slug = around + "".join(word + separator for word, separator in pairs) + around
    assume(not re.search("[0-9][.][0-9]", slug))  # a decimal number
    assert parse_slug(slug) == parse_slug("-".join(words))


@given(
    offsets,
    offsets,
    st.sampled_from(["-", "-to-", "-knee-"]),
    st.sampled_from(["", "-post-op", "-pre-op", "-knee-po"]),
)
def test_it_reads_a_range_and_its_reverse_alike(one, other, joined_by, rest):
    assert parse_slug(one + joined_by + other + rest) == parse_slug(other + joined_by + one + rest)
