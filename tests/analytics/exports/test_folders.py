"""What is left of files that were being made when their process was killed."""

import logging
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings

from analytics.exports import folders

HELD = """
from analytics.exports import folders
with folders.temporary() as folder:
    (folder / "rows").write_text("of patients")
    print(folder, flush=True)
    input()
"""


def test_it_takes_away_what_a_killed_process_left_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "other").mkdir()
    (tmp_path / f"{folders.PREFIX}link").symlink_to(tmp_path / "other")
    with subprocess.Popen(
        [sys.executable, "-c", HELD],
        cwd=settings.BASE_DIR,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        left = Path(running.stdout.readline().strip())
        assert left.parent == tmp_path
        folders.sweep()
        assert (left / "rows").exists()  # it is still at work
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert left.exists()
    worker = SimpleNamespace(log=SimpleNamespace(error_log=logging.getLogger("nobody's")))
    runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))["post_worker_init"](worker)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{folders.PREFIX}link", "other"]
