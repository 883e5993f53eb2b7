"""Settings from the environment, each read once, by name, and refused loudly when it makes no sense."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off", "")


def text(name: str, default: str = "") -> str:
    """Return the variable `name`; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def secret(name: str, default: str = "") -> str:
    """Return the variable `name`, or the content of the file that `NAME_FILE` names.

    Raises ImproperlyConfigured when both are set, or when the file cannot be read or has nothing in it: a file that is
    named was meant to hold a secret.
    """
    path = text(f"{name}_FILE")
    if not path:
        return os.environ.get(name) or default
    if os.environ.get(name):
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: remove one of them")
    try:
        content = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ImproperlyConfigured(f"{name}_FILE={path} cannot be read: {reason}") from error
    if not content.strip():
        raise ImproperlyConfigured(f"{name}_FILE={path} is empty: write the secret into it, or remove {name}_FILE")
    return content


def words(name: str, default: str = "") -> list[str]:
    """Return the parts of the variable `name` between commas, without the space around them."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """Return the variable `name` as a whole number from `minimum` to `maximum`.

    Raises ImproperlyConfigured for anything else.
    """
    value = text(name, str(default))
    if value.isascii() and value.isdigit() and minimum <= int(value[:18]) <= maximum:
        return int(value)
    raise ImproperlyConfigured(f"{name}={value} must be a whole number from {minimum} to {maximum}")


def boolean(name: str, *, default: bool) -> bool:
    """Return the variable `name` as a truth value; raises ImproperlyConfigured for a word it does not know."""
    value = text(name, "1" if default else "0").lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value} must be one of {', '.join(TRUE)} or {', '.join(FALSE[:-1])}")


def choice(name: str, *allowed: str) -> str:
    """Return the variable `name`, by default the first of `allowed`; raises ImproperlyConfigured for another."""
    value = text(name, allowed[0]).lower()
    if value in allowed:
        return value
    raise ImproperlyConfigured(f"{name}={value} must be one of {', '.join(allowed)}")
