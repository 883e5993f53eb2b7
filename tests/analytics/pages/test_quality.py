"""Quality: whether the data is there and can be trusted, in an answer a source, promises and sums."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from analytics.pages.prepare import prepare_pages
from analytics.pages.quality_rejects import percent
from ingest.models import LoadState, PipelineRun, WarehouseCheck
from tests.analytics.pages.conftest import EXACTLY, GROUPS, Reader, table
from tests.analytics.pages.quality import ADDRESS, TABLES, cells, says, shown, text
from tests.conftest import Source, Warehouse

NONE = "\N{EN DASH}"


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
            assert f"; {promises} of {promises} promises kept when checked {checked_at:%Y-%m-%d %H:%M} UTC; " in said
            if group in EXACTLY or name == "covid":
                assert said.endswith(f"; {percent(counts[name] / rows[name])} % of {shown(rows[name])} rows rejected.")


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
        violations = "1" if group in ("care manager", "operator") else "some"
        assert f"no step result is negative: broken by {violations} rows" in said
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
