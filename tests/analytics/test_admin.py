"""The admin: all is there to be seen, only overrides to be changed, and no page reads a large table through."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles.finders import find
from django.db import connections
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    PatientDimension,
    PatientJourneyFact,
    PatientJourneyScheduleWindow,
    ScheduleDimension,
    StepResultFact,
)
from ingest.models import Alert, PipelineRun, RejectedRow, ScheduleOverride, SchemaChange
from tests.conftest import COVID_SAMPLE, Source, Warehouse

Run = Callable[..., str]

# What the pipeline keeps for itself, beside the staging tables.
INTERNAL = {
    *("staged_bucket", "staged_table", "pending_key", "loaded_with", "committed_run", "django_migrations"),
    *("patient_journey_fingerprint", "journey_activity_fingerprint", "digest_secret"),
}

# The site is made when its settings are read, and whitenoise warns while `collectstatic` has not run.
pytestmark = pytest.mark.filterwarnings("ignore:No directory at:UserWarning")


def registered() -> list[type[Model]]:
    """Return the models of ours that the admin shows."""
    return [model for model in admin.site._registry if model._meta.app_label in ("ingest", "analytics")]


def read_only() -> list[type[Model]]:
    return [model for model in registered() if model is not ScheduleOverride]


def address(model: type[Model], page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def client(databases: None) -> Client:
    """A browser in which a superuser is logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def loaded(source: Source, run: Run, settings: Settings) -> None:
    """The star of the samples, with an override, a schema change and, before it in the log, a failed run."""
    settings.COVID_API_URL = str(COVID_SAMPLE)
    PipelineRun.objects.create(command="run_pipeline", status="failed", error="Traceback: <disk full>")
    source.load_sample()
    run()
    run("run_pipeline", "--only", "covid")
    SchemaChange.objects.create(
        run_id=PipelineRun.objects.latest("pk").pk,
        detected_at=timezone.now(),
        field_name="Cases",
        kind="appeared",
        detail={},
    )
    ScheduleOverride.objects.create(schedule_id=1, milestone_slug="consent", offset_start_days=1)
    Alert.objects.create(source="msk", kind="stale", message="It was never loaded", began_at=timezone.now())


def walk(warehouse: Warehouse) -> None:
    """Give 300 patients steps on 40 days."""
    warehouse.execute(
        """
        insert into step_result_fact (id, patient_id, date, steps)
        select p::bigint << 32 | (d - date '0001-01-01'), p, d, 100
          from generate_series(1, 300) p, generate_series(0, 39) n, cast(date '2024-01-01' + n as date) d
        """
    )


@pytest.fixture
def many_steps(warehouse: Warehouse) -> None:
    """12,000 days of steps, and statistics that know of them."""
    walk(warehouse)
    warehouse.execute("analyze step_result_fact")


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


# --- What is to be seen


def test_it_shows_the_whole_star_and_what_the_pipeline_has_on_record(databases: None) -> None:
    tables = {model._meta.db_table for model in registered()}
    with connections["analytics"].cursor() as cursor:
        held = {table.name for table in connections["analytics"].introspection.get_table_list(cursor)}
    internal = {name for name in held if name.startswith("staging_")} | INTERNAL
    raw_documents = {"staging_covid_day", "staging_covid_document"}
    assert tables == held - internal | raw_documents | {"pipeline_run", "alert"}


def test_it_opens_every_list_and_every_row(client: Client, loaded: None) -> None:
    wrong = {}
    for model in registered():
        row = first(model)
        for page in (address(model), address(model, "change", row.pk), address(model, "history", row.pk)):
            if (status := client.get(page).status_code) != 200:
                wrong[page] = status
    assert not wrong


def test_it_shows_every_column_of_a_row_with_its_comment(client: Client, loaded: None) -> None:
    for model in read_only():
        page = client.get(address(model, "change", first(model).pk)).content.decode()
        for field in model._meta.concrete_fields:
            assert f"field-{field.name}" in page, f"{model.__name__}.{field.name}"
    page = client.get(address(StepResultFact, "change", first(StepResultFact).pk)).content.decode()
    assert "(patient_id &lt;&lt; 32) | days since 0001-01-01" in page


