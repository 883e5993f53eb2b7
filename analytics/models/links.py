"""Links between the tables of the star: said once, as foreign keys that Django knows of and the database does not.

Whatever follows a link, the loads, the checks and the admin, asks `parents`.
"""

from typing import TypeVar

from django.db import models

Parent = TypeVar("Parent", bound=models.Model)


def link(
    parent: type[Parent], comment: str, *, null: bool = False, index: bool = False
) -> "models.ForeignKey[Parent, Parent]":
    """Return a column <name of the field>_id with the key of a row of `parent`; `index` says that it has an index."""
    return models.ForeignKey(
        parent,
        models.DO_NOTHING,
        null=null,
        db_constraint=False,
        db_index=index,
        db_comment=comment,
        related_name="+",
    )


def key_of(parent: type[Parent], comment: str) -> "models.OneToOneField[Parent, Parent]":
    """Return a primary key that is the key of a row of `parent` as well."""
    return models.OneToOneField(
        parent, models.DO_NOTHING, primary_key=True, db_constraint=False, db_comment=comment, related_name="+"
    )


def parents(model: type[models.Model]) -> dict[str, type[models.Model]]:
    """Return the columns of a table that are links, each with the model whose key it names."""
    return {
        str(field.column): field.related_model
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and not isinstance(field.related_model, str)
    }
