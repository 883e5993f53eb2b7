"""What manage.py check --deploy finds of the access log: reads by SQL are no page; pgaudit alone can record them."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register  # noqa: A004  (Django calls it so)

from analytics.analyst import star
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.runs.errors import DATABASE_ERRORS, explain

OURS = ("msk_owner", "msk_loader", "msk_web", "msk_reader")  # roles by which the project itself comes
SHOWN = 3

# Who logs in and may read the star, beside superusers, who could switch off any record; and of whom no read is recorded
# by the setting that holds for them: that of the role in this database, of the role, of the database, of the server.
UNRECORDED = """
select
    exists(select from pg_settings as s where s.name = 'pgaudit.log'),
    exists(select from pg_extension as e where e.extname = 'pgaudit'),
    coalesce(array_agg(r.rolname::text order by r.rolname), '{}'),
    coalesce(
        array_agg(r.rolname::text order by r.rolname)
        filter (where a.log !~ '\\m(all|read)\\M' or a.log ~ '-\\s*(all|read)\\M'), '{}'
    )
from pg_roles as r
cross join lateral (
    select coalesce(
        (
            select split_part(c.setting, '=', 2)
            from pg_db_role_setting as d
            cross join lateral unnest(d.setconfig) as c (setting)
            where
                c.setting like 'pgaudit.log=%%'
                and d.setrole in (r.oid, 0)
                and d.setdatabase in ((select oid from pg_database where datname = current_database()), 0)
            order by (d.setrole <> 0) desc, (d.setdatabase <> 0) desc
            limit 1
        ),
        (select s.reset_val from pg_settings as s where s.name = 'pgaudit.log'),
        'none'
    ) as log
) as a
where
    r.rolcanlogin
    and not r.rolsuper
    and r.rolname <> all(%(ours)s)
    and r.oid <> (select d.datdba from pg_database as d where d.datname = current_database())
    and exists (
        select
        from unnest(%(star)s) as t (name)
        where has_table_privilege(r.oid, to_regclass(quote_ident(t.name)), 'select')
    )
"""


@register(Tags.security, deploy=True)
def reads_are_recorded(databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Say so where roles may read the star of whose reads the server keeps no record."""
    if databases and "analytics" not in databases:
        return []
    try:
        with raw_cursor("analytics") as warehouse:
            return unrecorded(warehouse)
    except DATABASE_ERRORS as error:
        return [Info(f"Whether reads by SQL are recorded is not known: {explain(error)}", id="access.I001")]


def unrecorded(warehouse: Cursor) -> list[CheckMessage]:
    """Return what a warehouse's server lacks for a record of who read the star."""
    ours = [*OURS, *(str(database["USER"]) for database in settings.DATABASES.values())]
    warehouse.execute(UNRECORDED, {"ours": ours, "star": star("analytics")})
    is_loaded, is_installed, readers, silent = one_row(warehouse)
    if not is_loaded:
        lack, who = "pgaudit is not in its shared_preload_libraries", readers
    elif not is_installed:
        lack, who = "the extension pgaudit is not installed in the warehouse", readers
    else:
        lack, who = "their pgaudit.log is without read", silent
    if not who:
        return []
    names = ", ".join(who[:SHOWN]) + (f" and {len(who) - SHOWN} more" if len(who) > SHOWN else "")
    said = f"Nobody knows which patients {names} looked at by SQL: the server keeps no record of reads, as {lack}."
    return [Warning(said, hint="docs/security.md, Who looked at what, says how to switch it on.", id="access.W001")]
