"""Operators may ask for a run, in installations whose groups are older than that, too."""

from django.apps import apps as today
from django.contrib.auth.management import create_permissions
from django.db import migrations


def let_operators_ask(apps, schema_editor):
    database = schema_editor.connection.alias
    create_permissions(today.get_app_config("ingest"), using=database, verbosity=0)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    group, _ = apps.get_model("auth", "Group").objects.using(database).get_or_create(name="operator")
    group.permissions.add(permissions.get(content_type__app_label="ingest", codename="add_runrequest"))


class Migration(migrations.Migration):
    dependencies = [("access", "0001_groups"), ("ingest", "0016_run_request")]

    operations = [migrations.RunPython(let_operators_ask, migrations.RunPython.noop)]
