"""The admin: the star schema and the run log to look at, and the schedule overrides to edit.

It is here, not split by app, because imports run from analytics to ingest and an override is chosen among the
schedules of the star.
"""

from django.contrib import admin

from analytics.admin import covid, msk, overrides, pipeline

__all__ = ["covid", "msk", "overrides", "pipeline"]

admin.site.site_title = admin.site.site_header = "MSK warehouse"
admin.site.index_title = "What the warehouse holds. Times are in UTC."
