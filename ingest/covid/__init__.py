"""The national COVID figures: the API's documents, and what is in them.

A document travels through the files in the order of their names: client, content, days, definitions, documents;
extract sends it on its way. Their SQL is in sql/, numbered in that order.
"""

from pathlib import Path

FOLDER = Path(__file__).with_name("sql")
