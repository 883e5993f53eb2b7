"""Which database a model lives in: every model of ours says so itself, in its attribute `database`."""

from typing import Any

from django.apps import apps
from django.db.models import Model


class DatabaseRouter:
    """Send each model to the database that its class names; Django's own tables go to `default`."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return database_of(model)

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return database_of(type(one)) == database_of(type(other))

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        """Allow a migration's operation on `db`; one without a model names its database in hints["database"]."""
        if model_name is None:
            return bool(db == hints.get("database", "default"))
        if app_label == "django_cache":  # its table has no model that the apps know
            return db == "default"
        # A migration sees a historical model, which has lost the attribute: ask today's.
        return db == database_of(apps.get_model(app_label, model_name))


def database_of(model: type[Model]) -> str:
    """Return the alias of the database that holds `model`."""
    return getattr(model, "database", "default")
