"""What a page of the admin costs: none reads a large table through."""

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.models import Model
from django.test import Client

from analytics.admin.base import NAMES, SOURCES, BoundedAdmin
from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    PatientDimension,
    PatientJourneyScheduleWindow,
    StepResultFact,
    SurveyResultFact,
)
from analytics.pages import answers
from analytics.pages.dimensions import DIMENSIONS
from ingest.models import PipelineRun, ScheduleOverride
from tests.analytics.admin.pages import address, first, queries, read_only, registered, results, walk
from tests.conftest import Warehouse
from tests.recompute import row_id


def test_it_opens_a_page_of_any_table_with_few_queries_and_no_count_without_a_limit(
    client: Client, loaded: None
) -> None:
    client.get(address(PatientDimension))  # from now on it is kept what the values of filters are
    for model in registered():
        for query in ({}, {"q": "1"}, {"all": ""}, {"_facets": "True"}, {"o": "1"}):
            with queries() as sent:
                assert client.get(address(model), query).status_code == 200
            assert len(sent) <= most_queries(model, query), (model, sent)
            counts = [sql for sql in sent if "COUNT(" in sql.upper()]
            assert len(counts) <= 1
            assert all(" LIMIT 10001" in sql for sql in counts), counts


def most_queries(model: type[Model], query: dict[str, str]) -> int:
    """Return how many a page may send: none of them for each row, or for each value of a filter."""
    shown = admin.site._registry[model]
    assert isinstance(shown, BoundedAdmin)
    # The session, the user, the estimate, a count where it says little, the rows; of the view two parts. Two more set
    # the patience of the database and end that.
    rows = 7 + (model is ActivityAdherence)
    names = len({shown.links.get(name) for name in shown.list_display} & NAMES.keys())
    # What the values of filters are is kept, and read in a transaction; of surveys it is in their table.
    values = 3 * any(name in DIMENSIONS for each in shown.list_filter for name in each.names)
    return rows + names + values + (model is SurveyResultFact) + ("q" in query and model in SOURCES)


def test_it_does_not_count_a_large_table_but_asks_the_servers_estimate(client: Client, many_steps: None) -> None:
    with queries() as sent:
        response = client.get(address(StepResultFact))
    assert not [sql for sql in sent if "COUNT(" in sql.upper()]
    assert "about 12,000 step results" in response.content.decode()
    assert response.context["cl"].paginator.num_pages == 200


def test_it_counts_up_to_a_limit_where_there_is_no_estimate(client: Client, warehouse: Warehouse) -> None:
    walk(warehouse)
    assert warehouse.value("select reltuples from pg_class where relname = 'step_result_fact'") == -1
    response = client.get(address(StepResultFact))
    assert "more than 10,000 step results" in response.content.decode()


def test_it_counts_what_a_filter_leaves_up_to_a_limit(client: Client, warehouse: Warehouse, many_steps: None) -> None:
    warehouse.execute(
        """
        insert into step_result_fact (id, patient_id, date, steps)
        select row_id(301, d - date '0001-01-01'), 301, d, 100
          from generate_series(1, 10500) n, cast(date '1990-01-01' + n as date) d
        """
    )
    page = client.get(address(StepResultFact), {"patient_id": "301"}).content.decode()
    assert "more than 10,000 step results" in page
    assert "40 step results" in client.get(address(StepResultFact), {"patient_id": "280"}).content.decode()


def test_it_ends_a_list_before_a_page_gets_slow(client: Client, many_steps: None) -> None:
    last, beyond = (client.get(address(StepResultFact), {"p": page}) for page in (200, 201))
    assert len(results(last)) == 50
    assert results(beyond) == results(client.get(address(StepResultFact)))


def plans(warehouse: Warehouse, sent: list[str], *tables: str) -> str:
    """Return how the server would run the statements that were sent about the tables."""
    about = [sql for sql in sent if any(f'"{table}"' in sql for table in tables) and "reltuples" not in sql]
    assert about
    return "\n".join(line for sql in about for (line,) in warehouse.execute(f"explain {sql}"))


