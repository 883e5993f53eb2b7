"""The page on quality, as the tests look into it."""

import re
from datetime import date
from html import unescape

from django.test import Client

from tests.conftest import Source

ADDRESS = "/quality/"
# The tables of the source and what of the star their rows become, said once more.
TABLES = {
    "patient": "patient_dimension",
    "journey": "journey_dimension",
    "device": "device_dimension",
    "survey": "survey_dimension",
    "schedule": "schedule_dimension",
    "activity": "activity_dimension",
    "journey_activity": "journey_activity_bridge",
    "patient_journey": "patient_journey_fact",
    "step_result": "step_result_fact",
    "survey_result": "survey_result_fact",
}


def text(markup: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", markup)).split())


def part(client: Client, name: str) -> str:
    """Return the markup of a part of the page."""
    response = client.get(ADDRESS)
    assert response.status_code == 200
    (found,) = re.findall(rf'<section [^>]*aria-labelledby="{name}">(.*?)</section>', response.content.decode(), re.S)
    return str(found)


def says(client: Client, name: str) -> str:
    return text(part(client, name))


def cells(client: Client, name: str) -> list[list[str]]:
    """Return the rows of the first table in a part of the page."""
    (body, *_) = re.findall(r"<tbody>(.*?)</tbody>", part(client, name), re.S) or [""]
    return [
        [text(each) for each in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in body.split("<tr>")[1:]
    ]


def shown(number: int) -> str:
    return f"{number:,}"


def days_with(source: Source, *days: date) -> None:
    for day in days:
        source.insert("step_result", patient_id=1, date=day, value="100")
