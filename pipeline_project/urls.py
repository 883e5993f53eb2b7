"""The addresses of the site: the pages, the admin, and what health checks and monitors ask."""

from django.contrib import admin
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path

from analytics import health
from analytics.metrics import metrics


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Lead to the icon: browsers ask for it here, whatever the page says."""
    return HttpResponseRedirect(staticfiles_storage.url("analytics/favicon.svg"))


def nothing(request: HttpRequest) -> HttpResponse:
    """Answer that there is no such page: no form of ours asks Django's search for a row of another table."""
    raise Http404("No page asks for it.")


urlpatterns = [
    path("", include("analytics.pages.urls")),
    path("", include("access.urls")),  # before the admin, whose login it takes over
    path("admin/autocomplete/", nothing, name="autocomplete"),
    path("admin/", admin.site.urls),
    path("favicon.ico", favicon, name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("readyz", health.readyz, name="readyz"),
]
