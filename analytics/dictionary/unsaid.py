"""What the page of a table has to tell, and nobody has said yet."""

from collections.abc import Iterator, Mapping

from analytics.dictionary.tables import Table, unit_of
from ingest.runs.errors import PipelineError

DECLARED = "analytics/dictionary/declared.py"
COMMENT = "comment: write it in the model"


class UnsaidError(PipelineError):
    """Tables or columns lack what their pages have to tell."""


def unsaid(table: Table) -> Iterator[str]:
    """Yield what a table and its columns lack, each with where to write it."""
    of_table = {
        COMMENT: table.meaning,
        f"size: write by what it grows into SIZES of {DECLARED}": table.size,
        f"source: run make lineage, or write into READS of {DECLARED} what it is filled from": table.source,
        f"file that writes it: name it in WRITTEN_BY of {DECLARED}": table.written_by,
    }
    yield from _missing(table.name, of_table)
    for column in table.columns:
        of_column = {
            COMMENT: column.meaning,
            f"unit: write what it counts into UNITS of {DECLARED}": unit_of(column.place, column.type) is not None,
            "meaning of null: write it into the comment, after `null:`": column.null,
            f"origin: run make lineage, or write into HOPS or MADE_HERE of {DECLARED} what it is made of": (
                column.origins or column.made_here
            ),
        }
        yield from _missing(str(column.place), of_column)


def _missing(name: str, parts: Mapping[str, object]) -> Iterator[str]:
    return (f"{name} has no {part}" for part, said in parts.items() if not said)
