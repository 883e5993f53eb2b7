"""The client of the COVID API against servers that behave, and servers that do not."""

import gzip
import itertools
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingest.covid import client as client_module
from ingest.covid.client import USER_AGENT, CovidClient, PermanentError, TransientError, Validators
from ingest.runs.deadline import deadline
from ingest.runs.errors import PipelineError
from tests.ingest.covid.documents import Publisher, day, days, document, history
from tests.ingest.runs.test_failures import end, environment, free_port, process

DAY = date(2021, 3, 7)
HISTORY, DAY_PATH = "/v2/us/daily.json", "/v2/us/daily/2021-03-07.json"
RETRIES = 2
MEMORY_MEGABYTES = 150
SOON_SECONDS, PATIENCE_SECONDS = 30, 60
TLS_HANDSHAKE = b"\x16\x03"  # how a client begins that wants to speak TLS
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"

RawServer = Callable[[Iterable[bytes]], str]


@pytest.fixture(autouse=True)
def direct(monkeypatch) -> None:
    """No proxy of this machine between us and the server."""
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Little time for a server to answer."""
    monkeypatch.setattr(client_module, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(client_module, "READ_SECONDS", 0.3)


@pytest.fixture
def publisher(httpserver: HTTPServer) -> Publisher:
    return Publisher(httpserver)


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    """Return a function that serves pieces of an answer as they are, to each request anew, and returns the address."""
    listeners: list[socket.socket] = []

    def answer(connection: socket.socket, pieces: Iterable[bytes]) -> None:
        with connection, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request and not request.startswith(TLS_HANDSHAKE):
                request += connection.recv(65536)
            for piece in pieces:
                connection.sendall(piece)

    def listen(listener: socket.socket, pieces: Iterable[bytes]) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection, pieces), daemon=True).start()

    def serve(pieces: Iterable[bytes]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=listen, args=(listener, pieces), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v2"

    yield serve
    for listener in listeners:
        listener.close()


class Repeated:
    """Pieces of an answer: some at its beginning, then one again and again, longer than a test can wait."""

    def __init__(self, *beginning: bytes, for_ever: bytes, pause_seconds: float = 0) -> None:
        self.beginning, self.for_ever, self.pause_seconds = beginning, for_ever, pause_seconds

    def __iter__(self) -> Iterator[bytes]:
        yield from self.beginning
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            time.sleep(self.pause_seconds)
            yield self.for_ever


def failure(base: str, kind: type[PipelineError], *, of: str = "history", **limits: Any) -> str:
    """Return the message with which fetching fails, which is one line that names the address."""
    limits = {"retries": RETRIES, "backoff_seconds": 0} | limits
    with CovidClient(base, **limits) as client, pytest.raises(PipelineError) as caught:
        _ = client.history(Validators()) if of == "history" else client.day(DAY)
    assert type(caught.value) is kind
    (line,) = str(caught.value).splitlines()
    assert f"{base}/us/daily" in line
    assert ("try again later" in line) == (kind is TransientError)
    return line


def fetch(base: str) -> bytes:
    """Return the history's body."""
    with CovidClient(base, retries=RETRIES, backoff_seconds=0) as client:
        found = client.history(Validators())
    assert found
    return found.body


# --- A server that is well


def test_it_gives_a_document_as_it_came(publisher: Publisher) -> None:
    publisher.publish(*days(3))
    with CovidClient(publisher.url) as client:
        whole, one = client.history(Validators()), client.day(DAY)
    assert whole
    assert one
    assert (whole.url, whole.body) == (f"{publisher.url}/us/daily.json", history(*days(3)))
    assert (one.url, one.body) == (f"{publisher.url}/us/daily/2021-03-07.json", document(day()))


def test_it_names_the_project_to_the_server(publisher: Publisher) -> None:
    publisher.publish(day())
    fetch(publisher.url)
    ((request, _),) = publisher.server.log
    assert request.headers["User-Agent"] == USER_AGENT
    assert USER_AGENT.startswith("msk-pipeline/")


def test_it_does_not_mind_a_slash_at_the_end_of_the_address(publisher: Publisher) -> None:
    publisher.publish(day())
    assert fetch(f"{publisher.url}/") == history(day())


