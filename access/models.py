"""What may be seen that is no row of a table."""

from django.db import models


class Page(models.Model):  # noqa: DJ008  (it has no rows)
    """The pages of the site, for their permission; there is no table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = (("view_totals", "Can see how many: adherence, steps, scores, COVID"),)
