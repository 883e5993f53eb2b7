"""The pages of the admin, as the tests open them and look into them."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from typing import Any

from django.contrib import admin
from django.db import connections
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingest.models import ScheduleOverride
from tests.conftest import Warehouse

Run = Callable[..., str]


def registered() -> list[type[Model]]:
    """Return the models of ours that the admin shows."""
    return [model for model in admin.site._registry if model._meta.app_label in ("ingest", "analytics")]


def read_only() -> list[type[Model]]:
    return [model for model in registered() if model is not ScheduleOverride]


def address(model: type[Model], page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def walk(warehouse: Warehouse) -> None:
    """Give 300 patients steps on 40 days."""
    warehouse.execute(
        """
        insert into step_result_fact (id, patient_id, date, steps)
        select row_id(p, d - date '0001-01-01'), p, d, 100
          from generate_series(1, 300) p, generate_series(0, 39) n, cast(date '2024-01-01' + n as date) d
        """
    )


@contextmanager
def queries() -> Iterator[list[str]]:
    """Collect what is sent to any of the three databases."""
    sent: list[str] = []
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        yield sent
    sent += [query["sql"] for context in captured for query in context.captured_queries]


def results(response: Any) -> list[Any]:
    """Return the keys of the rows that a list shows."""
    return [row.pk for row in response.context["cl"].result_list]


def first(model: type[Model]) -> Model:
    return model._default_manager.earliest("pk")


def said(response: Any) -> list[str]:
    """Return the messages at the head of a page, without their links."""
    items = re.findall(r'<li class="(?:error|warning|success)">(.*?)</li>', response.content.decode(), re.DOTALL)
    return [unescape(re.sub("<[^>]+>", "", item)) for item in items]
