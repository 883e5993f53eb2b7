"""The access log: no page shows a patient without a line that says who saw whom, and no line is changed."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any, ClassVar

import psycopg2
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, resolve
from django.utils import timezone
from pytest_django import Settings

from access.addresses import NO_PATIENT, shows_no_patient
from access.models import AccessLog, KeptError
from analytics.models import ActivityAdherence, PatientDimension, StepResultFact
from ingest.models import PipelineRun, RejectedRow, ScheduleOverride
from pipeline_project.urls import urlpatterns as site
from tests.access.looks import look
from tests.analytics.pages.conftest import Reader, reader  # noqa: F401
from tests.conftest import Database, Warehouse

ABOUT_PATIENTS = {
    f"{model._meta.app_label}/{model._meta.model_name}"
    for model in apps.get_models()
    if any(field.column == "patient_id" for field in model._meta.concrete_fields)
} | {"ingest/rejectedrow"}
TO_A_ROW = "|".join(sorted(ABOUT_PATIENTS))
# Whatever leads to a patient: the page, a row of a table that is about patients, a list of the rows of one.
LEADS_TO_A_PATIENT = re.compile(rf'href="(/patients/-?\d|/admin/(?:{TO_A_ROW})/[^"/?]*\d|[^"]*patient_id=-?\d)')
PATIENT = re.compile(r'href="(?:/patients|/admin/analytics/patientdimension)/(-?\d+)/')
# What may show a patient and does not, asked so: no preview, a list of runs without their errors.
SHOWS_NONE_SO = {
    *("admin:ingest_scheduleoverride_add", "admin:ingest_scheduleoverride_change"),
    "admin:ingest_scheduleoverride_delete",
}
REJECTS_OF_PATIENTS = ("patient", "patient_journey", "step_result", "survey_result")


@pytest.fixture
def boss(databases: None) -> Client:
    """A browser in which a superuser is logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def log(databases: None) -> Iterator[Database]:
    """The database of the log, as its owner sees it."""
    database = Database("default")
    yield database
    database.connection.close()


def lines() -> list[AccessLog]:
    return list(AccessLog.objects.order_by("pk"))


