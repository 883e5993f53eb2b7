"""Column lineage worked out from the SQL that fills the warehouse: for `make lineage` and the tests alone.

Lineage follows values. A column is made of the columns that its expression names: those whose values it takes, and
those by which it chooses between values. What only picks rows, a join or a filter of rows, makes no column; but a key
that a join equates with another is both. What only says whether there is a value, not which, makes no column either:
the condition of a `case` with one branch and no `else`, and the question whether a left join has found the row of which
the expression takes another column.
"""

import json
from collections.abc import Iterator, Mapping

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

from analytics.dictionary.catalog import described
from analytics.dictionary.lineage import KEPT, Lineage, Origin
from analytics.loads.statements import FOLDER
from analytics.loads.tables import STAR_TABLES
from ingest.cursors import Cursor, one_row, raw_cursor
from ingest.msk.snapshot import rows_query
from ingest.msk.tables import TABLES
from ingest.statements import PARAMETER

Schema = Mapping[str, Mapping[str, str]]
WORK_TABLES = "changed_"  # which say what rows to look at
DEFINITIONS = "field_definitions_dimension"
VIEWS = ("activity_adherence", "window_detail")


def write() -> None:
    """Work the lineage out anew and keep it in lineage.json."""
    KEPT.write_text(as_text(worked_out()), encoding="utf-8")


def as_text(found: Lineage) -> str:
    """Return a lineage as lineage.json has it."""
    parts = {"tables": found.tables, "columns": found.columns, "copies": found.copies}
    return json.dumps(parts, indent=1, sort_keys=True) + "\n"


def worked_out() -> Lineage:
    """Return what the statements of the load, the views of the warehouse and the queries of the extraction say."""
    columns: dict[str, tuple[str, ...]] = {}
    tables: dict[str, tuple[str, ...]] = {}
    copied: set[str] = set()
    with raw_cursor("analytics") as warehouse:
        for table, sql, schema, of in _queries(warehouse):
            query = _qualified(sql, schema)
            reads = {each for each in _tables(query) if each != table and not each.startswith(WORK_TABLES)}
            tables[table] = tuple(sorted(of + each for each in reads))
            for column, origins in traced(query).items():
                made_of = {Origin(of + each.table, each.column) for each in origins if each.table != table}
                columns[f"{table}.{column}"] = tuple(map(str, sorted(made_of)))
            copied |= {f"{table}.{column}" for column in _copied(query)}
    known = {f"{row.table_name}.{row.column_name}" for row in described("analytics")}
    made = {name: made_of for name, made_of in columns.items() if name in known and made_of}
    return Lineage(made, tables, sorted(copied & made.keys()))


def _queries(warehouse: Cursor) -> Iterator[tuple[str, str, Schema, str]]:
    # Each table, the query for its rows, the tables that this can read, and what stands before their names.
    ours: dict[str, dict[str, str]] = {}
    for row in described("analytics"):
        ours.setdefault(row.table_name, {})[row.column_name] = row.type
    source = {table.name: table.own_columns() for table in TABLES}
    for table in TABLES:
        yield f"staging_{table.name}", rows_query(table, None).as_string(warehouse), source, "msk_db."
    files = {each.name: each.statement for each in STAR_TABLES} | {DEFINITIONS: f"210_{DEFINITIONS}"}
    for name, file in files.items():
        text = (FOLDER / f"{file}.sql").read_text(encoding="utf-8")
        yield name, PARAMETER.sub("true", text), ours, ""
    for view in VIEWS:
        warehouse.execute("select pg_get_viewdef(%s::regclass)", [view])
        (definition,) = one_row(warehouse)
        yield view, definition, ours, ""


def lineage_of(sql: str, schema: Schema) -> dict[str, set[Origin]]:
    """Return for each column of a query the columns of tables of which it is made; `schema` has the tables' columns.

    Raises LookupError for a column of no table that the query reads.
    """
    return traced(_qualified(sql, schema))


def copies(sql: str, schema: Schema) -> set[str]:
    """Return the columns of a query that are a column of a table as it is."""
    return _copied(_qualified(sql, schema))


def _qualified(sql: str, schema: Schema) -> exp.Query:
    parsed = parse_one(sql, dialect="postgres")
    known: dict[str, object] = dict(schema)
    query = qualify(parsed, dialect="postgres", schema=known, validate_qualify_columns=False, quote_identifiers=False)
    return _query(query)


