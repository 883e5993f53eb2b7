"""A pytest plugin, loaded before Django's settings: the embedded PostgreSQL serves the tests when no other is named."""

import os

from dotenv import load_dotenv

from pipeline_project import embedded

load_dotenv(embedded.ROOT / ".env")
for name in ("ADMINS", "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_URL_FILE"):
    os.environ.pop(name, None)  # the runs of the tests fail on purpose: nobody is to be told
if embedded.is_wanted():
    embedded.use()
os.environ["DEBUG"] = "1"  # the tests speak plain HTTP, whatever the installation does
