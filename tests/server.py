"""A pytest plugin, loaded before Django's settings: the embedded PostgreSQL serves the tests when no other is named."""

import os

from dotenv import load_dotenv

from pipeline_project import embedded

load_dotenv(embedded.ROOT / ".env")
if embedded.is_wanted():
    embedded.use()
os.environ["DEBUG"] = "1"  # the tests speak plain HTTP, whatever the installation does