def test_it_unpacks_a_compressed_document(httpserver: HTTPServer) -> None:
    packed = gzip.compress(history(*days(3)))
    httpserver.expect_request(HISTORY).respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    assert fetch(httpserver.url_for("/v2")) == history(*days(3))


def test_it_joins_a_document_that_comes_in_chunks(raw_server: RawServer) -> None:
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (b'{"data"', b": []}", b"")]
    assert fetch(raw_server([HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunks])) == b'{"data": []}'


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"ETag": '"v1"'}, {"If-None-Match": '"v1"'}),
        (
            {"Last-Modified": "Mon, 08 Mar 2021 00:00:00 GMT"},
            {"If-Modified-Since": "Mon, 08 Mar 2021 00:00:00 GMT"},
        ),
        ({"ETag": 'W/"v2"', "Last-Modified": "x"}, {"If-None-Match": 'W/"v2"', "If-Modified-Since": "x"}),
        ({}, {}),
    ],
)
def test_it_asks_whether_the_history_is_still_the_version_it_knows(
    httpserver: HTTPServer, headers: dict[str, str], asked: dict[str, str]
) -> None:
    httpserver.expect_ordered_request(HISTORY).respond_with_data(history(day()), headers=headers)
    httpserver.expect_ordered_request(HISTORY, headers=asked).respond_with_data(status=304 if asked else 200)
    with CovidClient(httpserver.url_for("/v2")) as client:
        first = client.history(Validators())
        assert first
        second = client.history(first.validators)
    assert (second is None) == bool(asked)
    conditions = {name for name, _ in httpserver.log[1][0].headers if name.startswith("If-")}
    assert conditions == set(asked)
    assert len(httpserver.log) == 2


def test_it_knows_the_history_by_the_address_it_asked_for_though_that_redirects(httpserver: HTTPServer) -> None:
    httpserver.expect_request(HISTORY).respond_with_response(Response(status=302, headers={"Location": "/moved"}))
    httpserver.expect_request("/moved").respond_with_data(history(day()))
    with CovidClient(httpserver.url_for("/v2")) as client:
        found = client.history(Validators())
        assert found
        assert (found.url, found.body) == (client.history_url, history(day()))


@pytest.mark.parametrize("status", [204, 304])
def test_it_does_not_take_an_answer_without_a_document_for_one(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request(HISTORY).respond_with_data(status=status)
    assert str(status) in failure(httpserver.url_for("/v2"), PermanentError)


def test_it_takes_a_day_that_is_not_published_for_no_failure(publisher: Publisher) -> None:
    publisher.publish(day())
    with CovidClient(publisher.url) as client:
        assert client.day(date(2021, 3, 8)) is None


# --- A file or a folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    us = tmp_path / "a folder" / "v2" / "us"
    (us / "daily").mkdir(parents=True)
    (us / "daily.json").write_bytes(history(day()))
    (us / "daily" / "2021-03-07.json").write_bytes(document(day()))
    return us.parent


@pytest.mark.parametrize("form", [str, lambda folder: f"{folder}/", Path.as_uri, lambda folder: f"{folder.as_uri()}/"])
def test_it_reads_a_folder_by_its_name_or_address(folder: Path, form: Callable[[Path], str]) -> None:
    with CovidClient(form(folder)) as client:
        whole, one, none = client.history(Validators()), client.day(DAY), client.day(date(2021, 3, 8))
    assert whole
    assert one
    assert (whole.body, one.body, none) == (history(day()), document(day()), None)


def test_it_reads_a_folder_by_its_relative_name(folder: Path, monkeypatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert fetch("v2") == history(day())


def test_it_says_that_a_folder_has_no_history(tmp_path: Path) -> None:
    assert "404" in failure(tmp_path.as_uri(), PermanentError)


def test_it_refuses_a_folder_in_the_place_of_a_document(folder: Path) -> None:
    (folder / "us" / "daily.json").unlink()
    (folder / "us" / "daily.json").mkdir()
    failure(folder.as_uri(), PermanentError)


@pytest.mark.parametrize(
    "base",
    [
        "ftp://example.com/v2",
        "http:///v2",
        "http://[::1/v2",
        "http://nowhere:port/v2",
        "http://a..b/v2",
        f"http://{'a' * 64}.invalid/v2",
        "file://data/covid/v2",
    ],
)
def test_it_refuses_an_address_that_is_none(base: str) -> None:
    assert "COVID_API_URL" in failure(base, PermanentError)


# --- A server that cannot be reached


def test_it_says_that_nobody_listens() -> None:
    assert "Connection refused" in failure(f"http://127.0.0.1:{free_port()}/v2", TransientError)


def test_it_says_that_a_name_is_unknown() -> None:
    failure("http://nohost.invalid/v2", TransientError)


def test_it_gives_up_a_server_that_does_not_answer(impatient, raw_server: RawServer) -> None:
    start = time.monotonic()
    line = failure(raw_server(Repeated(for_ever=b"", pause_seconds=0.1)), TransientError)
    assert "timed out" in line
    assert time.monotonic() - start < SOON_SECONDS


def test_it_gives_up_a_server_that_closes_the_door(raw_server: RawServer) -> None:
    failure(raw_server([]), TransientError)


def test_it_gives_up_a_server_that_does_not_speak_http(raw_server: RawServer) -> None:
    failure(raw_server([b"220 mail.example.com ESMTP\r\n\r\n"]), TransientError)


# --- A server that is unwell


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520])
def test_it_tries_again_when_the_server_is_unwell(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_oneshot_request(HISTORY).respond_with_data(status=status)
    httpserver.expect_request(HISTORY).respond_with_data(history(day()))
    assert fetch(httpserver.url_for("/v2")) == history(day())
    assert [response.status_code for _, response in httpserver.log] == [status, 200]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520])