def _tables(query: exp.Query) -> set[str]:
    sources = (source for scope in traverse_scope(query) for source in scope.sources.values())
    return {source.name for source in sources if isinstance(source, exp.Table)}


def traced(query: exp.Query) -> dict[str, set[Origin]]:
    """Return the same of a query whose columns are qualified."""
    scope = build_scope(query)
    if scope is None:
        raise ValueError(f"no query: {query.sql()[:100]}")
    return {name: set(_of_place(scope, place)) for place, name in enumerate(query.named_selects)}


def _copied(query: exp.Query) -> set[str]:
    scope = build_scope(query)
    return {name for place, name in enumerate(query.named_selects) if scope and _is_copy(scope, place)}


def _is_copy(scope: Scope, place: int) -> bool:
    if scope.set_operation_scopes:
        return False
    column = _query(scope.expression).selects[place].unalias()
    source = scope.sources.get(column.table) if isinstance(column, exp.Column) else None
    if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
        return _is_copy(source, source.expression.named_selects.index(column.name))
    return isinstance(source, exp.Table)


def _of_place(scope: Scope, place: int) -> Iterator[Origin]:
    if scope.set_operation_scopes:
        for each in scope.set_operation_scopes:  # a union: its column is made of those of all its queries
            yield from _of_place(each, place)
    else:
        yield from _of_expression(scope, _query(scope.expression).selects[place].unalias())


def _of_expression(scope: Scope, expression: exp.Expr) -> Iterator[Origin]:
    asked = _asked_for_a_row(scope, expression)
    for column in _columns(expression):
        if id(column) not in asked:
            yield from _of_column(scope, column)
    if isinstance(expression, exp.Column):
        for column in _equated_by_join(scope, expression):
            yield from _of_column(scope, column)


def _columns(expression: exp.Expr) -> Iterator[exp.Column]:
    if isinstance(expression, exp.Column):
        yield expression
        return
    branches = expression.args.get("ifs", []) if isinstance(expression, exp.Case) else []
    if len(branches) == 1 and not expression.args.get("default"):  # it only says whether there is a value
        yield from _columns(branches[0].args["true"])
        return
    for part in expression.iter_expressions():
        yield from _columns(part)


def _asked_for_a_row(scope: Scope, expression: exp.Expr) -> set[int]:
    # By their ids: one column may be asked for a row at one place, and give its value at another.
    joins = scope.expression.args.get("joins") or []
    joined = {join.alias_or_name for join in joins if join.side == "LEFT"}
    asked = [
        each.this
        for each in expression.find_all(exp.Is)
        if isinstance(each.expression, exp.Null) and isinstance(each.this, exp.Column) and each.this.table in joined
    ]
    ids = {id(column) for column in asked}
    taken = {column.table for column in expression.find_all(exp.Column) if id(column) not in ids}
    return {id(column) for column in asked if column.table in taken}


def _equated_by_join(scope: Scope, column: exp.Column) -> Iterator[exp.Column]:
    for join in scope.expression.args.get("joins") or []:
        if join.alias_or_name == column.table:
            for equality in join.find_all(exp.EQ):
                sides = [equality.left, equality.right]
                if column in sides and all(isinstance(side, exp.Column) for side in sides):
                    yield from (side for side in sides if side != column)


def _of_column(scope: Scope, column: exp.Column) -> Iterator[Origin]:
    at = scope
    while column.table not in at.sources:  # a lateral query reads what stands before it
        if at.parent is None:
            raise LookupError(f"{column.sql()} is of no table that the statement reads")
        at = at.parent
    source = at.sources[column.table]
    if isinstance(source, exp.Table):
        yield Origin(source.name, column.name)
    elif isinstance(source.expression, exp.Lateral):
        query = _query(source.expression.this.unnest())
        yield from _of_expression(scope, query.selects[query.named_selects.index(column.name)].unalias())
    else:
        yield from _of_place(source, _query(source.expression).named_selects.index(column.name))


def _query(expression: object) -> exp.Query:
    if not isinstance(expression, exp.Query):
        raise TypeError(f"no query: {expression}")
    return expression
