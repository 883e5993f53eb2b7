"""Start the runs that people ask for on the site."""

import logging
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from ingest.runs.requests import RequestWorker


class Command(BaseCommand):
    requires_system_checks = ()  # see PipelineCommand
    help = (
        "Start the runs that people ask for on the site, until it is stopped; one that is at work then is waited for. "
        "Docker and make web start it beside the site."
    )

    def handle(self, **options: Any) -> None:
        logging.getLogger("ingest.requests").setLevel(logging.INFO)
        manage = str(settings.BASE_DIR / "manage.py")
        RequestWorker([sys.executable, manage, "run_pipeline", "--report", "--follow-up", "--only"]).work()
