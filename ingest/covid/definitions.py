"""What the publisher says that its fields mean, and what became of that since the last document."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ingest.models import SchemaChange

Kind = SchemaChange.Kind


class Definition(NamedTuple):
    """A field's definition; its path may be missing in the document, the rest is what we make of it."""

    name: str
    field: str | None
    deprecated: bool | None
    prior_names: list[str] | None


class Change(NamedTuple):
    """What became of a field: its name of today, and its definition before and after."""

    field_name: str
    kind: str
    before: Definition | None
    after: Definition | None


def read_definitions(meta: Any) -> dict[str, Definition]:
    """Return the definitions of a document's `meta` by name; entries without a name say nothing and are passed over."""
    entries = meta.get("field_definitions") if isinstance(meta, dict) else None
    definitions = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            definitions[entry["name"]] = Definition(
                entry["name"],
                _if_a(str, entry.get("field")),
                _if_a(bool, entry.get("deprecated")),
                [name for name in _if_a(list, entry.get("prior_names")) or [] if isinstance(name, str)],
            )
    return definitions


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
