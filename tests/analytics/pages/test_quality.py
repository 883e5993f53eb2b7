"""Quality: whether the data is there and can be trusted; what is rejected, missing or hardly right, and to whom."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from analytics.pages import plausibility
from analytics.pages.prepare import prepare_pages
from analytics.pages.quality_rejects import percent
from ingest.models import LoadState, PipelineRun, RejectedRow, StepRun, WarehouseCheck
from tests.analytics.pages.conftest import GROUPS, Reader, table
from tests.conftest import Source, Warehouse

ADDRESS = "/quality/"
TODAY = datetime.now(UTC).date()
NONE = "\N{EN DASH}"
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


# --- The answer


def test_it_says_that_nothing_is_there(manager: Client) -> None:
    for source in ("msk", "covid"):
        assert says(manager, f"source-{source}") == (
            f"{source.upper()} never loaded No: never loaded; no promise proved yet. Nothing was loaded yet."
        )
    assert "None has been proved yet" in says(manager, "promises")
    assert says(manager, "rejects").startswith("Rejected rows None.")
    assert table(manager, ADDRESS) == []


def test_it_answers_in_a_sentence_for_each_group(
    star: None, source: Source, covid_folder: Path, warehouse: Warehouse, reader: Reader
) -> None:
    call_command("check_warehouse", verbosity=0)
    checked_at = WarehouseCheck.objects.latest("pk").checked_at
    rows = {
        "msk": sum(source.value(f"select count(*) from {name}") for name in TABLES),
        "covid": len(json.loads((covid_folder / "us" / "daily.json").read_text())["data"]),
    }
    rejected = "select count(*) from rejected_row where (source_table = 'covid_day') = %s"
    entering = warehouse.value(
        "select count(*) from rejected_row where source_table = 'activity' and reason = 'orphan'"
    )
    assert entering  # which are in the star all the same
    counts = {"msk": warehouse.value(rejected, False) - entering, "covid": warehouse.value(rejected, True)}
    assert counts["msk"] > 20
    for group in GROUPS:
        for name, loaded in LoadState.objects.in_bulk().items():
            promises = WarehouseCheck.objects.filter(source=name).count()
            said = says(reader(group), f"source-{name}")
            # The dump ends in 2024, and COVID figures ended for all.
            word = {"msk": "Not wholly", "covid": "Yes"}[name]
            began = rf"{name.upper()} fine {word}: loaded today at {loaded.loaded_at:%H:%M} UTC, [^;]* ago; "
            assert re.match(began, said)
            assert said.endswith(
                f"; {promises} of {promises} promises kept when checked {checked_at:%Y-%m-%d %H:%M} UTC; "
                f"{percent(counts[name] / rows[name])} % of {shown(rows[name])} rows rejected."
            )


def test_it_says_perhaps_where_no_promise_was_proved_of_late(small_world: Source, manager: Client, run) -> None:
    run()
    assert "fine Perhaps: loaded today at " in says(manager, "source-msk")
    assert "no promise proved yet; 0 % of 8 rows rejected." in says(manager, "source-msk")
    run("check_warehouse")
    assert "fine Yes: " in says(manager, "source-msk")
    WarehouseCheck.objects.update(checked_at=timezone.now() - timedelta(hours=47))
    assert "fine Yes: " in says(manager, "source-msk")
    WarehouseCheck.objects.update(checked_at=timezone.now() - timedelta(hours=49))
    assert re.search(r"fine Perhaps: .* UTC, which is long ago;", says(manager, "source-msk"))


def test_it_says_no_where_a_source_is_stale_or_failing(
    small_world: Source, manager: Client, reader: Reader, run
) -> None:
    run()
    run("check_warehouse")
    then = timezone.now() - timedelta(days=2)
    LoadState.objects.update(loaded_at=then)
    assert f"MSK stale No: loaded {then:%Y-%m-%d} at {then:%H:%M} UTC, 2 days ago; " in says(manager, "source-msk")
    small_world.execute("alter table device rename to lost")
    with pytest.raises(CommandError):
        run()
    assert "MSK failing No: " in says(manager, "source-msk")
    assert "Numbers are of the last load that succeeded." in says(manager, "source-msk")
    failure = PipelineRun.objects.get(status="failed")
    assert says(manager, "source-msk").endswith("succeeded.")
    assert f"Run {failure.pk} : the source database " in says(reader("operator"), "source-msk")


def test_it_says_which_promises_do_not_hold_and_of_which_source(
    small_world: Source, warehouse: Warehouse, reader: Reader, run
) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-02", value="100")
    run()
    warehouse.execute("update step_result_fact set steps = -1")
    with pytest.raises(CommandError, match="2 promises do not hold"):
        run("check_warehouse")
    for group in GROUPS:
        client = reader(group)
        promises = WarehouseCheck.objects.filter(source="msk").count()
        assert "fine Not wholly: loaded today at " in says(client, "source-msk")
        assert f"; {promises - 2} of {promises} promises kept" in says(client, "source-msk")
        said = says(client, "promises")
        assert "Promises that do not hold: run manage.py run_pipeline --full-refresh" in said
        assert "no step result is negative: 1 do not" in said
        home = text(client.get("/").content.decode())
        assert "2 promises of the warehouse do not hold." in home
        assert 'href="/quality/">Can the data be trusted?' in client.get("/").content.decode()


def test_it_tells_what_could_not_be_proved_and_why_to_who_sees_runs(
    small_world: Source, warehouse: Warehouse, reader: Reader, run
) -> None:
    run()
    warehouse.execute("alter view activity_adherence rename to lost")
    try:
        with pytest.raises(CommandError, match=r"activity_adherence.* does not exist"):
            run("check_warehouse")
        for group in GROUPS:
            client = reader(group)
            said = says(client, "promises")
            unproved = WarehouseCheck.objects.filter(violations=None).count()
            assert f"{unproved} could not be proved, as the check did not come to its end." in said
            assert ("activity_adherence" in said.split("Every promise")[0]) == (group == "operator")
            assert "Not wholly" in says(client, "source-msk")
            assert f"{unproved} could not be proved." in text(client.get("/").content.decode())
    finally:
        warehouse.execute("alter view lost rename to activity_adherence")
    run("check_warehouse")
    assert "could not be proved" not in says(reader("operator"), "promises")
    assert "and all hold" in text(reader("operator").get("/").content.decode())


def test_home_leads_who_may_see_it_to_this_page(databases: None, reader: Reader) -> None:
    for group in GROUPS:
        home = reader(group).get("/").content.decode()
        assert "No promise of the warehouse has been proved yet." in text(home)
        assert home.count('<a href="/quality/">') == 2  # in the navigation and in its line
    client = Client()
    client.force_login(User.objects.create_user("new", is_staff=True))
    assert "/quality/" not in client.get("/").content.decode()
    assert client.get(ADDRESS).status_code == 403


# --- The sums


def test_it_sums_up_what_the_source_had_what_is_staged_and_where_that_is(
    star: None, source: Source, warehouse: Warehouse, manager: Client
) -> None:
    expected = []
    for name, of_star in TABLES.items():
        rows = source.value(f"select count(*) from {name}")
        loaded = warehouse.value(f"select count(*) from {of_star}")
        expected.append([name, "yes", *map(shown, (rows, rows, loaded, rows - loaded))])
    days = warehouse.value("select count(distinct document ->> 'date') from staging_covid_day")
    loaded = warehouse.value("select count(*) from cases_dimension")
    expected.append(["covid_day", "yes", NONE, *map(shown, (days, loaded, days - loaded))])
    found = cells(manager, "sums")
    assert sorted(found) == sorted(expected)
    assert any(row[-1] != "0" for row in found)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("delete from step_result_fact where date = '2024-03-02'", ["no, 1 nowhere", "3", "3", "1", "1"]),
        ("delete from rejected_row", ["no, 1 nowhere", "3", "3", "2", "0"]),
        ("insert into step_result_fact values (5, 1, '2024-01-01', 5)", ["no, 1 too many", "3", "3", "3", "1"]),
        ("delete from staging_step_result where value = '-1'", ["no, 1 too many", "3", "2", "2", "1"]),
        ("delete from staged_bucket", ["no, not staged as it was", "0", "3", "2", "1"]),
    ],
)
def test_it_says_where_the_sums_do_not_agree(
    small_world: Source, warehouse: Warehouse, manager: Client, run, damage: str, said: list[str]
) -> None:
    for day, value in ((2, "100"), (3, "-1"), (4, "200")):
        small_world.insert("step_result", patient_id=1, date=date(2024, 3, day), value=value)
    run()
    run("check_warehouse")
    warehouse.execute(damage)
    (row,) = [row for row in cells(manager, "sums") if row[0] == "step_result"]
    assert row == ["step_result", *said]
    assert "fine Not wholly" in says(manager, "source-msk")


# --- Rejected rows


def test_its_csv_gives_rows_and_share_by_table_and_reason(
    star: None, source: Source, warehouse: Warehouse, reader: Reader
) -> None:
    listed = warehouse.execute("select source_table, reason, count(*) from rejected_row group by 1, 2 order by 1, 2")
    judged = {name: source.value(f"select count(*) from {name}") for name in TABLES}
    judged["covid_day"] = warehouse.value("select count(distinct document ->> 'date') from staging_covid_day")
    assert len(listed) > 5
    for group in GROUPS:
        rows = table(reader(group), ADDRESS)
        assert list(rows[0]) == ["source_table", "reason", "rows", "share"]
        assert [(row["source_table"], row["reason"], int(row["rows"])) for row in rows] == listed
        assert [float(row["share"]) for row in rows] == [
            pytest.approx(count / judged[name]) for name, _, count in listed
        ]


def test_its_table_says_the_same_and_what_mends_it(star: None, reader: Reader) -> None:
    for group in GROUPS:
        client = reader(group)
        rows = cells(client, "rejects")
        for row, of_csv in zip(rows, table(client, ADDRESS), strict=True):
            name, reason, count, share, remedy = row
            assert (name, count) == (of_csv["source_table"], shown(int(of_csv["rows"])))
            assert reason.startswith(of_csv["reason"])
            assert share == f"{percent(float(of_csv['share']))} %"
            assert len(remedy) > 20


@pytest.mark.parametrize("reason", RejectedRow.Reason.values)
def test_it_has_a_remedy_for_each_reason(small_world: Source, manager: Client, run, reason: str) -> None:
    run()
    RejectedRow.objects.create(run_id=1, source_table="device", source_key="1", reason=reason, detail={})
    ((name, said, count, share, remedy),) = cells(manager, "rejects")
    assert (name, count, share) == ("device", "1", "100 %")
    assert said == f"{reason} : {RejectedRow.Reason(reason).label}, as 1"
    assert re.fullmatch(r"[A-Z].{20,}\.", remedy)


NEXT_RUN = "update committed_run set run_uuid = gen_random_uuid()"


def test_it_looks_for_examples_once_a_load_and_shows_those_that_are_still_there(
    small_world: Source, warehouse: Warehouse, manager: Client, run
) -> None:
    run()
    rows = [
        RejectedRow(id=10 + key, run_id=1, source_table="device", source_key=str(key), reason="duplicate", detail={})
        for key in range(5)
    ]
    RejectedRow.objects.bulk_create(rows)

    def examples() -> list[str]:
        (row,) = manager.get(ADDRESS).context["rejects"]
        return [each.source_key for each in row["examples"]]

    assert examples() == ["0", "1", "2"]
    RejectedRow.objects.create(
        id=1, run_id=1, source_table="device", source_key="before", reason="duplicate", detail={}
    )
    RejectedRow.objects.filter(source_key="1").delete()
    assert examples() == ["0", "2"]
    warehouse.execute(NEXT_RUN)  # as the next load leaves it
    assert examples() == ["before", "0", "2"]
    warehouse.execute(NEXT_RUN)
    prepare_pages()
    RejectedRow.objects.filter(source_key="before").update(id=30)
    assert examples() == ["0", "2"]


def test_a_small_share_is_not_shown_as_none() -> None:
    assert [percent(share) for share in (0, 0.00001, 0.0001, 0.0123456, 1)] == [
        *("0", "less than 0.01", "0.01", "1.23", "100")
    ]


def test_it_leads_care_managers_alone_to_the_rows(star: None, reader: Reader, warehouse: Warehouse) -> None:
    counts = warehouse.execute("select source_table, reason, count(*) from rejected_row group by 1, 2 order by 1, 2")
    manager = reader("care manager")
    found = part(manager, "rejects")
    lists = [unescape(each) for each in re.findall(r'href="(/admin/ingest/rejectedrow/\?[^"]*)"', found)]
    assert [manager.get(each).context["cl"].result_count for each in lists] == [rows for *_, rows in counts]
    examples = re.findall(r'href="(/admin/ingest/rejectedrow/(\d+)/change/)">([^<]*)<', found)
    assert len(examples) == sum(min(3, rows) for *_, rows in counts)
    for address, number, name in examples:
        row = RejectedRow.objects.get(pk=number)
        assert name == row.source_key
        assert manager.get(address).status_code == 200
    for group in set(GROUPS) - {"care manager"}:
        page = reader(group).get(ADDRESS)
        assert not re.search(r"rejectedrow|/patients/|/quality/rows/|fact/\d", page.content.decode())
        assert not any(row["examples"] for row in page.context["rejects"])


def test_whoever_sees_patients_but_no_rejected_rows_sees_counts_alone(star: None) -> None:
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("half", is_staff=True)
    names = ("view_patientdimension", "view_totals")
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    assert "rejectedrow" not in client.get(ADDRESS).content.decode()
    # Nor is there a link to a table that is not for them.
    rows = client.get("/quality/rows/?rule=discharge")
    assert rows.status_code == 200
    assert "/admin/analytics/" not in rows.content.decode().split('id="content"')[1]


def test_it_draws_what_each_of_the_last_loads_rejected(
    small_world: Source, warehouse: Warehouse, reader: Reader, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.pages.quality_rejects.RUNS", 3)
    expected = []
    for number in range(4):
        small_world.insert(
            "step_result", patient_id=1, date=date(2024, 3, 1 + number), value="-1" if number % 2 else "9"
        )
        run()
        counted = warehouse.value("select count(*) from rejected_row") / small_world.value(
            "select count(*) from step_result"
        )
        expected.append((PipelineRun.objects.latest("pk").pk, pytest.approx(100 * counted)))
    run("extract_msk")  # which loads nothing
    for group in GROUPS:
        msk, covid = reader(group).get(ADDRESS).context["trends"]
        assert (msk.key, covid.key, list(covid.lines)) == ("trend-msk", "trend-covid", [])
        (line,) = msk.lines
        assert line.name == "step_result"
        assert [(point.x, point.value) for point in line.points] == expected[1:]
        assert all(bool(point.url) == (group == "operator") for point in line.points)
    operator = reader("operator")
    assert all(
        operator.get(point.url).status_code == 200
        for point in operator.get(ADDRESS).context["trends"][0].lines[0].points
    )


def test_it_draws_nothing_of_a_load_that_counted_nothing(small_world: Source, manager: Client, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-01", value="-1")
    run()
    StepRun.objects.update(checked=0)  # as an older release left it
    assert "These loads rejected no row." in says(manager, "rejects")


# --- Days without data


def days_with(source: Source, *days: date) -> None:
    for day in days:
        source.insert("step_result", patient_id=1, date=day, value="100")


def gaps(client: Client, kind: str = "steps") -> dict[str, Any]:
    (found,) = [each for each in client.get(ADDRESS).context["days"] if each["kind"] == kind]
    return dict(found)


def test_it_names_each_day_without_steps(small_world: Source, manager: Client, run) -> None:
    first = date(2024, 5, 1)
    days_with(small_world, *(first + timedelta(n) for n in range(12) if n not in (2, 5, 6, 7)))
    run()
    assert "4 days without steps: no steps from 2024-05-06 to 2024-05-08 (3 days), on 2024-05-03." in says(
        manager, "days"
    )
    steps, none = gaps(manager)["chart"].lines
    assert [date.fromordinal(point.x).day for point in steps.points] == [1, 2, 4, 5, 9, 10, 11, 12]
    assert [(date.fromordinal(point.x).day, point.value) for point in none.points] == [(3, 0), (6, 0), (7, 0), (8, 0)]
    assert (steps.name, none.name) == ("steps", "no steps")


def test_it_counts_rows_by_day_over_the_last_year_of_each(star: None, warehouse: Warehouse, reader: Reader) -> None:
    queries = {
        "steps": "select date, count(*) from step_result_fact group by 1",
        "survey results": "select (end_time at time zone 'UTC')::date, count(*) from survey_result_fact group by 1",
        "COVID figures": "select (last_update_at at time zone 'UTC')::date, count(*) from cases_dimension group by 1",
    }
    for group in GROUPS:
        client = reader(group)
        for kind, query in queries.items():
            counted = dict(warehouse.execute(query))
            first = max(min(counted), max(counted) - timedelta(364))
            days = [first + timedelta(n) for n in range((max(counted) - first).days + 1)]
            found = gaps(client, kind)
            drawn = {line.name: {date.fromordinal(p.x): p.value for p in line.points} for line in found["chart"].lines}
            assert drawn[kind] == {day: counted[day] for day in days if day in counted}
            assert set(drawn.get(f"no {kind}", {})) == {day for day in days if day not in counted}


def test_it_says_that_no_day_is_missing(small_world: Source, manager: Client, run) -> None:
    days_with(small_world, *(TODAY - timedelta(n) for n in range(1, 4)))
    run()
    said = says(manager, "days")
    assert "No day is without steps." in said
    assert "There are no survey results." in said
    assert [line.name for line in gaps(manager)["chart"].lines] == ["steps"]


@pytest.mark.parametrize(("days_ago", "word"), [(0, "Yes"), (13, "Yes"), (14, "Not wholly"), (60, "Not wholly")])
def test_it_does_not_wholly_trust_steps_that_ended_a_fortnight_ago(
    small_world: Source, manager: Client, run, days_ago: int, word: str
) -> None:
    last = TODAY - timedelta(days_ago)
    days_with(small_world, *(last - timedelta(n) for n in range(3)), TODAY + timedelta(1))
    run()
    run("check_warehouse")
    assert f"fine {word}: " in says(manager, "source-msk")
    assert f"newest steps {last} (" in says(manager, "source-msk")
    small_world.insert_survey_result(start_time=TODAY, end_time=TODAY)
    run()
    assert f"fine {word}: " in says(manager, "source-msk")
    WarehouseCheck.objects.all().delete()
    assert f"fine {word.replace('Yes', 'Perhaps')}: " in says(manager, "source-msk")


def test_a_day_that_is_yet_to_come_makes_no_gap_before_it(small_world: Source, manager: Client, run) -> None:
    days_with(small_world, TODAY - timedelta(2), TODAY, TODAY + timedelta(400))
    run()
    assert gaps(manager)["gaps"] == [f"on {TODAY - timedelta(1)}"]


@pytest.mark.parametrize(
    ("age", "words"), [(0, "today"), (1, "yesterday"), (3, "3 days ago"), (1200, "1,200 days ago")]
)
def test_it_says_which_day_is_the_newest(small_world: Source, manager: Client, run, age: int, words: str) -> None:
    newest = TODAY - timedelta(age)
    days_with(small_world, newest - timedelta(1), newest, TODAY + timedelta(400))
    run()
    assert f" ago; newest steps {newest} ({words}); " in says(manager, "source-msk")
    assert "newest" not in says(manager, "source-covid")
    assert f"No day is without steps. The newest day is {newest} ({words})." in says(manager, "days")


def test_it_looks_at_a_year_and_names_the_last_ten_gaps(small_world: Source, manager: Client, run) -> None:
    days_with(small_world, *(date(2024, 12, 31) - timedelta(days) for days in range(0, 400, 20)))
    run()
    found = gaps(manager)
    assert len(found["gaps"]) == 10
    assert found["gaps"][0] == "from 2024-12-12 to 2024-12-30 (19 days)"
    # 18 gaps between 19 days, and what the year leaves of the one before them.
    assert found["more"] == "9"
    assert says(manager, "days").count(", and 9 times before.") == 1


# --- What is hardly right


def counts(client: Client) -> dict[str, str]:
    """Return how many there are by rule, as the page shows it."""
    by_title = {title: rows for title, _, rows in cells(client, "plausibility")}
    return {name: by_title[rule.title] for name, rule in plausibility.RULES.items()}


def listed(client: Client, rule: str) -> list[list[str]]:
    """Return the rows that break a rule."""
    response = client.get(f"/quality/rows/?rule={rule}")
    assert response.status_code == 200
    (body, *_) = re.findall(r"<tbody>(.*?)</tbody>", response.content.decode(), re.S) or [""]
    return [
        [text(each) for each in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in body.split("<tr>")[1:]
    ]


NOTHING = dict.fromkeys(plausibility.RULES, "0")


def test_nothing_is_odd_in_a_small_world(small_world: Source, manager: Client, run) -> None:
    small_world.insert_survey_result()
    days_with(small_world, date(2024, 3, 1))
    run()
    assert counts(manager) == NOTHING
    for rule in plausibility.RULES:
        assert listed(manager, rule) == []


def test_a_score_is_odd_outside_the_usual_range_of_its_own_survey(small_world: Source, manager: Client, run) -> None:
    small_world.insert("survey", id=2, slug="walk", version="1", tags=[])
    # Of survey 1 the quartiles are 20 and 30: usual is 0 to 60. Of survey 2 they are 200 and 300: 0 to 600.
    scores = {1: (10, 20, 25, 30, 60), 2: (100, 200, 250, 300, 600)}
    number = 0
    for survey, of_survey in scores.items():
        for score in of_survey:
            number += 1
            small_world.insert_survey_result(id=number, survey_id=survey, score_value=score)
    small_world.insert_survey_result(id=90, score_value=None)
    run()
    assert counts(manager) == NOTHING
    small_world.execute("update survey_result set score_value = 61 where id = 5")
    small_world.execute("update survey_result set score_value = -1 where id = 6")
    run()
    assert counts(manager) == NOTHING | {"score": "2"}
    assert listed(manager, "score") == [
        ["5", "1", "2024-03-08", "score 61; usual of survey 1 is 0.0 to 60.0"],
        ["6", "1", "2024-03-08", "score -1; usual of survey 2 is 0.0 to 600.0"],
    ]


def test_more_than_a_hundred_thousand_steps_are_odd(small_world: Source, manager: Client, run) -> None:
    for number, value in ((1, "100000"), (2, "100001")):
        small_world.insert("step_result", patient_id=1, date=date(2024, 3, number), value=value)
    run()
    assert counts(manager) == NOTHING | {"steps": "1"}
    ((_, patient, day, odd),) = listed(manager, "steps")
    assert (patient, day, odd) == ("1", "2024-03-02", "100001 steps")


@pytest.mark.parametrize(
    ("milestones", "rule", "odd"),
    [
        ({"registration_date": "2024-03-01", "operation_date": "2024-02-29"}, "operation", "registered on 2024-03-01"),
        ({"registration_date": "2024-03-01", "operation_date": "2024-03-01"}, "", ""),
        ({"registration_date": None, "operation_date": "2024-03-01"}, "", ""),
        ({"operation_date": "2024-03-02", "discharge_date": "2024-03-01"}, "discharge", "operation on 2024-03-02"),
        ({"operation_date": "2024-03-02", "discharge_date": "2024-03-02"}, "", ""),
    ],
)
def test_milestones_are_odd_in_the_wrong_order(
    small_world: Source, manager: Client, run, milestones: dict[str, str | None], rule: str, odd: str
) -> None:
    small_world.insert("patient_journey", id=2, patient_id=1, journey_id=1, **milestones)
    run()
    assert counts(manager) == NOTHING | ({rule: "1"} if rule else {})
    if rule:
        ((key, patient, _, said),) = listed(manager, rule)
        assert (key, patient, said) == ("2", "1", odd)


LAST = date(2024, 6, 30)


def weekly(source: Source, patient: int, hospital: str, *days_before: int) -> None:
    """Give a patient of a hospital steps so many days before the last day of the data."""
    source.insert("patient", id=patient, hospital=hospital)
    for days in days_before:
        source.insert("step_result", patient_id=patient, date=LAST - timedelta(days), value="5")


def test_a_hospital_is_odd_that_had_data_each_week_and_fell_silent(small_world: Source, manager: Client, run) -> None:
    weekly(small_world, 11, "At work", 0, 7, 14, 21)
    weekly(small_world, 12, "Silent", 14, 21, 28, 35)
    weekly(small_world, 13, "Heard of in time", 13, 20, 27, 34)
    weekly(small_world, 14, "Seldom", 14, 28, 42)
    weekly(small_world, 15, "Gone for years", 365, 372, 379, 386)
    weekly(small_world, 16, "By surveys", 14, 21, 28, 35)
    small_world.insert("patient_journey", id=16, patient_id=16, journey_id=1)
    small_world.insert_survey_result(patient_journey_id=16, start_time=LAST, end_time=LAST)
    run()
    assert counts(manager) == NOTHING | {"hospital": "1"}
    assert listed(manager, "hospital") == [["Silent", "2024-06-16"]]
    assert 'href="/adherence/windows/?hospital=Silent"' in manager.get("/quality/rows/?rule=hospital").content.decode()


def test_what_is_odd_stays_in_the_star(small_world: Source, warehouse: Warehouse, manager: Client, run) -> None:
    small_world.insert("step_result", patient_id=1, date="2024-03-01", value="100001")
    run()
    assert counts(manager)["steps"] == "1"
    assert warehouse.value("select steps from step_result_fact") == 100_001


def test_it_shows_counts_to_all_and_rows_to_care_managers(star: None, warehouse: Warehouse, reader: Reader) -> None:
    of_all = {group: counts(reader(group)) for group in GROUPS}
    expected = {
        "steps": "select count(*) from step_result_fact where steps > 100000",
        "operation": "select count(*) from patient_journey_fact where operation_date < registration_date",
        "discharge": "select count(*) from patient_journey_fact where discharge_date < operation_date",
    }
    for group, found in of_all.items():
        assert found == of_all["care manager"], group
        assert {name: found[name] for name in expected} == {
            name: shown(warehouse.value(query)) for name, query in expected.items()
        }
    thresholds = says(reader("analyst"), "plausibility")
    for threshold in ("more than 100,000", "3 interquartile ranges", "in each of 4 weeks", "the last 14 days"):
        assert threshold in thresholds
    for group in GROUPS:
        client = reader(group)
        for rule, rows in of_all[group].items():
            address = f"/quality/rows/?rule={rule}"
            assert client.get(address).status_code == (200 if group == "care manager" else 403)
            has_link = f'href="{address}"' in client.get(ADDRESS).content.decode()
            assert has_link == (group == "care manager" and rows != "0")


@pytest.mark.parametrize("rule", list(plausibility.RULES))
def test_each_listed_row_leads_to_the_row_and_the_patient(small_world: Source, manager: Client, run, rule: str) -> None:
    weekly(small_world, 12, "Silent", 14, 21, 28, 35)
    small_world.insert("step_result", patient_id=1, date=LAST, value="100001")
    small_world.insert_survey_result(score_value=-1)
    small_world.execute("update patient_journey set registration_date = '2024-03-02', discharge_date = '2024-02-01'")
    run()
    html = manager.get(f"/quality/rows/?rule={rule}").content.decode()
    addresses = [
        unescape(each) for each in re.findall(r'href="([^"]+)"', re.findall(r"<tbody>.*</tbody>", html, re.S)[0])
    ]
    assert len(addresses) == (1 if rule == "hospital" else 2)
    for address in addresses:
        assert manager.get(address).status_code == 200


def test_it_lists_the_last_thousand_and_says_of_how_many(
    small_world: Source, manager: Client, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plausibility, "ROWS", 2)
    for day in (1, 2, 3):
        small_world.insert("step_result", patient_id=1, date=date(2024, 3, day), value="100001")
    run()
    assert [day for _, _, day, _ in listed(manager, "steps")] == ["2024-03-03", "2024-03-02"]
    assert "3 of them, the last 2 are listed." in text(manager.get("/quality/rows/?rule=steps").content.decode())


# --- The page


def test_it_is_worked_out_after_a_run_by_cron(star: None, manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_pages()

    def fail(*arguments: Any) -> None:
        raise AssertionError("the page was to find all of it prepared")

    monkeypatch.setattr("analytics.pages.answers.rows_of", fail)
    assert manager.get(ADDRESS).status_code == 200


def test_it_refuses_what_it_does_not_understand(manager: Client) -> None:
    for address, reason in (
        ("/quality/?day=2024-03-01", "This page knows no day"),
        ("/quality/?format=xlsx", "csv is the one there is"),
        ("/quality/rows/?rule=luck", "rule is one of score, steps, operation, discharge, hospital"),
    ):
        response = manager.get(address)
        assert (response.status_code, reason in response.content.decode()) == (400, True)
