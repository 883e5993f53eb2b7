"""Text from outside, as it may be shown in a message, in a log, on a terminal or in a spreadsheet."""

import re

NUMBER = re.compile(r"[+-]?[0-9]+")
SHOWN_CHARACTERS = 120  # of a text that may be as long as it likes


def visible(text: str) -> str:
    r"""Return `text` with all that is not seen as itself written as an escape, such as \n, \x1b or \u202e.

    These are Unicode's control and format characters, lone surrogates, and separators but the space: on a terminal or
    in a log they forge lines, move the cursor or turn what follows around. A second time it changes nothing.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def beginning(text: str) -> str:
    """Return `text` visibly, and of a long one the beginning."""
    return visible(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


def excerpt(text: str) -> str:
    """Return the beginning of `text` in quotes, and how long it is where that is not all."""
    length = f" ({len(text):,} characters)" if len(text) > SHOWN_CHARACTERS else ""
    return f'"{beginning(text)}"{length}'


def no_formula(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: a text that begins as one gets an apostrophe before it."""
    is_formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if is_formula and not NUMBER.fullmatch(str(value)) else value