def test_it_shows_the_error_of_a_failed_run_folded_away(client: Client, loaded: None) -> None:
    failed, succeeded = (
        PipelineRun.objects.get(status="failed"),
        PipelineRun.objects.get(status="succeeded", source="msk"),
    )
    page = client.get(address(PipelineRun, "change", failed.pk)).content.decode()
    assert "<pre>Traceback: &lt;disk full&gt;</pre>" in page.split("<details>")[1].split("</details>")[0]
    page = client.get(address(PipelineRun, "change", succeeded.pk)).content.decode()
    assert "<details>" not in page


def test_it_shows_the_steps_of_a_run(client: Client, loaded: None) -> None:
    run = PipelineRun.objects.get(status="succeeded", source="msk")
    page = client.get(address(PipelineRun, "change", run.pk)).content.decode()
    shown = re.findall(r'<td class="field-table_name">\s*<p>(.*?)</p>', page)
    assert shown == list(run.steps.order_by("pk").values_list("table_name", flat=True))
    assert "step_result_fact" in shown
    assert page.count('<span class="run-status succeeded">succeeded</span>') == len(shown) + 1
    assert "<input" not in page.split('id="steps-group"')[1].replace('<input type="hidden"', "")


def test_it_colours_the_runs_by_how_they_ended(client: Client, loaded: None) -> None:
    page = client.get(address(PipelineRun)).content.decode()
    assert '<span class="run-status failed">failed</span>' in page
    css = re.search(r'href="/static/(analytics/[\w.]+css)"', page)
    assert css
    assert ".failed" in Path(str(find(css[1]))).read_text(encoding="utf-8")
    assert "style=" not in page
    assert "<style" not in page


def test_it_shows_open_alerts_first(client: Client) -> None:
    now = timezone.now()
    for kind, ended_at in (("failed", now - timedelta(hours=2)), ("stale", None), ("rejects", now)):
        Alert.objects.create(
            source="msk", kind=kind, message="…", began_at=now - timedelta(days=1), ended_at=ended_at, pending=["mail"]
        )
    shown = client.get(address(Alert)).context["cl"].result_list
    assert [alert.kind for alert in shown] == ["stale", "rejects", "failed"]


def test_it_says_which_key_an_orphan_misses(client: Client, source: Source, run: Run) -> None:
    source.insert("activity", id=1, content_slug="walk", schedule_id=77)
    source.insert("step_result", patient_id=1, date="2024-01-01", value="many")
    run()
    page = client.get(address(RejectedRow)).content.decode()
    assert "there is no schedule_id 77" in page
    page = client.get(address(RejectedRow, "change", RejectedRow.objects.get(reason="orphan").pk)).content.decode()
    assert "&quot;content_slug&quot;: &quot;walk&quot;" in page


def test_it_leads_from_a_patient_to_the_patients_rows_and_back(client: Client, loaded: None) -> None:
    journey = PatientJourneyFact.objects.filter(patient_id__isnull=False).latest("pk")
    page = client.get(address(PatientJourneyFact, "change", journey.pk)).content.decode()
    assert f'href="{address(PatientDimension, "change", journey.patient_id)}"' in page
    links = re.findall(r'href="([^"]+patient_journey_id=[^"]+)"', page)
    assert len(links) == 4
    windows = {row.pk for row in PatientJourneyScheduleWindow.objects.filter(patient_journey_id=journey.pk)}
    assert windows
    (link,) = (link for link in links if link.startswith(address(PatientJourneyScheduleWindow)))
    assert set(results(client.get(link.replace("&amp;", "&")))) == windows


