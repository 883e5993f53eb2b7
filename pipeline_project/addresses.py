"""Settings that are addresses: of servers, sites, people and documents.

Each function returns the variable `name`, and raises ImproperlyConfigured for what is none. What can hold a secret is
never repeated.
"""

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from pipeline_project import env

# How a browser names a host: with no other characters than these.
NAME, IPV6 = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", r"\[[0-9a-f:.]+\]"
HOST = re.compile(rf"\*|\.?{NAME}|{IPV6}", re.ASCII | re.IGNORECASE)
ORIGIN = re.compile(rf"https?://(?:(?:\*\.)?{NAME}|{IPV6})(?::\d+)?", re.ASCII)
SITE = re.compile(r"[\w.:-]+")  # in any language's letters, as requests translates them
LONGEST_ISSUER = 200  # as the table of its users has it
NO_SERVER = re.compile(r"(?![/@])(?:.*[\s@/\[\]]|[^:]*:\d*$)")  # with / and @ begin the names of sockets


def server(name: str, default: str) -> str:
    """Return the name or address of a server, or of several, or the folder of PostgreSQL's socket."""
    value = env.text(name, default)
    if any(map(NO_SERVER.match, value.split(","))):
        raise ImproperlyConfigured(
            f"{name} must be the name or the address of a server alone, without scheme, user, brackets or port: "
            "those have variables of their own"
        )
    return value


def hosts(name: str, default: str) -> list[str]:
    """Return hosts as Django's ALLOWED_HOSTS takes them, written between commas; each must match some request."""
    found = env.words(name, default)
    for host in found:
        if not HOST.fullmatch(host):
            raise ImproperlyConfigured(
                f"{name} holds {host}, which is no host name: write names such as warehouse.example.org, "
                "or .example.org for all of them, without scheme and port"
            )
    return found


def origins(name: str) -> list[str]:
    """Return addresses of sites, written between commas, as browsers write them: scheme and host."""
    found = []
    for word in env.words(name):
        origin = word.lower()
        parts = _split(origin)
        if not ORIGIN.fullmatch(origin) or parts is None:
            raise ImproperlyConfigured(
                f"{name} holds {word}, which is no origin: write scheme and host such as https://warehouse.example.org "
                "or https://*.example.org, with commas between them"
            )
        found.append(origin.removesuffix(":443" if parts.scheme == "https" else ":80"))  # which browsers leave out
    return found


def mails(name: str) -> list[str]:
    """Return e-mail addresses, written between commas."""
    return [_mail(name, word) for word in env.words(name)]


def mail(name: str, default: str) -> str:
    """Return an e-mail address."""
    value = env.text(name)
    return _mail(name, value) if value else default


def _mail(name: str, word: str) -> str:
    address = re.sub(r"[^<>]*<([^<>]*)>", r"\1", word)  # of `Ann <ann@example.org>`
    try:
        # A mail server of one's own network may have a name of one word, which Django takes for none.
        validate_email(f"{address}.example" if re.search(r"@[\w-]+$", address) else address)
    except ValidationError as error:
        raise ImproperlyConfigured(
            f"{name} holds {word}, which is no e-mail address: write it as ann@example.org"
        ) from error
    return word


def secret_url(name: str) -> str:
    """Return an http(s) address that is a secret, or ""."""
    value = env.secret(name).strip()
    if value and not _is_web(_split(value)):
        raise ImproperlyConfigured(
            f"{name} must be an address such as https://hooks.example.org/services/1: copy it whole"
        )
    return value


def secret_base(name: str) -> str:
    """Return an http(s) address that is a secret, to which a path is added, without a / at its end; or ""."""
    value = secret_url(name)
    if set("?#") & set(value):
        raise ImproperlyConfigured(
            f"{name} goes on with /msk, which cannot follow a ? or a #: leave out what begins there"
        )
    return value.rstrip("/")


def issuer(name: str, *, in_the_clear: bool) -> str:
    """Return the address by which an OpenID Connect provider names itself, or ""; by http only `in_the_clear`."""
    value = env.text(name)
    parts = _split(value)
    schemes = ("https", "http") if in_the_clear else ("https",)
    is_one = _is_web(parts) and parts is not None and parts.scheme in schemes and not set("@?#") & set(value)
    if value and not (is_one and len(value) <= LONGEST_ISSUER):
        raise ImproperlyConfigured(
            f"{name} must be what the provider gives as its issuer, such as https://login.example.org/realms/care, "
            f"in {LONGEST_ISSUER} characters at most: with DEBUG=0 by https, and never with a user, a ? or a #"
        )
    return value


def documents(name: str, default: str) -> str:
    """Return the folder of the COVID documents, or their http(s) or file address, without a secret and a query."""
    value = env.text(name, default)
    parts = _split(value.replace(" ", "%20") if value.startswith("file://") else value)
    if "://" not in value and ("@" not in value or Path(value).is_dir()):
        return value
    if "://" not in value or (parts and "@" in parts.netloc):
        raise ImproperlyConfigured(
            f"{name} has a user or a password in it, which logs and tables would keep: leave out what stands before "
            "the @, or copy documents that need a login into a folder and name that"
        )
    if parts and ("?" in value or "#" in value):
        raise ImproperlyConfigured(
            f"{name} goes on with /us/daily.json, which cannot follow a ? or a #: leave out what begins there"
        )
    if _is_web(parts) or (parts and parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path):
        return value
    raise ImproperlyConfigured(
        f"{name} must be a folder, or an address such as https://api.covidtracking.com/v2 or file:///srv/covid/v2"
    )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # not passed on: its text would repeat a password
        return None
    return parts if url.isprintable() and " " not in url else None


def _is_web(parts: SplitResult | None) -> bool:
    return parts is not None and parts.scheme in ("http", "https") and bool(SITE.fullmatch(parts.hostname or ""))
