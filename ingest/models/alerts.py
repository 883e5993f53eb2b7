"""What people were told of. In the default database, as the run log, so that it outlives a warehouse that is down."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Alert(models.Model):
    class Kind(models.TextChoices):
        FAILED = "failed", "failing runs"
        STALE = "stale", "stale data"
        SCHEMA_CHANGE = "schema_change", "schema change"
        REJECTS = "rejects", "jump in rejects"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the alert")
    source = models.TextField(db_comment="The source that it is about: msk or covid")
    kind = models.TextField(choices=Kind, db_comment="failed, stale, schema_change or rejects")
    message = models.TextField(db_comment="What happened")
    began_at = models.DateTimeField(db_comment="When it began")
    ended_at = models.DateTimeField(null=True, db_comment="When it was seen to be over; null: it lasts")
    pending = ArrayField(
        models.TextField(),
        default=list,
        db_comment="The channels that its news, the beginning or the end, has yet to reach: mail, webhook",
    )

    class Meta:
        db_table = "alert"
        db_table_comment = "What people were told of, once when it began and once when it was over"
        constraints = (
            models.UniqueConstraint(fields=["kind", "source"], condition=Q(ended_at=None), name="alert_open_once"),
        )

    def __str__(self) -> str:
        return f"{self.source}: {self.get_kind_display()}"
