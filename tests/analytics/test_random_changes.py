"""Whatever happens to the source, the star equals its recomputation after the next run."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connections

from ingest.runs import lock
from tests.analytics.test_star import assert_same
from tests.conftest import Source, Warehouse

ROUNDS = 200
FIRST, *OTHERS = SEEDS = (1, 2, 3, 4)  # which share them
TABLES = (
    *("schedule", "activity", "journey", "journey_activity", "patient"),
    *("patient_journey", "device", "survey", "step_result", "survey_result"),
)
KEYED = [table for table in TABLES if table not in ("journey_activity", "step_result")]
# Where a row says who its parent is.
LINKS = {
    "activity": {"schedule_id": "schedule"},
    "journey_activity": {"journey_id": "journey", "activity_id": "activity"},
    "patient_journey": {"patient_id": "patient", "journey_id": "journey"},
    "step_result": {"patient_id": "patient"},
    "survey_result": {
        "patient_journey_id": "patient_journey",
        "survey_id": "survey",
        "activity_id": "activity",
        "device_id": "device",
    },
}
VALUES = {
    "schedule": {"slug": ["'7d-post-op'", "'2w-4w-post-reg'", "'pre-op'", "'on-demand'", "null"]},
    "activity": {"content_slug": ["'walk'", "'pain'", "null"]},
    "patient": {"hospital": ["'North'", "'South'", "null"], "sex": ["'f'", "'m'"]},
    "patient_journey": {
        name: ["'2024-03-01'", "'2024-04-15'", "null", "'infinity'"]
        for name in ("operation_date", "registration_date", "discharge_date")
    },
    "survey": {"tags": ["'{a,b}'", "'{{a},{b}}'", "'[0:1]={a,b}'", "null"]},
    "step_result": {
        "value": ["'100'", "'200'", "' 100'", "'n/a'", "'-5'", "null"],
        "date": ["'2024-03-08'", "'2024-03-09'", "null"],
    },
    "survey_result": {
        "score_value": ["1", "2", "null"],
        "end_time": ["'2024-03-09 10:00'", "'2024-05-01 10:00'", "'2020-01-01'", "null"],
    },
}


class Changes:
    """Changes to the source, drawn by `chance`; each is one statement on some rows drawn by the server."""

    def __init__(self, source: Source, chance: random.Random) -> None:
        self.source = source
        self.chance = chance

    def any_rows(self, table: str) -> str:
        """Return a condition that holds for one row of `table`, or some rows of a table that has many."""
        many = self.chance.randint(1, 6) if table in ("patient_journey", "step_result", "survey_result") else 1
        return f"ctid in (select ctid from {table} order by md5(ctid::text || '{self.chance.random()}') limit {many})"

    def update(self) -> str:
        table = self.chance.choice(list(VALUES))
        column = self.chance.choice(list(VALUES[table]))
        value = self.chance.choice(VALUES[table][column])
        return f"update {table} set {column} = {value} where {self.any_rows(table)}"

    def delete(self) -> str:
        table = self.chance.choice(TABLES)
        return f"delete from {table} where {self.any_rows(table)}"

    def duplicate(self) -> str:
        """Insert rows that are there already: equal ones, or other ones with an id already seen."""
        table = self.chance.choice(TABLES)
        return f"insert into {table} select * from {table} where {self.any_rows(table)}"

    def insert(self) -> str:
        """Insert rows like others under a new id, or on another day."""
        table = self.chance.choice([*KEYED, "step_result"])
        new = self.chance.randint(1, 400)
        if table == "step_result":
            return (
                f"insert into step_result select patient_id, date + {new % 60}, value from step_result"
                f" where {self.any_rows(table)}"
            )
        return (
            f"insert into {table} select (jsonb_populate_record(t, jsonb_build_object('id', {new}))).*"
            f" from {table} t where {self.any_rows(table)}"
        )

    def reparent(self) -> str:
        """Give rows another parent, which may not exist."""
        table = self.chance.choice(list(LINKS))
        column = self.chance.choice(list(LINKS[table]))
        return (
            f"update {table} set {column} = {self.chance.choice(['null', *range(1, 60)])} where {self.any_rows(table)}"
        )

    def swap(self) -> str:
        """Let two rows exchange a value, so that the column as a whole stays what it was."""
        table = self.chance.choice(list(VALUES))
        column = self.chance.choice(list(VALUES[table]))
        return (
            f"update {table} t set {column} = o.{column} from (select a.ctid as mine, b.{column}"
            f" from (select ctid, row_number() over () n from {table} where {self.any_rows(table)}) a"
            f" join (select {column}, row_number() over (order by ctid desc) n from {table}"
            f" where {self.any_rows(table)}) b using (n)) o where t.ctid = o.mine"
        )

    def rekey(self) -> str:
        """Give a row another id: its children become orphans, and others find a parent."""
        table = self.chance.choice(KEYED)
        return f"update {table} set id = {self.chance.choice(['null', *range(1, 60)])} where {self.any_rows(table)}"

    def change_most(self) -> str:
        """Change a table as a whole, or a large part of it."""
        return self.chance.choice(
            [
                "update step_result set value = '77' where date > '2024-03-04'",
                "update patient_journey set operation_date = operation_date + 1",
                "update activity set content_slug = 'activity of ' || id",
                "delete from patient where id % 4 = 0",
                "delete from step_result where patient_id % 3 > 0",
                "insert into step_result select patient_id + 1000, date, value from step_result",
                "insert into patient select id + 1000, age_bracket, sex, hospital from patient",
                "update survey_result set end_time = end_time + interval '7 days'",
                "update patient_journey set patient_id = patient_id + 1",
            ]
        )

    def keep_for_later(self) -> str:
        return "; ".join(f"drop table if exists older_{t}; create table older_{t} as table {t}" for t in TABLES)

    def restore_older(self) -> str:
        return "; ".join(f"truncate {t}; insert into {t} select * from older_{t}" for t in TABLES)

    def apply(self) -> list[str]:
        """Change the source by one to eight statements and return them."""
        common = [self.update, self.delete, self.insert, self.duplicate, self.reparent, self.swap, self.rekey]
        statements = [kind() for kind in self.chance.choices(common, k=self.chance.randint(1, 8))]
        if self.chance.random() < 0.2:
            statements.append(self.change_most())
        for statement in statements:
            self.source.execute(statement)
        return statements


@pytest.fixture
def world(source: Source) -> Source:
    """Forty patients with journeys, steps and survey results, and no key that keeps a row from being there twice."""
    source.execute(
        """
        insert into schedule select n, (array['7d-post-op', '2w-4w-post-reg', 'pre-op', 'baseline'])[n % 4 + 1]
          from generate_series(1, 8) n;
        insert into activity select n, 'activity ' || n, n % 9 from generate_series(1, 12) n;
        insert into journey select n, 'J' || n, 'hip' from generate_series(1, 5) n;
        insert into journey_activity
        select j, a from generate_series(1, 5) j, generate_series(1, 12) a where (j + a) % 3 = 0;
        insert into patient select n, '60-69', 'f', 'North' from generate_series(1, 40) n;
        insert into patient_journey
        select n, n % 42 + 1, n % 6, '2024-01-01', '2024-02-01', '2024-03-01', '2024-03-05', null, 1
          from generate_series(1, 50) n;
        insert into device select n, 'iOS', '17' from generate_series(1, 4) n;
        insert into survey select n, 'survey', '1', '{a,b}' from generate_series(1, 4) n;
        insert into step_result
        select p, date '2024-03-01' + d, (p * d)::text from generate_series(1, 42) p, generate_series(0, 9) d;
        insert into survey_result
        select n, n % 52 + 1, n % 5, n % 13, n % 5, n, '2024-03-08', '2024-03-09' from generate_series(1, 150) n
        """
    )
    for table in KEYED:
        source.execute(f"alter table {table} drop constraint {table}_pkey, alter id drop not null")
    return source


def kill_a_run(chance: random.Random, warehouse: Warehouse) -> bool:
    """Start a run as a process of its own, kill it somewhere on its way and tell whether it was still running."""
    names = {"POSTGRES_DB": "default", "POSTGRES_ANALYTICS_DB": "analytics", "POSTGRES_SECONDARY_DB": "msk_db"}
    environment = os.environ | {name: connections[alias].settings_dict["NAME"] for name, alias in names.items()}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_pipeline", "--only", "msk", "--allow-deletes"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not is_locked():
        time.sleep(0.005)
    time.sleep(0.3 * chance.random())
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def is_locked() -> bool:
    """Tell whether a run is in progress, or the server has not yet noticed that it is gone."""
    return bool(lock.holders())


@pytest.mark.long
@pytest.mark.parametrize("seed", [FIRST, *(pytest.param(seed, marks=pytest.mark.large) for seed in OTHERS)])
def test_it_equals_the_recomputation_after_any_changes(
    seed: int, world: Source, warehouse: Warehouse, run: Callable[..., str]
) -> None:
    chance = random.Random(seed)  # noqa: S311  (no secret)
    changes = Changes(world, chance)
    kills: list[bool] = []
    world.execute(changes.keep_for_later())
    run()
    for number in range(ROUNDS // len(SEEDS)):
        history = []
        if number % 8 == 7:  # before all that there is has become an orphan
            history.append(changes.restore_older())
            world.execute(history[-1])
        history += changes.apply()
        if number % 10 == 5:
            kills.append(kill_a_run(chance, warehouse))
            while is_locked():
                time.sleep(0.01)
        if number % 7 == 3:
            run("run_pipeline", "--allow-deletes", "--dry-run")
        if number % 3:
            run("run_pipeline", "--allow-deletes")
        else:  # the steps alone, with more changes in between: what is pending is not lost
            run("extract_msk", "--allow-deletes")
            history += changes.apply()
            run("extract_msk", "--allow-deletes")
            run("parse_slugs")
            run("load_msk")
        try:
            assert_same(warehouse.star(), world.star())
        except AssertionError as error:
            pytest.fail(f"seed {seed}, round {number}, after {history}: {error}")
    run("check_warehouse")
    assert any(kills), "no run was killed on its way"