def patterns(resolver: Any, prefix: str = "", names: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield the name and the pattern of every address of the site."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            inner = (*names, each.namespace) if each.namespace else names
            yield from patterns(each, prefix + str(each.pattern), inner)
        elif isinstance(each, URLPattern):
            yield ":".join((*names, each.name or each.lookup_str)), f"/{prefix}{each.pattern}"


def addresses() -> list[tuple[str, str]]:
    """Return every address of the site, with the keys of rows that are there."""
    found = []
    contents = ContentType.objects.get_for_model(PatientDimension)
    for name, pattern in patterns(get_resolver()):
        if "autocomplete" in name:
            continue  # it has a test of its own
        address = pattern.replace("^(?P<app_label>ingest|analytics|auth)/$", "analytics/").replace("(?P<url>.*)$", "x/")
        if "<path:object_id>" in address:
            key = key_of(address)
            address = address.replace("<path:object_id>", "1" if key is None else str(key))
        keys = {"<key:patient_id>": "1", "<int:run_id>": str(PipelineRun.objects.latest("pk").pk), "<id>": "1"}
        keys |= {"<slug:name>": "step_result_fact", "<path:content_type_id>": str(contents.pk)}
        keys |= {"<int:pk>": "1"}
        for part, key in keys.items():
            address = address.replace(part, key)
        assert "<" not in address, address
        found.append((name, address))
    return found


def key_of(address: str) -> Any:
    """Return the key of a row of the table that an address of the admin is about."""
    match = re.match(r"/admin/(\w+)/(\w+)/<path:object_id>", address)
    if not match:
        return None
    row = apps.get_model(".".join(match.groups()))._default_manager.order_by("-pk").first()
    return row and row.pk


def test_it_writes_one_line_with_the_right_patients_at_each_address_or_that_shows_none(
    star: None,
    boss: Client,
) -> None:
    ScheduleOverride.objects.create(schedule_id=1, milestone_slug="operation", offset_start_days=400)
    PipelineRun.objects.create(command="run_pipeline", status="failed", error="it failed")
    shown = set()
    for name, address in addresses():
        if "/rejectedrow/" in address or name == "quality":
            continue  # what they show has no link to a patient: they have tests of their own
        before = len(lines())
        response = boss.get(address)
        written = lines()[before:]
        listed = shows_no_patient(resolve(response.wsgi_request.path))
        if listed or 300 <= response.status_code < 400:
            assert not written, address
            continue
        if name in SHOWS_NONE_SO and not written:
            assert not LEADS_TO_A_PATIENT.findall(response.content.decode()), address
            continue
        assert len(written) == 1, (name, address, response.status_code)
        line = written[0]
        assert (line.path, line.user_name, line.answered) == (address, "boss", response.status_code == 200)
        if response.status_code == 200:
            shown.add(name)
            linked = {int(patient) for patient in PATIENT.findall(response.content.decode())}
            if name.endswith("_history"):  # it names the row alone
                linked = {apps.get_model(name[6:-8].replace("_", ".")).objects.get(pk=address.split("/")[4]).patient_id}
            assert set(line.patients or ()) == linked, (name, address)
    about = {name for name in shown if "patient" in name}
    assert about >= {"patient", "admin:analytics_patientdimension_history", "admin:analytics_patientjourneyfact_change"}
    assert shown >= {
        *("windows", "implausible", "access"),
        *(f"admin:{of.replace('/', '_')}_changelist" for of in ABOUT_PATIENTS if of in admins()),
    }


def admins() -> set[str]:
    """Return the tables about patients whose rows the admin lists, but that of what was rejected."""
    names = {name for name, _ in patterns(get_resolver())}
    return {of for of in ABOUT_PATIENTS - {"ingest/rejectedrow"} if f"admin:{of.replace('/', '_')}_changelist" in names}


def test_no_page_that_is_said_to_show_no_patient_leads_to_one(star: None, boss: Client) -> None:
    ScheduleOverride.objects.create(schedule_id=1, milestone_slug="operation", offset_start_days=400)
    read = set()
    for name, address in addresses():
        for each in (address, f"{address}?format=csv") if not address.startswith("/admin/") else (address,):
            response = boss.get(each)
            if response.status_code == 200 and shows_no_patient(resolve(response.wsgi_request.path)):
                text = response.getvalue().decode() if response.streaming else response.content.decode()
                found = LEADS_TO_A_PATIENT.findall(text)
                # The adherence page leads to lists of windows by what they have in common.
                assert not found, (each, found[:3])
                read.add(name)
    assert len(read) > 50
    windows = boss.get("/adherence/windows/").content.decode()  # where it has to find some
    assert len(LEADS_TO_A_PATIENT.findall(windows)) > 100


def test_it_lists_no_address_that_is_not_there(databases: None) -> None:
    names = [name for name, _ in patterns(get_resolver())]
    for pattern in NO_PATIENT:
        begin, _, end = pattern.partition("*")
        assert any(name.startswith(begin) and name.endswith(end) for name in names), pattern
    about = {of.replace("/", "_") for of in ABOUT_PATIENTS}
    assert not [pattern for pattern in NO_PATIENT for of in about if f":{of}_" in pattern]


def test_it_knows_whom_rejected_rows_are_about(star: None, boss: Client, warehouse: Warehouse) -> None:
    row = RejectedRow.objects.filter(source_table="step_result").earliest("pk")
    boss.get(f"/admin/ingest/rejectedrow/{row.pk}/change/")
    boss.get("/admin/ingest/rejectedrow/?source_table=step_result")
    boss.get("/admin/ingest/rejectedrow/?source_table=schedule")
    boss.get("/quality/")
    one, several, none, quality = lines()
    assert (one.patients, one.patient_count, one.rows) == ([row.detail["row"]["patient_id"]], 1, 1)
    listed = RejectedRow.objects.filter(source_table="step_result").order_by("pk")[:50]
    named = {row.detail["row"]["patient_id"] for row in listed} - {None}
    assert (set(several.patients or ()), several.what, several.rows) == (named, "list", len(listed))
    assert (none.patients, none.patient_count) == ([], 0)
    examples = warehouse.execute(
        """
        select detail -> 'row'
          from (select *, row_number() over (partition by source_table, reason order by id) as n from rejected_row) as r
         where n <= 3 and source_table = any(%s)
        """,
        [*REJECTS_OF_PATIENTS],
    )
    assert set(quality.patients or ()) == {row["patient_id"] for (row,) in examples if row.get("patient_id")}
    assert quality.patient_count == len(quality.patients or ()) + sum(not row.get("patient_id") for (row,) in examples)
    assert not quality.names_all


def test_it_counts_whom_it_does_not_name(star: None, boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access.log.MOST_PATIENTS", 20)
    boss.get("/admin/analytics/patientdimension/")
    (line,) = lines()
    assert (line.patients, line.patient_count, line.names_all, line.rows) == (None, 50, False, 50)


def test_it_says_who_looked_from_where_and_for_what(star: None, reader: Reader, settings: Settings) -> None:  # noqa: F811
    settings.BEHIND_TLS_PROXY = True
    manager = reader("care manager")
    headers = {"X-Forwarded-For": "10.9.9.9, 192.0.2.7", "X-Forwarded-Proto": "https"}
    manager.get("/adherence/windows/?hospital=North&status=missed", headers=headers)
    (line,) = lines()
    user = User.objects.get()
    assert (line.user_id, line.user_name, line.address) == (user.pk, user.username, "192.0.2.7")
    assert (line.what, line.path, line.filter) == ("page", "/adherence/windows/", "hospital=North&status=missed")
    assert abs(line.at - timezone.now()) < timedelta(seconds=20)
    name = user.username
    user.delete()
    assert lines()[0].user_name == name


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("/admin/analytics/patientdimension/?q=John+Smith", "q=…"),
        ("/admin/analytics/patientdimension/?q=4711", "q=4711"),
        ("/admin/analytics/patientdimension/?q=John+4711", "q=…"),
        ("/admin/analytics/patientdimension/1/change/?_changelist_filters=q%3DJohn", ""),
        ("/adherence/windows/?name=John", "name=…"),
        ("/adherence/windows/?John+Smith=1", "…=…"),
        ("/admin/analytics/patientdimension/?hospital=" + "x" * 9000, "hospital=" + "x" * 491),
        ("/admin/analytics/patientdimension/?p=99&hospital=John", "p=…&hospital=…"),
    ],
)
def test_it_keeps_of_an_address_what_narrows_and_not_what_people_type(
    star: None,
    boss: Client,
    address: str,
    kept: str,
) -> None:
    boss.get(address)
    assert [line.filter for line in lines()] == [kept]


