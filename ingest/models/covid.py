"""What the warehouse keeps of the COVID API: its documents as they came, and what it says that their fields mean."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models.staging import WarehouseModel


class CovidDocument(WarehouseModel):
    """The last answer of an address: enough to ask whether it is still the same, and to see that it is."""

    url = models.TextField(primary_key=True, db_comment="The document's address")
    fetched_at = models.DateTimeField(db_comment="When its content was first fetched as it is")
    sha256 = models.TextField(db_comment="SHA-256 of its bytes, in hexadecimal")
    etag = models.TextField(null=True, db_comment="Its version, as the server calls it; null: the server does not say")
    last_modified = models.TextField(
        null=True, db_comment="When the server says that it changed; null: the server does not say"
    )

    class Meta:
        db_table = "staging_covid_document"
        db_table_comment = "The documents of the COVID API that were read, one row an address"


class CovidDay(WarehouseModel):
    """One version of a day, from its own document or from the history. Of several the last fetched counts."""

    id = models.BigAutoField(primary_key=True, db_comment="Number of the version")
    url = models.TextField(db_comment="Address of the document that it came in")
    fetched_at = models.DateTimeField(db_comment="When that document was fetched")
    sha256 = models.TextField(db_comment="SHA-256 of the day's object as jsonb writes it, in hexadecimal")
    position = models.IntegerField(db_comment="Its place in the document, from 0; -1: no longer there")
    document = models.JSONField(db_comment="The day's object")

    class Meta:
        db_table = "staging_covid_day"
        db_table_comment = "Every version of every day that the COVID API gave"
        constraints = (models.UniqueConstraint(fields=["sha256"], name="staging_covid_day_once"),)


class CovidDefinition(WarehouseModel):
    """A field's definition, as the last document had it that defined it."""

    id = models.UUIDField(primary_key=True, db_comment="UUIDv5 of the field's name")
    name = models.TextField(unique=True, db_comment="The field's name")
    field = models.TextField(null=True, db_comment="Where it stands in a document")
    deprecated = models.BooleanField(null=True, db_comment="Whether it is no longer to be used")
    prior_names = ArrayField(models.TextField(), null=True, db_comment="What it was called before")
    first_seen_at = models.DateTimeField(db_comment="When the first document that defines it was fetched")
    last_seen_at = models.DateTimeField(db_comment="When the last document that defines it was fetched")
    is_current = models.BooleanField(db_comment="Whether the newest document defines it")

    class Meta:
        db_table = "staging_covid_definition"
        db_table_comment = "What the COVID API says that its fields mean"


class SchemaChange(WarehouseModel):
    class Kind(models.TextChoices):
        APPEARED = "appeared"
        DISAPPEARED = "disappeared"
        RENAMED = "renamed"
        DEPRECATED = "deprecated"
        PATH_CHANGED = "path_changed"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the change")
    run_id = models.BigIntegerField(db_comment="pipeline_run.id of the run that saw it")
    detected_at = models.DateTimeField(db_comment="When the document that shows it was fetched")
    field_name = models.TextField(db_comment="The field, by its name of today")
    kind = models.TextField(choices=Kind, db_comment="appeared, disappeared, renamed, deprecated or path_changed")
    detail = models.JSONField(db_comment="The definition before and after")

    class Meta:
        db_table = "schema_change"
        db_table_comment = "Changes of what the COVID API says that its fields mean"