def test_it_reads_a_page_of_the_largest_table_by_its_key(
    client: Client, warehouse: Warehouse, many_steps: None
) -> None:
    made = str(warehouse.value("select min(id) from step_result_fact where patient_id = 7"))
    for query in (
        *({}, {"o": "-0"}, {"o": "3"}, {"o": "-2"}, {"p": "200"}),
        *({"q": "7"}, {"q": made}, {"patient_id": "7"}, {"patient_id": "8"}),
    ):
        with queries() as sent:
            client.get(address(StepResultFact), query)
        (rows,) = (sql for sql in sent if '"steps"' in sql)
        plan = plans(warehouse, [rows], "step_result_fact")
        of_a_patient = query.keys() <= {"q", "patient_id"} and query != {}
        assert "Seq Scan" not in plan, (query, plan)
        assert "step_result_fact_pkey" in plan, (query, plan)
        assert ("Index Cond" in plan) == of_a_patient, (query, plan)
        # Of two conditions with an index each the rows come in no order; by one of them, in that of the key.
        assert ("Sort" in plan) == (query == {"q": "7"}), (query, plan)


@pytest.fixture
def many_windows(warehouse: Warehouse) -> None:
    """12,000 windows of 300 patients, each second one with a completion, and statistics that know of them."""
    warehouse.execute(
        """
        insert into patient_journey_schedule_window (id, patient_id, patient_journey_id, activity_id)
        select row_id(j, a), j / 2, j, a from generate_series(1, 600) j, generate_series(1, 20) a;
        insert into adherence_fact (id, patient_id, patient_journey_id, activity_id, first_late_date)
        select id, patient_id, patient_journey_id, activity_id, case when activity_id % 2 = 0 then date '2024-01-01' end
          from patient_journey_schedule_window;
        insert into activity_completion_fact
               (survey_result_id, patient_id, patient_journey_id, activity_id, completed_date, status)
        select row_number() over (), patient_id, patient_journey_id, activity_id, date '2024-01-01', 'late'
          from patient_journey_schedule_window where activity_id % 2 = 0;
        analyze
        """
    )


@pytest.mark.parametrize("model", [PatientJourneyScheduleWindow, ActivityAdherence])
def test_it_reads_a_page_of_windows_and_how_they_stand_by_their_keys(
    client: Client, warehouse: Warehouse, many_windows: None, model: type[Model]
) -> None:
    made = str(row_id(7, 3))
    tables = ("patient_journey_schedule_window", "activity_adherence", "window_detail")
    for query in (
        *({}, {"o": "-0"}, {"o": "3"}, {"p": "200"}, {"q": "7"}, {"q": made}),
        *({"patient_id": "7"}, {"patient_id": "7", "patient_journey_id": "14", "activity_id": "3"}),
    ):
        with queries() as sent:
            response = client.get(address(model), query)
        assert results(response), query
        plan = plans(warehouse, sent, *tables)
        assert "Seq Scan" not in plan, (query, plan)
        if model is PatientJourneyScheduleWindow:
            of_a_patient = query.keys() <= {"q", "patient_id", "patient_journey_id", "activity_id"} and query != {}
            assert ("Index Cond" in plan) == of_a_patient, (query, plan)
            assert of_a_patient or "Sort" not in plan, (query, plan)
        keys = [(row.patient_journey_id, row.activity_id) for row in response.context["cl"].result_list]
        assert keys == sorted(keys)


def test_it_asks_of_no_window_that_has_begun_whether_it_is_upcoming(
    client: Client, warehouse: Warehouse, many_windows: None
) -> None:
    with queries() as sent:
        assert client.get(address(ActivityAdherence), {"status": "upcoming"}).status_code == 200
    plan = plans(warehouse, sent, "window_detail")
    assert "Filter: ((window_start_date > " in plan, plan


