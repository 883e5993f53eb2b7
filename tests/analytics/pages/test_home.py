"""Home: how the sources stand, what is new and what wants a person, each as far as who asks may see it."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connections
from django.test import Client
from django.utils import timezone
from psycopg2.sql import SQL, Identifier

from ingest.models import Alert, LoadState, PipelineRun, StepRun
from tests.analytics.pages.conftest import EXACTLY, GROUPS, Reader
from tests.conftest import Database, Source, Warehouse
from tests.days import monday, today

NONE = "\N{EN DASH}"
REJECTS = "select source_table, reason, count(*) from rejected_row group by 1, 2 order by 1, 2"


def card(client: Client, name: str) -> str:
    """Return the text of a part of the page, "" where who asks is not shown it."""
    page = client.get("/")
    assert page.status_code == 200
    found = re.findall(rf'<section [^>]*aria-labelledby="{name}">(.*?)</section>', page.content.decode(), re.DOTALL)
    return " ".join(unescape(re.sub("<[^>]+>", " ", "".join(found))).split())


def cells(client: Client, name: str) -> list[tuple[str, ...]]:
    """Return the rows of the table in a part of the page."""
    page = client.get("/").content.decode()
    found = re.findall(rf'<section [^>]*aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL)
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in re.split("<tr>", "".join(found))[2:]]
    return [tuple(" ".join(unescape(re.sub("<[^>]+>", " ", each)).split()) for each in row) for row in rows]


def shown(number: int) -> str:
    return f"{number:,}"


# --- The sources


def test_it_says_that_a_source_was_never_loaded(manager: Client) -> None:
    assert card(manager, "source-msk") == "MSK never loaded Nothing was loaded yet."
    assert card(manager, "source-covid") == "COVID never loaded Nothing was loaded yet."
    assert "run_pipeline" in card(manager, "rows")


def test_it_says_that_a_source_is_fine_since_when_and_how_long_its_run_took(star: None, manager: Client) -> None:
    for source in ("msk", "covid"):
        loaded_at = LoadState.objects.get(source=source).loaded_at
        seconds = PipelineRun.objects.filter(source=source).latest("pk").seconds
        said = card(manager, f"source-{source}")
        assert said.startswith(f"{source.upper()} fine Loaded {loaded_at:%Y-%m-%d %H:%M:%S} UTC, ")
        assert re.search(r"UTC, \d+ minutes? ago; the run took", said)
        assert f"the run took {f'{seconds:.1f}'.removesuffix('.0')} s." in said


def test_it_says_that_a_source_is_stale(star: None, manager: Client) -> None:
    LoadState.objects.filter(source="msk").update(loaded_at=timezone.now() - timedelta(hours=5))
    assert card(manager, "source-msk").startswith("MSK stale ")
    assert "UTC, 5 hours ago; the run took" in card(manager, "source-msk")
    assert "what came since is not in them" in card(manager, "source-msk")
    assert card(manager, "source-covid").startswith("COVID fine ")


def test_it_says_that_a_source_is_failing_and_to_operators_why(small_world: Source, reader: Reader, run) -> None:
    run()
    small_world.execute("alter table device rename to lost")
    with pytest.raises(CommandError):
        run()
    run_id = PipelineRun.objects.latest("pk").pk
    for group in GROUPS:
        said = card(reader(group), "source-msk")
        assert said.startswith("MSK failing Loaded ")
        assert "Numbers are of the last load that succeeded" in said
        assert ("table device is missing" in said) == (group == "operator")
        assert (f"Run {run_id}" in said) == (group == "operator")
    small_world.execute("alter table lost rename to device")
    run()
    assert card(reader("operator"), "source-msk").startswith("MSK fine ")


def test_it_tells_operators_alone_of_open_alerts_and_what_to_do(databases: None, reader: Reader) -> None:
    for source, kind, ended in (("msk", "failed", None), ("covid", "rejects", None), ("covid", "stale", today())):
        Alert.objects.create(
            source=source, kind=kind, message="", began_at="2026-01-02 03:04Z", ended_at=ended and timezone.now()
        )
    for group in GROUPS:
        said = card(reader(group), "alerts")
        if group != "operator":
            assert said == ""
    operator = reader("operator")
    said = card(operator, "alerts")
    assert said.count("since 2026-01-02 03:04 UTC.") == 2
    assert "Mend what the error of the run names" in said
    assert "their reason says what to mend at the source" in said
    assert "cron" not in said
    for alert in Alert.objects.filter(ended_at=None):
        assert operator.get(f"/admin/ingest/alert/{alert.pk}/change/").status_code == 200
        assert f'href="/admin/ingest/alert/{alert.pk}/change/"' in operator.get("/").content.decode()


@pytest.mark.parametrize("kind", Alert.Kind.values)
def test_it_has_a_remedy_for_each_kind_of_alert(databases: None, reader: Reader, kind: str) -> None:
    Alert.objects.create(source="msk", kind=kind, message="", began_at=timezone.now())
    assert len(card(reader("operator"), "alerts").split("UTC. ")[1]) > 30


def test_it_says_that_no_alert_is_open(databases: None, reader: Reader) -> None:
    assert card(reader("operator"), "alerts") == "Open alerts None."


# --- Rejected rows


def test_it_counts_rejected_rows_by_reason(star: None, reader: Reader, warehouse: Warehouse) -> None:
    listed = [(table, reason, shown(rows)) for table, reason, rows in warehouse.execute(REJECTS)]
    assert len(listed) > 5
    for group in EXACTLY:
        assert [row[:3] for row in cells(reader(group), "rejects")] == listed
    told = [row[:3] for row in cells(reader("analyst"), "rejects")]
    assert [row[:2] for row in told] == [row[:2] for row in listed]
    assert told != listed
    assert card(reader("steward"), "rejects") == ""


def test_it_says_how_many_were_rejected_more_or_fewer_than_at_the_run_before(
    star: None, source: Source, warehouse: Warehouse, manager: Client, run
) -> None:
    before = {(table, reason): rows for table, reason, rows in warehouse.execute(REJECTS)}
    for number in range(1200):
        source.insert("step_result", patient_id=1, date=date(1999, 1, 1) + timedelta(number), value="-1")
    source.execute("delete from survey_result where end_time < start_time")
    run()
    now = {(table, reason): rows for table, reason, rows in warehouse.execute(REJECTS)}
    changes = {key: now.get(key, 0) - before.get(key, 0) for key in now | before}
    assert changes["step_result", "negative"] == 1200
    assert changes["survey_result", "end_before_start"] < 0
    assert {row[:2]: row[2:] for row in cells(manager, "rejects")} == {
        key: (shown(now.get(key, 0)), f"{change:+,}" if change else NONE) for key, change in changes.items()
    }
    run()  # nothing changes
    assert {row[:2]: row[2:] for row in cells(manager, "rejects")} == {key: (shown(now[key]), NONE) for key in now}


def test_it_says_nothing_of_a_change_since_a_release_that_counted_no_reasons(
    star: None, reader: Reader, warehouse: Warehouse, run
) -> None:
    StepRun.objects.update(reasons={})
    run()
    page = reader("care manager").get("/")
    rejects = {
        (row["table"], row["reason"]): row["rows"] for row in page.context["rejects"] if row["table"] != "covid_day"
    }
    counted = warehouse.execute("select source_table, reason, count(*) from rejected_row group by 1, 2")
    assert rejects == {(table, reason): f"{rows:,}" for table, reason, rows in counted}
    assert {row["change"] for row in page.context["rejects"]} == {""}


def test_it_leads_a_care_manager_to_the_rejected_rows(star: None, reader: Reader, warehouse: Warehouse) -> None:
    links = r'href="(/admin/ingest/rejectedrow/\?[^"]*)"'
    manager = reader("care manager")
    found = [unescape(each) for each in re.findall(links, manager.get("/").content.decode())]
    counted = [manager.get(each).context["cl"].result_count for each in found]
    assert counted == [rows for _, _, rows in warehouse.execute(REJECTS)]
    assert not re.findall(links, reader("analyst").get("/").content.decode())


def test_it_says_that_nothing_was_rejected(small_world: Source, manager: Client, run) -> None:
    run()
    assert card(manager, "rejects") == "Rejected rows None."


# --- Slugs


def undated(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """Return the schedules that were not understood: key, slug and the windows that they leave undated."""
    return warehouse.execute(
        """
        select s.schedule_id, case when btrim(s.slug) = '' then '(blank)' else coalesce(s.slug, 'unknown') end,
               (select count(*) from patient_journey_schedule_window w
                 where w.schedule_id = s.schedule_id and w.window_start_date is null and w.window_end_date is null)
          from schedule_dimension s
         where s.parse_status not in ('parsed', 'override')
         order by 3 desc, 1
        """
    )


def test_it_lists_slugs_by_the_windows_that_they_leave_undated(
    star: None, reader: Reader, warehouse: Warehouse
) -> None:
    expected = undated(warehouse)
    assert len(expected) > 1
    assert expected[0][2] > 0
    for group in ("care manager", "analyst", "steward"):
        rows = cells(reader(group), "slugs")
        told = [(slug.removesuffix(" · say what it means"), windows) for slug, windows in rows]
        if group == "care manager":
            assert told == [(slug, shown(windows)) for _, slug, windows in expected[:10]]
        assert told[0][0] == expected[0][1]
        assert all(slug.endswith("say what it means") == (group == "steward") for slug, _ in rows)
    assert card(reader("operator"), "slugs") == ""


def test_it_lets_a_steward_say_what_a_slug_means_in_one_click(
    small_world: Source, reader: Reader, warehouse: Warehouse, run
) -> None:
    small_world.execute("update schedule set slug = 'baseline'")
    run()
    steward = reader("steward")
    assert cells(steward, "slugs") == [("baseline · say what it means", "of fewer than 5 patients")]
    (address,) = re.findall(r'href="([^"]*scheduleoverride/add[^"]*)"', steward.get("/").content.decode())
    form = steward.get(address)
    assert form.context["adminform"].form.initial["schedule_id"] in (1, "1")
    warehouse.execute(
        "insert into schedule_override (schedule_id, milestone_slug, offset_start_days) values (1, 'operation', 0)"
    )
    run()
    assert card(steward, "slugs") == "Slugs that were not understood None."


SAY = "insert into schedule_override (schedule_id, milestone_slug, offset_start_days) values (%s, 'operation', 0)"


def test_it_says_at_once_that_an_override_waits_for_the_next_run(
    small_world: Source, reader: Reader, warehouse: Warehouse, run
) -> None:
    small_world.execute("update schedule set slug = 'baseline'")
    run()
    steward = reader("steward")
    assert "wait" not in card(steward, "slugs")  # and what it shows is kept until a load
    sent = {"schedule_id": "1", "milestone_slug": "operation", "offset_start_days": "0", "offset_end_days": ""}
    assert steward.post("/admin/ingest/scheduleoverride/add/", sent).status_code == 302
    for group, link in (("steward", True), ("care manager", True), ("analyst", False)):
        client = reader(group)
        windows = "1" if group == "care manager" else "of fewer than 5 patients"
        assert cells(client, "slugs") == [("baseline · an override waits for the next run", windows)]
        assert card(client, "slugs").endswith("1 override waits for the next run: baseline")
        assert ("/admin/ingest/scheduleoverride/1/change/" in client.get("/").content.decode()) == link
    run()
    assert card(steward, "slugs") == "Slugs that were not understood None."


def test_it_says_that_the_deletion_of_an_override_waits_for_the_next_run(
    small_world: Source, reader: Reader, warehouse: Warehouse, run
) -> None:
    small_world.insert("schedule", id=2, slug="7d-post-op")
    warehouse.execute(SAY, 1)
    warehouse.execute(SAY, 2)
    run()
    steward = reader("steward")
    assert "wait" not in card(steward, "slugs")
    warehouse.execute("delete from schedule_override where schedule_id = 1")
    warehouse.execute("update schedule_override set note = 'so'")
    said = "2 overrides wait for the next run: 7d-10d-post-op (deleted), 7d-post-op"
    assert card(steward, "slugs").endswith(said)
    for address in ("/admin/analytics/scheduledimension/1/change/", "/admin/ingest/scheduleoverride/2/change/"):
        assert address in steward.get("/").content.decode()
        assert steward.get(address).status_code == 200
    run()
    assert "wait" not in card(steward, "slugs")


def test_it_names_ten_overrides_that_wait_and_counts_the_others(
    small_world: Source, manager: Client, warehouse: Warehouse, run
) -> None:
    for number in range(2, 13):
        small_world.insert("schedule", id=number, slug=f"{number}d-post-op")
    run()
    for number in range(2, 13):
        warehouse.execute(SAY, number)
    said = card(manager, "slugs")
    assert "11 overrides wait for the next run: 2d-post-op , " in said
    assert said.endswith(", 11d-post-op …")


def test_it_shows_the_ten_worst_slugs_and_how_many_there_are(
    small_world: Source, manager: Client, warehouse: Warehouse, run
) -> None:
    for number in range(2, 16):
        small_world.insert("schedule", id=number, slug=f"whenever {number}")
        small_world.insert("activity", id=number, content_slug=f"a{number}", schedule_id=number)
        if number % 2:
            small_world.insert("journey_activity", journey_id=1, activity_id=number)
    run()
    expected = undated(warehouse)
    assert [windows for *_, windows in expected] == [1] * 7 + [0] * 7
    assert cells(manager, "slugs") == [(slug, shown(windows)) for _, slug, windows in expected[:10]]
    assert card(manager, "slugs").endswith("All: 14 unparsed")


# --- The last full week


@pytest.fixture
def weeks(small_world: Source, run) -> Source:
    """Patients who register and are operated on around the last two full weeks, with windows that end in them."""
    small_world.execute("delete from patient_journey; update schedule set slug = 'op-day'")
    days = [monday() - timedelta(days) for days in (0, 1, 1, 4, 7, 7, 8, 11, 14, 15)]
    for number, day in enumerate(days, 1):
        if number > 1:
            small_world.insert("patient", id=number)
        small_world.insert(
            "patient_journey", id=number, patient_id=number, journey_id=1, registration_date=day, operation_date=day
        )
        done = {2: day, 3: day + timedelta(1), 5: day, 6: day, 7: day - timedelta(1), 8: day}.get(number)
        if done:
            small_world.insert_survey_result(id=number, patient_journey_id=number, start_time=done, end_time=done)
    # Registered once more, in the last week: no new patient.
    small_world.insert("patient_journey", id=99, patient_id=10, journey_id=1, registration_date=monday() - timedelta(2))
    run()
    return small_world


def week(warehouse: Warehouse, first: date) -> tuple[str, str, str]:
    """Return patients, operations and adherence of the week from `first`, from the facts and the view of today."""
    count = {
        "patients": "select count(*) from (select patient_id from patient_journey_fact group by 1"
        " having min(registration_date) between %s and %s) p",
        "operations": "select count(*) from patient_journey_fact where operation_date between %s and %s",
        "completed": "select count(*) from activity_adherence"
        " where status = 'completed' and window_end_date between %s and %s",
        "ended": "select count(*) from activity_adherence where window_end_date between %s and %s"
        " and status in ('completed', 'completed_late', 'completed_early', 'missed')",
    }
    found = {name: warehouse.value(query, first, first + timedelta(6)) for name, query in count.items()}
    adherence = f"{100 * found['completed'] / found['ended']:.1f} %" if found["ended"] else "none ended"
    return str(found["patients"]), str(found["operations"]), adherence


def assert_weeks(client: Client, warehouse: Warehouse) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Assert that the page shows the last full week and the one before as the facts have them; return both."""
    last, before = week(warehouse, monday() - timedelta(7)), week(warehouse, monday() - timedelta(14))
    names = ("Patients who registered", "Operations", "Adherence")
    assert cells(client, "weeks") == list(zip(names, last, before, strict=True))
    return last, before