def test_it_says_who_asked_and_was_refused(star: None, reader: Reader) -> None:  # noqa: F811
    analyst = reader("analyst")
    assert analyst.get("/patients/1/").status_code == 403
    assert analyst.get("/admin/analytics/stepresultfact/").status_code == 403
    assert reader("care manager").get("/patients/99999/").status_code == 404
    assert Client().get("/patients/1/").status_code == 302
    assert [(line.path, line.answered, line.patients, line.rows) for line in lines()] == [
        ("/patients/1/", False, [], None),
        ("/admin/analytics/stepresultfact/", False, [], None),
        ("/patients/99999/", False, [], None),
    ]


def test_it_leaves_no_line_where_who_looks_is_shown_no_patient(star: None, reader: Reader) -> None:  # noqa: F811
    steward, operator = reader("steward"), reader("operator")
    for place in ("/", "/quality/", "/admin/ingest/scheduleoverride/add/?schedule_id=1", "/tables/"):
        assert steward.get(place).status_code == 200
    sent = {"schedule_id": 1, "milestone_slug": "operation", "offset_start_days": 400, "_preview": "1"}
    assert b"It changes" in steward.post("/admin/ingest/scheduleoverride/add/", sent).content
    run = PipelineRun.objects.latest("pk").pk
    for place in ("/runs/", f"/runs/{run}/", "/admin/ingest/pipelinerun/", f"/admin/ingest/pipelinerun/{run}/change/"):
        assert operator.get(place).status_code == 200
    assert lines() == []


