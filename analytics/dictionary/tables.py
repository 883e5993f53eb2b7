"""The dictionary itself: the tables of the star, of staging and of the run log, each with its columns."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from django.apps import apps
from django.db.models import Model

from analytics import research, roles
from analytics.analyst import star
from analytics.dictionary import declared
from analytics.dictionary.catalog import Described, described
from analytics.dictionary.lineage import Origin, lineage, made_here
from analytics.loads.tables import STAR_TABLES
from analytics.models.links import parents
from ingest.models import SOURCES
from pipeline_project.routers import database_of

STAR, STAGING, BESIDE, RUN_LOG = "the star", "staging", "beside the star", "the run log"
ANALYST, PSEUDONYMOUS = "analyst", "pseudonymous analyst"
KINDS = (STAR, STAGING, BESIDE, RUN_LOG)
LEGEND = (
    ("null", "whether the column can be null and, if so, what a null means"),
    ("key", "whether it is one of the columns by which a row is told apart, and the table whose key it holds"),
    (
        "made of",
        "the columns whose values go into it, or choose between such values; a column that only joins tables or picks "
        "rows is not one of them",
    ),
    ("from", "where these values begin: in the source, with a person, or with the run"),
    ("grows", "what the number of rows follows"),
    (
        "rights",
        "the database roles that may use the table: loader is that of a run, web that of the site. An analyst, made by "
        "grant_analyst, reads the star; a pseudonymous analyst reads it in the schema research, with pseudonyms for "
        "patients, patient journeys and clinicians, and shifted dates. None of them is a group of the site",
    ),
)
NULL = re.compile(r"; null: ([^;]+)")  # what a comment says of it
NUMBERS = ("integer", "bigint", "numeric", "double precision")
GRAINS = {table.name: table.grain for table in STAR_TABLES} | declared.GRAINS
# By what a table grows: a staging table as what is filled from it.
STAGED_SIZES = {f"staging_{table.source}": declared.SIZES.get(table.name, "") for table in STAR_TABLES if table.source}
SIZES = STAGED_SIZES | declared.SIZES
# The file that writes a table.
WRITTEN_BY = (
    {table.name: f"analytics/loads/sql/{table.statement}.sql" for table in STAR_TABLES}
    | dict.fromkeys(declared.STAGING_TABLES, "ingest/msk/staging.py")
    | declared.WRITTEN_BY
)


@dataclass(frozen=True)
class Column:
    """A column: `unit` says what a number counts, `null` what a null means if there can be one, `link` whose key it is.

    It comes from its `origins`, or is `made_here`; `sources` are where these begin.
    """

    place: Origin
    type: str
    meaning: str
    unit: str
    null: str
    is_in_key: bool
    link: str
    origins: tuple[Origin, ...]
    sources: tuple[Origin, ...]
    made_here: str
    is_for_research: bool

    @property
    def name(self) -> str:
        return self.place.column

    @property
    def key(self) -> str:
        """The part that it has in keys, in words."""
        parts = ["key"] * self.is_in_key + [f"link to {self.link}"] * bool(self.link)
        return ", ".join(parts)


@dataclass(frozen=True)
class Table:
    """A table or view; its `readers` are roles, each with what it may do."""

    name: str
    kind: str
    meaning: str
    is_view: bool
    grain: tuple[str, ...]
    size: str
    written_by: str
    readers: dict[str, str]
    reads: tuple[str, ...]
    source: str
    columns: tuple[Column, ...]

    @property
    def rights(self) -> str:
        """Who may do what with it, in words: roles with their rights, and the columns that one does not see."""
        hidden = [column.name for column in self.columns if not column.is_for_research]
        said = []
        for role, rights in self.readers.items():
            but = f" without {', '.join(hidden)}" if role == PSEUDONYMOUS and hidden else ""
            said.append(f"{role} ({rights}{but})")
        return ", ".join(said)


@cache  # only a migration changes it, after which a process begins anew
def dictionary() -> Mapping[str, Table]:
    """Return all tables by name, kind by kind in the order of KINDS."""
    kinds = _kinds_by_table()
    rows = [row for alias in ("analytics", "default") for row in described(alias) if row.table_name in kinds]
    found = [_table(kinds[name], list(columns)) for name, columns in groupby(rows, lambda row: row.table_name)]
    return {table.name: table for table in sorted(found, key=lambda table: (KINDS.index(table.kind), table.name))}


def used_by(tables: Mapping[str, Table], name: str) -> list[str]:
    """Return the tables that are made from one, or checked against it."""
    return [each.name for each in tables.values() if name in each.reads]


def made_from(table: Table) -> str:
    """Return what a table is made from, in words; in the star what is staged counts as the source's."""
    reads = _at_the_source(table.reads) if table.kind == STAR else table.reads
    first = sorted(dict.fromkeys(reads), key=lambda name: not name.startswith("msk_db."))
    return ", ".join("the documents of the COVID API" if name == "covid" else name for name in first)


