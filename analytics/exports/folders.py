"""Folders for files that are made to be sent, and what of them a killed process has left."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

PREFIX = "msk-taken-"


@contextmanager
def temporary() -> Iterator[Path]:
    """Give a folder that goes with the block; `sweep` takes it away if the process is killed."""
    with TemporaryDirectory(prefix=PREFIX) as folder, _locked(Path(folder)):
        yield Path(folder)


def sweep() -> None:
    """Take away the folders whose process is gone: they hold what is known of patients."""
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), _locked(folder):  # BlockingIOError, of one that is in use; another user's, or a link
            shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        # The lock goes with the process, even if that is killed.
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)
