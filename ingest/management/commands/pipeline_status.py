"""Tell whether the pipeline is well."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from ingest.placement import shares
from ingest.quoting import visible
from ingest.runs.display import print_rows
from ingest.runs.errors import explain
from ingest.runs.status import (
    SCHEMA_CHANGE_DAYS,
    WRITTEN,
    RunOutcome,
    State,
    current_rejects,
    recent_schema_changes,
    source_statuses,
)

STALE, FAILING = 1, 2  # exit codes


class Command(BaseCommand):
    requires_system_checks = ()  # a monitor asks often: see PipelineCommand
    help = (
        "Tell how fresh each source is, how its last runs went, how many rows are rejected and why, and what changed "
        f"in the schema of the COVID API within {SCHEMA_CHANGE_DAYS} days. Exits with 0 when all is fine, 1 when a "
        "source is older than its MAX_AGE_HOURS or was never loaded, 2 when the last run of a source failed or was "
        "interrupted, or when the databases do not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print it all as one JSON object, for a monitor")

    def handle(self, **options: Any) -> None:
        try:
            sources, rejects, changes = source_statuses(), current_rejects(), recent_schema_changes()
            workers = shares()
        except Exception as error:
            if options["json"]:
                self.stdout.write(json.dumps({"error": explain(error)}))
            raise CommandError(explain(error), returncode=FAILING) from error
        if options["json"]:
            found: dict[str, list[Any]] = {"sources": sources, "rejects": rejects, "schema_changes": changes}
            found |= {"workers": workers} if workers else {}
            plain = {name: [asdict(row) for row in rows] for name, rows in found.items()}
            self.stdout.write(json.dumps(plain, cls=DjangoJSONEncoder, indent=2))
        else:
            print_rows("Sources, in UTC", sources, "source state loaded_at", "age_hours max_age_hours", self.stdout)
            words, numbers = "id trigger command started status", "rows_read inserted updated deleted rejected seconds"
            for source in sources:
                runs = [_as_printed(run) for run in source.runs]
                print_rows(f"Last runs of {source.source}", runs, words, numbers, self.stdout)
            print_rows("Rejected rows", rejects, "source_table reason", "rows", self.stdout)
            title = f"Schema changes of the last {SCHEMA_CHANGE_DAYS} days"
            print_rows(title, changes, "detected_at field_name kind", "", self.stdout)
            if workers:
                silent = "".join(f"; {each.worker} does not answer" for each in workers if each.bytes is None)
                print_rows(f"The warehouse is distributed{silent}", workers, "worker", "bytes percent", self.stdout)
        if troubled := [source for source in sources if source.state != State.FINE]:
            failing = any(source.state == State.FAILING for source in troubled)
            raise CommandError(visible(". ".join(map(str, troubled))), returncode=FAILING if failing else STALE)


def _as_printed(run: RunOutcome) -> SimpleNamespace:
    # A run that was rolled back has inserted nothing, whatever it counted.
    return SimpleNamespace(**asdict(run) | (dict.fromkeys(WRITTEN, "-") if run.rolled_back else {}))