def test_it_says_whom_the_examples_of_a_preview_are_about(star: None, boss: Client) -> None:
    sent = {"schedule_id": 1, "milestone_slug": "operation", "offset_start_days": 400, "_preview": "1"}
    html = boss.post("/admin/ingest/scheduleoverride/add/", sent).content.decode()
    (line,) = lines()
    assert set(line.patients or ()) == {int(patient) for patient in PATIENT.findall(html)}
    assert line.patients


# --- What is taken away


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_it_says_of_an_export_who_is_in_it_before_its_first_row_and_how_it_ended(
    star: None,
    boss: Client,
    form: str,
) -> None:
    response = boss.get(f"/admin/analytics/activityadherence/?patient_id=1&_export={form}")
    (begun,) = lines()
    assert (begun.what, begun.path) == ("export", "/admin/analytics/activityadherence/")
    assert begun.filter == f"patient_id=1&_export={form}"
    rows = ActivityAdherence.objects.filter(patient_id=1).count()
    assert (begun.patients, begun.patient_count, begun.rows, begun.answered) == ([1], 1, rows, True)
    response.getvalue()
    _, end = lines()
    assert (end.what, end.begun, end.answered, end.rows) == ("end", begun.pk, True, rows)


def test_it_says_how_far_an_export_came_that_broke_off(star: None, boss: Client) -> None:
    response = boss.get("/admin/analytics/stepresultfact/?_export=csv")
    with closing(response):  # what is not closed keeps its snapshot
        parts = iter(response)
        assert next(parts).startswith(b"id,")
        next(parts)
    begun, end = lines()
    assert begun.rows == StepResultFact.objects.count() > 4000
    assert begun.patient_count == StepResultFact.objects.values("patient_id").distinct().count()
    assert (end.begun, end.answered, end.rows) == (begun.pk, False, 2000)


def test_it_says_that_an_export_was_not_read_at_all(star: None, boss: Client) -> None:
    boss.get("/admin/analytics/patientdimension/?_export=parquet").close()
    assert [(line.what, line.answered, line.rows) for line in lines()] == [
        ("export", True, PatientDimension.objects.count()),
        ("end", False, None),
    ]


def test_it_names_in_the_line_of_rejected_rows_that_are_taken_away_whom_they_name(star: None, boss: Client) -> None:
    boss.get("/admin/ingest/rejectedrow/?source_table=step_result&_export=csv").getvalue()
    begun, end = lines()
    rows = list(RejectedRow.objects.filter(source_table="step_result"))
    assert set(begun.patients or ()) == {row.detail["row"]["patient_id"] for row in rows} - {None}
    assert begun.rows == end.rows == len(rows)


# --- No look without a line


