"""Settings from the environment, each read once, by name, and refused loudly when it makes no sense.

Each function but `load` returns the variable `name`, and raises ImproperlyConfigured for what that must not be.
"""

import os
import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from dotenv.parser import parse_stream

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off", "")

NO_TEXT = "it is no text in UTF-8"

# What each field of a cron expression may hold: numbers of its range, *, and ranges and steps of them.
CRON_FIELDS = (range(60), range(24), range(1, 32), range(1, 13), range(7))
CRON_ITEM = re.compile(r"(?:\*|(\d\d?)-(\d\d?))(?:/0?[1-9]\d?)?|(\d\d?)", re.ASCII)


def load(path: Path) -> None:
    """Take from the file `path`, if it is there, the variables that the environment does not have.

    Raises ImproperlyConfigured when it cannot be read, or has a line that says nothing: to pass over one, as a name
    whose quotes are not closed, would be to run without it.
    """
    try:
        if path.is_file() and not os.environ.get("PYTHON_DOTENV_DISABLED"):
            with path.open(encoding="utf-8") as lines:
                unread = [binding.original.line for binding in parse_stream(lines) if binding.error]
            if unread:
                raise ImproperlyConfigured(
                    f"line {unread[0]} of {path} is no NAME=value, or its quotes are not closed: correct it"
                )
        load_dotenv(path)
    except (OSError, ValueError) as error:  # ValueError: another encoding, or a NUL
        raise ImproperlyConfigured(f"{path} cannot be read: {_reason(error)}") from error


def text(name: str, default: str = "") -> str:
    """Return a text, or the default where it is empty; what cannot be seen, as a command to a terminal, is refused."""
    return _visible(name, os.environ.get(name, "").strip()) or default


def secret(name: str, default: str = "") -> str:
    """Return a secret: that of the variable, or that in the file that `NAME_FILE` names."""
    value, path = os.environ.get(name, ""), text(f"{name}_FILE")
    if path and value:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: remove one of them")
    if path:
        return _secret_of_file(f"{name}_FILE", Path(path))
    if value and not value.strip():
        raise ImproperlyConfigured(f"{name} is blank: write the secret into it, or remove {name}")
    return value or default


def _secret_of_file(name: str, path: Path) -> str:
    try:
        content = path.read_text(encoding="utf-8-sig").rstrip("\r\n")  # without what editors put around the text
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{name}={path} cannot be read: {_reason(error)}") from error
    if "\0" in content:  # as UTF-16 without its mark has, and no password can have
        raise ImproperlyConfigured(f"{name}={path} cannot be read: {NO_TEXT}")
    if not content.strip():
        raise ImproperlyConfigured(f"{name}={path} is empty: write the secret into it, or remove {name}")
    return content


def _reason(error: OSError | ValueError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else NO_TEXT


def _visible(name: str, value: str) -> str:
    if value.isprintable():
        return value
    raise ImproperlyConfigured(
        f"{name} has a line break or another invisible character in it: write it anew, in one line"
    )


def words(name: str, default: str = "") -> list[str]:
    """Return the parts between commas, without the space around them."""
    parts = (os.environ.get(name, "").strip() or default).split(",")
    return [_visible(name, part.strip()) for part in parts if part.strip()]


def pairs(name: str) -> list[tuple[str, str]]:
    """Return the pairs of VALUE=MEANING between commas, split at the last `=` of each."""
    found = []
    for word in words(name):
        value, _, meaning = (part.strip() for part in word.rpartition("="))
        if not value or not meaning:
            raise ImproperlyConfigured(f"{name} holds {word}: write VALUE=MEANING, with commas between several")
        found.append((value, meaning))
    return found


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """Return a whole number from `minimum` to `maximum`."""
    value = text(name, str(default))
    digits = value.lstrip("0") or value[-1]  # Python refuses to read thousands of digits
    if value.isascii() and value.isdigit() and len(digits) <= len(str(maximum)) and minimum <= int(digits) <= maximum:
        return int(digits)
    raise ImproperlyConfigured(f"{name}={value} must be a whole number from {minimum} to {maximum}")


def boolean(name: str, *, default: bool) -> bool:
    """Return a truth value."""
    value = text(name, "1" if default else "0").lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value} must be one of {', '.join(TRUE)} or {', '.join(FALSE[:-1])}")


def choice(name: str, *allowed: str) -> str:
    """Return one of `allowed`, by default the first."""
    value = text(name, allowed[0]).lower()
    if value in allowed:
        return value
    raise ImproperlyConfigured(f"{name}={value} must be one of {', '.join(allowed)}")


def cron(name: str, default: str) -> str:
    """Return the five fields of a cron expression, or "" when it is empty or off.

    What crond would not understand is refused, as it says little and runs the job at other times.
    """
    value = _visible(name, " ".join(os.environ.get(name, default).lower().split()))
    if value in FALSE:
        return ""
    fields = value.split()
    if len(fields) == len(CRON_FIELDS) and all(map(_is_cron_field, fields, CRON_FIELDS)):
        return value
    raise ImproperlyConfigured(
        f"{name}={value} must be off or five fields such as 30 5 * * *: "
        "minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6"
    )


def _is_cron_field(field: str, allowed: range) -> bool:
    items = [CRON_ITEM.fullmatch(item) for item in field.split(",")]
    bounds = [[int(number) for number in item.groups() if number] for item in items if item]
    return None not in items and all(set(pair) <= set(allowed) and pair == sorted(pair) for pair in bounds)