def test_it_leads_to_no_page_that_does_not_open(client: Client, loaded: None) -> None:
    pages = [client.get(reverse("admin:index"))]
    pages += [client.get(address(model, "change", first(model).pk)) for model in registered()]
    pages += [client.get(address(model)) for model in registered()]
    links = {link for page in pages for link in re.findall(r'href="(/admin/[^"#]+)"', page.content.decode())}
    one_of_each = {re.sub(r"\d+", "1", link): link.replace("&amp;", "&") for link in links if "jsi18n" not in link}
    assert len(one_of_each) > 60
    assert {link: client.get(link).status_code for link in one_of_each.values()} == dict.fromkeys(
        one_of_each.values(), 200
    )


class Inline(HTMLParser):
    """Collects what a page holds that the content-security policy has no browser obey or load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        addresses = [value for name, value in attrs if value and name in ("href", "src", "action", "formaction")]
        foreign = r"\s*(javascript:|data:)" if tag == "a" else r"\s*(\w+:|//)"
        if (
            tag == "style"
            or (tag == "script" and "src" not in names)
            or any(name == "style" or name.startswith("on") for name in names)
            or any(re.match(foreign, address) for address in addresses)
        ):
            self.found.append(self.get_starttag_text() or tag)


def test_it_has_no_page_that_needs_what_the_content_security_policy_forbids(client: Client, loaded: None) -> None:
    user = User.objects.get()
    pages = [reverse("admin:index"), reverse("admin:password_change"), address(User), address(User, "add")]
    pages += [address(User, page, user.pk) for page in ("change", "delete", "history")]
    pages += [reverse("admin:auth_user_password_change", args=[user.pk])]
    pages += [address(ScheduleOverride, "add"), address(ScheduleOverride, "delete", 1)]
    for model in registered():
        pages += [address(model), f"{address(model)}?q=1", f"{address(model)}?_popup=1"]
        pages += [address(model, page, first(model).pk) for page in ("change", "history")]
    wrong = {}
    for browser, page in [(Client(), reverse("admin:login")), *((client, page) for page in pages)]:
        response = browser.get(page)
        assert response.status_code == 200, page
        inline = Inline()
        inline.feed(response.content.decode())
        if inline.found:
            wrong[page] = inline.found
    assert not wrong


# --- Who may do what


def test_it_lets_nobody_add_change_or_delete_what_the_pipeline_writes(client: Client, loaded: None) -> None:
    allowed = {}
    for model in read_only():
        key = first(model).pk
        for page in (
            client.get(address(model, "add")),
            client.post(address(model, "add"), {}),
            client.post(address(model, "change", key), {}),
            client.get(address(model, "delete", key)),
            client.post(address(model, "delete", key), {"post": "yes"}),
        ):
            if page.status_code != 403:
                allowed[page.request["PATH_INFO"], page.request["REQUEST_METHOD"]] = page.status_code
        delete = {"action": "delete_selected", "_selected_action": [key], "index": "0", "post": "yes"}
        client.post(address(model), delete)
        assert model._default_manager.filter(pk=key).exists(), f"{model.__name__} deleted from the list"
    assert not allowed


def test_it_asks_a_stranger_to_log_in(databases: None) -> None:
    for model in registered():
        response = Client().get(address(model))
        assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))


def test_it_lets_a_reader_look_at_an_override_and_not_change_it(loaded: None) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_scheduleoverride"))
    client = Client()
    client.force_login(reader)
    page = address(ScheduleOverride, "change", 1)
    assert client.get(page).status_code == 200
    assert client.post(page, {"milestone_slug": "operation"}).status_code == 403
    assert client.get(address(ScheduleOverride, "add")).status_code == 403
    assert client.get(address(StepResultFact)).status_code == 403


# --- Overrides

OVERRIDE = {"milestone_slug": "operation", "offset_start_days": "-3", "offset_end_days": "5", "note": "Dr. O'Hara"}


def schedule(pk: int) -> tuple[Any, ...]:
    row = ScheduleDimension.objects.get(pk=pk)
    return row.parse_status, row.milestone_slug, row.offset_start_days, row.offset_end_days, row.parse_note


def test_it_takes_an_override_that_wins_at_the_next_run_and_stays(client: Client, source: Source, run: Run) -> None:
    source.insert("schedule", id=7, slug="gibberish")
    run()
    assert schedule(7)[0] == "unparsed"
    response = client.post(address(ScheduleOverride, "add"), OVERRIDE | {"schedule_id": "7"})
    assert (response.status_code, response["Location"]) == (302, address(ScheduleOverride))
    overridden = ("override", "operation", -3, 5, "Dr. O'Hara")
    for arguments in ((), (), ("run_pipeline", "--full-refresh")):
        run(*arguments)
        assert schedule(7) == overridden
    client.post(address(ScheduleOverride, "delete", 7), {"post": "yes"})
    run()
    assert schedule(7)[0] == "unparsed"


def test_it_changes_an_override_but_not_which_schedule_it_is_for(client: Client, source: Source, run: Run) -> None:
    source.insert("schedule", id=7, slug="gibberish")
    source.insert("schedule", id=8, slug="7d-post-op")
    run()
    ScheduleOverride.objects.create(schedule_id=7, milestone_slug="consent", offset_start_days=1)
    changed = OVERRIDE | {"schedule_id": "8", "offset_end_days": ""}
    assert client.post(address(ScheduleOverride, "change", 7), changed).status_code == 302
    assert list(ScheduleOverride.objects.values_list("schedule_id", "offset_start_days", "offset_end_days")) == [
        (7, -3, None)
    ]


def test_it_keeps_an_override_editable_whose_schedule_has_left_the_source(client: Client) -> None:
    ScheduleOverride.objects.create(schedule_id=7, milestone_slug="consent", offset_start_days=1)
    assert client.post(address(ScheduleOverride, "change", 7), OVERRIDE).status_code == 302


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule_id": "99"}, "There is no schedule 99 in the star."),
        ({"schedule_id": "abc"}, "Enter a whole number."),
        ({"schedule_id": "99999999999999999999"}, "There is no schedule 99999999999999999999 in the star."),
        ({"schedule_id": ""}, "This field is required."),
        ({"schedule_id": "8"}, "Schedule override with this Schedule id already exists."),
        ({"offset_start_days": "", "offset_end_days": ""}, "Give a start, an end or both."),
        ({"offset_start_days": "6"}, "The start must not lie after the end."),
        ({"offset_end_days": "36501"}, "Offsets go from -36500 to 36500 days."),
        ({"offset_start_days": "-99999999999"}, "Ensure this value is greater than or equal to -2147483648."),
        ({"milestone_slug": "birthday"}, "Select a valid choice. birthday is not one of the available choices."),
        ({"note": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_it_refuses_an_override_with_a_reason(
    changes: dict[str, str], message: str, client: Client, source: Source, run: Run
) -> None:
    source.insert("schedule", id=7, slug="gibberish")
    source.insert("schedule", id=8, slug="7d-post-op")
    run()
    ScheduleOverride.objects.create(schedule_id=8, milestone_slug="consent", offset_start_days=1)
    response = client.post(address(ScheduleOverride, "add"), OVERRIDE | {"schedule_id": "7"} | changes)
    assert response.status_code == 200
    assert [message] == [str(e) for errors in response.context["errors"] for e in errors]
    assert not ScheduleOverride.objects.filter(pk=7).exists()


def test_it_shows_what_the_slug_says_while_a_person_overrides_it(client: Client, source: Source, run: Run) -> None:
    source.insert("schedule", id=7, slug="6w+")
    run()
    page = client.get(address(ScheduleDimension), {"q": " 6w+ "}).content.decode()
    (add,) = re.findall(r'class="field-override"><a href="([^"]+)"', page)
    assert "6w+: partial, milestone unknown, start 42, end none." in client.get(add).content.decode()
    client.post(add, OVERRIDE | {"schedule_id": "7"})
    page = client.get(address(ScheduleDimension)).content.decode()
    assert f'class="field-override"><a href="{address(ScheduleOverride, "change", 7)}"' in page
    assert "6w+: partial" in client.get(address(ScheduleOverride, "change", 7)).content.decode()


# --- Searching and filtering


def test_it_finds_a_patients_steps_and_a_row_by_its_made_key(client: Client, many_steps: None) -> None:
    found = client.get(address(StepResultFact), {"q": " 7 "})
    assert {key >> 32 for key in results(found)} == {7}
    assert found.context["cl"].result_count == 40
    key = results(found)[3]
    assert results(client.get(address(StepResultFact), {"q": str(key)})) == [key]


def test_it_finds_nothing_for_what_a_key_cannot_be(client: Client, loaded: None) -> None:
    wrong = {}
    for term in (
        "abc",
        "1.5",
        "-",
        '"',
        "9" * 10,
        "9" * 30,
        "9" * 5000,
        "-1",
        "1 2",
        "%",
        "'; drop table x",
        "\U0001f600",
    ):
        for model in registered():
            response = client.get(address(model), {"q": term})
            if response.status_code != 200 or (admin.site._registry[model].search_fields and results(response)):
                wrong[model.__name__, term] = response.status_code
    assert not wrong


def test_it_survives_any_address(client: Client, loaded: None) -> None:
    failed: dict[Any, int] = {}
    for model in registered():
        for query in (
            *("q=%00", "p=abc", "p=0", "p=-5", "p=999999", "p=" + "9" * 5000, "all=", "o=1", "o=2.-3", "o=x", "o=99"),
            *("e=1", "_facets=True", "_popup=1", "_to_field=id", "_to_field=x", "nonsense=1", "pk=1", "pk__in=1"),
            *("patient_id=abc", "patient_id=%00", "patient_id=99999999999999999999", "patient_id=", "patient_id=1"),
            *("patient_id=1&activity_id=x", "patient_id=1&schedule_slug=%00", "patient_id__regex=.", "steps__gte=1"),
            *("status=nobody", "status=%00", "reason=%00", "source_table=%00", "source=%00", "slug=%00", "date=x"),
            *("operation_date_within=x", "operation_date_within=30", "patient_id=1&patient_id=2"),
        ):
            response = client.get(f"{address(model)}?{query}", follow=True)
            if response.status_code not in (200, 400):
                failed[model.__name__, query] = response.status_code
        for key in ("abc", "9" * 5000, "99999999999999999999", "-1", "_00", "%00"):
            page = address(model, "change", "KEY").replace("KEY", key)
            if (status := client.get(page, follow=True).status_code) != 200:
                failed[page] = status
    for key in ("abc", "9" * 5000, "9" * 30, "-1", "%00", ""):
        page = f"{address(ScheduleOverride, 'add')}?schedule_id={key}"
        if (status := client.get(page).status_code) != 200:
            failed[page] = status
    assert not failed


def test_it_says_that_a_nul_cannot_be_searched_for(client: Client, source: Source) -> None:
    page = client.get(f"{address(StepResultFact)}?q=%00").content.decode()
    assert "Null characters are not allowed." in page


def test_it_filters_by_values_known_beforehand(client: Client, loaded: None) -> None:
    for model, query in (
        (RejectedRow, {"source_table": "activity", "reason": "orphan"}),
        (ScheduleDimension, {"parse_status": "unparsed"}),
        (ScheduleDimension, {"milestone_slug": "operation"}),
        (ActivityCompletionFact, {"status": "late"}),
        (PipelineRun, {"status": "failed"}),
    ):
        matching = model._default_manager.filter(**query)
        response = client.get(address(model), query)
        assert response.context["cl"].result_count == matching.count() > 0, model
        assert set(results(response)) <= {row.pk for row in matching}, model
    # Any other value is ignored: to find that no row has it would cost a read of the table.
    everything = client.get(address(ActivityCompletionFact)).context["cl"].result_count
    assert client.get(address(ActivityCompletionFact), {"status": "x"}).context["cl"].result_count == everything


def test_it_filters_patient_journeys_by_a_recent_operation(client: Client, warehouse: Warehouse) -> None:
    for key, days in enumerate((-10, 5, 20, 200)):
        warehouse.execute(
            "insert into patient_journey_fact (patient_journey_id, operation_date) "
            "values (%s, (now() at time zone 'UTC')::date - %s)",
            key,
            days,
        )
    for span, found in (("7", [1]), ("30", [1, 2]), ("365", [1, 2, 3]), ("8", [0, 1, 2, 3])):
        assert results(client.get(address(PatientJourneyFact), {"operation_date_within": span})) == found


# --- What a page costs


def test_it_opens_a_page_of_any_table_with_few_queries_and_no_count_without_a_limit(
    client: Client, loaded: None
) -> None:
    for model in registered():
        for query in ({}, {"q": "1"}, {"all": ""}, {"_facets": "True"}, {"o": "1"}):
            with queries() as sent:
                assert client.get(address(model), query).status_code == 200
            # The session, the user, the estimate, a count where it says little, the rows.
            assert len(sent) <= 5, (model, sent)
            counts = [sql for sql in sent if "COUNT(" in sql.upper()]
            assert len(counts) <= 1
            assert all(" LIMIT 10001" in sql for sql in counts), counts


def test_it_does_not_count_a_large_table_but_asks_the_servers_estimate(client: Client, many_steps: None) -> None:
    with queries() as sent:
        response = client.get(address(StepResultFact))
    assert not [sql for sql in sent if "COUNT(" in sql.upper()]
    assert "about 12,000 step result facts" in response.content.decode()
    assert response.context["cl"].paginator.num_pages == 200


def test_it_counts_up_to_a_limit_where_there_is_no_estimate(client: Client, warehouse: Warehouse) -> None:
    walk(warehouse)
    assert warehouse.value("select reltuples from pg_class where relname = 'step_result_fact'") == -1
    response = client.get(address(StepResultFact))
    assert "more than 10,000 step result facts" in response.content.decode()


def test_it_counts_what_a_filter_leaves_up_to_a_limit(client: Client, warehouse: Warehouse, many_steps: None) -> None:
    warehouse.execute("update step_result_fact set patient_id = 1 where id >> 32 < 280")
    page = client.get(address(StepResultFact), {"patient_id": "1"}).content.decode()
    assert "more than 10,000 step result facts" in page
    assert "40 step result facts" in client.get(address(StepResultFact), {"patient_id": "280"}).content.decode()


def test_it_ends_a_list_before_a_page_gets_slow(client: Client, many_steps: None) -> None:
    assert len(results(client.get(address(StepResultFact), {"p": 200}))) == 50
    response = client.get(address(StepResultFact), {"p": 201})
    assert (response.status_code, response["Location"]) == (302, f"{address(StepResultFact)}?e=1")


def test_it_reads_a_page_of_the_largest_table_by_its_key(
    client: Client, warehouse: Warehouse, many_steps: None
) -> None:
    for query in ({}, {"o": "-0"}, {"o": "3"}, {"o": "-2"}, {"p": "200"}, {"q": "7"}, {"patient_id": "7"}):
        with queries() as sent:
            client.get(address(StepResultFact), query)
        (rows,) = (sql for sql in sent if '"steps"' in sql)
        plan = "\n".join(line for (line,) in warehouse.execute(f"explain {rows}"))
        by_patient = "step_result_fact_patient_id" in plan
        assert "Seq Scan" not in plan, (query, plan)
        assert by_patient == ("Sort" in plan) == (query.keys() <= {"q", "patient_id"} and query != {}), (query, plan)


def test_it_estimates_the_adherence_view_by_its_windows(client: Client, warehouse: Warehouse) -> None:
    warehouse.execute(
        "insert into patient_journey_schedule_window (id, patient_id, patient_journey_id, activity_id) "
        "select n, n, 0, n from generate_series(1, 10500) n"
    )
    warehouse.execute("analyze patient_journey_schedule_window")
    with queries() as sent:
        page = client.get(address(ActivityAdherence)).content.decode()
    assert "about 10,500 activity adherences" in page
    assert not [sql for sql in sent if "COUNT(" in sql.upper()]
