"""Lists of the admin as files, as the tests ask for them."""

import datetime as dt
import re
from typing import Any

from django.db.models import Model
from django.test import Client

from tests.analytics.admin.pages import address

FORMATS = ("csv", "xlsx", "parquet")


def take(client: Client, model: type[Model], form: str, **query: Any) -> Any:
    response = client.get(address(model), query | {"_export": form})
    assert response.status_code == 200, response.content
    return response


def name_of(response: Any) -> str:
    (name,) = re.findall('filename="([^"]+)"', response["Content-Disposition"])
    return str(name)


def named(table: str, form: str, cut: str = "") -> str:
    """Return the name of a file that is taken away today."""
    return f"{table}-{dt.datetime.now(dt.UTC):%Y-%m-%d}{cut}.{form}"


def said(response: Any) -> str:
    text = re.sub("<[^>]+>", " ", response.content.decode().split('id="content"')[1])
    return " ".join(text.split())
