"""Renew what is made from the table of variables, and put the site's pages together."""

import os

import django


def main() -> None:
    """Write .env.example, docs/configuration.md and the pages in .local/docs."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "pipeline_project.settings"
    django.setup()
    from handbook.assemble import assemble, renew  # here: it needs the settings

    renew()
    assemble()


if __name__ == "__main__":
    main()
