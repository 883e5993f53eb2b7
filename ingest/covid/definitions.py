"""What the publisher says that its fields mean, and what became of that since the last document."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ingest.covid.client import PermanentError
from ingest.models import SchemaChange
from ingest.quoting import excerpt

Kind = SchemaChange.Kind

# Far more than the publisher has; a document may not fill the warehouse, nor a name exceed what an index can hold.
MAX_DEFINITIONS = 2_000
MAX_CHARACTERS = 255  # of a name, of a path and of each prior name
MAX_PRIOR_NAMES = 100  # of one field


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


def read_definitions(url: str, meta: Any) -> dict[str, Definition]:
    """Return the definitions of the `meta` of the document at `url` by name; entries without a name are passed over.

    Raises PermanentError for more, or longer ones, than are kept.
    """
    entries = _if_a(list, meta.get("field_definitions") if isinstance(meta, dict) else None) or []
    if len(entries) > MAX_DEFINITIONS:
        raise _refusal(url, f"{len(entries):,} field definitions", MAX_DEFINITIONS)
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
    """Raise PermanentError for a definition that is too long to be kept."""
    field, prior_names = excerpt(definition.name), definition.prior_names or []
    texts = {"a name": [definition.name], "a path": [definition.field or ""], "a prior name": prior_names}
    for what, found in texts.items():
        longest = max(map(len, found), default=0)
        if longest > MAX_CHARACTERS:
            raise _refusal(url, f"the field {field} with {what} of {longest:,} characters", MAX_CHARACTERS)
    if len(prior_names) > MAX_PRIOR_NAMES:
        raise _refusal(url, f"the field {field} with {len(prior_names):,} prior names", MAX_PRIOR_NAMES)


def _refusal(url: str, what: str, limit: int) -> PermanentError:
    return PermanentError(f"{url} holds {what}, and {limit:,} is the limit: the publisher has to mend it")


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
