"""parse_slugs: what the staged schedules' slugs say, into staging_slug."""

from dataclasses import astuple, fields

from psycopg2.extras import execute_values
from psycopg2.sql import SQL

from ingest.cursors import raw_cursor
from ingest.reconcile import reconcile
from ingest.runs.run import Run
from ingest.slugs import ParsedSlug, parse_slug
from ingest.target import Target

STEP = "parse_slugs"
PARSE_COLUMNS = tuple(field.name for field in fields(ParsedSlug))
TARGET = Target("staging_slug", key=("slug",), compared=PARSE_COLUMNS)


def parse_slugs(run: Run) -> None:
    """Parse every distinct slug of staging_schedule and bring staging_slug in step; a null slug counts as empty.

    The parser is Python, so these rows, some dozens in practice, are the only ones that pass through it.
    """
    with raw_cursor("analytics") as warehouse, run.table(STEP, "schedule") as counts:
        warehouse.execute("select distinct coalesce(slug, '') from staging_schedule")
        slugs = [slug for (slug,) in warehouse]
        warehouse.execute("create temp table parsed_slug (like staging_slug) on commit drop")
        execute_values(
            warehouse,
            f"insert into parsed_slug (slug, {', '.join(PARSE_COLUMNS)}) values %s",
            ((slug, *astuple(parse_slug(slug))) for slug in slugs),
        )
        counts.rows_read = len(slugs)
        reconcile(warehouse, TARGET, SQL("select * from parsed_slug"), counts)
