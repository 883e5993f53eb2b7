"""The server of the tests takes away what a test run left in memory that was killed, and nothing of anybody else's."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.server import FOLDER, left_behind


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def test_it_takes_away_the_folder_of_a_test_run_that_is_gone(tmp_path: Path, gone: int) -> None:
    for process in (gone, os.getpid()):
        (tmp_path / f"{FOLDER}{process}").mkdir()
    assert list(left_behind(tmp_path, os.getuid())) == [tmp_path / f"{FOLDER}{gone}"]


def test_it_leaves_a_folder_that_somebody_else_made(tmp_path: Path, gone: int) -> None:
    (tmp_path / f"{FOLDER}{gone}").mkdir()
    assert list(left_behind(tmp_path, os.getuid() + 1)) == []


def test_it_leaves_a_folder_that_is_named_by_no_process(tmp_path: Path) -> None:
    (tmp_path / f"{FOLDER}x").mkdir()
    assert list(left_behind(tmp_path, os.getuid())) == []
