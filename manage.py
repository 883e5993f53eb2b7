#!/usr/bin/env python
"""Django's command line, with the embedded PostgreSQL behind it when no server is configured."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from pipeline_project import embedded, env

# Who a command is at the databases, where it need not be their owner.
ROLES = {
    **dict.fromkeys(
        ("run_pipeline", "extract_msk", "parse_slugs", "load_msk", "extract_covid", "load_covid"), "loader"
    ),
    **dict.fromkeys(("run_requests", "check_warehouse", "pipeline_status", "crontab"), "loader"),
    **dict.fromkeys(("runserver", "export_star"), "web"),
}


def main() -> None:
    """Run the command of sys.argv; a wrong setting or Ctrl-C ends it with one line, or with --traceback in full."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline_project.settings")
    try:
        env.load(embedded.ROOT / ".env")
        os.environ.setdefault("PIPELINE_ROLE", ROLES.get("".join(sys.argv[1:2]), "owner"))
        if embedded.is_wanted():
            embedded.use()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        if "--traceback" in sys.argv:
            raise
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)
    except Exception as error:
        if "--traceback" in sys.argv:
            raise
        from ingest.runs.errors import story  # here: it needs the settings

        sys.exit(story(error))  # without the row that its own text may quote: stderr is a log where nobody sits


if __name__ == "__main__":
    main()
