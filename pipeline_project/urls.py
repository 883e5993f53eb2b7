"""The addresses of the site: the admin, the front page that leads to it, and what a health check asks."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from analytics import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