def test_it_sets_the_last_full_week_beside_the_one_before(weeks: Source, warehouse: Warehouse, reader: Reader) -> None:
    assert assert_weeks(reader("care manager"), warehouse) == (("5", "5", "60.0 %"), ("3", "3", "33.3 %"))
    few = "of fewer than 5 patients"
    assert [row[1:] for row in cells(reader("analyst"), "weeks")] == [("5", few), ("5", few), ("not told", "not told")]
    for group in ("steward", "operator"):
        assert card(reader(group), "weeks") == ""


def test_it_says_that_no_window_ended(small_world: Source, manager: Client, run) -> None:
    run()
    assert cells(manager, "weeks") == [
        ("Patients who registered", "0", "0"),
        ("Operations", "0", "0"),
        ("Adherence", "none ended", "none ended"),
    ]


# --- The star


def test_it_counts_the_rows_of_the_star(star: None, manager: Client, warehouse: Warehouse) -> None:
    facts = warehouse.execute("select relname from pg_class where relname ~ '_fact$' and relkind = 'r' order by 1")
    counted = [(name, shown(warehouse.value(f"select count(*) from {name}"))) for (name,) in facts]
    assert cells(manager, "rows") == counted
    for name, _ in counted:
        assert manager.get(f"/tables/{name}/").status_code == 200


