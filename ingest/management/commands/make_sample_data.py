"""Write a made-up msk_db as an SQL file for psql, and if asked a made-up year of COVID documents."""

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sample_data.generator.covid import covid_documents
from sample_data.generator.msk import msk_sql

MAX_PATIENTS = 50_000_000  # each has up to 26 survey results, and survey_result.id is an integer
MAX_DAYS = 36_500


class Command(BaseCommand):
    help = (
        "Write a made-up msk_db as an SQL file for psql, and if asked a made-up year of the COVID API's documents. "
        "The same arguments give the same bytes."
    )
    requires_system_checks = ()  # it needs no database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--patients", type=int, required=True, metavar="N", help="how many patients")
        parser.add_argument("--days", type=int, required=True, metavar="D", help="how many days have steps")
        parser.add_argument("--seed", type=int, required=True, metavar="S", help="another seed, other data")
        parser.add_argument("--output", metavar="FILE", help="default: standard output")
        parser.add_argument(
            "--covid-folder", metavar="FOLDER", help="where us/daily.json and us/daily/ go; what COVID_API_URL can be"
        )

    def handle(
        self, *, patients: int, days: int, seed: int, output: str | None, covid_folder: str | None, **options: Any
    ) -> None:
        for option, value, maximum in (("--patients", patients, MAX_PATIENTS), ("--days", days, MAX_DAYS)):
            if not 1 <= value <= maximum:
                raise CommandError(f"{option} must be 1 to {maximum}, not {value}")
        if covid_folder is not None:
            with _system_errors_explained(covid_folder):
                (Path(covid_folder) / "us" / "daily").mkdir(parents=True, exist_ok=True)
                for name, text in covid_documents(seed):
                    _write_whole(Path(covid_folder) / name, [text])
        sql = msk_sql(patients, days, seed)
        with _system_errors_explained(output or "standard output"):
            if output is None:
                self._write_to_standard_output(sql)
            else:
                _write_whole(Path(output), sql)

    def _write_to_standard_output(self, pieces: Iterable[str]) -> None:
        # The same bytes on each machine, whatever its locale and its line ends.
        if reconfigure := getattr(self.stdout, "reconfigure", None):
            reconfigure(encoding="utf-8", newline="\n")
        try:
            self.stdout.writelines(pieces)
            self.stdout.flush()
        except OSError as error:
            # What is still buffered would fail once more when Python flushes standard output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                sys.exit(128 + signal.SIGPIPE)  # as a shell reports a program that this signal ended
            raise


@contextmanager
def _system_errors_explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandError(f"Cannot write {what}: {error.strerror}") from error


def _write_whole(path: Path, pieces: Iterable[str]) -> None:
    # Written beside `path` and renamed at the end, so that nobody ever reads half of it.
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise CommandError(f"Cannot write {path}: it is there and is not a file")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
