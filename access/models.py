"""What may be seen that is no row of a table, and what was."""

from typing import Any, NoReturn

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Page(models.Model):  # noqa: DJ008  (it has no rows)
    """The pages of the site, for their permission; there is no table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = (("view_totals", "Can see how many: adherence, steps, scores, COVID"),)


class KeptError(TypeError):
    """A line of the access log was to be changed or deleted."""


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise KeptError("access_log only grows: a line is added, never changed, and deleted by forget_access_log alone")


class Lines(models.QuerySet["AccessLog"]):
    """Lines to read."""

    update = delete = bulk_update = update_or_create = _refuse


class AccessLog(models.Model):
    """Who was shown which patients. The database refuses, too, what this class refuses: see its migration."""

    class What(models.TextChoices):
        PAGE = "page"
        LIST = "list"
        EXPORT = "export"
        END = "end"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the line")
    at = models.DateTimeField(db_default=Now(), db_comment="When, by the clock of the database, whoever says otherwise")
    user_id = models.IntegerField(null=True, db_comment="auth_user.id at that time; null for nobody who was logged in")
    user_name = models.TextField(blank=True, db_comment="The user's name at that time, which outlives the user")
    address = models.GenericIPAddressField(null=True, db_comment="From where; null where the server was told none")
    what = models.TextField(
        choices=What, db_comment="page, list, export (as it begins), or end, which says how an export ended"
    )
    path = models.TextField(db_comment="The address on the site, without what is behind the question mark")
    filter = models.TextField(
        blank=True, db_comment="What was behind it, as far as it narrows; what people type freely is left out"
    )
    patients = ArrayField(
        models.BigIntegerField(), null=True, db_comment="patient_id of who was seen; null where they are too many"
    )
    patient_count = models.IntegerField(null=True, db_comment="How many were seen; null where nobody knows")
    names_all = models.BooleanField(default=True, db_comment="Whether patients has all who were seen")
    rows = models.BigIntegerField(null=True, db_comment="Rows of a list or an export; of an end those that were sent")
    answered = models.BooleanField(db_comment="Whether it was shown; of an end whether all was sent")
    begun = models.BigIntegerField(null=True, db_comment="Of an end the line with which the export began")

    objects = Lines.as_manager()

    class Meta:
        db_table = "access_log"
        db_table_comment = "Who was shown which patients, when, from where: only grows, and is kept ACCESS_LOG_DAYS"
        default_permissions = ("view",)
        indexes = (
            models.Index("at", name="access_log_at"),
            models.Index("user_name", "at", name="access_log_user"),
            models.Index("user_name", "at", name="access_log_export", condition=Q(what="export")),
            models.Index("at", name="access_log_unnamed", condition=Q(names_all=False)),
            models.Index("begun", name="access_log_end", condition=Q(begun__isnull=False)),
            GinIndex("patients", name="access_log_patients"),
        )

    def __str__(self) -> str:
        return f"{self.user_name or 'nobody'}, {self.what} {self.path}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            _refuse()
        super().save(*args, **kwargs)

    delete = _refuse
