"""A migration's change of what the database says of a column."""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AlterField
from django.db.migrations.state import ProjectState


class AlterComment(AlterField):
    """Change a column's comment, and nothing else.

    AlterField sets the type anew as well, even to what it is; PostgreSQL refuses that for a column that a view reads.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Write the comment that the field has in `to_state`, where its model is one of this database."""
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        field = model._meta.get_field(self.name)
        table, column = map(schema_editor.quote_name, (model._meta.db_table, field.column))
        schema_editor.execute(f"comment on column {table}.{column} is {schema_editor.quote_value(field.db_comment)}")
