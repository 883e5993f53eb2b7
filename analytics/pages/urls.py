"""The addresses of the pages, as design.md lists them."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from analytics.pages.access_log import access_log
from analytics.pages.adherence import adherence, windows
from analytics.pages.covid import covid
from analytics.pages.home import home
from analytics.pages.patient import patient
from analytics.pages.plausibility import implausible
from analytics.pages.quality import quality
from analytics.pages.runs import run, run_now, runs
from analytics.pages.scores import scores
from analytics.pages.steps import steps
from analytics.pages.tables import table, tables


class KeyConverter(IntConverter):
    """A key of the source, which may be negative."""

    regex = "-?[0-9]+"


register_converter(KeyConverter, "key")

urlpatterns = [
    path("", home, name="home"),
    path("adherence/", adherence, name="adherence"),
    path("adherence/windows/", windows, name="windows"),
    path("steps/", steps, name="steps"),
    path("scores/", scores, name="scores"),
    path("covid/", covid, name="covid"),
    path("quality/", quality, name="quality"),
    path("quality/rows/", implausible, name="implausible"),
    path("patients/<key:patient_id>/", patient, name="patient"),
    path("runs/", runs, name="runs"),
    path("runs/now/", run_now, name="run_now"),
    path("runs/<int:run_id>/", run, name="run"),
    path("tables/", tables, name="tables"),
    path("tables/<slug:name>/", table, name="table"),
    path("access/", access_log, name="access"),
]
