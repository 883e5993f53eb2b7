"""Bring the roles of the databases, and what each may do, in step."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.roles import prepare_roles
from ingest.runs.errors import explain


class Command(BaseCommand):
    requires_system_checks = ()  # see PipelineCommand
    help = (
        "Make the roles that LOADER_PASSWORD, WEB_PASSWORD and READER_PASSWORD ask for, give them these passwords, and "
        "bring their rights in step with the tables, as prepare_databases does at its end."
    )

    def handle(self, **options: Any) -> None:
        try:
            warnings = prepare_roles()
        except Exception as error:
            raise CommandError(explain(error)) from error
        for warning in warnings:
            self.stderr.write(f"warning: {warning}")