def _at_the_source(reads: Iterable[str]) -> Iterator[str]:
    for name in reads:
        if not name.startswith("staging_"):
            yield name
        elif (own := f"msk_db.{name.removeprefix('staging_')}") in lineage().reads(name):
            yield own
        else:
            yield from _at_the_source(lineage().reads(name))


def _kinds_by_table() -> dict[str, str]:
    ours = {str(model._meta.db_table): database_of(model) for model in apps.get_app_config("ingest").get_models()}
    kept = {name: RUN_LOG if alias == "default" else BESIDE for name, alias in ours.items() if alias != "msk_db"}
    staged = [*declared.STAGING_TABLES, "staging_slug", *(name for name in kept if name.startswith("staging_"))]
    return dict.fromkeys(star("analytics"), STAR) | kept | dict.fromkeys(staged, STAGING)


def _table(kind: str, rows: list[Described]) -> Table:
    first = rows[0]
    name = first.table_name
    grain = GRAINS.get(name) or tuple(row.column_name for row in rows if row.is_in_key)
    return Table(
        name=name,
        kind=kind,
        meaning=(first.table_meaning or "").strip(),
        is_view=first.is_view,
        grain=grain,
        size=SIZES.get(name, ""),
        written_by=WRITTEN_BY.get(name, ""),
        readers=_rights_by_role(kind, first),
        reads=lineage().reads(name),
        source="the pipeline" if kind in (BESIDE, RUN_LOG) else _source(name),
        columns=tuple(_column(row, grain) for row in rows),
    )


def _source(name: str) -> str:
    behind = {"msk" if each.startswith("msk_db.") else each for each in lineage().tables_behind(name)}
    return next((source for source in SOURCES if source in behind), "")


@cache
def _models() -> dict[str, type[Model]]:
    models = [*apps.get_app_config("analytics").get_models(), *apps.get_app_config("ingest").get_models()]
    return {str(model._meta.db_table): model for model in models if database_of(model) != "msk_db"}


def _column(row: Described, grain: tuple[str, ...]) -> Column:
    place = Origin(row.table_name, row.column_name)
    origins = lineage().origins(place)
    return Column(
        place=place,
        type=row.type,
        meaning=NULL.sub("", row.meaning or "").strip(),
        unit=unit_of(place, row.type) or "",
        null=_meaning_of_null(row) or "",
        is_in_key=row.column_name in grain,
        link=_table_of_key(place) or (row.is_view and len(origins) == 1 and _table_of_key(origins[0])) or "",
        origins=origins,
        sources=lineage().sources(place),
        made_here="" if origins else made_here(place),
        is_for_research=_is_for_research(place),
    )


def _table_of_key(place: Origin) -> str:
    model = _models().get(place.table)
    linked = parents(model).get(place.column) if model else None
    return str(linked._meta.db_table) if linked else ""


def unit_of(place: Origin, kind: str) -> str | None:
    """Return what a number of a column counts, "" for none; None where nobody has said."""
    if kind.startswith("timestamp"):
        return "UTC"
    if not kind.startswith(NUMBERS):
        return ""
    return next((unit for pattern, unit in declared.UNITS if re.search(pattern, str(place))), None)


def _meaning_of_null(row: Described) -> str | None:
    model = _models().get(row.table_name)
    fields = {str(field.column): field for field in model._meta.concrete_fields} if model else {}
    if row.is_never_null or (row.is_view and row.column_name in fields and not fields[row.column_name].null):
        return "no"
    if said := NULL.search(row.meaning or ""):
        return f"yes: {said[1]}"
    # Of what is not another column as it is nobody has said what a null means.
    return "yes: the source has none" if lineage().is_copy(Origin(row.table_name, row.column_name)) else None


def _rights_by_role(kind: str, of: Described) -> dict[str, str]:
    alias, name = "default" if kind == RUN_LOG else "analytics", of.table_name
    rights = {role: by_name(alias).get(name, roles.NONE) for role, by_name in roles.BY_NAME.items()}
    found = {role: ", ".join(sorted(some & roles.READ if of.is_view else some)) for role, some in rights.items()}
    if kind == STAR:
        found[ANALYST] = "select"
        if name in research.VIEWS:
            found[PSEUDONYMOUS] = f"select, as {research.SCHEMA}.{name}"
    return {role: rights for role, rights in found.items() if rights}


def _is_for_research(place: Origin) -> bool:
    return place.table in research.VIEWS and str(place) not in research.LEFT_OUT
