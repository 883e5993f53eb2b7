"""What the warehouse keeps beside the star: digests, rejected rows, overrides and what it holds since when.

The staging tables themselves, `staging_<source table>`, hold the source's rows as they came: bags without a key,
because the source promises none. No model can describe that; the first migration creates them in SQL.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ingest.slugs import MAX_OFFSET_DAYS, MILESTONES


class WarehouseModel(models.Model):
    """A table of the analytics database."""

    database = "analytics"

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class StagedBucket(WarehouseModel):
    """The digest of one bucket of a source table, as the source computed it when its rows were last copied."""

    pk = models.CompositePrimaryKey("source_table", "bucket")
    source_table = models.TextField(db_comment="Table of msk_db")
    bucket = models.BigIntegerField(db_comment="Group of keys, see ingest/msk/tables.py; -1 for rows without a key")
    row_count = models.BigIntegerField(db_comment="Rows in the bucket")
    digest = models.DecimalField(
        max_digits=40, decimal_places=0, db_comment="Sum of the rows' 64-bit hashes, so that duplicates count"
    )

    class Meta:
        db_table = "staged_bucket"
        db_table_comment = "What the source's rows were when they were last copied: a count and a digest a bucket"


class LoadState(WarehouseModel):
    source = models.TextField(primary_key=True, db_comment="msk or covid")
    run_id = models.BigIntegerField(db_comment="pipeline_run.id in the default database")
    run_uuid = models.UUIDField(null=True, db_comment="pipeline_run.uuid of the same run; null: none is known")
    loaded_at = models.DateTimeField(db_comment="When that run loaded the star")

    class Meta:
        db_table = "load_state"
        db_table_comment = "What the star schema holds, since when: one row a source"


class RejectedRow(WarehouseModel):
    class Reason(models.TextChoices):
        ORPHAN = "orphan", "a key that resolves to nothing"
        NOT_A_NUMBER = "not_a_number", "a value that is not a whole number"
        NEGATIVE = "negative", "a number below zero"
        OUT_OF_RANGE = "out_of_range", "a number or a date beyond what the star can hold"
        DUPLICATE = "duplicate", "another row for the same key"
        MISSING_KEY = "missing_key", "a key, day or time that is null"
        END_BEFORE_START = "end_before_start", "an end before its start"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the entry")
    run_id = models.BigIntegerField(db_comment="pipeline_run.id of the run that first listed the row as it is")
    source_table = models.TextField(db_comment="Table of the source")
    source_key = models.TextField(
        db_comment="The row's key in the source; #2, #3 … where several rows share it; a missing key is the word null"
    )
    reason = models.TextField(choices=Reason, db_comment="Why the row is listed, one stable word")
    detail = models.JSONField(db_comment="The row as it came and, for an orphan, the column and the missing key")

    class Meta:
        db_table = "rejected_row"
        db_table_comment = "The source's rows that do not fit the star, as of the last load"
        constraints = (models.UniqueConstraint(fields=["source_table", "source_key"], name="rejected_row_source"),)


class ScheduleOverride(WarehouseModel):
    """What a person says a schedule means; it wins over the slug's parse and outlives every reload."""

    schedule_id = models.IntegerField(primary_key=True, db_comment="schedule.id of the source")
    milestone_slug = models.TextField(
        choices=[(word, word) for word in MILESTONES], db_comment="The event that the offsets count from"
    )
    offset_start_days = models.IntegerField(
        null=True, blank=True, db_comment="First day of the window, from the milestone; null: no start"
    )
    offset_end_days = models.IntegerField(
        null=True, blank=True, db_comment="Last day of the window, from the milestone; null: no end"
    )
    note = models.TextField(blank=True, db_default="", default="", db_comment="Why, and who says so")
    changed_at = models.DateTimeField(auto_now=True, db_default=Now(), db_comment="When it was last saved in admin")

    class Meta:
        db_table = "schedule_override"
        db_table_comment = "What a person says a schedule means: it wins over the slug"
        constraints = (
            models.CheckConstraint(
                name="schedule_override_has_an_offset",
                condition=Q(offset_start_days__isnull=False) | Q(offset_end_days__isnull=False),
                violation_error_message="Give a start, an end or both.",
            ),
            models.CheckConstraint(
                name="schedule_override_in_order",
                condition=Q(offset_start_days__lte=F("offset_end_days")),
                violation_error_message="The start must not lie after the end.",
            ),
            models.CheckConstraint(
                name="schedule_override_in_range",
                condition=Q(offset_start_days__range=(-MAX_OFFSET_DAYS, MAX_OFFSET_DAYS))
                & Q(offset_end_days__range=(-MAX_OFFSET_DAYS, MAX_OFFSET_DAYS)),
                violation_error_message=f"Offsets go from -{MAX_OFFSET_DAYS} to {MAX_OFFSET_DAYS} days.",
            ),
            models.CheckConstraint(
                name="schedule_override_milestone",
                condition=Q(milestone_slug__in=MILESTONES),
                violation_error_message=f"A milestone is one of {', '.join(MILESTONES)}.",
            ),
        )
