"""The dictionary as pages of Markdown, a page a table and an index, for the documentation."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from psycopg2.sql import SQL, Identifier

from analytics.dictionary.lineage import Origin, is_in_a_source
from analytics.dictionary.tables import KINDS, LEGEND, STAGING, STAR, Column, Table, dictionary
from analytics.dictionary.unsaid import UnsaidError, unsaid
from ingest.cursors import raw_cursor

LONGEST = 60  # characters of an example


def write_pages(folder: Path, *, examples: bool = False) -> int:
    """Write index.md and <table>.md for each table into a folder, which is made; return how many tables there are.

    With `examples` each column of the star and of staging that comes from a source has a value of one row of its table:
    for a warehouse that holds the sample, as the pages are public.

    Raises UnsaidError for what a page has to tell and nobody has said.
    """
    tables = dictionary().values()
    if missing := [each for table in tables for each in unsaid(table)]:
        raise UnsaidError("; ".join(missing))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.md").write_text("\n".join(_index(tables)) + "\n", encoding="utf-8")
    for table in tables:
        of_row = _examples(table) if examples and table.kind in (STAR, STAGING) else {}
        (folder / f"{table.name}.md").write_text("\n".join(_page(table, of_row)) + "\n", encoding="utf-8")
    return len(tables)


def _index(tables: Iterable[Table]) -> Iterator[str]:
    yield from ("# Tables and columns", "", "A table's page has a row for each column. It says:", "")
    yield from (f"- **{term}**: {meaning}" for term, meaning in LEGEND)
    for kind in KINDS:
        yield from ("", f"## {kind.capitalize()}", "", "| table | meaning | grows |", "|---|---|---|")
        for table in tables:
            if table.kind == kind:
                yield _row([f"[{table.name}]({table.name}.md)", _text(table.meaning), table.size])


def _page(table: Table, examples: dict[str, str]) -> Iterator[str]:
    yield from (f"# {table.name}", "", f"{_text(table.meaning)}. [All tables, and how to read this page](index.md)", "")
    yield f"- Made from: {', '.join(map(_linked, table.reads)) or 'nothing, it is made here'}"
    yield f"- A row is told apart by: {', '.join(table.grain) or 'nothing, equal rows can occur'}"
    yield f"- Grows: {table.size}"
    yield f"- Written by: `{table.written_by}`"
    yield f"- Rights: {table.rights}"
    header = ["column", "type", "meaning", "unit", "null", "key", *["example"] * bool(examples), "made of", "from"]
    yield from ("", _row(header), "|" + "---|" * len(header))
    for column in table.columns:
        example = [f"`{examples[column.name]}`" if examples.get(column.name) else ""] * bool(examples)
        yield _row([*_own(column), *example, _made_of(column), _grouped_by_table(column.sources)])


def _own(column: Column) -> list[str]:
    return [f"`{column.name}`", column.type, _text(column.meaning), column.unit, column.null, column.key]


def _made_of(column: Column) -> str:
    return _grouped_by_table(column.origins) or f"made here: {column.made_here}"


def _grouped_by_table(origins: Iterable[Origin]) -> str:
    said = []
    for table, of_it in groupby(sorted(origins), key=lambda each: each.table):
        first, *others = (each.column for each in of_it)
        said.append(_linked(table, f"{table}: {', '.join([first, *others])}" if others else f"{table}.{first}"))
    return "; ".join(said)


def _linked(table: str, words: str = "") -> str:
    return f"[{words or table}]({table}.md)" if table in dictionary() else f"`{words or table}`"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(meaning: str) -> str:
    return meaning.replace("|", "\\|").replace("_", "\\_").replace("<", "&lt;")


def _examples(table: Table) -> dict[str, str]:
    # Of the row with the most values, the first of these by the key.
    columns = [column for column in table.columns if any(map(is_in_a_source, column.sources))]
    if not columns:
        return {}
    names = SQL(", ").join(Identifier(column.name) for column in columns)
    texts = SQL(", ").join(SQL("left({}::text, %s)").format(Identifier(column.name)) for column in columns)
    query = SQL("select {} from {} order by num_nulls({}), {} limit 1").format(
        texts, Identifier(table.name), names, SQL(", ").join(map(Identifier, table.grain)) if table.grain else SQL("1")
    )
    with raw_cursor("analytics") as warehouse:
        warehouse.execute(query, [LONGEST] * len(columns))
        row = warehouse.fetchone() or ()
    cleaned = (value and value.replace("`", "'").replace("|", "/").replace("\n", " ") for value in row)
    return {column.name: value for column, value in zip(columns, cleaned, strict=False) if value}
