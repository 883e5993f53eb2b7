"""The entry point of the web server."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline_project.settings")
os.environ.setdefault("PIPELINE_ROLE", "web")
try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.exit(f"error: {error}")  # as manage.py says it, where no command of it came before
