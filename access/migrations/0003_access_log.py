"""The access log, which only grows, and the group of those who may read it."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.functions.datetime
from django.apps import apps as today
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

# A line is not changed, whoever asks, and deleted where it is older than what the transaction says that lines are kept,
# which is never less than 30 days. Its time is the server's: one that is put in with an old time could be deleted.
# forget_access_log is all that may say so, for who may call it: the owner, and who the owner lets.
ONLY_GROWS = """
create function access_log_only_grows() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    days integer := nullif(current_setting('access_log.kept_days', true), '');
begin
    if tg_op = 'INSERT' then
        new.at := clock_timestamp();
        return new;
    end if;
    if tg_op = 'DELETE' and days >= 30 and old.at < now() - make_interval(days => days) then
        return old;
    end if;
    raise exception 'access_log only grows: no % of its lines', lower(tg_op)
        using errcode = 'insufficient_privilege',
              hint = 'manage.py run_pipeline deletes lines that are older than ACCESS_LOG_DAYS.';
end $$;

create trigger access_log_only_grows before insert or update or delete on access_log
    for each row execute function access_log_only_grows();
create trigger access_log_is_not_emptied before truncate on access_log
    for each statement execute function access_log_only_grows();

create function forget_access_log(days integer) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    forgotten bigint;
begin
    if days is null or days < 30 then
        raise exception 'access_log is kept for 30 days at least, not for %', days;
    end if;
    perform set_config('access_log.kept_days', days::text, true);
    delete from access_log where at < now() - make_interval(days => days);
    get diagnostics forgotten = row_count;
    perform set_config('access_log.kept_days', '', true);
    return forgotten;
end $$;

revoke all on function forget_access_log(integer) from public;
"""
MAY_BE_CHANGED = """
drop function forget_access_log(integer);
drop trigger access_log_only_grows on access_log;
drop trigger access_log_is_not_emptied on access_log;
drop function access_log_only_grows();
"""


def let_auditors_look(apps, schema_editor):
    database = schema_editor.connection.alias
    create_permissions(today.get_app_config("access"), using=database, verbosity=0)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    group, _ = apps.get_model("auth", "Group").objects.using(database).get_or_create(name="auditor")
    group.permissions.add(permissions.get(content_type__app_label="access", codename="view_accesslog"))


class Migration(migrations.Migration):
    dependencies = [("access", "0002_run_requests")]

    operations = [
        migrations.CreateModel(
            name="AccessLog",
            fields=[
                ("id", models.BigAutoField(db_comment="Number of the line", primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_comment="When, by the clock of the database, whoever says otherwise",
                        db_default=django.db.models.functions.datetime.Now(),
                    ),
                ),
                (
                    "user_id",
                    models.IntegerField(
                        db_comment="auth_user.id at that time; null for nobody who was logged in", null=True
                    ),
                ),
                (
                    "user_name",
                    models.TextField(blank=True, db_comment="The user's name at that time, which outlives the user"),
                ),
                (
                    "address",
                    models.GenericIPAddressField(
                        db_comment="From where; null where the server was told none", null=True
                    ),
                ),
                (
                    "what",
                    models.TextField(
                        choices=[("page", "Page"), ("list", "List"), ("export", "Export"), ("end", "End")],
                        db_comment="page, list, export (as it begins), or end, which says how an export ended",
                    ),
                ),
                (
                    "path",
                    models.TextField(db_comment="The address on the site, without what is behind the question mark"),
                ),
                (
                    "filter",
                    models.TextField(
                        blank=True,
                        db_comment="What was behind it, as far as it narrows; what people type freely is left out",
                    ),
                ),
                (
                    "patients",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        db_comment="patient_id of who was seen; null where they are too many",
                        null=True,
                        size=None,
                    ),
                ),
                (
                    "patient_count",
                    models.IntegerField(db_comment="How many were seen; null where nobody knows", null=True),
                ),
                ("names_all", models.BooleanField(db_comment="Whether patients has all who were seen", default=True)),
                (
                    "rows",
                    models.BigIntegerField(
                        db_comment="Rows of a list or an export; of an end those that were sent", null=True
                    ),
                ),
                ("answered", models.BooleanField(db_comment="Whether it was shown; of an end whether all was sent")),
                (
                    "begun",
                    models.BigIntegerField(db_comment="Of an end the line with which the export began", null=True),
                ),
            ],
            options={
                "db_table": "access_log",
                "db_table_comment": "Who was shown which patients, when, from where: only grows, and is kept ACCESS_LOG_DAYS",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(models.F("at"), name="access_log_at"),
                    models.Index(models.F("user_name"), models.F("at"), name="access_log_user"),
                    models.Index(
                        models.F("user_name"),
                        models.F("at"),
                        condition=models.Q(("what", "export")),
                        name="access_log_export",
                    ),
                    models.Index(models.F("at"), condition=models.Q(("names_all", False)), name="access_log_unnamed"),
                    models.Index(
                        models.F("begun"), condition=models.Q(("begun__isnull", False)), name="access_log_end"
                    ),
                    django.contrib.postgres.indexes.GinIndex(models.F("patients"), name="access_log_patients"),
                ],
            },
        ),
        migrations.RunSQL(ONLY_GROWS, MAY_BE_CHANGED),
        migrations.RunPython(let_auditors_look, migrations.RunPython.noop),
    ]
