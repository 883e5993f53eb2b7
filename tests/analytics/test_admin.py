"""The admin: all is there to be seen, only overrides to be changed, and no page reads a large table through."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from html import unescape
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

from analytics.admin.base import BoundedAdmin
from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    JourneyActivityBridge,
    PatientDimension,
    PatientJourneyFact,
    PatientJourneyScheduleWindow,
    ScheduleDimension,
    StepResultFact,
)
from ingest.models import Alert, PipelineRun, RejectedRow, ScheduleOverride, SchemaChange, StepRun
from tests.conftest import Source, Warehouse
from tests.recompute import row_id

Run = Callable[..., str]

# What the pipeline keeps for itself, beside the staging tables.
INTERNAL = {
    *("staged_bucket", "staged_table", "committed_run", "django_migrations", "digest_secret", "load_version"),
    *("changed_patient", "changed_patient_journey", "changed_step_result", "changed_survey_result"),
    *("changed_window", "changed_completion"),
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
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows a page, for what does not depend on how many there are: to write fifty takes most of the time."""
    monkeypatch.setattr(BoundedAdmin, "list_per_page", 5)


@pytest.fixture
def bare_lists(short_lists: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short lists without what is the same beside each, a link to every other."""
    monkeypatch.setattr(admin.site, "enable_nav_sidebar", False)


@pytest.fixture
def loaded(source: Source, dump: Path, covid_folder: Path, run: Run, settings: Settings) -> None:
    """The star of a dump and COVID days, an override, a schema change and, before it on record, a failed run."""
    settings.COVID_API_URL = str(covid_folder)
    PipelineRun.objects.create(command="run_pipeline", status="failed", error="Traceback: <disk full>")
    source.load(dump)
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
        select row_id(p, d - date '0001-01-01'), p, d, 100
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
            assert f"field-{field.column}" in page, f"{model.__name__}.{field.column}"
    page = client.get(address(StepResultFact, "change", first(StepResultFact).pk)).content.decode()
    assert "Made of patient_id and date" in page
    assert "The patient, in patient_dimension" in page


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


# For each table a row in order: nothing that may be null is.
SOUND: dict[str, dict[str, Any]] = {
    "schedule": {"id": 9, "slug": "7d-post-op"},
    "activity": {"id": 9, "content_slug": "walk", "schedule_id": 1},
    "journey": {"id": 9, "abbreviation": "TKR", "joint_slug": "knee"},
    "journey_activity": {"journey_id": 9, "activity_id": 9},
    "patient": {"id": 9, "age_bracket": "60-69", "sex": "f", "hospital": "North"},
    "patient_journey": {"id": 9, "patient_id": 9, "journey_id": 9, "clinician_id": 1}
    | {
        f"{milestone}_date": "2024-03-01"
        for milestone in ("invitation", "registration", "operation", "discharge", "consent")
    },
    "device": {"id": 9, "platform": "iOS", "os_version": "17"},
    "survey": {"id": 9, "slug": "pain", "version": "1", "tags": ["short"]},
    "step_result": {"patient_id": 9, "date": "2024-03-02", "value": "10"},
    "survey_result": {"id": 9, "patient_journey_id": 9, "survey_id": 9, "activity_id": 9, "device_id": 9}
    | {"score_value": 1, "start_time": "2024-03-08 09:00", "end_time": "2024-03-08 09:05"},
}


def test_it_says_which_column_of_a_row_is_null_that_must_not_be(client: Client, source: Source, run: Run) -> None:
    for table, row in SOUND.items():
        for column in row:
            # The source has grown old: it has a row with this column null, without the keys that would forbid it.
            source.execute(f"alter table {table} drop constraint if exists {table}_pkey cascade")
            source.execute(f"alter table {table} alter {column} drop not null")
            key = {"id": 1000 + list(row).index(column)} if "id" in row else {}
            source.insert(table, **row | key | {column: None})
        source.insert(table, **row)
    run()
    missing = RejectedRow.objects.filter(reason="missing_key")
    pages = {entry.pk: client.get(address(RejectedRow, "change", entry.pk)).content.decode() for entry in missing}
    shown = re.findall(r'class="field-gist">(.*?)</td>', client.get(address(RejectedRow)).content.decode())
    for entry in missing:
        nulls = [name for name in SOUND[entry.source_table] if entry.detail["row"][name] is None]
        assert len(nulls) == 1
        assert f"{nulls[0]} is null" in shown
        assert re.search(rf'class="readonly">\s*{nulls[0]} is null\s*<', pages[entry.pk]), entry.detail
    assert {table: missing.filter(source_table=table).count() for table in SOUND} == {
        **dict.fromkeys(("schedule", "activity", "journey", "patient", "device", "survey"), 1),
        "journey_activity": 2,
        "patient_journey": 3,
        "step_result": 2,
        "survey_result": 6,
    }


def test_it_names_all_columns_that_are_null(client: Client, source: Source, run: Run) -> None:
    source.insert_survey_result(activity_id=None, end_time=None, device_id=None)
    source.insert("step_result", patient_id=None, date=None, value="7")
    run()
    page = client.get(address(RejectedRow)).content.decode()
    assert '<td class="field-gist">activity_id is null, end_time is null</td>' in page
    assert '<td class="field-gist">patient_id is null, date is null</td>' in page


def test_it_says_what_is_wrong_with_a_covid_day(client: Client) -> None:
    detail = {"url": "file:///daily.json", "path": "data[3].cases.total", "value": "many"}
    entry = RejectedRow.objects.create(
        run_id=1, source_table="covid_day", source_key="2021-03-06", reason="not_a_number", detail=detail
    )
    for page in (address(RejectedRow), address(RejectedRow, "change", entry.pk)):
        assert "data[3].cases.total: &quot;many&quot;" in client.get(page).content.decode()


def test_it_says_that_a_rejected_row_was_mended_and_shows_what_is_rejected_today(
    client: Client, source: Source, run: Run
) -> None:
    source.insert("activity", id=1, content_slug="walk", schedule_id=77)
    source.insert("activity", id=2, content_slug="walk", schedule_id=78)
    run()
    entry = RejectedRow.objects.earliest("pk")
    source.insert("schedule", id=77, slug="7d-post-op")
    run()
    response = client.get(address(RejectedRow, "change", entry.pk), follow=True)
    assert response.redirect_chain == [(address(RejectedRow), 302)]
    assert said(response) == [
        f"There is no rejected row {entry.pk}. What was wrong with its row was mended, or the row left the source. "
        "This is what is rejected today."
    ]
    assert [row.source_key for row in response.context["cl"].result_list] == ["2"]


def test_it_says_of_each_row_that_is_not_there_why(client: Client) -> None:
    for model in registered():
        for page in (address(model, "change", "abc"), address(model, "history", "abc")):
            response = client.get(page, follow=True)
            assert response.redirect_chain == [(address(model), 302)], page
            (message,) = said(response)
            assert message.startswith(f"There is no {model._meta.verbose_name} abc. ")
            assert ("deleted" in message) == (model is ScheduleOverride), message
    assert (
        "forgotten after RUN_HISTORY_DAYS=90 days"
        in said(client.get(address(PipelineRun, "change", 1), follow=True))[0]
    )


def test_it_says_that_what_a_failed_run_counts_was_rolled_back(client: Client) -> None:
    counts = {"rows_read": 7001, "inserted": 7002, "updated": 7003, "deleted": 7004, "rejected": 7005}
    for status in ("failed", "interrupted", "succeeded"):
        run = PipelineRun.objects.create(command="run_pipeline", status=status, **counts)
        StepRun.objects.create(run=run, step="load_msk", table_name="patient_dimension", status="succeeded", **counts)
        page = client.get(address(PipelineRun, "change", run.pk)).content.decode()
        is_rolled_back = status != "succeeded"
        assert ("All that this run wrote was rolled back" in page) == is_rolled_back
        for count in ("7002", "7003", "7004", "7005"):
            assert page.count(f"<s>{count}</s> rolled back") == 2 * is_rolled_back  # of the run and of its step
            assert page.count(count) == 2
        assert page.count("7001") == 2
        assert "<s>7001" not in page
        row = client.get(address(PipelineRun), {"status": status}).content.decode()
        assert ("7002" in row, "7005" in row, "7001" in row) == (not is_rolled_back, not is_rolled_back, True)


def test_it_asks_for_the_steps_of_a_run_at_once(client: Client) -> None:
    run = PipelineRun.objects.create(command="run_pipeline", status="failed")
    for number in range(20):
        StepRun.objects.create(run=run, step="load_msk", table_name=f"table_{number}")
    with queries() as sent:
        client.get(address(PipelineRun, "change", run.pk))
    assert len(sent) <= 6, sent


def test_it_leads_from_a_patient_to_the_patients_rows_and_back(client: Client, loaded: None) -> None:
    journey = PatientJourneyFact.objects.latest("pk")
    page = client.get(address(PatientJourneyFact, "change", journey.pk)).content.decode()
    assert f'href="{address(PatientDimension, "change", journey.patient_id)}"' in page
    links = re.findall(r'href="([^"]+patient_journey_id=[^"]+)"', page)
    assert len(links) == 4
    windows = {row.pk for row in PatientJourneyScheduleWindow.objects.filter(patient_journey_id=journey.pk)}
    assert windows
    (link,) = (link for link in links if link.startswith(address(PatientJourneyScheduleWindow)))
    assert set(results(client.get(link.replace("&amp;", "&")))) == windows


def test_it_leads_to_no_page_that_does_not_open(client: Client, loaded: None, short_lists: None) -> None:
    pages = [client.get(reverse("admin:index"))]
    pages += [client.get(address(model, "change", first(model).pk)) for model in registered()]
    pages += [client.get(address(model)) for model in registered()]
    links = {link for page in pages for link in re.findall(r'href="(/admin/[^"#]+)"', page.content.decode())}
    one_of_each = {re.sub(r"\d+", "1", link): link.replace("&amp;", "&") for link in links if "jsi18n" not in link}
    assert len(one_of_each) > 60
    assert {link: client.get(link).status_code for link in one_of_each.values()} == dict.fromkeys(
        one_of_each.values(), 200
    )


def test_it_leads_from_a_window_to_what_was_done_about_it_and_back(client: Client, loaded: None) -> None:
    done = ActivityCompletionFact.objects.exclude(status="not_scheduled").earliest("pk")
    window = PatientJourneyScheduleWindow.objects.get(
        patient_journey_id=done.patient_journey_id, activity_id=done.activity_id
    )
    for model, row, other in (
        (PatientJourneyScheduleWindow, window, done),
        (PatientJourneyScheduleWindow, window, ActivityAdherence.objects.get(pk=window.pk)),
        (ActivityAdherence, window, done),
        (ActivityCompletionFact, done, window),
    ):
        page = client.get(address(model, "change", row.pk)).content.decode()
        (link,) = re.findall(rf'href="({address(type(other))}\?[^"]+)"', page)
        assert other.pk in results(client.get(link.replace("&amp;", "&")))


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


def test_it_has_no_page_that_needs_what_the_content_security_policy_forbids(
    client: Client, loaded: None, short_lists: None
) -> None:
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


def test_it_shows_who_may_see_one_table_that_table_alone(loaded: None) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_patientdimension"))
    client = Client()
    client.force_login(reader)
    home = client.get(reverse("admin:index"))
    assert [model["model"] for app in home.context["app_list"] for model in app["models"]] == [PatientDimension]
    open_pages = {}
    for model in registered():
        key = first(model).pk
        for page in (address(model), address(model, "change", key), address(model, "history", key)):
            if (response := client.get(page)).status_code != 403:
                open_pages[page] = response
    mine = PatientDimension
    key = first(mine).pk
    assert set(open_pages) == {address(mine), address(mine, "change", key), address(mine, "history", key)}
    assert client.get(reverse("admin:app_list", args=["ingest"])).status_code == 404
    for response in (home, *open_pages.values(), client.get("/readyz")):
        assert "disk full" not in response.content.decode()


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
    assert results(client.get(address(StepResultFact), {"q": str(key + 2**32)})) == []  # the left half of patient 8


@pytest.mark.parametrize("left", [-(2**31), -7, 0, 2**31 - 1])
def test_it_opens_and_finds_a_row_by_a_made_id_of_any_sign(client: Client, warehouse: Warehouse, left: int) -> None:
    day = "date '2024-01-01'"
    warehouse.execute(
        f"""
        insert into step_result_fact values (row_id(%s, {day} - date '0001-01-01'), %s, {day}, 10);
        insert into journey_activity_bridge values (row_id(%s, 3), %s, 3);
        insert into patient_journey_schedule_window (id, patient_id, patient_journey_id, activity_id)
        values (row_id(%s, 3), 5, %s, 3)
        """,
        *(left,) * 6,
    )
    for model in (StepResultFact, JourneyActivityBridge, PatientJourneyScheduleWindow, ActivityAdherence):
        key = first(model).pk
        assert key >> 32 == left
        assert results(client.get(address(model), {"q": str(key)})) == [key]
        response = client.get(address(model, "change", key))
        assert (response.status_code, response.context["original"].pk) == (200, key)
        refused = client.get(address(model), {"id": str(key)})
        assert (refused.status_code, results(refused)) == (400, [])


def test_it_finds_nothing_for_what_a_key_cannot_be(client: Client, loaded: None, bare_lists: None) -> None:
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


@pytest.mark.long
def test_it_survives_any_address(client: Client, loaded: None, bare_lists: None) -> None:
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
            if response.status_code not in (200, 400) or response.redirect_chain:
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
    # That no row has another value is not found out from the table, which that would read through.
    with queries() as sent:
        assert results(client.get(address(ActivityCompletionFact), {"status": "x"})) == []
    assert not [sql for sql in sent if "activity_completion_fact" in sql and "reltuples" not in sql]


def test_it_filters_patient_journeys_by_a_recent_operation(client: Client, warehouse: Warehouse) -> None:
    for key, days in enumerate((-10, 5, 20, 200)):
        warehouse.execute(
            "insert into patient_journey_fact (patient_journey_id, patient_id, journey_id, operation_date) "
            "values (%s, 1, 1, (now() at time zone 'UTC')::date - %s)",
            key,
            days,
        )
    for span, found in (("7", [1]), ("30", [1, 2]), ("365", [1, 2, 3])):
        assert results(client.get(address(PatientJourneyFact), {"operation_date_within": span})) == found


# --- What a page costs


def test_it_opens_a_page_of_any_table_with_few_queries_and_no_count_without_a_limit(
    client: Client, loaded: None
) -> None:
    for model in registered():
        for query in ({}, {"q": "1"}, {"all": ""}, {"_facets": "True"}, {"o": "1"}):
            with queries() as sent:
                assert client.get(address(model), query).status_code == 200
            # The session, the user, the estimate, a count where it says little, the rows; of the view two parts.
            assert len(sent) <= 5 + (model is ActivityAdherence), (model, sent)
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
    warehouse.execute(
        """
        insert into step_result_fact (id, patient_id, date, steps)
        select row_id(301, d - date '0001-01-01'), 301, d, 100
          from generate_series(1, 10500) n, cast(date '1990-01-01' + n as date) d
        """
    )
    page = client.get(address(StepResultFact), {"patient_id": "301"}).content.decode()
    assert "more than 10,000 step result facts" in page
    assert "40 step result facts" in client.get(address(StepResultFact), {"patient_id": "280"}).content.decode()


def test_it_ends_a_list_before_a_page_gets_slow(client: Client, many_steps: None) -> None:
    last, beyond = (client.get(address(StepResultFact), {"p": page}) for page in (200, 201))
    assert len(results(last)) == 50
    assert results(beyond) == results(client.get(address(StepResultFact)))


# --- What a list leaves out, it says


def said(response: Any) -> list[str]:
    """Return the messages at the head of a page, without their links."""
    items = re.findall(r'<li class="(?:error|warning|success)">(.*?)</li>', response.content.decode(), re.DOTALL)
    return [unescape(re.sub("<[^>]+>", "", item)) for item in items]


NOT_UNDERSTOOD = {
    "patient_id=abc": "patient_id=abc is not understood: “abc” value must be an integer.",
    "patient_id=": "patient_id= is not understood: “” value must be an integer.",
    "patient_id=1&patient_id=x": "patient_id=1&patient_id=x is not understood: “x” value must be an integer.",
    f"patient_id={'9' * 5000}x": f"patient_id={'9' * 48}… is not understood: “{'9' * 98}….",
    "patient_id=%00": "patient_id=\\0 is not understood: no text holds a null character.",
    "patient_id=7&activity_id=x": "activity_id=x is not understood: “x” value must be an integer.",
    "activity_id=7": "activity_id=7 is not understood: a patient_id has to stand beside it.",
    "status=nonsense": "status=nonsense is not understood: it must be one of in_window, early, late, undated, "
    "not_scheduled.",
    "status=": "status= is not understood: it must be one of in_window,",
    "status=late&status=early": "status=late&status=early is not understood: it is given more than once.",
    "patient_id=2147483648": "patient_id=2147483648 is not understood: Ensure this value is less than or equal to "
    "2147483647.",
    "patient=7": "patient=7 is not understood: this list can be narrowed by status, survey_result_id, patient_id.",
    "days_from_window__gte=1": "days_from_window__gte=1 is not understood: this list can be narrowed by status, "
    "survey_result_id, patient_id.",
    "nonsense=<b>": "nonsense=<b> is not understood: this list can be narrowed by ",
    "q=%00": "q=\\0 is not understood: no text holds a null character.",
}


COMPLETIONS = """
    insert into activity_completion_fact
           (survey_result_id, patient_id, patient_journey_id, activity_id, completed_date, status)
    select n, n, 0, n, date '2024-01-01', 'late'
      from generate_series(1, %s) n
"""


@pytest.mark.parametrize("query", NOT_UNDERSTOOD)
def test_it_lists_nothing_when_it_does_not_understand_a_filter_and_says_so(
    client: Client, warehouse: Warehouse, query: str
) -> None:
    warehouse.execute(COMPLETIONS, 2)
    assert len(results(client.get(address(ActivityCompletionFact)))) == 2
    response = client.get(f"{address(ActivityCompletionFact)}?{query}")
    assert response.status_code == 400
    assert results(response) == []
    message = said(response)[-1]
    assert NOT_UNDERSTOOD[query] in message
    assert message.startswith("Nothing is listed, because ")
    assert f'<a href="{address(ActivityCompletionFact)}">Show the whole list</a>' in response.content.decode()


def test_it_names_the_spans_by_which_operations_are_found(client: Client) -> None:
    response = client.get(address(PatientJourneyFact), {"operation_date_within": "5"})
    (message,) = said(response)
    assert "operation_date_within=5 is not understood: it must be one of 7, 30, 90, 365." in message
    assert results(response) == []


@pytest.mark.parametrize("page", ["201", "0", "-1", "x", "", "1.5", "9" * 5000])
def test_it_says_that_there_is_no_such_page(client: Client, many_steps: None, page: str) -> None:
    response = client.get(address(StepResultFact), {"p": page})
    assert response.status_code == 400
    (message,) = said(response)
    assert message.startswith(f"There is no page p={page[:50]}")
    assert message.endswith(": the pages go from 1 to 200. This is page 1.")
    assert results(response) == results(client.get(address(StepResultFact)))


def test_it_says_that_there_is_no_other_page_of_a_short_list(client: Client) -> None:
    assert "There is no page p=2: the pages go from 1 to 1." in said(client.get(address(PipelineRun), {"p": "2"}))[0]


@pytest.mark.parametrize("order", ["0", "-0", "3", "0.-2", "99", "x"])
def test_it_says_that_a_list_is_not_sorted_as_asked(client: Client, many_steps: None, order: str) -> None:
    response = client.get(address(StepResultFact), {"o": order})
    assert said(response) == [f"The list is sorted by its key: it has no order o={order}."]


def test_it_has_nothing_to_say_of_an_address_that_it_understands(
    client: Client, warehouse: Warehouse, many_steps: None
) -> None:
    warehouse.execute(COMPLETIONS, 100)
    for query in ("", "p=1", "p=2", "o=", "q=7", "patient_id=7", "patient_id=7&patient_id=8", "all="):
        for model in (StepResultFact, ActivityCompletionFact):
            response = client.get(f"{address(model)}?{query}")
            assert (response.status_code, said(response)) == (200, []), query
            assert results(response), query


def test_it_sorts_a_list_by_the_key_that_its_first_column_shows(client: Client, warehouse: Warehouse) -> None:
    warehouse.execute(COMPLETIONS, 3)
    for query, keys in (("", [1, 2, 3]), ("o=0", [1, 2, 3]), ("o=-0", [3, 2, 1])):
        response = client.get(f"{address(ActivityCompletionFact)}?{query}")
        assert (results(response), said(response)) == (keys, [])
        assert "sortable column-survey_result_id" in response.content.decode()
    assert "sortable" not in client.get(address(StepResultFact)).content.decode()


def test_it_deletes_no_override_that_a_list_not_understood_did_not_show(client: Client, source: Source) -> None:
    ScheduleOverride.objects.create(schedule_id=1, milestone_slug="consent", offset_start_days=1)
    delete = {"action": "delete_selected", "_selected_action": ["1"], "index": "0", "post": "yes"}
    client.post(f"{address(ScheduleOverride)}?schedule_id=x", delete)
    assert ScheduleOverride.objects.exists()
    client.post(f"{address(ScheduleOverride)}?schedule_id=1", delete)
    assert not ScheduleOverride.objects.exists()


def test_it_says_beside_the_count_that_a_list_ends_before_its_rows(client: Client, many_steps: None) -> None:
    others = "To see others, search for the exact patient id or id."
    for page, end in (("1", "Only the first 10,000 are listed."), ("200", "The list ends here, at row 10,000.")):
        text = client.get(address(StepResultFact), {"p": page}).content.decode()
        assert re.search(f"about 12,000 step result facts\\s*</p>\\s*<p class=.paginator.>{end} {others}</p>", text)
    text = client.get(address(StepResultFact), {"patient_id": "7"}).content.decode()
    assert "To see others" not in text


def test_it_names_the_filters_too_where_a_list_has_some(client: Client, warehouse: Warehouse) -> None:
    warehouse.execute(COMPLETIONS, 10_500)
    text = client.get(address(ActivityCompletionFact)).content.decode()
    assert "To see others, search for the exact survey result id or patient id or choose a filter." in text


# --- What it costs, once more


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
    tables = (PatientJourneyScheduleWindow._meta.db_table, ActivityAdherence._meta.db_table)
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
    for model in read_only():
        key = first(model).pk
        with queries() as sent:
            assert client.get(address(model, "change", key)).status_code == 200
        # The session, the user and the row; of a run its steps too. No row at the other end of a link.
        assert len(sent) <= 3 + (model is PipelineRun), (model, sent)


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
