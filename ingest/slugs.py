"""The schedule-slug grammar: what `7d-10d-post-op` says about when an activity is due.

A slug is read by whole words. Offsets say how many days, a milestone from which event, a direction whether
before or after it. Each is taken out of the text in turn; the words that are left are the qualifier.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

MAX_OFFSET_DAYS = 36_500

UNIT_DAYS = {
    **dict.fromkeys(("d", "day", "days"), 1),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 7),
    **dict.fromkeys(("m", "mo", "month", "months"), 30),
    **dict.fromkeys(("y", "yr", "year", "years"), 365),
}
MILESTONE_WORDS = {
    **dict.fromkeys(("op", "operation", "surgery"), "operation"),
    **dict.fromkeys(("reg", "registration"), "registration"),
    **dict.fromkeys(("dis", "discharge"), "discharge"),
    **dict.fromkeys(("appt", "appointment"), "appointment"),
    **dict.fromkeys(("consent",), "consent"),
    **dict.fromkeys(("inv", "invite", "invitation"), "invitation"),
}
MILESTONES = tuple(dict.fromkeys(MILESTONE_WORDS.values()))
UNKNOWN_MILESTONE = "unknown"

BEFORE = frozenset({"pre", "before"})
AFTER = frozenset({"post", "after"})
DIRECTIONS = BEFORE | AFTER

SPELLED_OUT = {"po": "post op"} | {
    direction + milestone: f"{direction} {milestone}" for direction in DIRECTIONS for milestone in MILESTONE_WORDS
}
SEPARATORS = str.maketrans("-_.", "   ")


def _any_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


# The patterns read plain text, in which a space stands before each word: a space begins a word, END ends it.
# None of them repeats a group, so on any text their time is linear.
END = "(?![^ ])"
NUMBER = "[0-9]++"
UNIT = _any_of(UNIT_DAYS)
MILESTONE_PHRASE = f" (?P<phrase>(?:day of )?(?P<word>{_any_of(MILESTONE_WORDS)})(?: day)?){END}"

BARE_NUMBER = re.compile(NUMBER)
STARTS_WITH_DIGIT = re.compile(" [0-9]")
OFFSET = re.compile(rf" ((?:{NUMBER} ?{UNIT}|{UNIT} ?{NUMBER})\+?){END}")
LEADS_ON = (" to", *"0123456789")
DECIMAL = re.compile("[0-9][.][0-9]")
MILESTONE = re.compile(MILESTONE_PHRASE)
DIRECTED_MILESTONE = re.compile(f" {_any_of(DIRECTIONS)}{MILESTONE_PHRASE}")


@dataclass(frozen=True, slots=True)
class ParsedSlug:
    """What a slug says. Offsets are days after the milestone; the window is open where one is null."""

    parse_status: Literal["parsed", "partial", "unparsed"]
    milestone_slug: str | None = None
    offset_start_days: int | None = None
    offset_end_days: int | None = None
    qualifier: str | None = None
    parse_note: str | None = None


class Span(NamedTuple):
    """The days a slug names, not yet turned before or after: one, or the first and the last of several."""

    days: tuple[int, ...]
    open_ended: bool = False


def parse_slug(slug: str | None) -> ParsedSlug:
    """Read any slug; None reads as an empty one. It takes time linear in the length and raises nothing.

    `parsed` has an offset and a milestone, `partial` only an offset; `unparsed` has just a note saying why.
    """
    text = _plain_text(slug or "")
    if not text:
        return _unparsed("empty")
    if _hides_a_number(slug or ""):
        return _unparsed("unknown offset")
    offsets, text = _take_offsets(text)
    milestone, on_the_day, text = _take_milestone(text)
    words = _words(text)
    before = not BEFORE.isdisjoint(words)

    if offsets:
        span = _explicit_span(offsets)
    elif STARTS_WITH_DIGIT.search(text):
        return _unparsed("unknown offset")  # a typing error must not become an open window
    elif milestone and not DIRECTIONS.isdisjoint(words):
        span = Span((0,), open_ended=True)
    elif on_the_day:
        span = Span((0, 0))
    else:
        return _unparsed("no offset")
    if max(span.days) > MAX_OFFSET_DAYS:
        return _unparsed("out of range")

    start, end = _window(span, before=before)
    return ParsedSlug(
        parse_status="parsed" if milestone else "partial",
        milestone_slug=milestone or UNKNOWN_MILESTONE,
        offset_start_days=start,
        offset_end_days=end,
        qualifier="-".join(word for word in words if word not in DIRECTIONS) or None,
    )


def _unparsed(note: str) -> ParsedSlug:
    return ParsedSlug("unparsed", parse_note=note)


def _hides_a_number(slug: str) -> bool:
    """Tell whether a slug may name a number that is not read as one.

    Such as a decimal one, one in other digits than 0-9, or one that an invisible character stands before: taken for a
    word it would leave an open window.
    """
    strange = set() if slug.isascii() else {c for c in slug if not c.isascii()}
    return bool(DECIMAL.search(slug)) or any(unicodedata.category(c) in ("Nd", "Nl", "No", "Cf") for c in strange)


def _words(text: str) -> list[str]:
    return list(filter(None, text.split(" ")))


def _text(words: list[str]) -> str:
    return " ".join(["", *words])


def _plain_text(slug: str) -> str:
    words = _words(slug.lower().translate(SEPARATORS))
    # `preop` becomes `pre op`, and `po` `post op`.
    return _text([SPELLED_OUT.get(word, word) for word in words])


def _take_offsets(text: str) -> tuple[list[str], str]:
    *pieces, rest = OFFSET.split(text)  # words, offset, words, offset, …, words
    offsets: list[str] = []
    others: list[str] = []
    for between, offset in zip(pieces[::2], pieces[1::2], strict=True):
        if between.endswith(LEADS_ON):
            words, numbers = _split_numbers(_words(between), after_offset=bool(offsets))
            others.append(_text(words))
            # Of `2-to-4w` the 2 takes the unit of the offset that follows.
            offsets += [number + _unit(offset) for number in numbers]
        else:
            others.append(between)
        offsets.append(offset)
    return offsets, "".join(others) + rest


def _split_numbers(words: list[str], *, after_offset: bool) -> tuple[list[str], list[str]]:
    """Split the words before an offset into those that are no part of it and the numbers that take its unit.

    `knee-2-to` before `4w` is `knee` and `2`. A `to` that leads on from a number or from another offset is
    part of the range; the one of `up-to-6w` is a word like any other.
    """
    cut = len(words)
    while cut and (words[cut - 1] == "to" or BARE_NUMBER.fullmatch(words[cut - 1])):
        cut -= 1
    leads_on = after_offset and cut == 0
    while words[cut : cut + 1] == ["to"] and not leads_on:
        cut += 1
    return words[:cut], [word for word in words[cut:] if word != "to"]


def _take_milestone(text: str) -> tuple[str | None, bool, str]:
    """Take the milestone out of a text; give it, whether its day is meant (`op-day`), and the text left over.

    Of several the one right after a direction counts (`consent-form-7d-pre-op`), else the first.
    """
    match = DIRECTED_MILESTONE.search(text) or MILESTONE.search(text)
    if not match:
        return None, False, text
    start, end = match.span("phrase")
    return MILESTONE_WORDS[match["word"]], "day" in match["phrase"], text[:start] + text[end:]


def _explicit_span(offsets: list[str]) -> Span:
    # Of three or more offsets the first and the last count; a `+` on either (`2w-6w+`) means: no end.
    counted = offsets if len(offsets) == 1 else [offsets[0], offsets[-1]]
    return Span(tuple(map(_days, counted)), open_ended=any(offset.endswith("+") for offset in counted))


def _unit(offset: str) -> str:
    return offset.strip("0123456789 +")


def _days(offset: str) -> int:
    unit = _unit(offset)
    number = offset.replace(unit, "").strip(" +").lstrip("0") or "0"  # of `6w`, `6 weeks+` or `week 6`
    # Six digits are out of range already, and int() refuses very long numbers.
    return int(number[:6]) * UNIT_DAYS[unit]


def _window(span: Span, *, before: bool) -> tuple[int | None, int | None]:
    """Give the first and the last day of the window, counted from the milestone.

    Before a milestone all is mirrored, so `6w+-pre-op`, six weeks or more before, has an end and no start.
    """
    days = sorted(-day if before else day for day in span.days)
    if span.open_ended:
        return (None, days[-1]) if before else (days[0], None)
    return (days[0], None) if len(days) == 1 else (days[0], days[-1])
