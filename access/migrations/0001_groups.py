"""The groups of access/groups.py, as they are when this runs, with the permissions that they need."""

from fnmatch import fnmatchcase

from django.apps import apps as today
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

from access.groups import GROUPS


def make_groups(apps, schema_editor):
    database = schema_editor.connection.alias
    # Django makes the permissions of an app when all migrations have run, which is too late to give them to a group.
    for label in ("access", "analytics", "ingest"):
        create_permissions(today.get_app_config(label), using=database, verbosity=0)
    names = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in apps.get_model("auth", "Permission").objects.using(database).select_related("content_type")
    }
    for group, patterns in GROUPS.items():
        made, _ = apps.get_model("auth", "Group").objects.using(database).get_or_create(name=group)
        made.permissions.add(*(names[n] for n in names if any(fnmatchcase(n, pattern) for pattern in patterns)))


def forget_groups(apps, schema_editor):
    """Groups may have people in them by now: they stay."""


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("analytics", "0007_adherence"),
        ("ingest", "0013_changes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Page",
            fields=[("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))],
            options={
                "permissions": (("view_totals", "Can see how many: adherence, steps, scores, COVID"),),
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.RunPython(make_groups, forget_groups),
    ]
