"""The runs of a month, one run, and "Run now": what is shown is what the run log says, to operators alone."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone

from ingest.models import PipelineRun, RunRequest, StepRun
from tests.analytics.admin.pages import queries, said
from tests.analytics.pages.conftest import GROUPS, Reader, table
from tests.conftest import Database, Source

COLUMNS = [
    *("id", "source", "command", "trigger", "started", "finished", "status"),
    *("rows_read", "inserted", "updated", "deleted", "rejected", "bytes", "seconds", "error"),
]
OTHERS = [group for group in GROUPS if group != "operator"]
LOADED = {"rows_read": 1200, "inserted": 30, "updated": 4, "deleted": 2, "rejected": 5, "bytes": 9, "seconds": 1.5}


@pytest.fixture
def operator(reader: Reader) -> Client:
    """A browser in which an operator is logged in."""
    return reader("operator")


def made(days: float = 0, **run: Any) -> PipelineRun:
    """Put a run on record, of so many days ago."""
    started = timezone.now() - timedelta(days=days)
    finished = None if run.get("status") == "running" else started + timedelta(seconds=1)
    return PipelineRun.objects.create(
        **{"command": "run_pipeline", "status": "succeeded", "started": started, "finished": finished} | run
    )


def text(client: Client, address: str) -> str:
    """Return what a page says, within the frame of the site."""
    response = client.get(address)
    assert response.status_code == 200
    html = response.content.decode().split('id="content"')[1]
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def cells(client: Client, address: str, part: str) -> list[list[str]]:
    """Return the rows of the table in the part of a page that begins with `part`, its header first."""
    html = client.get(address).content.decode().split(part)[1].split("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in html.split("<tr")[1:]]
    return [[" ".join(unescape(re.sub("<[^>]+>", "", cell)).split()) for cell in row] for row in rows]


# --- The runs


def test_its_csv_has_a_row_of_each_run_as_the_run_log_has_it(operator: Client) -> None:
    made(3, source="msk", **LOADED)
    made(2, source="covid", command="extract_covid", trigger="cron", status="skipped", error="another run of covid")
    made(1, status="failed", error="Traceback (most recent call last):\n  File x\nValueError: no\nthe disk is full")
    found = table(operator, "/runs/")
    assert list(found[0]) == COLUMNS
    log = Database("default")
    on_record = log.execute(f"select {', '.join(COLUMNS)} from pipeline_run order by id desc")
    log.connection.close()
    as_text = [
        [value.astimezone(UTC) if isinstance(value, datetime) else "" if value is None else value for value in row]
        for row in on_record
    ]
    assert [[*row.values()][:-1] for row in found] == [[str(value) for value in row[:-1]] for row in as_text]
    assert [row["error"] for row in found] == ["the disk is full", "another run of covid", ""]


def test_its_table_says_the_same_and_leads_to_each_run(operator: Client) -> None:
    made(3, source="msk", **LOADED)
    made(1, source="covid", trigger="cron", status="failed", error="the disk is full", **LOADED)
    runs = list(PipelineRun.objects.order_by("-pk"))
    header, *rows = cells(operator, "/runs/", 'id="chart-runs"')
    assert header == [
        *("run", "status", "source", "command", "trigger", "started (UTC)", "seconds"),
        *("read", "inserted", "updated", "deleted", "rejected", "error"),
    ]
    when = [f"{run.started:%Y-%m-%d %H:%M:%S}" for run in runs]
    read = ["1.5", "1,200"]
    rolled_back = ["\N{EN DASH}"] * 4
    assert rows == [
        [str(runs[0].pk), "failed", "covid", "run_pipeline", "cron", when[0], *read, *rolled_back, "the disk is full"],
        [str(runs[1].pk), "succeeded", "msk", "run_pipeline", "manual", when[1], *read, "30", "4", "2", "5", ""],
    ]
    html = operator.get("/runs/").content.decode()
    for run in runs:
        assert f'<th scope="row"><a href="/runs/{run.pk}/">{run.pk}</a></th>' in html
        assert operator.get(f"/runs/{run.pk}/").status_code == 200


def test_the_row_of_a_run_says_in_a_line_why_it_failed(operator: Client) -> None:
    errors = {
        "failed": "Traceback (most recent call last):\n  File x\nValueError: no\nthe disk is full",
        "skipped": "another run of msk is in progress",
        "interrupted": "x" * 300,
        "succeeded": "",
    }
    for days, (status, error) in enumerate(errors.items(), 1):
        made(days, status=status, error=error)
    rows = {row[1]: row[-1] for row in cells(operator, "/runs/", 'id="chart-runs"')[1:]}
    assert rows == {
        "failed": "the disk is full",
        "skipped": "another run of msk is in progress",
        "interrupted": "x" * 199 + "\N{HORIZONTAL ELLIPSIS}",
        "succeeded": "",
    }


def test_it_shows_the_last_thirty_days(operator: Client) -> None:
    old, kept = made(30.1), made(29.9)
    assert [row["id"] for row in table(operator, "/runs/")] == [str(kept.pk)]
    assert f"/runs/{old.pk}/" not in operator.get("/runs/").content.decode()
    assert operator.get(f"/runs/{old.pk}/").status_code == 200


def test_it_can_be_narrowed_to_a_source_and_a_status(operator: Client) -> None:
    for source in ("msk", "covid"):
        for status in ("succeeded", "failed"):
            made(source=source, status=status)
    for query in ("", "?source=msk", "?status=failed", "?source=covid&status=failed"):
        values = dict(part.split("=") for part in query.removeprefix("?").split("&") if part)
        expected = PipelineRun.objects.filter(**values).order_by("-pk")
        assert [row["id"] for row in table(operator, f"/runs/{query}")] == [str(run.pk) for run in expected]
    html = operator.get("/runs/?source=covid").content.decode()
    assert "<option selected>covid</option>" in html
    sent = operator.get("/runs/?form=1&source=msk&status=")
    assert (sent.status_code, sent["Location"]) == (302, "/runs/?source=msk")


@pytest.mark.parametrize("query", ["source=x", "status=fine", "trigger=cron", "source=msk&source=msk", "format=json"])
def test_it_refuses_what_it_does_not_understand(operator: Client, query: str) -> None:
    response = operator.get(f"/runs/?{query}")
    assert response.status_code == 400
    assert 'href="/runs/"' in response.content.decode()


def test_it_says_what_to_do_where_no_run_is_as_asked(operator: Client) -> None:
    assert "No run is as the filters ask: choose fewer." in text(operator, "/runs/?status=failed")


def test_it_tells_a_failed_run_from_others_without_colour(operator: Client) -> None:
    made(2)
    failed = made(1, status="failed")
    html = operator.get("/runs/").content.decode()
    assert ">failed</text>" in html
    assert re.search(rf'<a href="/runs/{failed.pk}/" aria-label="Run {failed.pk}, msk: failed, [^"]+ UTC"', html)
    assert "1 succeeded, 1 failed" in html


def test_a_month_of_hourly_runs_is_asked_for_by_a_few_queries(operator: Client) -> None:
    operator.get("/runs/")
    with queries() as few:
        operator.get("/runs/")
    PipelineRun.objects.bulk_create(
        PipelineRun(command="run_pipeline", status="succeeded", started=timezone.now() - timedelta(hours=hour))
        for hour in range(700)
    )
    with queries() as many:
        assert operator.get("/runs/").content.count(b'<th scope="row">') == 700
    assert len(many) == len(few) <= 12


def test_it_says_of_a_run_whose_process_is_gone_that_it_was_interrupted(operator: Client) -> None:
    gone = made(status="running")
    assert table(operator, "/runs/")[0]["status"] == "interrupted"
    assert "Its process is gone" in text(operator, f"/runs/{gone.pk}/")


# --- One run


def test_it_says_first_what_went_wrong_and_what_to_do(small_world: Source, operator: Client, run) -> None:
    run()
    small_world.execute("alter table device rename to lost")
    with pytest.raises(CommandError):
        run()
    failed = PipelineRun.objects.latest("pk")
    page = text(operator, f"/runs/{failed.pk}/")
    error = failed.error.splitlines()[-1]
    assert "table device is missing" in error
    assert page.index("failed") < page.index(error) < page.index("Mend what the error of the run names")
    assert page.index("Mend what the error") < page.index("What each step did")
    html = operator.get(f"/runs/{failed.pk}/").content.decode()
    folded = html.split("The error with its traceback")[1].split("</details>")[0]
    assert "Traceback (most recent call last)" in unescape(folded)
    assert "Traceback" not in html.split("<details>")[0]


@pytest.mark.parametrize("status", PipelineRun.Status.values)
def test_it_says_of_each_status_what_to_do(operator: Client, status: str, monkeypatch) -> None:
    monkeypatch.setattr("analytics.pages.runs.end_gone_runs", lambda: None)  # nobody is at work here
    run = made(status=status)
    page = text(operator, f"/runs/{run.pk}/")
    assert status in page
    expected = {"running": "wait", "succeeded": "holds what it read", "failed": "Mend", "interrupted": "next run"}
    assert expected.get(status, "Nothing is to be done") in page


def test_its_numbers_and_those_of_its_steps_are_those_of_the_run_log(star: None, operator: Client) -> None:
    run = PipelineRun.objects.filter(source="msk").latest("pk")
    totals = {row[0]: row[1] for row in cells(operator, f"/runs/{run.pk}/", 'aria-label="Numbers of the run"')[1:]}
    names = ("read", "inserted", "updated", "deleted", "rejected", "bytes")
    values = (run.rows_read, run.inserted, run.updated, run.deleted, run.rejected, run.bytes)
    assert {name: totals[name] for name in names} == {name: f"{v:,}" for name, v in zip(names, values, strict=True)}
    log = Database("default")
    steps = log.execute(
        "select table_name, step, status, rows_read, inserted, updated, deleted, rejected from step_run"
        " where run_id = %s order by id",
        run.pk,
    )
    log.connection.close()
    assert len(steps) > 20
    header, *rows = cells(operator, f"/runs/{run.pk}/", 'id="chart-steps"')
    assert header[:3] + header[5:10] == [
        *("table", "step", "status", "read", "inserted", "updated", "deleted", "rejected")
    ]
    assert [[*row[:3], *row[5:10]] for row in rows] == [
        [*map(str, step[:3]), *(f"{count:,}" for count in step[3:])] for step in steps
    ]
    assert [float(row[3]) for row in rows] == [step.seconds for step in run.steps.order_by("pk")]


def test_it_compares_a_run_with_the_one_before_of_the_same_source_and_command(operator: Client) -> None:
    before = made(5, source="msk", **LOADED | {"seconds": 2.0, "rows_read": 1000, "inserted": 40})
    StepRun.objects.create(run=before, step="load_msk", table_name="step_result_fact", status="succeeded", seconds=0.5)
    made(4, source="covid")
    made(4, source="msk", command="load_msk")
    made(3, source="msk", status="failed")
    made(2, source="msk", status="skipped")
    run = made(1, source="msk", **LOADED)
    StepRun.objects.create(
        run=run, step="load_msk", table_name="step_result_fact", status="succeeded", seconds=0.25, inserted=1200
    )
    address = f"/runs/{run.pk}/"
    header, *rows = cells(operator, address, 'aria-label="Numbers of the run"')
    assert header == ["", "This run", f"Run {before.pk}", "Change"]
    assert rows == [
        ["seconds", "1.5", "2", "0.5 faster"],
        ["read", "1,200", "1,000", "200 more"],
        ["inserted", "30", "40", "10 fewer"],
        ["updated", "4", "4", "the same"],
        ["deleted", "2", "2", "the same"],
        ["rejected", "5", "5", "the same"],
        ["bytes", "9", "9", "the same"],
    ]
    assert f'href="/runs/{before.pk}/"' in operator.get(address).content.decode()
    (step,) = cells(operator, address, 'id="chart-steps"')[1:]
    assert step[3:5] == ["0.25", "0.5"]
    assert step[-1] == "inserted +1,200"
    assert f"250 ms · 500 ms at run {before.pk}" in text(operator, address)


def test_a_run_without_one_before_is_compared_with_none(operator: Client) -> None:
    run = made(source="msk", **LOADED)
    assert cells(operator, f"/runs/{run.pk}/", 'aria-label="Numbers of the run"')[0] == ["", "This run"]
    assert "No run of msk by run_pipeline before it succeeded." in text(operator, f"/runs/{run.pk}/")


def test_a_run_that_failed_before_it_wrote_says_nothing_of_struck_out_numbers(operator: Client) -> None:
    run = made(1, source="msk", status="failed", rows_read=7001)
    said = text(operator, f"/runs/{run.pk}/")
    assert "The warehouse is as it was." in said
    assert "rolled back" not in said


@pytest.mark.parametrize("status", ["failed", "interrupted", "succeeded"])
def test_it_says_of_numbers_that_they_were_rolled_back(operator: Client, status: str) -> None:
    made(2, source="msk")
    counts = {"rows_read": 7001, "inserted": 7002, "updated": 7003, "deleted": 7004, "rejected": 7005}
    run = made(1, source="msk", status=status, **counts)
    StepRun.objects.create(run=run, step="load_msk", table_name="patient_dimension", status="succeeded", **counts)
    html = operator.get(f"/runs/{run.pk}/").content.decode()
    is_rolled_back = status != "succeeded"
    assert ("All that this run wrote was rolled back" in html) == is_rolled_back
    for count in ("7,002", "7,003", "7,004", "7,005"):
        assert html.count(f"<s>{count}</s> rolled back") == 2 * is_rolled_back  # of the run and of its step
    assert "<s>7,001" not in html
    assert ("7,002 more" in html) == (not is_rolled_back)  # what was rolled back is compared with nothing


def test_it_leads_to_the_admin_and_the_admin_back(operator: Client) -> None:
    run = made()
    page = f"/admin/ingest/pipelinerun/{run.pk}/change/"
    assert f'href="{page}"' in operator.get(f"/runs/{run.pk}/").content.decode()
    assert f'href="/runs/{run.pk}/"' in operator.get(page).content.decode()


@pytest.mark.parametrize("number", ["0", "77", "9" * 30])
def test_there_is_no_page_of_a_run_that_is_not_on_record(operator: Client, number: str) -> None:
    response = operator.get(f"/runs/{number}/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_the_csv_of_a_run_is_its_row_of_the_runs(operator: Client) -> None:
    run = made(1, **LOADED)
    made()
    assert table(operator, f"/runs/{run.pk}/") == table(operator, "/runs/")[1:]


# --- Who may


@pytest.mark.parametrize("group", OTHERS)
def test_it_is_for_operators_alone(reader: Reader, group: str) -> None:
    run = made()
    client = reader(group)
    for address in ("/runs/", f"/runs/{run.pk}/"):
        assert client.get(address).status_code == 403
    assert client.post("/runs/now/", {"source": "msk"}).status_code == 403
    assert not RunRequest.objects.exists()


def test_who_may_see_runs_and_not_ask_for_one_has_no_form(databases: None) -> None:
    user = User.objects.create_user("watcher", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_pipelinerun"))
    watcher = Client()
    watcher.force_login(user)
    assert "Run now" not in text(watcher, "/runs/")
    assert watcher.post("/runs/now/", {"source": "msk"}).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="add_runrequest"))
    assert "Run now" in text(watcher, "/runs/")


def test_a_stranger_is_asked_to_log_in_and_led_to_the_runs(databases: None) -> None:
    response = Client().post("/runs/now/", {"source": "msk"})
    assert (response.status_code, response["Location"]) == (302, "/admin/login/?next=/runs/")
    assert not RunRequest.objects.exists()


def test_a_form_of_another_site_is_refused(databases: None) -> None:
    user = User.objects.create_user("careless", is_staff=True)
    user.groups.add(Group.objects.get(name="operator"))
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post("/runs/now/", {"source": "msk"}).status_code == 403
    assert not RunRequest.objects.exists()


# --- Run now


@pytest.mark.parametrize(("source", "asked"), [("msk", ["msk"]), ("covid", ["covid"]), ("both", ["msk", "covid"])])
def test_it_asks_for_a_run(operator: Client, source: str, asked: list[str]) -> None:
    response = operator.post("/runs/now/", {"source": source}, follow=True)
    assert response.redirect_chain == [("/runs/", 302)]
    assert said(response) == [f"A run of {each} is asked for." for each in asked]
    name = User.objects.get().get_username()
    found = list(RunRequest.objects.order_by("pk").values_list("source", "requested_by", "taken_at"))
    assert found == [(each, name, None) for each in asked]


def test_it_says_that_a_run_was_asked_for_already(operator: Client, reader: Reader) -> None:
    operator.post("/runs/now/", {"source": "msk"})
    first = RunRequest.objects.get()
    html = reader("operator").post("/runs/now/", {"source": "both"}, follow=True).content.decode()
    at = f"{first.requested_at:%H:%M:%S}"
    assert f"A run of msk was asked for by {first.requested_by} at {at} UTC: yours joins it." in html
    assert "A run of covid is asked for." in html
    assert RunRequest.objects.count() == 2


@pytest.mark.parametrize("form", [{}, {"source": "x"}, {"source": ""}])
def test_it_refuses_a_form_that_asks_for_no_source(operator: Client, form: dict[str, str]) -> None:
    response = operator.post("/runs/now/", form)
    assert response.status_code == 400
    assert "source is one of msk, covid, both" in response.content.decode()
    assert 'href="/runs/"' in response.content.decode()
    assert not RunRequest.objects.exists()


def test_it_is_no_page(operator: Client) -> None:
    assert operator.get("/runs/now/").status_code == 405


def requested(**request: Any) -> RunRequest:
    return RunRequest.objects.create(**{"source": "msk", "requested_by": "ann"} | request)


def test_it_says_how_a_request_stands(operator: Client) -> None:
    now = timezone.now()
    run = made(status="succeeded")
    assert "Runs asked for" not in text(operator, "/runs/")
    request = requested()
    at = f"msk , by ann at {request.requested_at:%Y-%m-%d %H:%M:%S} UTC:"
    assert f"{at} waiting" in text(operator, "/runs/")
    steps: list[tuple[dict[str, Any], str]] = [
        ({"taken_at": now, "progress": "waits for run 3", "progress_at": now}, "waits for run 3 since"),
        (
            {"run": run, "progress": "load_msk, date_dimension"},
            f"at work: load_msk, date_dimension since {now:%H:%M:%S}",
        ),
        ({"finished_at": now, "outcome": "succeeded"}, f"succeeded · Run {run.pk}"),
    ]
    for changes, state in steps:
        RunRequest.objects.filter(pk=request.pk).update(**changes)
        assert f"{at} {state}" in text(operator, "/runs/")
    assert f'<a href="/runs/{run.pk}/">Run {run.pk}</a>' in operator.get("/runs/").content.decode()
    assert f"{at} succeeded" in text(operator, f"/runs/{run.pk}/")


def test_it_says_after_some_seconds_that_nobody_takes_a_request_up(operator: Client) -> None:
    requested(requested_at=timezone.now() - timedelta(seconds=5))
    assert "not taken up" not in text(operator, "/runs/")
    RunRequest.objects.update(requested_at=timezone.now() - timedelta(seconds=11))
    assert "not taken up yet: is the web container's worker at work?" in text(operator, "/runs/")
    RunRequest.objects.update(taken_at=timezone.now(), progress="starting")
    assert "not taken up" not in text(operator, "/runs/")


def test_it_is_shown_anew_only_while_a_request_is_open(operator: Client) -> None:
    run = made()
    request = requested(run=run)
    for address in ("/runs/", f"/runs/{run.pk}/"):
        html = operator.get(address).content.decode()
        assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in html
        assert "analytics/requests.js" in html
    RunRequest.objects.filter(pk=request.pk).update(finished_at=timezone.now(), outcome="succeeded")
    for address in ("/runs/", f"/runs/{run.pk}/"):
        html = operator.get(address).content.decode()
        assert "refresh" not in html
        assert "analytics/requests.js" not in html
        assert "data-open" not in html


def test_what_a_name_holds_is_text_and_never_markup(operator: Client) -> None:
    requested(requested_by="<script>", progress="<b>", taken_at=timezone.now())
    run = made(status="failed", error="<img src=x>\n<b>late</b>")
    for address in ("/runs/", f"/runs/{run.pk}/"):
        html = operator.get(address).content.decode()
        assert not re.search("<script>|<b>|<img src=x>", html)
