"""The COVID Tracking Project's API: one document at a time, within limits of time and size."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from requests_file import FileAdapter
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from ingest.quoting import beginning, excerpt
from ingest.runs.deadline import deadline
from ingest.runs.errors import PipelineError

USER_AGENT = "msk-pipeline/0.1 (Django ETL; python-requests)"
CONNECT_SECONDS, READ_SECONDS = 10, 30
TOTAL_SECONDS = 300  # for one document with all tries and redirects: a run holds a lock and a transaction meanwhile
MAX_BYTES = 2 * 1024 * 1024  # the whole history is below half a megabyte; JSON can take thirty times its size in memory
CHUNK_BYTES = 16 * 1024  # small, because a compressed chunk can unpack to a thousand times its size
RETRIES = 4
RETRIED = frozenset({429, *range(500, 600)})  # statuses of a server that is busy or unwell
# What can be kept of a version's name and sent back: printable Latin-1 that begins with no space. The longest known
# are of some 70 characters.
VALIDATOR = re.compile("[!-~\xa1-\xff][ -~\xa1-\xff]{0,254}")


class TransientError(PipelineError):
    """The API cannot be reached or is unwell: the same request may succeed later."""


class PermanentError(PipelineError):
    """The API answered with something that the next try will not mend."""


def over_limit(url: str, what: str, limit: int) -> PermanentError:
    """Return the error for a document that holds more than is kept."""
    return PermanentError(f"{url} holds {what}, and {limit:,} is the limit: the publisher has to mend it")


@dataclass(frozen=True)
class Validators:
    """What the server said of a document's version, to ask whether it is still the same.

    What could not be sent back counts as not said: without it the document is fetched anew, which is always right.
    """

    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, etag: str | None, last_modified: str | None) -> "Validators":
        """Return those of the two that can be sent back."""
        return cls(*(value if value and VALIDATOR.fullmatch(value) else None for value in (etag, last_modified)))

    def headers(self) -> dict[str, str]:
        """Return the headers that ask for a document only if it has changed; none where nothing is known of it."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True)
class Document:
    """A document as it came."""

    url: str
    fetched_at: datetime
    body: bytes
    validators: Validators

    @property
    def text(self) -> str:
        """Its body as UTF-8, the encoding of JSON. Raises UnicodeDecodeError."""
        return self.body.decode("utf-8-sig")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class _Retry(Retry):
    def increment(self, *args: Any, **kwargs: Any) -> Self:
        """Let go of a failure's body, which urllib3 would read to its end, however far that is."""
        if response := kwargs.get("response"):
            response.close()
        return super().increment(*args, **kwargs)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Let go of a redirect's body, which requests would read to its end."""
        if resp.is_redirect:
            resp.close()
        return super().get_redirect_target(resp)


class CovidClient(AbstractContextManager["CovidClient"]):
    """Fetches documents below `base`: an http(s) or file URL, or a folder. Use as a context manager.

    A document with all tries and redirects has to come within `total_seconds`: see ingest.runs.deadline. What does not
    come raises TransientError or PermanentError.
    """

    def __init__(
        self, base: str, *, retries: int = RETRIES, backoff_seconds: float = 0.5, total_seconds: float = TOTAL_SECONDS
    ) -> None:
        self.total_seconds = total_seconds
        self.base = (Path(base).resolve().as_uri() if "://" not in base else base).rstrip("/")
        self.session = _Session()
        self.session.headers["User-Agent"] = USER_AGENT
        retry = _Retry(
            total=retries,
            backoff_factor=backoff_seconds,
            status_forcelist=RETRIED,
            respect_retry_after_header=True,
            retry_after_max=120,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))
        if self.base.startswith("file://"):  # and only then: no server may redirect us to a file of ours
            self.session.mount("file://", FileAdapter())

    def __exit__(self, *exception: object) -> None:
        self.session.close()

    @property
    def history_url(self) -> str:
        return f"{self.base}/us/daily.json"

    def history(self, known: Validators) -> Document | None:
        """Return the history of all days, or None when it is still the version of `known`."""
        with self._get(self.history_url, known) as response:
            if response.status_code == requests.codes.not_modified and known.headers():
                return None
            return _document(self.history_url, response)

    def day(self, day: date) -> Document | None:
        """Return one day's document, or None when that day is not published."""
        url = f"{self.base}/us/daily/{day}.json"
        with self._get(url, Validators()) as response:
            if response.status_code == requests.codes.not_found:
                return None
            return _document(url, response)

    @contextmanager
    def _get(self, url: str, known: Validators) -> Iterator[requests.Response]:
        # The block reads the body: that, too, counts to the deadline.
        try:
            with deadline(self.total_seconds), self._ask(url, known) as response:
                yield response
        except TimeoutError as error:
            raise TransientError(f"{url} took longer than {self.total_seconds} s: try again later") from error

    def _ask(self, url: str, known: Validators) -> requests.Response:
        try:
            return self.session.get(url, headers=known.headers(), stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS))
        except requests.TooManyRedirects as error:
            raise PermanentError(f"{url} redirects without end: check COVID_API_URL") from error
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.InvalidHeader) as error:
            raise TransientError(f"{url} cannot be reached ({_cause(error)}): try again later") from error
        except ValueError as error:  # its text may quote a part of the address, as of a password
            raise PermanentError(f"{url} leads to what is no address: check COVID_API_URL") from error
        except requests.RequestException as error:
            raise PermanentError(f"{url} cannot be asked for ({_cause(error)}): correct COVID_API_URL") from error


def _document(url: str, response: requests.Response) -> Document:
    status = response.status_code
    if status in RETRIED:
        raise TransientError(f"{url} answered {_status(response)}: try again later")
    if status != requests.codes.ok:
        raise PermanentError(f"{url} answered {_status(response)}: check COVID_API_URL")
    validators = Validators.of(response.headers.get("ETag"), response.headers.get("Last-Modified"))
    return Document(url, datetime.now(UTC), _body(url, response.raw), validators)


def _status(response: requests.Response) -> str:
    return f"{response.status_code} {excerpt(response.reason)}" if response.reason else f"{response.status_code}"


def _body(url: str, raw: Any) -> bytes:
    body = bytearray()
    raw.decode_content = True
    try:
        while chunk := raw.read1(CHUNK_BYTES):  # what is there, without waiting for a whole chunk
            body += chunk
            if len(body) > MAX_BYTES:
                raise PermanentError(f"{url} is larger than {MAX_BYTES} bytes: check COVID_API_URL")
    except HTTPError as error:
        raise TransientError(f"{url} broke off ({_cause(error)}): try again later") from error
    return bytes(body)


def _cause(error: Exception) -> str:
    # Only the innermost reason: the outer ones repeat the address and an object's id.
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
    return beginning(str(cause).split(": ", 1)[-1]) or type(cause).__name__
