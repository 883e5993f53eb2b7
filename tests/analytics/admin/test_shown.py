"""What the admin shows of the star and of what the pipeline has on record."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import find
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.models import (
    ActivityAdherence,
    ActivityCompletionFact,
    CasesDimension,
    PatientDimension,
    PatientJourneyFact,
    PatientJourneyScheduleWindow,
    StepResultFact,
)
from ingest.models import Alert, PipelineRun, RejectedRow, ScheduleOverride, StepRun
from tests.analytics.admin.pages import Run, address, first, queries, read_only, registered, results, said
from tests.conftest import Source

# What the pipeline keeps for itself, beside the staging tables.
INTERNAL = {
    *("staged_bucket", "staged_table", "committed_run", "django_migrations", "digest_secret", "load_version"),
    *("changed_patient", "changed_patient_journey", "changed_step_result", "changed_survey_result"),
    *("changed_window", "changed_completion", "changed_adherence"),
    "erased_patient",  # what prove_erased says
    *("key_set_aside", "staged_rows"),  # of the roles' rights
    *("patient_pseudonym", "patient_journey_pseudonym", "clinician_pseudonym"),
}
JOINED = {"window_detail"}  # a view for queries: each table that it joins is shown by itself


def test_it_shows_the_whole_star_and_what_the_pipeline_has_on_record(databases: None) -> None:
    tables = {model._meta.db_table for model in registered()}
    with connections["analytics"].cursor() as cursor:
        held = {table.name for table in connections["analytics"].introspection.get_table_list(cursor)}
    internal = {name for name in held if name.startswith("staging_")} | INTERNAL
    raw_documents = {"staging_covid_day", "staging_covid_document"}
    assert tables == held - internal - JOINED | raw_documents | {"pipeline_run", "alert"}


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
    css = re.search(r'href="/static/(analytics/runs[\w.]*css)"', page)
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
        for count in ("7,002", "7,003", "7,004", "7,005"):
            assert page.count(f"<s>{count}</s> rolled back") == 2 * is_rolled_back  # of the run and of its step
            assert page.count(count) == 2
        assert page.count("7,001") == 2
        assert "<s>7,001" not in page
        row = client.get(address(PipelineRun), {"status": status}).content.decode()
        assert ("7,002" in row, "7,005" in row, "7,001" in row) == (not is_rolled_back, not is_rolled_back, True)


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
    assert len(links) == 5
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


@pytest.mark.parametrize("name", ["casesdimension", "casesfact", "testingfact", "hospitalizationfact", "deathfact"])
def test_it_begins_a_list_of_covid_figures_with_the_newest_day(client: Client, loaded: None, name: str) -> None:
    newest = f"{CasesDimension.objects.latest('last_update_at').last_update_at:%Y-%m-%d}"
    page = client.get(reverse(f"admin:analytics_{name}_changelist")).content.decode()
    days = re.findall(r"field-day[^>]*>(?:<a[^>]*>)?(\d{4}-\d\d-\d\d)", page)
    assert days[0] == newest
    assert days == sorted(days, reverse=True)
    assert len(days) > 40
