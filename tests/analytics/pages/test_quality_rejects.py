"""Quality: what is rejected, what mends it, and to whom single rows are shown."""

import re
from datetime import date
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analytics.pages.prepare import prepare_pages
from analytics.pages.quality_rejects import percent
from ingest.models import PipelineRun, RejectedRow, StepRun
from tests.analytics.pages.conftest import EXACTLY, GROUPS, Reader, table
from tests.analytics.pages.quality import ADDRESS, TABLES, cells, part, says, shown
from tests.conftest import Source, Warehouse


def test_its_csv_gives_rows_and_share_by_table_and_reason(
    star: None, source: Source, warehouse: Warehouse, reader: Reader
) -> None:
    listed = warehouse.execute("select source_table, reason, count(*) from rejected_row group by 1, 2 order by 1, 2")
    judged = {name: source.value(f"select count(*) from {name}") for name in TABLES}
    judged["covid_day"] = warehouse.value("select count(distinct document ->> 'date') from staging_covid_day")
    assert len(listed) > 5
    for group in EXACTLY:
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
            is_told = of_csv["rows"].isdecimal()
            assert (name, count) == (of_csv["source_table"], shown(int(of_csv["rows"])) if is_told else of_csv["rows"])
            assert is_told or group not in EXACTLY
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
        if group not in EXACTLY:  # one or two rows are few
            assert not msk.lines
            continue
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