@pytest.mark.parametrize("model", [StepResultFact, PatientJourneyScheduleWindow, ActivityAdherence])
def test_it_reads_a_row_by_the_left_half_of_its_id(
    client: Client, warehouse: Warehouse, many_steps: None, many_windows: None, model: type[Model]
) -> None:
    key = first(model).pk
    with queries() as sent:
        assert client.get(address(model, "change", key)).status_code == 200
    plan = plans(warehouse, sent, model._meta.db_table)
    assert "Seq Scan" not in plan, plan
    assert re.search(r"_pkey[^>]*Index Cond: \((patient|patient_journey)_id = ", plan), plan


def test_it_opens_a_row_with_few_queries(client: Client, loaded: None) -> None:
    ContentType.objects.get_for_models(*read_only())  # which a process looks up once
    for model in read_only():
        key = first(model).pk
        shown = admin.site._registry[model]
        assert isinstance(shown, BoundedAdmin)
        with queries() as sent:
            assert client.get(address(model, "change", key)).status_code == 200
        # The session, the user and the row, its patience and its line of the access log; of a run its steps too; of a
        # row at the other end of a link its name.
        names = len(set(shown.links.values()) & NAMES.keys())
        assert len(sent) <= 6 + (model is PipelineRun) + names, (model, sent)


def test_it_estimates_the_adherence_view_by_its_windows(client: Client, warehouse: Warehouse) -> None:
    warehouse.execute(
        "insert into adherence_fact (id, patient_id, patient_journey_id, activity_id) "
        "select n, n, 0, n from generate_series(1, 10500) n"
    )
    warehouse.execute("analyze adherence_fact")
    client.get(address(PatientDimension))  # as above
    with queries() as sent:
        page = client.get(address(ActivityAdherence)).content.decode()
    assert "about 10,500 windows" in page
    assert not [sql for sql in sent if "COUNT(" in sql.upper()]


def override() -> ScheduleOverride:
    return ScheduleOverride.objects.create(schedule_id=1, milestone_slug="consent", offset_start_days=1)


def post_deletion(client: Client) -> Any:
    return client.post(address(ScheduleOverride, "delete", 1), {"post": "yes"})


@pytest.mark.parametrize(
    ("ask", "closed_table"),
    [
        (lambda client: client.get(address(SurveyResultFact)), "survey_dimension"),  # the values of a filter
        (lambda client: client.get(address(ActivityCompletionFact), {"journey": "THR"}), "journey_dimension"),
        (lambda client: client.get(address(StepResultFact, "change", 7)), "step_result_fact"),
        (lambda client: client.get(address(ScheduleOverride, "change", 1)), "schedule_override"),
        (lambda client: client.get(address(ScheduleOverride, "delete", 1)), "schedule_dimension"),
        (post_deletion, "schedule_override"),
        (lambda client: client.get(address(ScheduleOverride, "history", 1)), "schedule_override"),
    ],
)
def test_no_page_of_a_table_waits_longer_than_other_pages_do(
    client: Client, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Client], Any], closed_table: str
) -> None:
    override()
    monkeypatch.setattr(answers, "PATIENCE_SECONDS", 0.2)
    client.raise_request_exception = False
    holder = Warehouse("analytics")
    holder.execute(f"begin; lock table {closed_table} in access exclusive mode")
    freed = threading.Timer(4, holder.execute, ["rollback"])
    freed.start()
    try:
        response = ask(client)
        assert freed.is_alive()
    finally:
        freed.join()
        holder.connection.close()
    assert response.status_code == 503
    assert "was not worked out within" in response.content.decode()
    assert ScheduleOverride.objects.count() == 1


def test_what_follows_a_page_of_a_table_has_the_patience_that_it_had(client: Client) -> None:
    def patience() -> Any:
        with connections["analytics"].cursor() as cursor:
            cursor.execute("show statement_timeout")
            return cursor.fetchone()

    before = patience()
    assert client.get(address(StepResultFact)).status_code == 200
    assert patience() == before != ("30s",)
