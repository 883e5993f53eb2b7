"""Small synthetic documents in the shape of the real ones, and a server that gives them like the real one."""

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

GONE = object()  # the value of a key that is to be left out

Json = dict[str, Any]


def definition(name: str, field: Any = GONE, **changes: Any) -> Json:
    """Return a field's definition; some of the real ones have no `field`."""
    entry = {"name": name, "field": field, "deprecated": False, "prior_names": []} | changes
    return {key: value for key, value in entry.items() if value is not GONE}


def meta(*definitions: Json) -> Json:
    return {
        "build_time": "2021-05-03T21:28:51.488Z",
        "license": "CC-BY-4.0",
        "version": "2.0-beta",
        "field_definitions": list(definitions),
    }


META = meta(
    definition("Total test results", "tests.pcr.total", prior_names=["totalTestResults"]),
    definition("Hospital discharges"),
    definition("Date", "date", prior_names=["dateModified"]),
)


def day(name: str = "2021-03-07", changes: Json | None = None) -> Json:
    """Return a day's object with figures of its own, after `changes`: new values, or GONE, by path."""
    number = (date.fromisoformat(name) - date(2020, 1, 1)).days
    figures = itertools.count(number * 100)

    def block(*, average: bool) -> Json:
        calculated = {
            "population_percent": next(figures) / 10_000,
            "change_from_prior_day": -next(figures),
            "seven_day_change_percent": -next(figures) / 10,
            "seven_day_average": next(figures),
        }
        if not average:
            del calculated["seven_day_average"]
        return {"value": next(figures), "calculated": calculated}

    content = {
        "date": name,
        "states": 56,
        "cases": {"total": block(average=False)},
        "testing": {"total": block(average=False)},
        "outcomes": {
            "hospitalized": {
                "currently": block(average=True),
                "in_icu": {"currently": block(average=True)},
                "on_ventilator": {"currently": block(average=True)},
            },
            "death": {"total": block(average=True)},
        },
    }
    for path, value in (changes or {}).items():
        change(content, path, value)
    return content


def change(content: Json, path: str, value: Any) -> None:
    """Set what stands at `path` to `value`, or take it away when that is GONE."""
    *way, last = path.split(".")
    for key in way:
        content = content[key]
    if value is GONE:
        del content[last]
    else:
        content[last] = value


def days(count: int, *, last: str = "2021-03-07") -> list[Json]:
    """Return that many days, the newest first as in the real history."""
    return [day(str(date.fromisoformat(last) - timedelta(days=number))) for number in range(count)]


def history(*contents: Any, **changes: Any) -> bytes:
    """Return the document of all days."""
    return document(list(contents), links={"self": "https://api.covidtracking.com/us/daily"}, **changes)


def document(data: Any, **changes: Any) -> bytes:
    """Return a document, by default one day's; `changes` are keys beside `data`."""
    content = {"meta": META, "data": data} | changes
    return json.dumps({key: value for key, value in content.items() if value is not GONE}).encode()


def without_quotes(body: bytes, *literals: str) -> bytes:
    """Return a document with strings made literals, for what json.dumps would not write."""
    for literal in literals:
        assert f'"{literal}"'.encode() in body
        body = body.replace(f'"{literal}"'.encode(), literal.encode())
    return body


class Publisher:
    """The API on a local server: it gives what was published last, answers as the real one does, and keeps count."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.documents: dict[str, bytes] = {}
        self.url = server.url_for("/v2")
        server.expect_request(re.compile("/v2/us/.*")).respond_with_handler(self._answer)

    def publish(self, *contents: Json, meta: Any = META) -> None:
        """Publish exactly these days, as a history and as documents of their own."""
        self.documents = {f"/{content['date']}": document(content, meta=meta) for content in contents}
        self.publish_history(history(*contents, meta=meta))

    def publish_history(self, body: bytes) -> None:
        self.documents[""] = body

    @contextmanager
    def counted(self) -> Iterator[list[tuple[str, int]]]:
        """Give the list of paths that are asked for in the block, each with the status of the answer."""
        requests: list[tuple[str, int]] = []
        before = len(self.server.log)
        yield requests
        requests += [(request.path, response.status_code) for request, response in self.server.log[before:]]

    def _answer(self, request: Request) -> Response:
        name = request.path.removeprefix("/v2/us/daily").removesuffix(".json")
        if name not in self.documents:
            return Response("not found", status=404)
        response = Response(self.documents[name], content_type="application/json")
        response.add_etag()
        return response.make_conditional(request)