@pytest.mark.parametrize("of", ["history", "day"])
def test_it_gives_up_when_the_server_stays_unwell(httpserver: HTTPServer, status: int, of: str) -> None:
    httpserver.expect_request(HISTORY if of == "history" else DAY_PATH).respond_with_data(status=status)
    assert str(status) in failure(httpserver.url_for("/v2"), TransientError, of=of)
    assert len(httpserver.log) == 1 + RETRIES


@pytest.mark.parametrize("status", [400, 401, 403, 410, 451])
@pytest.mark.parametrize("of", ["history", "day"])
def test_it_does_not_try_again_what_will_not_mend(httpserver: HTTPServer, status: int, of: str) -> None:
    httpserver.expect_request(HISTORY if of == "history" else DAY_PATH).respond_with_data(status=status)
    assert str(status) in failure(httpserver.url_for("/v2"), PermanentError, of=of)
    assert len(httpserver.log) == 1


def test_it_says_that_there_is_no_history(httpserver: HTTPServer) -> None:
    httpserver.expect_request(HISTORY).respond_with_data(status=404)
    assert "404" in failure(httpserver.url_for("/v2"), PermanentError)
    assert len(httpserver.log) == 1


def test_it_waits_as_long_as_the_server_asks(httpserver: HTTPServer) -> None:
    times: list[float] = []

    def busy(request: Request) -> Response:
        times.append(time.monotonic())
        return Response(status=429, headers={"Retry-After": "1"}) if len(times) == 1 else Response(history(day()))

    httpserver.expect_request(HISTORY).respond_with_handler(busy)
    assert fetch(httpserver.url_for("/v2")) == history(day())
    first, second = times
    assert second - first >= 1


def test_it_waits_longer_each_time_when_the_server_does_not_say(httpserver: HTTPServer) -> None:
    times: list[float] = []

    def unwell(request: Request) -> Response:
        times.append(time.monotonic())
        return Response(status=503)

    httpserver.expect_request(HISTORY).respond_with_handler(unwell)
    with (
        CovidClient(httpserver.url_for("/v2"), retries=3, backoff_seconds=0.1) as client,
        pytest.raises(TransientError),
    ):
        client.history(Validators())
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[1] > 0.2
    assert pauses[2] > 0.4


def test_it_shows_what_the_server_says_of_its_failure_visibly_and_in_part(raw_server: RawServer) -> None:
    answer = b"HTTP/1.1 404 Not\x1b[2J\x85Found" + b"!" * 60_000 + b"\r\nContent-Length: 0\r\n\r\n"
    line = failure(raw_server([answer]), PermanentError)
    assert r'answered 404 "Not\x1b[2J\x85Found!!' in line
    assert line.endswith('!…" (60,013 characters): check COVID_API_URL')
    assert len(line) < 300


