"""A run that a server, a person or another run gets in the way of: real processes, stopped from outside."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db import connections
from psycopg2.sql import SQL, Identifier

from ingest.models import PipelineRun
from tests.analytics.test_star import assert_same
from tests.conftest import TRUNCATE_EVERYTHING, Source, Warehouse, connect
from tests.ingest.test_source import contents

PATIENCE_SECONDS = 10


def environment(**changes: str) -> dict[str, str]:
    """Return the environment in which a process of its own works on the tests' databases."""
    ours, source = connections["default"].settings_dict, connections["msk_db"].settings_dict
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("POSTGRES_", "MSK_"))}
    servers = {
        "POSTGRES_HOST": ours["HOST"],
        "POSTGRES_PORT": str(ours["PORT"]),
        "POSTGRES_USER": ours["USER"],
        "POSTGRES_PASSWORD": ours["PASSWORD"],
        "MSK_SOURCE_HOST": source["HOST"],
        "MSK_SOURCE_PORT": str(source["PORT"]),
        "MSK_SOURCE_USER": source["USER"],
        "MSK_SOURCE_PASSWORD": source["PASSWORD"],
    }
    databases = {
        "POSTGRES_DB": ours["NAME"],
        "POSTGRES_ANALYTICS_DB": connections["analytics"].settings_dict["NAME"],
        "POSTGRES_SECONDARY_DB": source["NAME"],
    }
    return inherited | servers | databases | {"PYTHON_DOTENV_DISABLED": "1", "PGAPPNAME": "pipeline"} | changes


def start(*arguments: str, **changes: str) -> subprocess.Popen[str]:
    """Start manage.py in a process of its own, which Ctrl-C reaches even where the tests run in the background."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