def test_it_follows_the_next_load_at_once(small_world: Source, manager: Client, run) -> None:
    run()
    assert ("patient_journey_fact", "1") in cells(manager, "rows")
    for number in range(2, 302):
        small_world.insert("patient", id=number)
        small_world.insert("patient_journey", id=number, patient_id=number, journey_id=1)
    run()
    assert ("patient_journey_fact", "301") in cells(manager, "rows")


@pytest.mark.parametrize("address", ["/", "/admin/"])
def test_it_says_nothing_of_workers_where_there_are_none(databases: None, reader: Reader, address: str) -> None:
    assert 'id="workers"' not in reader("operator").get(address).content.decode()


def test_the_admin_says_that_the_warehouse_does_not_answer(databases: None, reader: Reader) -> None:
    operator, server = reader("operator"), Database("default")
    name = Identifier(connections["analytics"].settings_dict["NAME"])
    connections["analytics"].close()
    server.execute(SQL("alter database {} allow_connections false").format(name))
    try:
        said = operator.get("/admin/").content.decode()
    finally:
        server.execute(SQL("alter database {} allow_connections true").format(name))
        server.connection.close()
    assert "The warehouse does not answer:</strong> " in said
    assert "is not currently accepting connections" in said


def test_it_takes_no_filter(manager: Client) -> None:
    assert manager.get("/?day=2024-03-01").status_code == 400
    assert manager.get("/?format=csv").status_code == 400