def test_it_shows_what_is_no_answer_visibly_and_in_part(raw_server: RawServer) -> None:
    for answer in (b"\x1b[2J" * 1000 + b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nLocation: \x1b]0;x\x07\r\nbad\x1b[2J" * 900):
        line = failure(raw_server([answer]), TransientError)
        assert line.isprintable()
        assert len(line) < 300
    location = b"http://[" + b"\x1b" * 1000
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    line = failure(raw_server([answer]), PermanentError)
    assert line.isprintable()
    assert len(line) < 900


UNFIT = {
    "begins with a tab": "\x0bv1",
    "begins with a space that cannot break": "\xa0v1",
    "NUL": '"v\x001"',
    "an escape": '"\x1b[2J"',
    "a control character of Latin-1": '"\x85"',
    "beyond Latin-1": '"\u0142"',
    "long": "x" * 60_000,
}


@pytest.mark.parametrize("etag", UNFIT.values(), ids=UNFIT)
def test_it_takes_an_etag_that_cannot_be_sent_back_for_none(raw_server: RawServer, etag: str) -> None:
    if etag.isascii() or "\u0142" not in etag:
        headers = b"ETag: %s\r\nLast-Modified: %s\r\nContent-Length: 2\r\n\r\n{}" % (2 * (etag.encode("latin-1"),))
        with CovidClient(raw_server([HEAD + headers])) as client:
            found = client.history(Validators())
        assert found
        assert found.validators == Validators()
    assert Validators.of(etag, etag) == Validators()


def test_it_survives_a_retry_after_that_is_none(httpserver: HTTPServer) -> None:
    httpserver.expect_request(HISTORY).respond_with_data(status=503, headers={"Retry-After": "soon"})
    failure(httpserver.url_for("/v2"), TransientError)


# --- A server that sends us elsewhere


@pytest.mark.parametrize("location", [HISTORY, "?again", "/elsewhere"])
def test_it_does_not_run_in_circles(httpserver: HTTPServer, location: str) -> None:
    back = Response(status=302, headers={"Location": location})
    httpserver.expect_request(HISTORY).respond_with_response(back)
    httpserver.expect_request("/elsewhere").respond_with_response(Response(status=302, headers={"Location": HISTORY}))
    assert "redirects" in failure(httpserver.url_for("/v2"), PermanentError)
    assert len(httpserver.log) <= 31


def test_it_follows_no_redirect_to_a_file_of_ours(httpserver: HTTPServer, folder: Path) -> None:
    file = (folder / "us" / "daily.json").as_uri()
    httpserver.expect_request(HISTORY).respond_with_response(Response(status=302, headers={"Location": file}))
    failure(httpserver.url_for("/v2"), PermanentError)


@pytest.mark.parametrize("location", ["http://", "http://[", "gopher://x/", f"http://{'a' * 64}.invalid/", "/\xff"])
def test_it_refuses_a_redirect_to_no_address(raw_server: RawServer, location: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    failure(raw_server([answer.encode("latin-1")]), PermanentError)


@pytest.mark.parametrize(
    "location", ["ftp://ann:s3cret@x.example/", "file://ann:s3cret@x.example/a", "http://ann:s3c/ret@x.example/"]
)
def test_it_repeats_no_password_of_a_redirect(raw_server: RawServer, location: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    assert "s3c" not in failure(raw_server([answer.encode()]), PermanentError)


# --- A body that is none, or has no end


@pytest.mark.parametrize(
    "answer",
    [
        b'Content-Length: 1000\r\n\r\n{"data": [',
        b'Transfer-Encoding: chunked\r\n\r\n10\r\n{"data": [',
        b'Transfer-Encoding: chunked\r\n\r\na\r\n{"data": [\r\n',
        b'Transfer-Encoding: chunked\r\n\r\nnone\r\n{"data": [',
        b"Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot gzip....",
    ],
    ids=["length", "chunk", "last chunk", "no chunk", "no gzip"],
)
def test_it_says_that_a_document_broke_off(raw_server: RawServer, answer: bytes) -> None:
    assert "broke off" in failure(raw_server([HEAD + answer]), TransientError)


def test_it_says_that_a_document_stopped_coming(impatient, raw_server: RawServer) -> None:
    pieces = Repeated(HEAD + b"Content-Length: 1000\r\n\r\n{", for_ever=b"", pause_seconds=0.1)
    assert "broke off" in failure(raw_server(pieces), TransientError)


# --- A server that drips


def late(
    pieces: Iterable[bytes], serve: RawServer, scheme: str = "http", total_seconds: float = 0.2, **limits: Any
) -> None:
    """Check that a document which comes so is given up, and when."""
    start = time.monotonic()
    base = serve(pieces).replace("http", scheme)
    said = failure(base, TransientError, total_seconds=total_seconds, **limits)
    assert said.endswith(f"took longer than {total_seconds} s: try again later")
    assert time.monotonic() - start < SOON_SECONDS


@pytest.mark.parametrize("framing", [b"", b"Content-Length: 1000\r\n", b"Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_it_does_not_wait_for_a_document_that_drips(raw_server: RawServer, framing: bytes, packed: bool) -> None:
    drop = b" " if not packed else gzip.compress(b" ")
    drop = b"%x\r\n%s\r\n" % (len(drop), drop) if b"chunked" in framing else drop
    encoding = b"Content-Encoding: gzip\r\n" if packed else b""
    late(Repeated(HEAD + framing + encoding + b"\r\n", for_ever=drop, pause_seconds=0.02), raw_server)


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
DRIPS = {
    "its status": Repeated(b"HTTP/1.1 200 O", for_ever=b"K"),
    "a header": Repeated(HEAD + b"X-Long: ", for_ever=b"x"),
    "interim answers": Repeated(for_ever=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers of an interim answer": Repeated(b"HTTP/1.1 100 Continue\r\nX-Long: ", for_ever=b"x"),
    "the size of a chunk": Repeated(CHUNKED, for_ever=b"0"),
    "what follows the size of a chunk": Repeated(CHUNKED + b"1;", for_ever=b"x"),
    "a trailer": Repeated(CHUNKED + b"0\r\nX-Long: ", for_ever=b"x"),
    "trailers": Repeated(CHUNKED + b"0\r\n", for_ever=b"X: y\r\n"),
    "a redirect": Repeated(b"HTTP/1.1 302 Found\r\nLocation: /v2\r\nX-Long: ", for_ever=b"x"),
    "a failure": Repeated(b"HTTP/1.1 503 Service Unavailable\r\nX-Long: ", for_ever=b"x"),
}


@pytest.mark.parametrize("pieces", DRIPS.values(), ids=DRIPS)
def test_it_does_not_wait_for_anything_else_that_drips(raw_server: RawServer, pieces: Repeated) -> None:
    pieces.pause_seconds = 0.02
    late(pieces, raw_server)


def test_it_does_not_wait_for_a_tls_handshake_that_drips(raw_server: RawServer) -> None:
    hello = TLS_HANDSHAKE + b"\x03\x3f\xff\x02\x00\x3f\xfb"  # the answer's beginning, of 16 kilobytes
    late(Repeated(hello, for_ever=b"\x00", pause_seconds=0.02), raw_server, "https")


def test_it_waits_no_longer_than_its_deadline_though_the_server_asks_for_it(raw_server: RawServer) -> None:
    late([b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n"], raw_server)


@pytest.mark.parametrize("answer", [b"503 Service Unavailable", b"302 Found\r\nLocation: daily.json"])
def test_its_deadline_is_one_for_all_tries_of_a_document(raw_server: RawServer, answer: bytes) -> None:
    asked: list[float] = []

    class Slow:
        def __iter__(self) -> Iterator[bytes]:
            asked.append(time.monotonic())
            time.sleep(0.1)
            yield b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    late(Slow(), raw_server, total_seconds=1, retries=1000)
    assert 1 < len(asked) <= 11


@pytest.mark.parametrize("pieces", [Repeated(for_ever=b"", pause_seconds=0.1), Repeated(HEAD, for_ever=b"x")])
def test_it_is_interrupted_at_once_while_it_waits_for_a_server(
    databases, raw_server: RawServer, pieces: Repeated
) -> None:
    asked = threading.Event()

    class Waited:
        def __iter__(self) -> Iterator[bytes]:
            asked.set()
            yield from pieces

    pieces.pause_seconds = 0.1
    with process("extract_covid", COVID_API_URL=raw_server(Waited())) as running:
        assert asked.wait(PATIENCE_SECONDS)
        start = time.monotonic()
        running.send_signal(signal.SIGINT)
        code, _, stderr = end(running)
    assert time.monotonic() - start < SOON_SECONDS
    # Python itself adds a line where it was just making the object that an answer is read by.
    said = [line for line in stderr.splitlines() if line.startswith("CommandError")]
    assert (code, said) == (130, ["CommandError: interrupted. The warehouse is as it was."])


def test_it_leaves_no_alarm_behind(publisher: Publisher) -> None:
    publisher.publish(day())
    before = signal.getsignal(signal.SIGALRM)
    with CovidClient(publisher.url, total_seconds=SOON_SECONDS) as client:
        assert client.history(Validators())
        assert client.day(date(2021, 3, 8)) is None
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_it_has_one_deadline_at_a_time() -> None:
    with deadline(60):
        with pytest.raises(RuntimeError, match="a deadline within a deadline"), deadline(30):
            pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 30
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def endless(piece: bytes, headers: bytes = b"Content-Length: 2147483648\r\n", head: bytes = HEAD) -> Repeated:
    return Repeated(head + headers + b"\r\n", for_ever=piece)


def bomb() -> Repeated:
    """Return an answer of which each megabyte unpacks to a thousand."""
    return endless(gzip.compress(bytes(16 * 1024 * 1024), 1), b"Content-Encoding: gzip\r\n")


ENDLESS = {
    "two gigabytes": endless(b" " * 65536),
    "without a length": endless(b" " * 65536, b""),
    "in chunks": endless(b"10000\r\n" + b" " * 65536 + b"\r\n", b"Transfer-Encoding: chunked\r\n"),
}


@pytest.mark.parametrize("pieces", ENDLESS.values(), ids=ENDLESS)
def test_it_refuses_a_document_without_end(raw_server: RawServer, pieces: Repeated) -> None:
    assert "larger than" in failure(raw_server(pieces), PermanentError)


REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nConnection: close\r\n"
UNWELL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"


@pytest.mark.parametrize(("head", "kind"), [(REDIRECT, PermanentError), (UNWELL, TransientError)])
def test_it_does_not_read_to_its_end_what_comes_with_a_redirect_or_a_failure(
    raw_server: RawServer, head: bytes, kind: type[PipelineError]
) -> None:
    start = time.monotonic()
    failure(raw_server(endless(b" " * 65536, head=head)), kind)
    assert time.monotonic() - start < SOON_SECONDS


def extract_in_a_process(url: str) -> tuple[str, int]:
    """Run extract_covid in a process of its own; return how it failed, and how many megabytes it took at most."""
    program = """
import django, re
django.setup()
from functools import partial
from django.core.management import CommandError, call_command
from ingest.covid import extract
extract.CovidClient = partial(extract.CovidClient, backoff_seconds=0)
try:
    call_command("extract_covid")
except CommandError as error:
    print(error)
print(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=environment(COVID_API_URL=url, DJANGO_SETTINGS_MODULE="pipeline_project.settings", NO_PROXY="*"),
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, kilobytes = ran.stdout.splitlines()
    return "\n".join(lines), int(kilobytes) // 1024


def as_large_as_allowed(item: bytes) -> list[bytes]:
    """Return an answer of the largest size that is read, which takes the most memory to understand."""
    body = b'{"data":{"date":[' + item * ((client_module.MAX_BYTES - 30) // len(item)) + b"0]}}"
    return [HEAD + b"Content-Length: %d\r\n\r\n" % len(body), body]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux, which says how much memory was used")
@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        (endless(b" " * 65536), "larger than"),
        (bomb(), "larger than"),
        (as_large_as_allowed(b"[],"), "data.date should be a date"),
        (as_large_as_allowed(b'"\xc4\x80",'), "data.date should be a date"),
        (endless(b" " * 65536, head=REDIRECT), "us/daily.json"),
    ],
    ids=["two gigabytes", "gzip bomb", "many arrays", "many words", "redirect"],
)
def test_it_keeps_its_memory_small(databases, raw_server: RawServer, pieces: Iterable[bytes], message: str) -> None:
    line, megabytes = extract_in_a_process(raw_server(pieces))
    assert message in line
    assert megabytes < MEMORY_MEGABYTES
