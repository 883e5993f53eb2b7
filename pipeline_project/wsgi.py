"""The entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline_project.settings")
os.environ.setdefault("PIPELINE_ROLE", "web")
application = get_wsgi_application()