def forgetful(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Patient 1 walks 4,000 steps.")


class SiteWithAForgetfulPage:
    urlpatterns: ClassVar = [*site, path("forgetful/", forgetful)]


@pytest.mark.parametrize("is_known", [True, False])
def test_it_refuses_a_page_that_does_not_say_whom_it_shows(
    databases: None, settings: Settings, boss: Client, is_known: bool
) -> None:
    settings.ROOT_URLCONF = SiteWithAForgetfulPage
    response = (boss if is_known else Client()).get("/forgetful/")
    assert response.status_code == 500
    text = response.content.decode()
    assert "did not say which patients it shows" in text
    assert "4,000" not in text
    assert lines() == []


@pytest.mark.parametrize("place", ["/patients/1/", "/admin/analytics/stepresultfact/?_export=csv"])
def test_it_shows_nobody_without_a_line(star: None, log: Database, boss: Client, place: str) -> None:
    log.execute("alter table access_log add constraint is_full check (false) not valid")
    try:
        response = boss.get(place)
    finally:
        log.execute("alter table access_log drop constraint is_full")
    assert response.status_code == 503
    assert not response.streaming
    text = response.content.decode()
    assert "The access log does not take a line" in text
    assert "Daily steps" not in text
    assert lines() == []


def test_djangos_search_for_rows_of_another_table_is_not_there(star: None, boss: Client) -> None:
    asks = "app_label=analytics&model_name=stepresultfact&field_name=patient&term=1"
    assert boss.get(f"/admin/autocomplete/?{asks}").status_code == 404
    assert lines() == []


# --- It only grows


def test_no_line_is_changed_or_deleted_by_this_code(databases: None) -> None:
    line = look()
    line.path = "/"
    for refused in (line.save, line.delete, AccessLog.objects.all().delete, AccessLog.objects.all().update):
        with pytest.raises(KeptError, match="access_log only grows"):
            refused()
    assert [each.path for each in lines()] == ["/patients/1/"]


@pytest.mark.parametrize(
    "statement",
    [
        "update access_log set path = '/'",
        "delete from access_log",
        "truncate access_log",
        "set access_log.kept_days = '29'; delete from access_log",
        "set access_log.kept_days = '30'; delete from access_log where at > now() - interval '29 days'",
        "set access_log.kept_days = ''; delete from access_log",
    ],
)
def test_no_line_is_changed_or_deleted_by_its_database(log: Database, statement: str) -> None:
    look(days=40) if "29'" in statement else look()
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="access_log only grows"):
        log.execute(statement)
    assert len(lines()) == 1


def test_no_line_is_put_in_with_another_time(log: Database) -> None:
    log.execute("insert into access_log (at, user_name, what, path, filter, names_all, answered)"
                " values ('2001-01-01', 'eve', 'page', '/', '', true, true)")  # fmt: skip
    assert abs(lines()[0].at - timezone.now()) < timedelta(seconds=20)


@pytest.fixture
def thirty_days(log: Database, settings: Settings) -> Iterator[None]:
    """Lines are kept for thirty days, as the owner has said when the databases were prepared."""
    days = settings.ACCESS_LOG_DAYS
    settings.ACCESS_LOG_DAYS = 30
    call_command("migrate", database="default", verbosity=0)
    yield
    settings.ACCESS_LOG_DAYS = days
    call_command("migrate", database="default", verbosity=0)


def test_a_run_deletes_the_lines_that_are_too_old(small_world: Any, run: Callable[..., str], thirty_days: None) -> None:
    kept = [look(days=29).pk, look().pk]
    look(days=31)
    run()
    assert [line.pk for line in lines()] == kept


def test_whoever_runs_cannot_have_lines_deleted_before_the_owners_time(log: Database) -> None:
    look(days=2000)
    assert log.value("select forget_access_log(30)") == 0
    look(days=2200)
    assert log.value("select forget_access_log(30)") == 1


def test_nobody_deletes_lines_but_the_owner_and_whom_the_owner_lets(log: Database, thirty_days: None) -> None:
    look(days=40)
    with pytest.raises(psycopg2.errors.RaiseException, match="30 days at least"):
        log.execute("select forget_access_log(29)")
    log.execute("create role some_role; grant select, insert on access_log to some_role; set role some_role")
    try:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for function"):
            log.execute("select forget_access_log(30)")
        log.execute("reset role; grant execute on function forget_access_log(integer) to some_role; set role some_role")
        assert log.value("select forget_access_log(30)") == 1
    finally:
        log.execute("reset role; drop owned by some_role; drop role some_role")
