"""What the publisher says that its fields mean, and what became of that since the last document."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid5

from psycopg2.extras import Json

from ingest.covid import FOLDER
from ingest.covid.client import Document, over_limit
from ingest.covid.figures import NAMESPACE
from ingest.cursors import Cursor
from ingest.models import SchemaChange
from ingest.quoting import excerpt
from ingest.runs.run import Run
from ingest.statements import statement

logger = logging.getLogger("ingest.covid.staging")  # a filter of log lines may know it by this name
Kind = SchemaChange.Kind

# Far more than the publisher has; a document may not fill the warehouse, nor a name exceed what an index can hold.
MAX_DEFINITIONS = 2_000
MAX_CHARACTERS = 255  # of a name, of a path and of each prior name
MAX_PRIOR_NAMES = 100  # of one field


@dataclass(frozen=True)
class Definition:
    """A field's definition; its path may be missing in the document, the rest is what we make of it."""

    name: str
    field: str | None
    deprecated: bool | None
    prior_names: list[str] | None


@dataclass(frozen=True)
class Change:
    """What became of a field: its name of today, and its definition before and after."""

    field_name: str
    kind: str
    before: Definition | None
    after: Definition | None


def read_definitions(url: str, meta: Any) -> dict[str, Definition] | None:
    """Return the definitions of the `meta` of the document at `url` by name; entries without a name are passed over.

    None where it has no list of them: such a document says nothing of definitions, not that they are gone. Raises
    PermanentError for more, or longer ones, than are kept.
    """
    entries = meta.get("field_definitions") if isinstance(meta, dict) else None
    if not isinstance(entries, list):
        return None
    if len(entries) > MAX_DEFINITIONS:
        raise over_limit(url, f"{len(entries):,} field definitions", MAX_DEFINITIONS)
    definitions = {}
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            definitions[entry["name"]] = Definition(
                entry["name"],
                _if_a(str, entry.get("field")),
                _if_a(bool, entry.get("deprecated")),
                [name for name in _if_a(list, entry.get("prior_names")) or [] if isinstance(name, str)],
            )
    for definition in definitions.values():
        _check(url, definition)
    return definitions


def _check(url: str, definition: Definition) -> None:
    field, prior_names = excerpt(definition.name), definition.prior_names or []
    texts = {"a name": [definition.name], "a path": [definition.field or ""], "a prior name": prior_names}
    for what, found in texts.items():
        longest = max(map(len, found), default=0)
        if longest > MAX_CHARACTERS:
            raise over_limit(url, f"the field {field} with {what} of {longest:,} characters", MAX_CHARACTERS)
    if len(prior_names) > MAX_PRIOR_NAMES:
        raise over_limit(url, f"the field {field} with {len(prior_names):,} prior names", MAX_PRIOR_NAMES)


def keep_definitions(warehouse: Cursor, document: Document, after: Mapping[str, Definition], run: Run) -> None:
    """Make `after` the current definitions and record what changed; the first ones ever are no change."""
    warehouse.execute("select is_current, name, field, deprecated, prior_names from staging_covid_definition")
    known = warehouse.fetchall()
    before = {row[1]: Definition(*row[1:]) for row in known if row[0]}
    changed = list(changes(before, after)) if known else []
    for change in changed:
        about = {"run": run.id, "source": run.source, "field": change.field_name, "change": str(change.kind)}
        logger.warning("field of the COVID API changed", extra=about)
    at, records = document.fetched_at, Json([asdict(change) for change in changed])
    warehouse.execute(statement(FOLDER, "060_schema_change", run_id=run.id, at=at, changes=records))
    definitions = Json([{"id": str(uuid5(NAMESPACE, name)), **asdict(after[name])} for name in after])
    warehouse.execute(statement(FOLDER, "070_definition", at=at, definitions=definitions))


def changes(before: Mapping[str, Definition], after: Mapping[str, Definition]) -> Iterator[Change]:
    """Yield what changed between two documents' definitions."""
    renamed: set[str] = set()
    for name in sorted(after.keys() - before.keys()):
        old_names = [old for old in after[name].prior_names or [] if old in before and old not in after]
        renamed.update(old_names)
        old = before[old_names[0]] if old_names else None
        yield Change(name, Kind.RENAMED if old else Kind.APPEARED, old, after[name])
        if old:
            yield from _meaning_changes(name, old, after[name])
    for name in sorted(before.keys() - after.keys() - renamed):
        yield Change(name, Kind.DISAPPEARED, before[name], None)
    for name in sorted(before.keys() & after.keys()):
        yield from _meaning_changes(name, before[name], after[name])


def _meaning_changes(name: str, old: Definition, new: Definition) -> Iterator[Change]:
    if new.deprecated and not old.deprecated:
        yield Change(name, Kind.DEPRECATED, old, new)
    if new.field != old.field:
        yield Change(name, Kind.PATH_CHANGED, old, new)


def _if_a(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) else None
