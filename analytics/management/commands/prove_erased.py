"""Prove that nothing of a patient is left."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from analytics.erasure import prove_erased
from ingest.runs.errors import explain


class Command(BaseCommand):
    requires_system_checks = ()  # of models and pages, which prepare_databases has checked
    help = (
        "Look for a patient in the source, in every table of both databases and in what else the project keeps; say "
        "what is left and which run took the patient out. Exits with 0 when nothing is left and the source has no such "
        "patient, and with 1 otherwise. docs/security.md says what it cannot see."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--patient", required=True, type=int, metavar="N", help="the source's number, patient.id")
        parser.add_argument("--json", action="store_true", help="print it all as one JSON object")

    def handle(self, *, patient: int, **options: Any) -> None:
        try:
            erasure = prove_erased(patient)
        except Exception as error:
            if options["json"]:
                self.stdout.write(json.dumps({"error": explain(error)}))
            raise CommandError(explain(error)) from error
        if options["json"]:
            found = asdict(erasure) | {"status": erasure.status, "says": str(erasure)}
            self.stdout.write(json.dumps(found, cls=DjangoJSONEncoder, indent=2))
        elif erasure.is_proved:
            self.stdout.write(str(erasure))
        if not options["json"] and erasure.status != "never_known":
            for title, places in (("at the source", erasure.source), ("left", erasure.left), ("kept", erasure.kept)):
                self.stdout.writelines(f"  {title}: {place}\n" for place in places)
            for database, columns in erasure.searched.items():
                tables = {column.rsplit(".", 1)[0] for column in columns}
                self.stdout.write(f"  looked at {len(tables)} tables of {database}")
            self.stdout.writelines(f"  {note}\n" for note in erasure.notes)
        if not erasure.is_proved:
            raise CommandError(str(erasure))
