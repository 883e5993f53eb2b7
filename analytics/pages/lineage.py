"""The pictures of where a table or a column comes from."""

from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlencode

from django.urls import reverse

from analytics.charts.lineage import Lineage, Node
from analytics.dictionary.lineage import Origin, lineage
from analytics.dictionary.tables import KINDS, STAR, Column, Table, dictionary, used_by

SOURCE, MADE_OF_IT = "the source", "made of it"


def address(table: str, column: str = "") -> str:
    """Return the page of a table, with the lineage of a column of it; "" for a table of a source."""
    if table not in dictionary():
        return ""
    return reverse("table", args=[table]) + (f"?{urlencode({'column': column})}" if column else "")


def of_table(found: Mapping[str, Table], name: str) -> Lineage:
    """Return the picture of all tables that one is made from, by however many steps, and of what is made of it."""
    reads = {each.name: each.reads for each in found.values()}
    above = {name, *lineage().tables_behind(name)}
    kinds = {each: found[each].kind if each in found else SOURCE for each in above}
    order = (SOURCE, *KINDS[1:], STAR)
    nodes = [
        Node(each, kinds[each], each, address(each), reads.get(each, ()))
        for each in sorted(_after_what_they_read(above, reads), key=lambda each: order.index(kinds[each]))
    ]
    nodes += [Node(each, MADE_OF_IT, each, address(each), [name]) for each in used_by(found, name)]
    title = f"What {name} is made from, and what is made of it"
    return Lineage(key="lineage", title=title, unit="tables", nodes=nodes, here=name)


def of_column(column: Column) -> Lineage:
    """Return the picture of all columns that one is made of, by however many steps, table by table."""
    by_table: dict[str, list[Origin]] = {}
    for each in sorted({column.place, *lineage().ancestors(column.place)}):
        by_table.setdefault(each.table, []).append(each)
    reads = {
        table: {origin.table for each in columns for origin in lineage().origins(each)}
        for table, columns in by_table.items()
    }
    nodes = [
        Node(
            str(each),
            each.table,
            "all columns" if each.column == "*" else each.column,
            address(each.table, each.whole_column),
            list(map(str, lineage().origins(each))),
        )
        for table in _after_what_they_read(by_table, reads)
        for each in by_table[table]
    ]
    title = f"What {column.place} is made of"
    return Lineage(key="lineage", title=title, unit="columns", nodes=nodes, here=str(column.place))


def _after_what_they_read(names: Iterable[str], reads: Mapping[str, Collection[str]]) -> list[str]:
    def depth(name: str) -> int:
        return 1 + max((depth(each) for each in reads.get(name, ())), default=0)

    return sorted(names, key=lambda name: (depth(name), name))
