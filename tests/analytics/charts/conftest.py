"""What a chart prints, taken apart as a reader of its markup would."""

import re
from html.parser import HTMLParser
from typing import Any

VOID = {"line", "rect", "path", "circle", "input"}


class Markup(HTMLParser):
    """The elements of a chart in their order, each with its attributes and the text right within."""

    def __init__(self, chart: Any) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.text = str(chart)
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = (tag, {name: value or "" for name, value in attrs}, list[str]())
        self.elements.append(element)
        self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1][2].append(data)

    def all(self, tag: str, kind: str = "") -> list[dict[str, str]]:
        """Return the attributes of the elements of a tag and a class, with what they say as `text`."""
        return [
            attributes | {"text": re.sub(r"\s+", " ", "".join(text)).strip()}
            for name, attributes, text in self.elements
            if name == tag and (not kind or kind in attributes.get("class", "").split())
        ]

    def says(self, tag: str, kind: str = "") -> list[str]:
        return [element["text"] for element in self.all(tag, kind)]

    def table(self) -> list[list[str]]:
        """Return the rows of the table, its header first."""
        rows = re.findall(r"<tr.*?</tr>", self.text, re.DOTALL)
        return [[cell["text"] for cell in Cells(row).cells()] for row in rows]


class Cells(Markup):
    def cells(self) -> list[dict[str, str]]:
        found = []
        for tag, attributes, text in self.elements:
            if tag in ("th", "td"):
                found.append(attributes | {"text": "".join(text).strip()})
            elif tag == "a":
                found[-1]["text"] += "".join(text).strip()
        return found
