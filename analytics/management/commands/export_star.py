"""Write the star into a folder."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.exports.star import FORMATS, export_star
from ingest.runs.command import INTERRUPTED
from ingest.runs.errors import explain
from ingest.runs.interrupts import cancel_on_stop


class Command(BaseCommand):
    help = (
        "Write every table and view of the star into a folder, as they are at one moment: a file each, named as the "
        "table, or one star.duckdb, and a README.md that explains them. They hold what is known of single patients."
    )

    requires_system_checks = ()  # of models and pages, which prepare_databases has checked

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output", required=True, type=Path, metavar="FOLDER", help="an empty folder, or one that is not there yet"
        )
        parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="parquet, if nothing is said")

    def handle(self, *, output: Path, **options: Any) -> None:
        try:
            with cancel_on_stop():
                tables = export_star(output, options["format"])
        except KeyboardInterrupt as error:
            raise CommandError("interrupted. Nothing was written.", returncode=INTERRUPTED) from error
        except Exception as error:
            raise CommandError(explain(error)) from error
        for name, rows in tables.items():
            self.stdout.write(f"{name:<31}{rows:>12,} rows")
        self.stdout.write(f"{len(tables)} tables are in {output}, as {options['format']}; README.md explains them")
