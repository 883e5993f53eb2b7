"""A real Prometheus reads the site by the configuration in deploy/prometheus, and its rules fire."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as real_settings
from django.db import connections
from django.utils import timezone

from analytics.metrics import PipelineCollector
from ingest.models import LoadState
from tests.conftest import Source
from tests.ingest.runs.test_failures import PATIENCE_SECONDS, own_port
from tests.pipeline_project.test_security import serve, user

__all__ = ["user"]  # a fixture

FOLDER = real_settings.BASE_DIR / "deploy" / "prometheus"
GUIDE = real_settings.BASE_DIR / "docs" / "monitoring.md"
TOKEN = "of-the-monitor-alone"
SOURCE = re.compile(r'\{source=~"\$source"\}')  # what the person picks who looks at the dashboard

needs_prometheus = pytest.mark.skipif(not shutil.which("promtool"), reason="needs Debian's package prometheus")


def dashboard() -> list[Any]:
    """Return the panels of the dashboard."""
    panels: list[Any] = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))["panels"]
    return panels


def queries() -> list[str]:
    """Return the queries of the dashboard, for all sources."""
    return [SOURCE.sub("", target["expr"]) for panel in dashboard() for target in panel["targets"]]


def told() -> dict[str, tuple[str, ...]]:
    """Return the metrics that the site has, each with its labels."""
    return {family.name: tuple(family._labelnames) for family in PipelineCollector().collect()}


# --- Without Prometheus


def test_the_guide_lists_every_metric_with_its_labels(databases: None) -> None:
    rows = re.findall(r"^\| `(pipeline_\w+)(?:\{(.*?)\})?` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: tuple(labels.split(",")) for name, labels in rows} == told()


def test_the_dashboard_has_a_panel_for_every_metric_and_asks_for_no_other(databases: None) -> None:
    asked = [set(re.findall(r"\bpipeline_\w+", query)) for query in queries()]
    assert all(asked)
    assert set().union(*asked) == told().keys()
    assert all(panel["title"] for panel in dashboard())


def test_the_rules_ask_for_metrics_and_states_that_there_are(databases: None) -> None:
    rules = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"(?<!manage\.py )\bpipeline_\w+", rules)) <= told().keys()
    samples = [sample for family in PipelineCollector().collect() for sample in family.samples]
    for label in ("state", "kind"):
        named = set(re.findall(rf'\b{label}="(\w+)"', rules))
        assert named
        assert named <= {sample.labels[label] for sample in samples if label in sample.labels}


def test_the_guide_names_every_alert() -> None:
    alerts = re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    assert len(alerts) > 5
    named = re.findall(r"^\| `([A-Z]\w+)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert named == alerts


# --- With it


@needs_prometheus
def test_each_alert_fires_when_it_should_and_not_before() -> None:
    done = subprocess.run(["promtool", "test", "rules", FOLDER / "alerts_test.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rules, tests = ((FOLDER / name).read_text(encoding="utf-8") for name in ("alerts.yml", "alerts_test.yml"))
    for alert in re.findall(r"- alert: (\w+)", rules):
        tried = re.findall(rf"alertname: {alert}\s+exp_alerts:\s+(?:\[\{{|- )", tests)
        assert tried, f"{alert} is not seen to fire"


@pytest.fixture
def prometheus(tmp_path: Path, user: str, star: None) -> Iterator[str]:
    """The address of a Prometheus with the configuration of the repository, which looks at a site every few seconds."""
    warehouse = connections["analytics"].settings_dict["NAME"]
    with serve(user, METRICS_TOKEN=TOKEN, POSTGRES_ANALYTICS_DB=warehouse) as site:
        folder = tmp_path / "prometheus"
        shutil.copytree(FOLDER, folder)
        (folder / "metrics_token").write_text(f"{TOKEN}\n")
        config = (folder / "prometheus.yml").read_text(encoding="utf-8")
        for ours, here in (
            ("scheme: https", "scheme: http"),
            ("warehouse.example.org", site.removeprefix("http://")),
            ("scrape_interval: 1m", "scrape_interval: 5s"),
            ("evaluation_interval: 1m", "evaluation_interval: 1s"),
        ):
            assert ours in config
            config = config.replace(ours, here)
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")
        subprocess.run(["promtool", "check", "config", folder / "prometheus.yml"], check=True, capture_output=True)
        with running(folder) as address:
            yield address


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run Prometheus with the configuration in a folder; give its address."""
    address = f"127.0.0.1:{own_port()}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def ask(prometheus: str, path: str, **parameters: str) -> Any:
    """Return what Prometheus answers; None while it does not listen, or is not ready yet."""
    try:
        response = requests.get(f"{prometheus}/api/v1/{path}", parameters, timeout=60)
    except requests.ConnectionError:
        return None
    if response.status_code == 503:
        return None
    answer = response.json()
    assert answer["status"] == "success", answer
    return answer["data"]


def wait_for(prometheus: str, path: str, pick: Callable[[Any], Any], **parameters: str) -> Any:
    """Wait until `pick` finds something in what Prometheus answers, and return that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = ask(prometheus, path, **parameters)
        if found := answer and pick(answer):
            return found
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)


@needs_prometheus
@pytest.mark.long
def test_prometheus_reads_the_site_by_its_token_and_tells_of_a_stale_source(prometheus: str, source: Source) -> None:
    wait_for(prometheus, "targets", lambda d: [t["health"] for t in d["activeTargets"]] == ["up"])
    for query in queries():
        wait_for(prometheus, "query", lambda answer: answer["result"], query=query)
    rules = [rule for group in ask(prometheus, "rules")["groups"] for rule in group["rules"]]
    assert len(rules) == len(re.findall("- alert:", (FOLDER / "alerts.yml").read_text(encoding="utf-8")))
    assert [alert for alert in ask(prometheus, "alerts")["alerts"] if alert["state"] == "firing"] == []

    LoadState.objects.filter(source="msk").update(loaded_at=timezone.now() - timedelta(hours=4))
    (alert,) = wait_for(prometheus, "alerts", lambda d: [a for a in d["alerts"] if a["state"] == "firing"])
    assert (alert["labels"]["alertname"], alert["labels"]["source"]) == ("SourceStale", "msk")
    assert alert["annotations"]["summary"] == "msk was not loaded for longer than its limit."
