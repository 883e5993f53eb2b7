"""A release: its version, its changes and its tag agree, and whoever makes one is told what it needs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline_project.version import VERSION

ROOT = Path(__file__).resolve().parent.parent


def test_the_newest_release_of_the_changelog_is_the_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", changes, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(VERSION)} - \d{{4}}-\d\d-\d\d", headings[1])


@pytest.mark.parametrize(("tag", "code"), [(f"v{VERSION}", 0), (VERSION, 1), (f"v{VERSION}.1", 1)])
def test_a_release_is_refused_whose_tag_is_not_the_version(tag: str, code: int) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run([ROOT / ".ci" / "tag", tag], env={"PATH": path}, capture_output=True, text=True)
    assert ended.returncode == code
    assert (f"the tag is {tag} and pyproject.toml says version {VERSION}" in ended.stderr) == bool(code)


def test_each_variable_that_the_workflow_takes_is_listed_for_who_releases() -> None:
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    taken = set(re.findall(r"vars\.(\w+)", workflow))
    assert taken
    assert taken <= set(re.findall(r"`(\w+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
